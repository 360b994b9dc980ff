import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { runCommand } from "../harness/process.ts";
import { waitFor } from "../harness/wait-for.ts";

describe.skipIf(!canMakeNetworks())("a lab of network namespaces", () => {
  it("joins nodes by cables and switches, and packets cross", async () => {
    await using lab = await Lab.create("crossing");
    const [left, middle, right] = await lab.nodes("left", "middle", "right");
    await lab.link(left, middle, {
      addresses: [
        ["10.0.0.1/24", "fd00::1/64"],
        ["10.0.0.2/24", "fd00::2/64"],
      ],
    });
    await lab.bridge("switch", [
      [middle, "10.0.1.1/24"],
      [right, "10.0.1.2/24"],
    ]);
    expect(await left.pings("fd00::2")).toBe(true);
    expect(await left.pings("10.0.1.2")).toBe(false);
    await left.ip("route", "add", "10.0.1.0/24", "via", "10.0.0.2", "proto", "12");
    await right.ip("route", "add", "default", "via", "10.0.1.1");
    expect(await left.pings("10.0.1.2")).toBe(true);
    expect(await left.routes("ipv4")).toContainEqual(
      expect.objectContaining({ dst: "10.0.1.0/24", gateway: "10.0.0.2", dev: "middle", protocol: "12" }),
    );
    expect(await left.routes("ipv4", "999")).toEqual([]);
  });

  it("keeps what background programs print, and takes them down with it", async () => {
    const lab = await Lab.create("ending");
    const node = await lab.node("a");
    const talker = node.spawn(["sh", "-c", "echo hello; exec sleep 1000"], "talker");
    await waitFor(() => talker.output().includes("hello"), { what: "a greeting" });
    expect(talker.isRunning).toBe(true);
    await lab[Symbol.asyncDispose]();
    expect(await talker.exited).toBe("SIGKILL");
    expect(existsSync(lab.folder)).toBe(false);
    expect(await runCommand(["ip", "netns", "list"])).not.toContain(node.namespace);
  });

  it("removes what a killed run left behind", async () => {
    const dead = "starling-999999999-gone-a";
    await runCommand(["ip", "netns", "add", dead]);
    await using _lab = await Lab.create("sweeping");
    expect(await runCommand(["ip", "netns", "list"])).not.toContain(dead);
  });

  it("a wait that is in vain says for what, and what was seen last", async () => {
    const wait = waitFor(() => Promise.reject(new RangeError("nothing there")), { what: "a miracle", timeout: 100 });
    await expect(wait).rejects.toThrow(
      "timed out after 0.1 s waiting for a miracle; the last look failed: nothing there",
    );
  });
});
