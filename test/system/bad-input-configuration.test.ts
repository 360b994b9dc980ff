/** Configuration files that are wrong: `check` and `run` end with status 2 and say what is wrong and where, and a reload changes nothing. */

import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReloadReport } from "../../src/control/views.ts";
import { AttackedDaemon, built, executable, freePort, ownAs } from "../harness/attacked-daemon.ts";
import { waitFor } from "../harness/wait-for.ts";

const folder = mkdtempSync(join(tmpdir(), "starling-bad-file-"));
const file = join(folder, "starling.yaml");

beforeAll(built);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function starling(words: readonly string[], launcher: readonly string[] = []): Promise<Outcome> {
  const [program = "", ...rest] = [...launcher, process.execPath, executable, ...words];
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"], timeout: 20_000 });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, stdout, stderr })));
}

/** What `check` and `run` say about a file: both must refuse it, and name the same place and problem. */
async function refusals(path: string, launcher: readonly string[] = []): Promise<string> {
  const [check, run] = await Promise.all(["check", "run"].map((verb) => starling([verb, "-c", path], launcher)));
  expect([check?.status, run?.status]).toEqual([2, 2]);
  expect([check?.stdout, run?.stdout]).toEqual(["", ""]);
  const said = /^error: (.*)$/m.exec(run?.stderr ?? "")?.[1] ?? "";
  expect(check?.stderr.split("\n")[0]).toContain(path);
  expect(check?.stderr).toContain(said);
  expect(run?.stderr).not.toContain("    at ");
  return said;
}

const base = (port: number) => `
asNumber: 64512
routerId: 10.255.0.1
listen: {addresses: [127.0.0.1], port: ${port}}
kernel: {enabled: false}
control: {socket: ${folder}/starling.sock}
http: false
`;

describe("the text", () => {
  const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
  const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${[..."bcdefghi"].map((c, i) => `${c}: &${c} [${`*${"abcdefgh"[i]},`.repeat(9)}1]`).join("\n")}\n`;
  it.each<[string, string | Buffer, RegExp]>([
    ["is empty", "", /:1:1: the file is empty/],
    ["is only comments", "# nothing\n---\n", /:1:1: the file holds nothing/],
    ["is not YAML", "asNumber: 64512\n peers: [\n", /:2:7: not valid YAML/],
    ["has a tab where blanks belong", "peers:\n\t- address: 10.0.0.1\n", /:2:\d+: not valid YAML/],
    ["has a key twice", "asNumber: 1\nasNumber: 2\n", /:2:1: not valid YAML: duplicated mapping key/],
    ["is binary", Buffer.from("0001fffe80c0", "hex"), /it is not UTF-8 text/],
    ["is a list", "- asNumber: 1\n", /mapping/],
    ["is one word", "starling\n", /mapping/],
    ["is nested 20,000 deep", `asNumber: ${deep}\n`, /starling\.yaml(:\d+:\d+)?: /],
    ["multiplies itself by aliases", bomb, /starling\.yaml:\d+:\d+: /],
    ["has two documents", "asNumber: 1\n---\nasNumber: 2\n", /starling\.yaml(:\d+:\d+)?: /],
    ["is one line of 2 MB", `asNumber: ${"x".repeat(2_000_000)}\n`, /starling\.yaml:1:11: asNumber/],
  ])("%s", async (_name, text, expected) => {
    writeFileSync(file, text);
    const said = await refusals(file);
    expect(said).toMatch(expected);
    expect(said.length).toBeLessThan(1000);
  });
});

describe("the keys", () => {
  it.each<[string, string, string]>([
    ["unknown key", "pears: []", ":8:1: pears: unknown key (did you mean `peers`?)"],
    [
      "unknown key of a peer",
      "peers: [{address: 10.0.0.2, asNumbr: 1}]",
      ":8:29: peers[0].asNumbr: unknown key (did you mean `asNumber`?)",
    ],
    ["list instead of mapping", "policies: []", ":8:11: policies:"],
    ["mapping instead of list", "peers: {}", ":8:8: peers:"],
    ["text instead of number", "peers: [{address: 10.0.0.2, port: many}]", ":8:35: peers[0].port:"],
    ["number out of range", "peers: [{address: 10.0.0.2, port: 70000}]", ":8:35: peers[0].port:"],
    ["hold time of 2 s", "peers: [{address: 10.0.0.2, timers: {hold: 2}}]", ":8:44: peers[0].timers.hold:"],
    ["not an address", "peers: [{address: 10.0.0.256}]", ":8:19: peers[0].address:"],
    ["neither address nor range", "peers: [{asNumber: 1}]", ":8:9: peers[0]:"],
    [
      "two peers of one address",
      "peers: [{address: 10.0.0.2, name: a}, {address: 10.0.0.2, name: b}]",
      ':8:49: peers[1].address: 10.0.0.2 is the same address as that of "a"',
    ],
    [
      "two peers of one name",
      "peers: [{address: 10.0.0.2, name: a}, {address: 10.0.0.3, name: a}]",
      ":8:65: peers[1].name:",
    ],
    [
      "the same range twice",
      "peers: [{range: 10.0.0.0/8, name: a}, {range: 10.0.0.0/8, name: b}]",
      ':8:47: peers[1].range: 10.0.0.0/8 is the same range as that of "a"',
    ],
    ["unknown policy", "peers: [{address: 10.0.0.2, import: [nothing]}]", ":8:38: peers[0].import[0]:"],
    ["unknown template", "peers: [{address: 10.0.0.2, use: nothing}]", ":8:34: peers[0].use:"],
    [
      "password file that is not there",
      "peers: [{address: 10.0.0.2, passwordFile: nowhere}]",
      ":8:43: peers[0].passwordFile:",
    ],
    ["own prototype", "__proto__: {asNumber: 1}", ":8:1: __proto__: unknown key"],
  ])("%s", async (_name, line, expected) => {
    writeFileSync(file, base(await freePort()) + line);
    expect(await refusals(file)).toContain(`starling.yaml${expected}`);
  });

  it("all that is wrong is listed", async () => {
    writeFileSync(file, `${base(1)}pears: []\npeers: [{address: 10.0.0.2, port: many}, {asNumber: x}]\n`);
    const { status, stderr } = await starling(["check", "-c", file]);
    expect(status).toBe(2);
    expect(stderr.split("\n")[0]).toMatch(/has \d errors/);
    for (const path of ["pears", "peers[0].port", "peers[1].asNumber"]) expect(stderr).toContain(`: ${path}: `);
  });

  it("ranges within one another are no error: the longer one goes first", async () => {
    writeFileSync(file, `${base(1)}peers: [{range: 10.0.0.0/8}, {range: 10.1.0.0/16}, {address: 10.1.0.1}]\n`);
    expect((await starling(["check", "-c", file])).status).toBe(0);
  });
});

describe("the file itself", () => {
  it.each<[string, (path: string) => void, RegExp]>([
    ["is not there", () => undefined, /there is no such file/],
    ["is a directory", (path) => mkdirSync(path), /it is a directory/],
    ["is a link to itself", (path) => symlinkSync(path, path), /its symbolic links go in a circle/],
    ["is a device without end", (path) => symlinkSync("/dev/zero", path), /it is not a regular file/],
    [
      "has 17 MiB",
      (path) => writeFileSync(path, Buffer.alloc(17 << 20, "# \n")),
      /it has \d+ bytes; accepted: at most/,
    ],
  ])("%s", async (name, make, expected) => {
    const path = join(folder, `${name.replaceAll(" ", "-")}.yaml`);
    make(path);
    expect(await refusals(path)).toMatch(expected);
  });

  it.skipIf(process.getuid?.() !== 0)("may not be read", async () => {
    chmodSync(folder, 0o755);
    writeFileSync(file, base(1));
    chmodSync(file, 0o600);
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    expect(await refusals(file, nobody)).toContain("cannot read the configuration: permission denied");
  });
});

describe("a reload", () => {
  it("of a wrong file, 300 times by SIGHUP while it changes, changes nothing and says why", async () => {
    await using daemon = await AttackedDaemon.start("reload", {
      peers: [{ name: "other", address: "127.6.0.9", passive: true }],
    });
    daemon.write({ pears: [] });
    await expect(daemon.client.call("reload")).resolves.toMatchObject({ ok: false, problems: [{ path: "pears" }] });
    for (let i = 0; i < 300; i++) {
      if (i % 3 === 0) writeFileSync(daemon.file, "");
      else if (i % 3 === 1) daemon.write({ peers: 17 });
      else
        daemon.write({
          originate: [{ prefix: `198.18.${i % 256}.0/24`, blackhole: true }],
          log: { format: "json", level: "wrong" },
        });
      daemon.process.signal("SIGHUP");
      await sleep(2);
    }
    // Whatever came last is read after the last signal.
    daemon.write();
    await expect(daemon.client.call("reload")).resolves.toMatchObject({ ok: true, changes: [] });
    const refused = daemon.log().filter(({ msg }) => msg.startsWith("reload refused"));
    expect(refused.length).toBeGreaterThan(0);
    expect((await daemon.peers()).map(({ name }) => name)).toEqual(["healthy", "other"]);
    expect(daemon.log().some(({ msg }) => msg.includes("pears: unknown key"))).toBe(true);
  });

  it("of a file that is wrong about one peer leaves that peer as it was, says so, and does the rest", async () => {
    const other = { name: "other", address: "127.6.0.9", asNumber: ownAs, passive: true };
    await using daemon = await AttackedDaemon.start("one-peer", { peers: [other] });
    const { peers } = JSON.parse(readFileSync(daemon.file, "utf8")) as { peers: readonly object[] };
    const wrong = peers.map((peer) => ("name" in peer && peer.name === "other" ? { ...peer, asNumber: "many" } : peer));
    daemon.write({ peers: wrong, originate: [{ prefix: "198.19.0.0/24", blackhole: true }] });
    const report = await daemon.client.call<ReloadReport>("reload");
    expect(report).toMatchObject({ ok: true, problems: [{ path: "peers[1].asNumber" }] });
    expect(report.changes.some((line) => line.includes("198.19.0.0/24"))).toBe(true);
    const shown = (await daemon.peers()).find(({ name }) => name === "other");
    expect(shown).toMatchObject({ asNumber: ownAs, lastError: expect.stringContaining("peers[1].asNumber") });
    daemon.write();
    await expect(daemon.client.call("reload")).resolves.toMatchObject({ ok: true, problems: [] });
    expect((await daemon.peers()).find(({ name }) => name === "other")?.lastError ?? "").not.toContain("asNumber");
  });

  it("of right files, 300 times: each is applied in its turn and the last one holds", async () => {
    await using daemon = await AttackedDaemon.start("storm");
    const originated = (n: number) => ["198.18.1.0/24", "198.18.2.0/24", "198.18.3.0/24", `198.19.${n % 256}.0/24`];
    const routesOf = (n: number) => originated(n).map((prefix) => ({ prefix, blackhole: true }));
    for (let i = 0; i < 300; i++) {
      daemon.write({ originate: routesOf(i) });
      daemon.process.signal("SIGHUP");
      if (i % 10 === 0) await sleep(5);
    }
    await waitFor(
      async () =>
        (await daemon.routes({ origin: "static" })).map(({ prefix }) => prefix).join() === originated(299).join(),
      { what: "the last file to hold" },
    );
    console.log(await daemon.expectUnharmed(64));
  });
});
