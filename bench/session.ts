/**
 * A table through one session into starling, and in the same run into BIRD, by turns: seconds until all of it is in the table, CPU
 * time, memory. `npx tsx bench/session.ts [--routes 1000000] [--rounds 3] [--through] [--json FILE]`; needs no privileges.
 * With --through a second peer is told the table, and the time ends when it has heard all of it.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { connect } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Feed, ReplayPeer } from "../test/harness/bgp-replayer.ts";
import { findProgram } from "../test/harness/process.ts";
import { waitFor } from "../test/harness/wait-for.ts";
import { PEER_AS, tableFeed } from "./session-feed.ts";

interface Measurement {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Peak resident set since the process began. */
  readonly peakMegabytes: number;
}

/** A daemon that listens on 127.0.0.1 for an external peer at 127.0.0.2, and perhaps one at 127.0.0.3 which is told everything. */
interface Contender {
  readonly name: string;
  readonly port: number;
  start(folder: string): ChildProcess;
  /** Routes in its table; cheap to ask. */
  count(folder: string): Promise<number>;
}

const LOCAL_AS = 65_000;
const PEER = "127.0.0.2";
const RECEIVER = "127.0.0.3";
const RECEIVER_AS = 65_002;
const PORTS = { starling: 17_901, http: 17_902, bird: 17_903 } as const;
/** Of the same order as what asking costs; the same for both. */
const POLL_MILLISECONDS = 10;
const checkout = fileURLToPath(new URL("..", import.meta.url));

const starling: Contender = {
  name: "starling",
  port: PORTS.starling,
  start(folder) {
    const file = join(folder, "starling.yaml");
    const config = {
      asNumber: LOCAL_AS,
      routerId: "10.0.0.1",
      listen: { addresses: ["127.0.0.1"], port: PORTS.starling },
      peerDefaults: { passive: true, multihop: 64, gracefulRestart: false },
      policies: { nothing: [{ then: "reject" }] },
      peers: [
        { address: PEER, asNumber: PEER_AS, export: ["nothing"] },
        { address: RECEIVER, asNumber: RECEIVER_AS },
      ],
      kernel: { enabled: false },
      control: { socket: join(folder, "starling.sock") },
      http: { address: "127.0.0.1", port: PORTS.http },
      log: { format: "json" },
    };
    writeFileSync(file, JSON.stringify(config));
    return background([process.execPath, join(checkout, "bin/starling.mjs"), "run", "-c", file], folder, "starling");
  },
  async count() {
    const summary = JSON.parse(await httpGet(`http://127.0.0.1:${PORTS.http}/api/v1/summary`));
    return summary.prefixes.ipv4;
  },
};

const bird: Contender = {
  name: "bird",
  port: PORTS.bird,
  start(folder) {
    const file = join(folder, "bird.conf");
    const peer = (name: string, address: string, as: number, exported: string) => `
      protocol bgp ${name} { local 127.0.0.1 port ${PORTS.bird} as ${LOCAL_AS}; neighbor ${address} as ${as}; strict bind on;
        multihop 64; passive on; graceful restart off;
        ipv4 { import all; export ${exported}; igp table next_hops; }; }`;
    const config = `
      log stderr all; router id 10.0.0.1; protocol device { }
      ipv4 table next_hops;
      protocol static { ipv4 { table next_hops; }; route 0.0.0.0/0 via "lo"; }
      ${peer("peer", PEER, PEER_AS, "none")} ${peer("receiver", RECEIVER, RECEIVER_AS, "all")}`;
    writeFileSync(file, config);
    const program = findProgram("bird") ?? "bird";
    return background([program, "-f", "-c", file, "-s", join(folder, "bird.ctl")], folder, "bird");
  },
  async count(folder) {
    const text = await birdCommand(join(folder, "bird.ctl"), "show protocols all peer");
    return Number(/Routes: .* (\d+) preferred/.exec(text)?.[1] ?? 0);
  },
};

async function measure(contender: Contender, feed: Feed, routes: number, through: boolean): Promise<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
  const child = contender.start(folder);
  const peers: ReplayPeer[] = [];
  const session = (from: Feed) =>
    waitFor(
      async () => {
        const candidate = new ReplayPeer(from, { host: "127.0.0.1", port: contender.port });
        await candidate.established();
        peers.push(candidate);
        return candidate;
      },
      { what: `a session with ${contender.name}` },
    );
  try {
    const pid = child.pid ?? 0;
    await waitFor(async () => (await contender.count(folder)) === 0, { what: `${contender.name} to answer` });
    const receiving = { ...feed, address: RECEIVER, asNumber: RECEIVER_AS, routerId: feed.routerId + 1, messages: [] };
    const receiver = through ? await session(receiving) : undefined;
    const sender = await session(feed);
    await sleep(500);
    const before = cpuSeconds(pid);
    const started = performance.now();
    const sent = sender.send();
    const isDone =
      receiver === undefined ? async () => (await contender.count(folder)) >= routes : () => receiver.heard >= routes;
    await waitFor(isDone, {
      what: `${routes} routes at ${contender.name}`,
      timeout: 300_000,
      interval: POLL_MILLISECONDS,
    });
    const seconds = (performance.now() - started) / 1000;
    await sent;
    return { seconds, cpuSeconds: cpuSeconds(pid) - before, peakMegabytes: peakMegabytes(pid) };
  } finally {
    for (const peer of peers) peer.close();
    await stop(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

function background(command: readonly string[], folder: string, name: string): ChildProcess {
  const [program = "", ...args] = command;
  const log = openSync(join(folder, `${name}.log`), "a");
  return spawn(program, args, { stdio: ["ignore", log, log] });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/** User and system time of all its threads. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in brackets may hold blanks; the fields after it are counted from 3 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function peakMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

function httpGet(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => {
        text += part;
      });
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

/** BIRD's answers end with a line of a code, a blank and a text: 0000, or 8 and 9 for errors. */
function birdCommand(socket: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket);
    let text = "";
    let greeted = false;
    connection.setEncoding("utf8");
    connection.on("error", reject);
    connection.on("data", (part) => {
      text += part;
      if (!greeted && text.includes("\n")) {
        greeted = true;
        text = "";
        connection.write(`${command}\n`);
      } else if (/^(0000|[89]\d{3}) ?.*\n$/m.test(text)) {
        connection.destroy();
        resolve(text);
      }
    });
  });
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const { values: options } = parseArgs({
  options: {
    routes: { type: "string", default: "100000" },
    rounds: { type: "string", default: "3" },
    through: { type: "boolean", default: false },
    json: { type: "string" },
  },
});
const routes = Number(options.routes);
const { feed, sets } = tableFeed(PEER, routes);
execFileSync(process.execPath, [join(checkout, "scripts/setup.mjs")], { stdio: "ignore" });

const contenders = findProgram("bird") === undefined ? [starling] : [starling, bird];
if (contenders.length === 1) console.log("bird is not installed: nothing to measure against");
const results = new Map<string, Measurement[]>(contenders.map(({ name }) => [name, []]));
console.log(
  `${routes.toLocaleString("en")} routes, ${sets.toLocaleString("en")} sets of attributes, ${options.through ? "from one peer to another" : "from one peer"}`,
);
console.log("round  daemon      seconds   CPU s    peak MB");
const line = (round: string, name: string, { seconds, cpuSeconds: cpu, peakMegabytes: peak }: Measurement) =>
  console.log(
    `${round.padEnd(6)} ${name.padEnd(10)} ${seconds.toFixed(2).padStart(8)} ${cpu.toFixed(2).padStart(7)} ${peak.toFixed(0).padStart(10)}`,
  );
for (let round = 1; round <= Number(options.rounds); round++) {
  for (const contender of contenders) {
    const measured = await measure(contender, feed, routes, options.through);
    results.get(contender.name)?.push(measured);
    line(String(round), contender.name, measured);
  }
}
const summary = [...results].map(([name, rounds]) => ({
  name,
  seconds: median(rounds.map((r) => r.seconds)),
  cpuSeconds: median(rounds.map((r) => r.cpuSeconds)),
  peakMegabytes: median(rounds.map((r) => r.peakMegabytes)),
  rounds,
}));
for (const entry of summary) line("median", entry.name, entry);
if (options.json !== undefined) {
  const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
  writeFileSync(
    options.json,
    `${JSON.stringify({ routes, sets, through: options.through, machine, daemons: summary }, undefined, 2)}\n`,
  );
}
