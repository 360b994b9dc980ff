import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accept, acceptForReload, loadFile, loadText, openFile } from "../../../src/config/load.ts";
import { ConfigError, formatProblem } from "../../../src/config/problem.ts";
import { highestAddress, machineOf, tableNumber } from "../../../src/config/surroundings.ts";
import { configOf, machine } from "./fixtures.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "starling-config-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function failureOf(path: string): string {
  const { config, problems } = loadFile(path);
  expect(config).toBeUndefined();
  return problems.map(formatProblem).join("\n").replaceAll(directory, "DIR");
}

describe("files that are none", () => {
  it("tells why it cannot read", () => {
    expect(failureOf(join(directory, "nowhere.yaml"))).toBe(
      "DIR/nowhere.yaml: cannot read the configuration: there is no such file",
    );
    expect(failureOf(directory)).toContain("it is a directory");
    expect(failureOf("/dev/zero")).toContain("it is not a regular file");
    expect(failureOf(file("latin1.yaml", Uint8Array.of(0x61, 0x3a, 0x20, 0xe4)))).toContain("it is not UTF-8 text");
    expect(failureOf(join(file("plain", ""), "below"))).toContain("a part of its path is not a directory");
  });

  it("does not wait for the other end of a pipe", () => {
    const pipe = join(directory, "pipe");
    execFileSync("sh", ["-c", 'mkfifo "$0"', pipe]);
    expect(failureOf(pipe)).toContain("it is not a regular file");
  });

  it("does not read a file without bounds", () => {
    const huge = file("huge.yaml", "");
    truncateSync(huge, 64 * 1024 * 1024);
    expect(failureOf(huge)).toContain("it has 67108864 bytes; accepted: at most 16777216");
  });
});

describe("passwords", () => {
  it("come from the file that is named, relative to the configuration", () => {
    file("tor.key", "geheim\n");
    const path = file(
      "with-key.yaml",
      "asNumber: 1\nrouterId: 1.1.1.1\npeers: [{address: 10.0.0.2, passwordFile: tor.key}]\n",
    );
    expect(accept(loadFile(path)).peers[0]?.password).toBe("geheim");
  });

  it("come from the environment", () => {
    expect(configOf("asNumber: 1\npeers: [{address: 10.0.0.2, passwordEnv: TOR_KEY}]").peers[0]?.password).toBe(
      "from the environment",
    );
  });

  it("draw a warning where everybody can read them", () => {
    const path = file("inline.yaml", "asNumber: 1\nrouterId: 1.1.1.1\npeers: [{address: 10.0.0.2, password: x}]\n");
    chmodSync(path, 0o644);
    expect(loadFile(path).problems[0]?.message).toContain("everybody on this machine can read this file");
    chmodSync(path, 0o640);
    expect(loadFile(path).problems).toEqual([]);
  });
});

describe("accept", () => {
  it("throws all errors, and lets warnings pass", () => {
    const wrong = loadText(
      "asNumber: 1\npeers: [{address: 10.0.0.2, prot: 1}, {address: 10.0.0.3, hold: 1}]",
      "f",
      machine,
    );
    expect(() => accept(wrong)).toThrow(ConfigError);
    expect(() => accept(wrong)).toThrow(
      "f:2:29: peers[0].prot: unknown key (did you mean `port`?)\nf:2:59: peers[1].hold",
    );
    expect(accept(loadText("asNumber: 1\npeers: [{address: 10.0.0.2, asNumber: 2}]", "f", machine)).asNumber).toBe(1);
  });
});

describe("loading in slices", () => {
  it("comes to the same as loading at once, and lets others have their turn", async () => {
    const peers = Array.from(
      { length: 300 },
      (_, i) => `  - {name: p${i}, address: 10.0.${i >> 8}.${(i & 255) + 1}}\n`,
    );
    const path = file("many.yaml", `asNumber: 1\nrouterId: 1.1.1.1\npeers:\n${peers.join("")}`);
    let turns = 0;
    let time = 0;
    const clock = {
      now: () => time++,
      soon: (run: () => void) => {
        turns++;
        setImmediate(run);
      },
    };
    expect(await openFile(path).validateInSlices(clock)).toEqual(loadFile(path));
    expect(turns).toBeGreaterThan(50);
    for (const wrong of [file("none.yaml", "["), join(directory, "nowhere")]) {
      expect(await openFile(wrong).validateInSlices(clock)).toEqual(loadFile(wrong));
    }
  });
});

describe("a reload with one wrong peer", () => {
  const current = configOf(
    "asNumber: 1\npolicies: {p: []}\npeers: [{name: a, address: 10.0.0.2, import: [p]}, {name: b, address: 10.0.0.3}]",
  );
  const reload = (yaml: string) => acceptForReload(current, loadText(`asNumber: 1\n${yaml}`, "f", machine));

  it("keeps that peer as it was and takes the rest", () => {
    const config = reload(
      "policies: {p: []}\npeers: [{name: a, address: 10.0.0.9, prot: 1}, {name: b, address: 10.0.0.4}]",
    );
    expect(config.peers.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(config.peers[0]).toEqual(current.peers[0]);
    expect(config.peers[1]?.remote).toMatchObject({ address: { w0: 0x0a000004 } });
  });

  it("leaves a new peer that is wrong out", () => {
    expect(reload("peers: [{name: c, address: 10.0.0.9, prot: 1}]").peers).toEqual([]);
  });

  it.each([
    ["policies: {}\npeers: [{name: a, prot: 1}]", '"a" is wrong in the new file and cannot stay as it was: a policy'],
    [
      "policies: {p: []}\npeers: [{name: a, prot: 1}, {name: c, address: 10.0.0.2}]",
      "another peer has taken its place",
    ],
    ["kernel: {tabel: 1}", "kernel.tabel: unknown key"],
    ["peers: [{prot: 1}]", "peers[0].prot: unknown key"],
  ])("changes nothing where that cannot be: %j", (yaml, want) => {
    expect(() => reload(yaml)).toThrow(want);
  });
});

describe("this machine", () => {
  const of = (...addresses: string[]) =>
    highestAddress({
      eth0: addresses.map((address) => ({ address, family: address.includes(":") ? "IPv6" : "IPv4", internal: false })),
      down: undefined,
    });

  it.each([
    [["10.0.0.1", "192.168.0.1", "10.9.9.9"], 0xc0a80001],
    [["127.0.0.1", "10.0.0.1"], 0x0a000001],
    [["10.0.0.1", "127.0.0.1"], 0x0a000001],
    [["127.0.0.1"], 0x7f000001],
    [["2001:db8::1"], undefined],
    [[], undefined],
  ])("the router id of %j", (addresses, want) => {
    expect(of(...addresses)).toBe(want);
  });

  it.each([
    ["main", 254],
    ["red", 100],
    ["blue", undefined],
  ])("the table %s of rt_tables", (name, want) => {
    expect(tableNumber(name, "#\n# reserved values\n255\tlocal\n254\tmain\n100  red # a VRF\n#101 blue\n")).toBe(want);
  });

  it("answers", () => {
    const here = machineOf("starling.yaml");
    expect(here.routingTable("no-such-table")).toBeUndefined();
    expect(here.environment("PATH")).toBe(process.env["PATH"]);
    expect(here.readText("no-such-file")).toEqual({ kind: "error", message: "there is no such file" });
  });
});
