/** What a Calico node's routes do while priorities, tunnels and rules change under them: no gap, and nothing left behind. */

import { spawn } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { enterNewNamespace, ip, routes, veth } from "./support/namespace.ts";
import { BASE, METRIC_RULE, Node, PRIORITIES, ruleOf, within } from "./support/node.ts";

const TUNNEL = "tunl0";
const POOL = within("192.168.0.0/16", "fd00:10::/64");
const ALWAYS = [METRIC_RULE, ruleOf("accept", { prefixes: POOL }, { device: TUNNEL })];
const BLOCK = "192.168.66.128/26";

let node: Node;

beforeEach(async () => {
  enterNewNamespace();
  veth("eth0", "far", ["10.0.0.13/24", "2001:db8::13/64"]);
  // The other subnet of the cluster.
  ip("route add 10.0.1.0/24 via 10.0.0.254 dev eth0 proto static");
  veth(TUNNEL, `${TUNNEL}-far`, []);
  node = await Node.start({ priorities: PRIORITIES, kernelRules: ALWAYS });
  for (const peer of [1, 2]) node.peer(peer);
});

afterEach(async () => {
  await node.stop();
});

/** "metric gateway device" of each route of ours to the prefix; of each next hop where there are several. */
function shown(prefix: string): string[] {
  const way = ({ gateway, dev, flags }: { gateway?: string; dev?: string; flags: readonly string[] }) =>
    `${gateway} ${dev}${flags.includes("onlink") ? " onlink" : ""}`;
  return routes(prefix.includes(":") ? 6 : 4, `exact ${prefix} proto bird`).map(
    (route) => `${route.metric ?? 0}: ${(route.nexthops ?? [route]).map(way).join(", ")}`,
  );
}

const eventually = (prefix: string, ...want: string[]) => vi.waitFor(() => expect(shown(prefix)).toEqual(want), 5000);

/** How many routes of ours to the prefix there were after each change of them, until `stop`. */
function watch(prefix: string): { readonly counts: number[]; stop(): Promise<void> } {
  const monitor = spawn("ip", ["monitor", "route"], { stdio: ["ignore", "pipe", "ignore"] });
  const counts: number[] = [];
  const present = new Set<string>();
  let text = "";
  monitor.stdout.on("data", (chunk: Buffer) => {
    const lines = (text + chunk.toString()).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.includes(`${prefix} `) || !line.includes("proto bird")) continue;
      const metric = /metric (\d+)/.exec(line)?.[1] ?? "0";
      if (line.startsWith("Deleted")) present.delete(metric);
      else present.add(metric);
      counts.push(present.size);
    }
  });
  return {
    counts,
    stop: async () => {
      monitor.kill();
      await new Promise((resolve) => monitor.on("close", resolve));
    },
  };
}

describe("a metric that changes", () => {
  it.each([
    ["elevated and back (live migration)", [1024, 512, 1024, 512]],
    ["to 0, which a deletion in IPv4 takes for any, and back", [1024, 0, 1024, 0, 512]],
    ["to the ends of what there is", [2147483547, 2147483647, 2147483648, 1024]],
  ])("%s: one route at any time, one at the end", async (_name, metrics) => {
    const watched = watch(BLOCK);
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const metric of metrics) {
      node.announce(1, "10.0.0.12", [BLOCK], { localPref: (BASE - metric) >>> 0 });
      await eventually(BLOCK, `${metric}: 10.0.0.12 ${TUNNEL} onlink`);
    }
    await vi.waitFor(() => expect(watched.counts.length).toBeGreaterThanOrEqual(2 * metrics.length - 1), 5000);
    await watched.stop();
    expect(Math.min(...watched.counts)).toBe(1);
    expect(watched.counts.at(-1)).toBe(1);
    node.withdraw(1, [BLOCK]);
    await eventually(BLOCK);
  });

  it("many at once, and faster than the kernel is written: nothing of before is left", async () => {
    const blocks = Array.from({ length: 500 }, (_, i) => `192.168.${i >>> 2}.${(i & 3) * 64}/26`);
    for (let round = 0; round < 20; round++) {
      node.announce(1, "10.0.0.12", blocks, { localPref: BASE - (round % 3) * 512 });
      await new Promise((resolve) => setTimeout(resolve, round % 4));
    }
    await vi.waitFor(() => {
      const ours = routes(4, "proto bird");
      expect(ours).toHaveLength(blocks.length);
      expect(new Set(ours.map(({ metric }) => metric))).toEqual(new Set([512]));
    }, 10_000);
  });

  it("a run that was killed in the middle of it left both: the next one keeps what is wanted", async () => {
    node.announce(1, "10.0.0.12", [BLOCK], { localPref: BASE - 512 });
    await eventually(BLOCK, `512: 10.0.0.12 ${TUNNEL} onlink`);
    await node.kernel.stop();
    ip(`route add ${BLOCK} via 10.0.0.12 dev ${TUNNEL} onlink proto bird metric 1024`);
    ip("route add 192.168.9.0/26 via 10.0.0.12 dev eth0 proto bird metric 1024");
    const watched = watch(BLOCK);
    await new Promise((resolve) => setTimeout(resolve, 200));
    node = await Node.start({ priorities: PRIORITIES, kernelRules: ALWAYS });
    node.peer(1);
    node.announce(1, "10.0.0.12", [BLOCK], { localPref: BASE - 512 });
    await eventually(BLOCK, `512: 10.0.0.12 ${TUNNEL} onlink`);
    // What nobody has announced yet waits for the sessions.
    expect(shown("192.168.9.0/26")).toEqual(["1024: 10.0.0.12 eth0"]);
    node.kernel.resynchronised();
    await eventually("192.168.9.0/26");
    await watched.stop();
    // The other one went, and nothing was written.
    expect(watched.counts).toHaveLength(1);
  });

  it("IPv6, whose metric 0 is the kernel's 1024", async () => {
    for (const [localPref, metric] of [
      [BASE - 512, 512],
      [BASE, 1024],
      [BASE - 1024, 1024],
      [100, 2147483547],
    ] as const) {
      node.announce(1, "2001:db8::12", ["2001:db8:1::/48"], { localPref });
      await eventually("2001:db8:1::/48", `${metric}: 2001:db8::12 eth0`);
    }
  });
});

describe("tunnels", () => {
  const same = { localPref: BASE - 1024 };

  it("several next hops, each through the tunnel (BIRD leaves them outside)", async () => {
    node.announce(1, "10.0.0.12", [BLOCK], same);
    node.announce(2, "10.0.0.11", [BLOCK], same);
    await eventually(BLOCK, `1024: 10.0.0.11 ${TUNNEL} onlink, 10.0.0.12 ${TUNNEL} onlink`);
    node.withdraw(2, [BLOCK]);
    await eventually(BLOCK, `1024: 10.0.0.12 ${TUNNEL} onlink`);
  });

  it("only across subnets, hop by hop", async () => {
    const outside = {
      prefixes: POOL,
      nextHopOutside: { family: 1, w0: 0x0a000000, w1: 0, w2: 0, w3: 0, length: 24 },
    } as const;
    node.reconfigure({
      kernelRules: [METRIC_RULE, ruleOf("accept", outside, { device: TUNNEL }), ruleOf("accept", { prefixes: POOL })],
    });
    node.announce(1, "10.0.0.12", [BLOCK], same);
    await eventually(BLOCK, "1024: 10.0.0.12 eth0");
    node.announce(1, "10.0.1.12", [BLOCK], same);
    await eventually(BLOCK, `1024: 10.0.1.12 ${TUNNEL} onlink`);
  });

  it("one that is not there: as resolved, until it comes, and again when it goes", async () => {
    ip(`link del ${TUNNEL}`);
    node.announce(1, "10.0.0.12", [BLOCK], same);
    await eventually(BLOCK, "1024: 10.0.0.12 eth0");
    veth(TUNNEL, `${TUNNEL}-far`, []);
    await eventually(BLOCK, `1024: 10.0.0.12 ${TUNNEL} onlink`);
    ip(`link set ${TUNNEL} down`);
    await eventually(BLOCK, "1024: 10.0.0.12 eth0");
    ip(`link set ${TUNNEL} up`);
    await eventually(BLOCK, `1024: 10.0.0.12 ${TUNNEL} onlink`);
    ip(`link del ${TUNNEL}`);
    await eventually(BLOCK, "1024: 10.0.0.12 eth0");
  });

  it("encapsulation switched on and off while all runs: replaced in place, never gone", async () => {
    const blocks = Array.from({ length: 64 }, (_, i) => `192.168.${i}.0/26`);
    node.announce(1, "10.0.0.12", blocks, same);
    await eventually(blocks[63] as string, `1024: 10.0.0.12 ${TUNNEL} onlink`);
    const watched = watch(blocks[0] as string);
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const [kernelRules, want] of [
      [[METRIC_RULE], "1024: 10.0.0.12 eth0"],
      [ALWAYS, `1024: 10.0.0.12 ${TUNNEL} onlink`],
    ] as const) {
      node.reconfigure({ kernelRules });
      for (const block of blocks) await eventually(block, want);
    }
    await watched.stop();
    expect(watched.counts).toEqual([1, 1]);
    node.reconfigure({ kernelRules: [ruleOf("reject", { prefixes: POOL })] });
    await vi.waitFor(() => expect(routes(4, "proto bird")).toEqual([]), 5000);
  });
});
