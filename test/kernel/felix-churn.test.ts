/** Pods' routes as Felix writes them, coming, moving and going at a thousand a second beside our own: all converges, nothing is left. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { expect, it, vi } from "vitest";
import { FAMILIES } from "../../src/bgp/model/family.ts";
import type { PeerId } from "../../src/bgp/model/ids.ts";
import { enterNewNamespace, ip, ipBatch, routes, veth } from "./support/namespace.ts";
import { BASE, METRIC_RULE, Node, PRIORITIES, ruleOf, within } from "./support/node.ts";

const SECONDS = 5;
const PER_SECOND = 1000;
/** Commands are written so often, a few at a time. */
const STEP_MILLISECONDS = 10;
const PODS = 500;
const INTERFACES = 20;
const METRICS = [1024, 512, 0];

/** The same each time. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 0x1_0000_0000) * below);
  };
}

/** What Felix does next: pods come with a priority, are given another, move to another interface, and go. */
function* commands(): Generator<string, never> {
  const below = randomNumbers(7);
  const present = new Map<number, number>();
  for (;;) {
    const pod = below(PODS);
    const address = `10.65.${pod >>> 8}.${pod & 255}/32`;
    const way = `dev cali${below(INTERFACES)} scope link proto boot`;
    const before = present.get(pod);
    const metric = METRICS[below(METRICS.length)] as number;
    if (before === undefined) {
      present.set(pod, metric);
      yield `route add ${address} ${way} metric ${metric}`;
    } else if (below(3) === 0) {
      present.delete(pod);
      yield `route del ${address} proto boot metric ${before}`;
    } else if (metric === before) yield `route replace ${address} ${way} metric ${metric}`;
    else {
      present.set(pod, metric);
      yield `route add ${address} ${way} metric ${metric}`;
      yield `route del ${address} proto boot metric ${before}`;
    }
  }
}

async function churn(felix: ChildProcess, also: (step: number) => void): Promise<void> {
  const source = commands();
  const each = (PER_SECOND * STEP_MILLISECONDS) / 1000;
  const started = performance.now();
  for (let step = 0; step < (SECONDS * 1000) / STEP_MILLISECONDS; step++) {
    const lines = Array.from({ length: each }, () => source.next().value);
    felix.stdin?.write(`${lines.join("\n")}\n`);
    also(step);
    const wait = started + step * STEP_MILLISECONDS - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, wait)));
  }
  felix.stdin?.end();
  await once(felix, "exit");
}

/** Of each pod's routes the one with the lowest metric, as the LOCAL_PREF that it is announced with. */
function inKernel(): ReadonlyMap<string, number> {
  const wanted = new Map<string, number>();
  for (const { dst, metric = 0 } of routes(4, "proto boot")) {
    const key = `${dst}/32`;
    wanted.set(key, Math.max(wanted.get(key) ?? 0, BASE - metric));
  }
  return wanted;
}

/** How much the tables hold. */
function held({ rib }: Node): readonly number[] {
  const tables = FAMILIES.map((family) => rib.rib(family).table);
  return [
    ...tables.flatMap(({ prefixes, paths }) => [prefixes.count, paths.count]),
    rib.attributes.count,
    rib.nextHops.count,
  ];
}

it("a thousand changes a second", async () => {
  enterNewNamespace();
  veth("eth0", "far", ["10.0.0.13/24"]);
  const names = Array.from({ length: INTERFACES }, (_, i) => `cali${i}`);
  ipBatch(names.flatMap((name, i) => [`link add name ${name} type veth peer name pod${i}`, `link set pod${i} up`]));
  ipBatch(names.map((name) => `link set ${name} up`));
  const blocks = Array.from({ length: 200 }, (_, i) => `10.66.${i}.0/26`);
  const node = await Node.start(
    { priorities: PRIORITIES, kernelRules: [METRIC_RULE, ruleOf("accept", { prefixes: within("10.66.0.0/16") })] },
    { excludeInterfaces: ["cali*"] },
  );
  try {
    const before = held(node);
    for (const peer of [1, 2]) node.peer(peer);

    const lag = monitorEventLoopDelay({ resolution: 1 });
    lag.enable();
    const felix = spawn("ip", ["-force", "-batch", "-"], { stdio: ["pipe", "ignore", "ignore"] });
    await churn(felix, (step) => {
      // Other nodes' blocks change their priority meanwhile.
      const localPref = BASE - (METRICS[step % 2] as number);
      node.announce(2, "10.0.0.12", blocks.slice(step % 150, (step % 150) + 20), { localPref });
    });
    lag.disable();
    const milliseconds = (nanoseconds: number) => (nanoseconds / 1e6).toFixed(1);
    console.log(
      `${PER_SECOND} routes of pods a second for ${SECONDS} s: event loop late by ` +
        `${milliseconds(lag.percentile(50))} ms (half), ${milliseconds(lag.percentile(99))} ms (99%), ${milliseconds(lag.max)} ms at worst`,
    );

    const pods = inKernel();
    expect(pods.size).toBeGreaterThan(PODS / 4);
    const told = () => new Map([...node.told(1)].filter(([prefix]) => prefix.startsWith("10.65.")));
    await vi.waitFor(() => expect(told()).toEqual(pods), 10_000);
    // The same once more for whoever reads the kernel anew.
    await vi.waitFor(() => expect(routes(4, "proto bird").length).toBeGreaterThan(150), 10_000);
    const ours = routes(4, "proto bird").map(({ dst }) => dst);
    expect(new Set(ours).size).toBe(ours.length);

    ip("-4 route flush proto boot root 10.65.0.0/16");
    node.withdraw(2, blocks);
    await vi.waitFor(() => expect([node.told(1).size, routes(4, "proto bird").length]).toEqual([0, 0]), 10_000);
    for (const peer of [1, 2]) node.rib.removePeer(peer as PeerId);
    await vi.waitFor(() => expect(held(node)).toEqual(before), 10_000);
  } finally {
    await node.stop();
  }
});
