/**
 * How long a pod's route takes from the kernel of its node to the node's peers, and to the kernel of another node: two starlings in
 * namespaces on one switch, peers in a third, and the kernel's own word (`ip monitor`) for when routes came.
 */

import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { LabNode } from "../../test/harness/lab-node.ts";
import { Lab } from "../../test/harness/netns.ts";
import type { BackgroundProcess } from "../../test/harness/process.ts";
import { waitFor } from "../../test/harness/wait-for.ts";
import { cpuSeconds, familyOf } from "../process-accounts.ts";

export interface PodsOptions {
  /** Routes of pods a second, and for how many seconds. */
  readonly rate: number;
  readonly seconds: number;
  /** Peers beside the other node. */
  readonly peers: number;
  /** A checkout's bin/starling.mjs. */
  readonly starling: string;
}

const AS_NUMBER = 64_512;
const NODE_A = "10.0.0.1";
const NODE_B = "10.0.0.2";
const POD_INTERFACE = "cali0";
/** Of the other node, to know that the session stands both ways. */
const FIRST_ROUTE = "10.64.0.0/24";
/** Commands are written so often, several at a time where the rate asks for it. */
const STEP_MILLISECONDS = 10;
const PATIENCE_MILLISECONDS = 30_000;

const toldPeers = fileURLToPath(new URL("told-peers.ts", import.meta.url));

/** Lines for people. */
export async function measurePods(options: PodsOptions): Promise<readonly string[]> {
  await using lab = await Lab.create("pods");
  const [a, b, others] = await lab.nodes("a", "b", "others");
  const peers = Array.from({ length: options.peers }, (_, i) => `10.0.1.${i + 1}`);
  await lab.bridge("switch", [
    [a, `${NODE_A}/16`],
    [b, `${NODE_B}/16`],
    [others, "10.0.0.3/16", ...peers.map((address) => `${address}/16`)],
  ]);
  await a.stub(POD_INTERFACE);
  const script = [process.execPath, "--import", import.meta.resolve("tsx"), toldPeers, NODE_A, String(AS_NUMBER)];
  const told = others.spawn([...script, ...peers], "told-peers");
  const starlings = [
    startStarling(a, options.starling, NODE_A, [NODE_B, ...peers]),
    startStarling(b, options.starling, NODE_B, [NODE_A]),
  ];
  const [atA, atB] = [a, b].map((node) =>
    node.spawn(["ip", "-tshort", "-oneline", "-4", "monitor", "route"], "monitor", { TZ: "UTC" }),
  ) as [BackgroundProcess, BackgroundProcess];
  const isUp = () => peers.every((address) => told.output().includes(`up ${address}\n`));
  await waitFor(isUp, { what: "the peers' sessions", timeout: PATIENCE_MILLISECONDS });
  await a.ip("route", "add", FIRST_ROUTE, "dev", POD_INTERFACE, "proto", "boot");
  const hasFirst = async () => (await b.routes("ipv4")).some(({ dst }) => dst === FIRST_ROUTE);
  await waitFor(hasFirst, { what: "the nodes' session", timeout: PATIENCE_MILLISECONDS });

  const cpuTimes = () => starlings.map(({ pid }) => cpuSeconds(familyOf(pid)));
  const before = cpuTimes();
  const pods = await makePods(a, options);
  const isComplete = () => monitored(atB).size > pods && toldTimes(told, peers).every((times) => times.size > pods);
  await waitFor(isComplete, { what: "every route to arrive", timeout: PATIENCE_MILLISECONDS, interval: 200 });
  const spent = cpuTimes().map((seconds, i) => (((seconds - (before[i] ?? 0)) * 1e6) / pods).toFixed(0));
  const from = monitored(atA);
  from.delete(FIRST_ROUTE);
  const times = toldTimes(told, peers);
  const after = (there: ReadonlyMap<string, number>) =>
    [...from].map(([prefix, at]) => (there.get(prefix) ?? Number.NaN) - at);
  const last = new Map(
    [...from.keys()].map((prefix) => [prefix, Math.max(...times.map((t) => t.get(prefix) ?? Number.NaN))]),
  );
  return [
    `${pods} routes of pods, ${options.rate} a second; milliseconds from the kernel's word of them on their node`,
    line(`to each of ${peers.length} peers`, times.flatMap(after)),
    line("to the last of the peers", after(last)),
    line("to the kernel of another node", after(monitored(atB))),
    `CPU time for each: ${spent[0]} us on the pods' node, ${spent[1]} us on the other`,
  ];
}

function startStarling(node: LabNode, executable: string, own: string, peers: readonly string[]): BackgroundProcess {
  const file = join(node.folder, "starling.yaml");
  const configuration = {
    asNumber: AS_NUMBER,
    routerId: own,
    peers: peers.map((address) => ({
      address,
      asNumber: AS_NUMBER,
      families: { ipv4: {} },
      timers: { connectRetry: "1s" },
    })),
    kernel: { learn: { interfaces: ["cali*"] } },
    control: { socket: join(node.folder, "starling.sock") },
    log: { format: "json" },
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configuration));
  return node.spawn([process.execPath, executable, "run", "--config", file], "starling");
}

/** As Felix writes them; returns how many. */
async function makePods(node: LabNode, { rate, seconds }: PodsOptions): Promise<number> {
  const [program = "", ...words] = node.inside(["ip", "-batch", "-"]);
  const felix = spawn(program, words, { stdio: ["pipe", "ignore", "inherit"] });
  const total = rate * seconds;
  const started = performance.now();
  for (let made = 0; made < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - started) * rate) / 1000) + 1);
    let commands = "";
    for (; made < due; made++)
      commands += `route add 10.65.${made >>> 8}.${made & 255}/32 dev ${POD_INTERFACE} scope link proto boot metric 1024\n`;
    felix.stdin.write(commands);
    await sleep(STEP_MILLISECONDS);
  }
  felix.stdin.end();
  await new Promise((resolve) => felix.once("exit", resolve));
  return total;
}

/** When each prefix of pods was added to the kernel that is being watched, as Date.now() counts. */
function monitored(watch: BackgroundProcess): Map<string, number> {
  const times = new Map<string, number>();
  for (const text of watch.output().split("\n")) {
    const match = /^\[(\S+T\S+)(\.\d+)\] (10\.6[45]\.\S+) /.exec(text);
    if (match === null) continue;
    const [, moment = "", fraction = "", prefix = ""] = match;
    const key = prefix.includes("/") ? prefix : `${prefix}/32`;
    times.set(key, Date.parse(`${moment}Z`) + Number(fraction) * 1000);
  }
  return times;
}

/** By peer: when it was told of each prefix. */
function toldTimes(program: BackgroundProcess, peers: readonly string[]): ReadonlyMap<string, number>[] {
  const times = new Map(peers.map((address) => [address, new Map<string, number>()]));
  for (const text of program.output().split("\n")) {
    const [address = "", prefix = "", at] = text.split(" ");
    if (at !== undefined) times.get(address)?.set(prefix, Number(at));
  }
  return [...times.values()];
}

function line(name: string, values: readonly number[]): string {
  const sorted = values.toSorted((x, y) => x - y);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(2);
  return `${name.padEnd(32)} p50 ${at(0.5).padStart(8)}  p99 ${at(0.99).padStart(8)}  max ${at(1).padStart(8)}`;
}
