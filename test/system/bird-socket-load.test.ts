/** BIRD's control socket of a daemon that takes in 100,000 routes: what queries cost, and that nobody is kept waiting. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Family } from "../../src/bgp/model/family.ts";
import { AttackedDaemon, ownAs } from "../harness/attacked-daemon.ts";
import { ReplayPeer } from "../harness/bgp-replayer.ts";
import { askBird, RawBirdClient } from "../harness/bird-client.ts";
import { rawAttributes, rawPrefixes, rawUpdate } from "../harness/raw-bytes.ts";
import { waitFor } from "../harness/wait-for.ts";

const ROUTES = 100_000;
const PER_UPDATE = 200;
const ROUNDS = 5;
const FEEDER = "127.0.3.1";
/** What a table of rows in memory would take, several times over. */
const GROWTH_MIB = 120;

let daemon: AttackedDaemon;
let path: string;

beforeAll(async () => {
  const feeder = { name: "feeder", address: FEEDER, asNumber: ownAs, passive: true, timers: { hold: 240 } };
  daemon = await AttackedDaemon.start("bird", { peers: [feeder] });
  path = join(daemon.folder, "bird.ctl");
  // Sockets come with a reload.
  daemon.write({ control: { socket: daemon.socket, birdSocket: path } });
  await daemon.client.call("reload");
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
});

/** Each round all routes again, with a next hop of its own. */
function messages(round: number): Uint8Array[] {
  const attributes = rawAttributes(`127.0.3.${round + 1}`, [], 100);
  return Array.from({ length: ROUTES / PER_UPDATE }, (_, block) => {
    const prefix = (i: number) => `20.${(block * PER_UPDATE + i) >> 8}.${(block * PER_UPDATE + i) & 255}.0/24`;
    const octets = (i: number) =>
      prefix(i).replace(/^20\.(\d+)\./, (_text, n) => `${20 + (Number(n) >> 8)}.${Number(n) & 255}.`);
    return rawUpdate(attributes, rawPrefixes(...Array.from({ length: PER_UPDATE }, (_item, i) => octets(i))));
  });
}

const countOf = async () => Number(/^0014 (\d+) of/.exec((await askBird(path, "show route count"))[0] ?? "")?.[1]);

/** Resolves when it has begun to ask. */
async function startProber(commands: readonly string[]) {
  const program = fileURLToPath(new URL("../harness/bird-prober.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", program, path, ...commands]);
  let output = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  await waitFor(() => output.startsWith("asking"), { what: "the prober to begin", interval: 10 });
  const closed = once(child, "close");
  return {
    finish: async (): Promise<Record<string, number[]>> => {
      child.stdin.end();
      await closed;
      return JSON.parse(output.slice(output.indexOf("{")));
    },
  };
}

/** Milliseconds of processor time that the daemon has taken: what it took on the wall says more of the machine. */
function processorTime(): number {
  const fields = readFileSync(`/proc/${daemon.process.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  // utime and stime, in hundredths of a second.
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function quantiles(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  return `${sorted.length} times, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms`;
}

describe("BIRD's control socket under load", () => {
  it("answers while 100,000 routes come in, again and again", async () => {
    const feed = { address: FEEDER, asNumber: ownAs, routerId: 0x7f000301, fourOctetAs: true, family: Family.Ipv4 };
    const all = Array.from({ length: ROUNDS }, (_, round) => messages(round)).flat();
    const peer = new ReplayPeer({ ...feed, messages: all }, { host: "127.0.0.1", port: daemon.port });
    await peer.established();
    const prober = await startProber([
      "show status",
      "show protocols",
      "show protocols all feeder",
      "show route for 20.0.1.1 all",
    ]);
    await peer.send();
    await waitFor(async () => (await countOf()) >= ROUTES, { what: "all routes", timeout: 60_000 });
    const times = await prober.finish();
    for (const [command, each] of Object.entries(times)) {
      console.log(`${command}: ${quantiles(each)}`);
      expect(each.length).toBeGreaterThan(0);
    }
    expect((await askBird(path, "show protocols all feeder")).join("\n")).toMatch(/Routes: +100000 imported, /);
    daemon.healthy.expectUntouched();
    peer.close();
    await waitFor(async () => (await countOf()) < 100, { what: "the routes to go" });
  });

  it("streams a table to readers, and keeps little for one that does not read", async () => {
    const feed = { address: FEEDER, asNumber: ownAs, routerId: 0x7f000301, fourOctetAs: true, family: Family.Ipv4 };
    const peer = new ReplayPeer({ ...feed, messages: messages(0) }, { host: "127.0.0.1", port: daemon.port });
    await peer.established();
    await peer.send();
    await waitFor(async () => (await countOf()) >= ROUTES, { what: "all routes", timeout: 60_000 });
    const before = daemon.memory();
    const stuck = await RawBirdClient.connect(path);
    stuck.socket.pause();
    stuck.socket.write("show route all\n".repeat(100));
    const reader = await RawBirdClient.connect(path);
    const prober = await startProber(["show protocols"]);
    const [asked, worked] = [performance.now(), processorTime()];
    const lines = await reader.ask("show route");
    const took = performance.now() - asked;
    const { "show protocols": times = [] } = await prober.finish();
    console.log(
      `show route: ${lines.length} lines in ${took.toFixed(0)} ms, ${processorTime() - worked} of them at work; beside it show protocols: ${quantiles(times)}`,
    );
    expect(lines.length).toBeGreaterThan(ROUTES);
    expect(daemon.memory() - before, "growth in MiB").toBeLessThan(GROWTH_MIB);
    daemon.healthy.expectUntouched();
    stuck.close();
    reader.close();
    peer.close();
  });
});
