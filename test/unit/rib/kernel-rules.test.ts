import { beforeEach, describe, expect, it } from "vitest";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { attributesWith } from "../../../src/bgp/model/attributes.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { asn, type PeerId, routerId } from "../../../src/bgp/model/ids.ts";
import type { KernelRule, RibOptions } from "../../../src/rib/options.ts";
import { prefix, RibBench } from "../../harness/rib-bench.ts";

const A = 1 as PeerId;
const B = 2 as PeerId;
const C = 3 as PeerId;
const MAX = 2147483647;
const TUNNEL = 9;
const OPTIONS: RibOptions = {
  asNumber: asn(65000),
  routerId: routerId(99),
  clusterId: routerId(99),
  maxPaths: 16,
  alwaysCompareMed: false,
  resolveNextHops: true,
  priorities: { base: MAX, normal: { [Family.Ipv4]: 1024, [Family.Ipv6]: 1024 }, elevatedPreference: 200 },
  kernelRules: [],
};

type Match = Partial<KernelRule["match"]>;
type Set = Partial<NonNullable<KernelRule["set"]>>;
const NO_MATCH = { prefixes: undefined, origin: undefined, nextHops: undefined, nextHopOutside: undefined };

function rule(then: KernelRule["then"], match: Match = {}, set?: Set): KernelRule {
  const wanted = set === undefined ? undefined : { metric: undefined, device: undefined, ...set };
  return { match: { ...NO_MATCH, ...match }, set: wanted, then };
}

const within = (text: string) => [{ prefix: prefix(text), ge: prefix(text).length, le: 32 }];
const METRIC = rule("next", { origin: ["peer"] }, { metric: "fromLocalPref" });
const IPIP = rule("accept", { prefixes: within("10.1.0.0/16") }, { device: `eth${TUNNEL}` });
const CROSS_SUBNET = [
  rule(
    "accept",
    { prefixes: within("10.2.0.0/16"), nextHopOutside: prefix("11.0.0.0/24") },
    { device: `eth${TUNNEL}` },
  ),
  rule("accept", { prefixes: within("10.2.0.0/16") }),
];
const NOT_OURS = rule("reject", { prefixes: within("10.3.0.0/16") });
const WIREGUARD = rule("reject", { origin: ["peer"], nextHops: [ipv4(0x0b000007)] });
const RULES = [METRIC, WIREGUARD, IPIP, ...CROSS_SUBNET, NOT_OURS];

let bench: RibBench;
const written = () => {
  bench.clock.settle();
  return Object.fromEntries([...bench.kernel].sort());
};
const from = (nextHop: number, localPref = MAX - 1024) => attributesWith(ipv4(nextHop), { localPref });
const near = (host: number, localPref?: number) => from(0x0b000000 + host, localPref);
const far = (host: number) => from(0x0c000000 + host);

function start(kernelRules: readonly KernelRule[]): void {
  bench = new RibBench({ ...OPTIONS, kernelRules });
  bench.upLinks.add(1).add(TUNNEL);
  bench.rib.linkChanged(TUNNEL);
  const eth1 = { kind: "forward" as const, hops: [{ gateway: undefined, interface: 1 }] };
  bench.rib.kernelRoute(prefix("11.0.0.0/24"), "connected", eth1, false);
  const router = { kind: "forward" as const, hops: [{ gateway: ipv4(0x0b0000fe), interface: 1 }] };
  bench.rib.kernelRoute(prefix("12.0.0.0/24"), "kernel", router, false);
  for (const peer of [A, B, C]) bench.up(peer);
}

describe("rules for the kernel", () => {
  beforeEach(() => start(RULES));

  it("metric, tunnel and refusal, for each destination as its prefix and next hop ask", () => {
    bench.announce(A, near(1), "10.1.0.0/26", "10.2.0.0/26", "10.3.0.0/26", "10.4.0.0/26");
    bench.announce(A, far(1), "10.1.1.0/26", "10.2.1.0/26", "10.3.1.0/26", "10.4.1.0/26");
    bench.announce(A, near(7), "10.1.2.0/26");
    expect(written()).toEqual({
      "10.1.0.0/26": "11.1@9! metric 1024",
      "10.1.1.0/26": "12.1@9! metric 1024",
      "10.2.0.0/26": "11.1@1 metric 1024",
      "10.2.1.0/26": "12.1@9! metric 1024",
      "10.4.0.0/26": "11.1@1 metric 1024",
      "10.4.1.0/26": "11.254@1 metric 1024",
    });
  });

  it.each([
    [MAX - 512, 512],
    [MAX, 0],
    [100, 2147483547],
    [0, 2147483647],
    [0xffff_ffff, 2147483648],
  ])("LOCAL_PREF %i is metric %i", (localPref, metric) => {
    bench.announce(A, near(1, localPref), "10.4.0.0/26");
    expect(written()).toEqual({ "10.4.0.0/26": `11.1@1 metric ${metric}` });
  });

  it("own routes have no metric, and are refused like others", () => {
    const own = (text: string) => ({
      prefix: prefix(text),
      source: "calico" as const,
      kind: "blackhole" as const,
      nextHop: undefined,
      attributes: attributesWith(ipv4(0)),
    });
    bench.rib.setOriginated([own("10.1.0.0/26"), own("10.3.0.0/26"), own("10.4.0.0/26")]);
    expect(written()).toEqual({ "10.1.0.0/26": "blackhole", "10.4.0.0/26": "blackhole" });
  });

  it("each of several next hops goes through the tunnel that it needs (not as BIRD)", () => {
    for (const [peer, attributes] of [
      [A, near(1)],
      [B, near(2)],
    ] as const)
      bench.announce(peer, attributes, "10.1.0.0/26", "10.2.0.0/26");
    expect(written()).toEqual({
      "10.1.0.0/26": "11.1@9! 11.2@9! metric 1024",
      "10.2.0.0/26": "11.1@1 11.2@1 metric 1024",
    });
  });

  it("of several paths those that are refused are left out, unless it is the best one", () => {
    bench.announce(A, near(1), "10.4.0.0/26");
    bench.announce(B, near(7), "10.4.0.0/26", "10.4.1.0/26");
    bench.announce(C, near(3), "10.4.0.0/26", "10.4.1.0/26");
    expect(written()).toEqual({ "10.4.0.0/26": "11.1@1 11.3@1 metric 1024" });
  });

  it("follows what a peer announces next", () => {
    bench.announce(A, near(1), "10.1.0.0/26");
    written();
    bench.announce(A, near(1, MAX - 512), "10.1.0.0/26");
    expect(written()).toEqual({ "10.1.0.0/26": "11.1@9! metric 512" });
    bench.announce(A, near(7), "10.1.0.0/26");
    expect(written()).toEqual({});
    bench.announce(A, near(2), "10.1.0.0/26");
    expect(written()).toEqual({ "10.1.0.0/26": "11.2@9! metric 1024" });
    bench.withdraw(A, "10.1.0.0/26");
    expect(written()).toEqual({});
  });
});

describe("a tunnel that is not there", () => {
  it("leaves routes as they are resolved until it comes", () => {
    start(RULES);
    bench.upLinks.delete(TUNNEL);
    bench.rib.linkChanged(TUNNEL);
    bench.announce(A, near(1), "10.1.0.0/26", "10.4.0.0/26");
    expect(written()).toEqual({ "10.1.0.0/26": "11.1@1 metric 1024", "10.4.0.0/26": "11.1@1 metric 1024" });
    bench.upLinks.add(TUNNEL);
    bench.rib.linkChanged(TUNNEL);
    expect(written()["10.1.0.0/26"]).toBe("11.1@9! metric 1024");
    bench.upLinks.delete(TUNNEL);
    bench.rib.linkChanged(TUNNEL);
    expect(written()["10.1.0.0/26"]).toBe("11.1@1 metric 1024");
  });
});

describe("a change of the rules", () => {
  /** What was asked of the kernel since the last look. */
  let calls: string[];
  beforeEach(() => {
    start(RULES);
    bench.announce(A, near(1), "10.1.0.0/26", "10.3.0.0/26", "10.4.0.0/26");
    written();
    calls = [];
    const { set, delete: remove } = bench.kernel;
    bench.kernel.set = (key, value) => {
      calls.push(`${key} ${value}`);
      return set.call(bench.kernel, key, value);
    };
    bench.kernel.delete = (key) => {
      calls.push(`${key} goes`);
      return remove.call(bench.kernel, key);
    };
  });

  it("writes the differences alone", () => {
    bench.rib.reconfigure({ ...OPTIONS, kernelRules: [METRIC, rule("reject", { prefixes: within("10.1.0.0/16") })] });
    written();
    expect(calls.sort()).toEqual(["10.1.0.0/26 goes", "10.3.0.0/26 11.1@1 metric 1024"]);
  });

  it("the same rules again, or other peers' business, write nothing", () => {
    bench.rib.reconfigure({ ...OPTIONS, kernelRules: structuredClone(RULES) });
    bench.rib.linkChanged(1);
    written();
    expect(calls).toEqual([]);
  });

  it("no rules write everything as it is resolved", () => {
    bench.rib.reconfigure(OPTIONS);
    expect(written()).toEqual({ "10.1.0.0/26": "11.1@1", "10.3.0.0/26": "11.1@1", "10.4.0.0/26": "11.1@1" });
  });

  it("tells no peer anything", () => {
    const said = JSON.stringify(bench.outboxOf(B)?.knows(B));
    bench.rib.reconfigure(OPTIONS);
    written();
    expect(JSON.stringify(bench.outboxOf(B)?.knows(B))).toBe(said);
  });
});

it("as many rules as a cluster has WireGuard nodes, and rules between them, say what each says", () => {
  const refusing = (host: number) => rule("reject", { origin: ["peer"], nextHops: [ipv4(0x0b000000 + host)] });
  const except = rule("accept", { prefixes: within("10.4.0.0/16") });
  start([refusing(1), refusing(2), except, refusing(3), refusing(4), METRIC]);
  for (let host = 1; host <= 5; host++) bench.announce(A, near(host), `10.4.${host}.0/26`, `10.5.${host}.0/26`);
  expect(written()).toEqual({
    "10.4.3.0/26": "11.3@1",
    "10.4.4.0/26": "11.4@1",
    "10.4.5.0/26": "11.5@1",
    "10.5.5.0/26": "11.5@1 metric 1024",
  });
});

it("remembers few targets of a next hop whose routes come with ever another LOCAL_PREF, and forgets none that is in use", () => {
  start(RULES);
  for (let i = 0; i < 50; i++) bench.announce(A, near(1, 1000 + i), `10.4.${i}.0/26`);
  for (let i = 0; i < 50; i++) bench.announce(A, near(1, 1000 + i), `10.5.${i}.0/26`);
  const metrics = Object.values(written());
  expect(metrics).toHaveLength(100);
  for (let i = 0; i < 50; i++)
    expect(metrics.filter((text) => text === `11.1@1 metric ${MAX - 1000 - i}`)).toHaveLength(2);
});
