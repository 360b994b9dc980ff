import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { canPlay, LabRun } from "../harness/lab-run.ts";
import { runCommand } from "../harness/process.ts";

describe.skipIf(!canPlay)("npm run lab", () => {
  it("shows a network come up, restart, lose a node, and leaves nothing behind", async () => {
    const run = new LabRun(["--fast"]);
    const { status, output } = await run.ended();
    const text = output.replaceAll(/ +/g, " ");
    expect(text).not.toContain("\u001b");
    for (const said of [
      /^✓ build the network .*8 network namespaces/m,
      /^ node-a - tor: Established after /m,
      /^✓ start the daemons, sessions come up .*6 of 6 established/m,
      /^ reflector node-b 64512 iBGP, client Established .* 1 1$/m,
      /^✓ kernel routes on node-a .*3 written; learnt from the kernel: 10\.244\.1\.10\/32 dev cali0a$/m,
      /^ blackhole 10\.244\.1\.0\/26 proto bird$/m,
      /^ 10\.244\.2\.0\/26 via 10\.0\.0\.2 dev eth0 proto bird$/m,
      /^ 203\.0\.113\.0\/24 via 10\.0\.0\.254 dev eth0 proto bird$/m,
      /^✓ ping pod-a to pod-b .*20 sent, 20 received, 0 lost/m,
      /^✓ ping pod-a to the server .*20 sent, 20 received, 0 lost/m,
      /^✓ kill -9 on node-b, start it again .* stale for .* 0 lost/m,
      /^✓ shut node-b down .*route gone from node-a's kernel after \d{1,3} ms$/m,
      /^ the reflector on node-b: .*administrative shutdown/m,
      /^✓ start node-b again .*route back after .* 0 lost/m,
      /^cleaned up: nothing of it is left/m,
    ]) {
      expect(text).toMatch(said);
    }
    expect(text).not.toMatch(/^✗/m);
    expect(status).toBe(0);
    expect(await run.leftovers()).toEqual([]);
  });

  it.each([
    ["SIGINT while it builds", "SIGINT", "A network", 130],
    ["SIGTERM while pings go", "SIGTERM", "✓ kernel routes", 143],
  ] as const)("%s: cleans up and says so by its status", async (_name, signal, moment, wanted) => {
    const run = new LabRun([]);
    await run.says(moment);
    run.child.kill(signal);
    const { status, output } = await run.ended();
    expect(output).toContain(`stopped by ${signal}`);
    expect(status).toBe(wanted);
    expect(await run.leftovers()).toEqual([]);
  });

  it("says why a step failed, with the last words of the daemons", async () => {
    const folder = mkdtempSync(join(tmpdir(), "starling-no-bird-"));
    writeFileSync(join(folder, "bird"), "#!/bin/sh\necho no wings today\nexit 1\n", { mode: 0o755 });
    const run = new LabRun([], [], { PATH: `${folder}:${process.env["PATH"]}` });
    const { status, output } = await run.ended();
    rmSync(folder, { recursive: true });
    expect(output).toMatch(/^✗ start the daemons/m);
    expect(output).toMatch(/^error: BIRD on the tor ended by itself/m);
    expect(output).toMatch(/^---- the end of tor\/bird-1\.log\nno wings today$/m);
    expect(output).toMatch(/^cleaned up/m);
    expect(status).toBe(1);
    expect(await run.leftovers()).toEqual([]);
  });

  it("cleans up when nobody reads its output any more", async () => {
    const run = new LabRun(["--fast"]);
    await run.says("✓ build");
    run.child.stdout?.destroy();
    expect((await run.ended()).status).toBe(1);
    expect(await run.leftovers()).toEqual([]);
  });

  it("--keep stays until Ctrl-C, which is then no failure; the next run removes what a killed one left", async () => {
    const killed = new LabRun(["--fast"]);
    await killed.says("✓ kernel routes");
    killed.child.kill("SIGKILL");
    await killed.ended();
    expect(await killed.leftovers()).not.toEqual([]);

    const kept = new LabRun(["--fast", "--keep"]);
    await kept.says("The configuration files and logs");
    expect(await killed.leftovers()).toEqual([]);
    const command = /^ {2}(ip netns exec \S+-pod-a) ping/m.exec(kept.output)?.[1]?.split(" ") ?? [];
    expect(await runCommand([...command, "ping", "-c", "1", "10.244.2.10"])).toContain("1 received");
    kept.child.kill("SIGINT");
    expect((await kept.ended()).status).toBe(0);
    expect(await kept.leftovers()).toEqual([]);
  });
});

describe("npm run lab where it cannot be played", () => {
  it("explains its options", async () => {
    expect(await new LabRun(["--help"]).ended()).toEqual({ status: 0, output: expect.stringContaining("--keep") });
    expect(await new LabRun(["--kep"]).ended()).toEqual({ status: 2, output: expect.stringContaining("'--kep'") });
    expect(await new LabRun(["rack", "and", "more"]).ended()).toEqual({
      status: 2,
      output: expect.stringContaining("one lab at a time"),
    });
  });

  it.skipIf(process.getuid?.() !== 0)("asks for root, and says how", async () => {
    const anybody = ["setpriv", "--reuid", "65534", "--clear-groups"];
    const { status, output } = await new LabRun([], anybody).ended();
    expect(output).toBe(
      'error: the lab makes network namespaces, and that needs root: run `sudo env "PATH=$PATH" npm run lab`\n',
    );
    expect(status).toBe(1);
  });
});
