import { beforeEach, describe, expect, it } from "vitest";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { attributesWith } from "../../../src/bgp/model/attributes.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { asn, type PeerId, routerId } from "../../../src/bgp/model/ids.ts";
import type { OriginatedRoute, Priorities, RibOptions } from "../../../src/rib/options.ts";
import { metricOf } from "../../../src/rib/priorities.ts";
import type { KernelPath } from "../../../src/rib/route-lookup.ts";
import { prefix, RibBench } from "../../harness/rib-bench.ts";
import { policy, term } from "./sample.ts";

const A = 1 as PeerId;
const B = 2 as PeerId;
const C = 3 as PeerId;
const MAX = 2147483647;
const PRIORITIES: Priorities = {
  base: MAX,
  normal: { [Family.Ipv4]: 1024, [Family.Ipv6]: 1024 },
  elevatedPreference: 200,
};
const OPTIONS: RibOptions = {
  asNumber: asn(65000),
  routerId: routerId(99),
  clusterId: routerId(99),
  maxPaths: 1,
  alwaysCompareMed: false,
  resolveNextHops: false,
  priorities: PRIORITIES,
  kernelRules: [],
};

const over = (metric?: number): KernelPath => ({
  kind: "forward",
  hops: [{ gateway: undefined, interface: 1 }],
  ...(metric === undefined ? {} : { metric }),
});
const own = (text: string, source: OriginatedRoute["source"], localPref?: number): OriginatedRoute => ({
  prefix: prefix(text),
  source,
  kind: "blackhole",
  nextHop: undefined,
  attributes: attributesWith(ipv4(0), { localPref }),
});
const accepting = policy("all", term({}, "accept"));
const learnt = (localPref: number, more = {}) => attributesWith(ipv4(0x0b000001), { localPref, ...more });

let bench: RibBench;
const told = (peer: PeerId) =>
  Object.fromEntries([...bench.knows(peer)].map(([key, { localPref }]) => [key.replace(/#.*/, ""), localPref]).sort());

beforeEach(() => {
  bench = new RibBench(OPTIONS);
});

describe("own routes carry LOCAL_PREF = base - metric", () => {
  beforeEach(() => {
    bench.up(A, { exportPolicies: [accepting] });
    bench.rib.kernelRoute(prefix("10.1.0.1/32"), "kernel", over(1024), true);
    bench.rib.kernelRoute(prefix("10.1.0.2/32"), "kernel", over(512), true);
    bench.rib.kernelRoute(prefix("10.1.0.3/32"), "kernel", over(0), true);
    bench.rib.kernelRoute(prefix("10.1.0.4/32"), "kernel", over(0xffff_ffff), true);
    bench.rib.kernelRoute(prefix("10.2.0.0/24"), "connected", over(), true);
    bench.rib.setOriginated([own("10.3.0.0/26", "calico"), own("10.4.0.0/16", "static", 300)]);
    bench.rib.setAggregates([{ prefix: prefix("10.0.0.0/8"), summaryOnly: false }]);
  });

  it("by the kernel's metric, the normal one where there is none, and as written where it is written", () => {
    expect(told(A)).toEqual({
      "10.0.0.0/8": 2147482623,
      "10.1.0.1/32": 2147482623,
      "10.1.0.2/32": 2147483135,
      "10.1.0.3/32": 2147483647,
      // Beyond the base: wanted least.
      "10.1.0.4/32": 0,
      "10.2.0.0/24": 2147482623,
      "10.3.0.0/26": 2147482623,
      "10.4.0.0/16": 300,
    });
  });

  it("follows a metric that changes", () => {
    bench.rib.kernelRoute(prefix("10.1.0.1/32"), "kernel", over(512), true);
    expect(told(A)["10.1.0.1/32"]).toBe(2147483135);
  });

  it("follows other priorities, and none, while all runs", () => {
    const other = { ...PRIORITIES, base: 1_000_000, normal: { [Family.Ipv4]: 80, [Family.Ipv6]: 1024 } };
    bench.rib.reconfigure({ ...OPTIONS, priorities: other });
    expect(told(A)).toEqual({
      "10.0.0.0/8": 999920,
      "10.1.0.1/32": 998976,
      "10.1.0.2/32": 999488,
      "10.1.0.3/32": 1000000,
      "10.1.0.4/32": 0,
      "10.2.0.0/24": 999920,
      "10.3.0.0/26": 999920,
      "10.4.0.0/16": 300,
    });
    bench.rib.reconfigure({ ...OPTIONS, priorities: undefined });
    expect(new Set(Object.values(told(A)))).toEqual(new Set([100, 300]));
  });

  it("an export policy sees it", () => {
    const elevated = policy("elevated", term({ localPrefAbove: MAX - 1024 }, "accept"), term({}, "reject"));
    bench.up(B, { exportPolicies: [elevated] });
    expect(Object.keys(told(B))).toEqual(["10.1.0.2/32", "10.1.0.3/32"]);
  });
});

it("routes of external peers go on to internal ones with 100", () => {
  bench.up(A, { internal: false, peerAs: asn(65001), enforceFirstAs: false }, { internal: false, peerAs: asn(65001) });
  bench.up(B);
  bench.announce(A, attributesWith(ipv4(0x0b000001), {}), "10.1.0.0/16");
  expect(told(B)).toEqual({ "10.1.0.0/16": 100 });
});

describe("preference of the sources", () => {
  const best = (text: string) => {
    bench.clock.settle();
    const all = bench.routes().filter((route) => route.prefix === undefined || sameText(route.prefix, text));
    return all.map(({ source, peer, best: isBest, reason }) => [source === "peer" ? peer : source, isBest || reason]);
  };
  const sameText = (p: { w0: number; length: number }, text: string) =>
    p.w0 === prefix(text).w0 && p.length === prefix(text).length;

  it("connected before Calico's own, that before peers', those before the kernel's", () => {
    bench.up(A);
    bench.announce(A, learnt(MAX - 1024), "10.1.0.0/26");
    bench.rib.kernelRoute(prefix("10.1.0.0/26"), "kernel", over(0), true);
    const lost = "lower preference of its source";
    expect(best("10.1.0.0/26")).toEqual(
      expect.arrayContaining([
        [A, true],
        ["kernel", lost],
      ]),
    );
    bench.rib.setOriginated([own("10.1.0.0/26", "calico")]);
    expect(best("10.1.0.0/26")).toEqual(
      expect.arrayContaining([
        ["calico", true],
        [A, lost],
        ["kernel", lost],
      ]),
    );
    bench.rib.kernelRoute(prefix("10.1.0.0/26"), "connected", over(), true);
    expect(best("10.1.0.0/26")).toEqual(
      expect.arrayContaining([
        ["connected", true],
        ["calico", lost],
      ]),
    );
  });

  it("an operator's and Calico's route of one destination are told apart", () => {
    bench.rib.setOriginated([own("10.1.0.0/26", "calico"), own("10.1.0.0/26", "static")]);
    expect(best("10.1.0.0/26")).toEqual(
      expect.arrayContaining([
        ["static", true],
        ["calico", "lower preference of its source"],
      ]),
    );
    bench.rib.setOriginated([own("10.1.0.0/26", "calico")]);
    expect(best("10.1.0.0/26")).toEqual([["calico", true]]);
  });

  it("an elevated route of a peer wins although it is stale for long, and the other lost on LOCAL_PREF", () => {
    for (const peer of [A, B, C]) bench.up(peer);
    const longLivedStale = { communities: [0xffff0006] };
    bench.announce(A, learnt(MAX - 512, longLivedStale), "10.1.0.1/32");
    bench.announce(B, learnt(MAX - 1024), "10.1.0.1/32");
    bench.announce(C, learnt(MAX - 1023, longLivedStale), "10.1.0.1/32");
    expect(best("10.1.0.1/32")).toEqual(
      expect.arrayContaining([
        [A, true],
        [B, "lower LOCAL_PREF"],
        [C, "lower LOCAL_PREF"],
      ]),
    );
    bench.rib.reconfigure({ ...OPTIONS, priorities: undefined });
    expect(best("10.1.0.1/32")).toEqual(expect.arrayContaining([[B, true]]));
  });
});

it.each([
  [2147482623, 1024],
  [2147483647, 0],
  [100, 2147483547],
  [0, 2147483647],
  [0xffff_ffff, 2147483648],
])("LOCAL_PREF %i is metric %i, as BIRD 1.6 of Calico has it", (localPref, metric) => {
  expect(metricOf(localPref, PRIORITIES)).toBe(metric);
});
