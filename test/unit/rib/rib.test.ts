import { describe, expect, it } from "vitest";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { attributesWith } from "../../../src/bgp/model/attributes.ts";
import { WellKnown } from "../../../src/bgp/model/community.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { asn, type PeerId } from "../../../src/bgp/model/ids.ts";
import type { Policy } from "../../../src/rib/policy/policy.ts";
import { peerOptions, prefix, RibBench } from "../../harness/rib-bench.ts";
import { ANY } from "./sample.ts";

const A = 1 as PeerId;
const B = 2 as PeerId;
const C = 3 as PeerId;
const plain = attributesWith(ipv4(0x0b000001), { localPref: 100 });

const NO_CHANGES = {
  localPref: undefined,
  med: undefined,
  nextHop: undefined,
  prependAs: undefined,
  addCommunities: [],
  removeCommunities: [],
};
const rejecting = (text: string): Policy => ({
  name: `not ${text}`,
  terms: [
    {
      match: { ...ANY, prefixes: [{ prefix: prefix(text), ge: prefix(text).length, le: 32 }] },
      set: undefined,
      then: "reject",
    },
  ],
});
const preferring = (localPref: number): Policy => ({
  name: `prefer ${localPref}`,
  terms: [{ match: ANY, set: { ...NO_CHANGES, localPref }, then: "accept" }],
});

describe("a reload of policies", () => {
  it("sends only differences when a whole group changes alike", () => {
    const bench = new RibBench();
    for (const peer of [A, B, C]) bench.up(peer);
    bench.announce(A, plain, "10.1.0.0/16", "10.2.0.0/16");
    expect([...bench.knows(B).keys()]).toEqual(["10.1.0.0/16", "10.2.0.0/16"]);
    const before = bench.outboxOf(B)?.position;
    bench.rib.updatePeers([A, B, C].map((id) => peerOptions(id, { exportPolicies: [rejecting("10.2.0.0/16")] })));
    expect([...bench.knows(B).keys()]).toEqual(["10.1.0.0/16"]);
    expect([...bench.knows(C).keys()]).toEqual(["10.1.0.0/16"]);
    expect(bench.outboxes).toHaveLength(1);
    expect(bench.outboxOf(B)?.position).toBe((before ?? 0) + 2048);
  });

  it("gives a peer that parts from its group what differs, and takes back what it may no longer have", () => {
    const bench = new RibBench();
    for (const peer of [A, B, C]) bench.up(peer);
    bench.announce(A, plain, "10.1.0.0/16", "10.2.0.0/16");
    bench.knows(C);
    bench.rib.updatePeers([peerOptions(C, { exportPolicies: [rejecting("10.2.0.0/16")] })]);
    bench.clock.settle();
    const parted = bench.outboxOf(C);
    expect(parted).not.toBe(bench.outboxOf(B));
    // The model outbox is a new one: a withdrawal must come for what only the old group had told.
    parted?.members.get(C)?.view.set("10.2.0.0/16", "told by the old group");
    expect([...bench.knows(C).keys()]).toEqual(["10.1.0.0/16"]);
    expect([...bench.knows(B).keys()]).toEqual(["10.1.0.0/16", "10.2.0.0/16"]);
  });

  it("judges routes again on the way in, without asking the peer", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B);
    bench.announce(A, plain, "10.1.0.0/16");
    bench.rib.updatePeers([peerOptions(A, { importPolicies: [preferring(300)] })]);
    expect(bench.knows(B).get("10.1.0.0/16")?.localPref).toBe(300);
    bench.rib.updatePeers([peerOptions(A, { importPolicies: [rejecting("10.0.0.0/8")] })]);
    expect(bench.knows(B).size).toBe(0);
    expect(bench.routes()[0]).toMatchObject({ best: false });
    bench.rib.updatePeers([peerOptions(A)]);
    expect(bench.knows(B).get("10.1.0.0/16")?.localPref).toBe(100);
  });
});

describe("this speaker's own routes", () => {
  it("originates, replaces and withdraws what the configuration lists", () => {
    const bench = new RibBench();
    bench.up(A);
    const route = (text: string, med?: number) => ({
      prefix: prefix(text),
      source: "static" as const,
      kind: "blackhole" as const,
      nextHop: undefined,
      attributes: attributesWith(ipv4(0), { med }),
    });
    bench.rib.setOriginated([route("10.1.0.0/16"), route("10.2.0.0/16")]);
    expect([...bench.knows(A).keys()].sort()).toEqual(["10.1.0.0/16", "10.2.0.0/16"]);
    expect(bench.kernel.get("10.1.0.0/16")).toBe("blackhole");
    bench.rib.setOriginated([route("10.2.0.0/16", 7)]);
    expect([...bench.knows(A)].map(([p, a]) => `${p} ${a.med}`)).toEqual(["10.2.0.0/16 7"]);
    expect([...bench.kernel.keys()]).toEqual(["10.2.0.0/16"]);
  });

  it("aggregates while there is a contributor, and hides contributors if told to (RFC 4271 §9.2.2.2)", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B);
    bench.announce(A, plain, "10.1.1.0/24", "10.1.2.0/24", "10.9.0.0/16");
    bench.clock.settle();
    bench.rib.setAggregates([{ prefix: prefix("10.1.0.0/16"), summaryOnly: true }]);
    expect([...bench.knows(B).keys()].sort()).toEqual(["10.1.0.0/16", "10.9.0.0/16"]);
    expect(bench.knows(B).get("10.1.0.0/16")).toMatchObject({ atomicAggregate: true, aggregator: { asNumber: 65000 } });
    bench.withdraw(A, "10.1.1.0/24");
    expect([...bench.knows(B).keys()].sort()).toEqual(["10.1.0.0/16", "10.9.0.0/16"]);
    bench.withdraw(A, "10.1.2.0/24");
    expect([...bench.knows(B).keys()]).toEqual(["10.9.0.0/16"]);
    bench.announce(A, plain, "10.1.3.0/24");
    expect([...bench.knows(B).keys()].sort()).toEqual(["10.1.0.0/16", "10.9.0.0/16"]);
    bench.rib.setAggregates([]);
    expect([...bench.knows(B).keys()].sort()).toEqual(["10.1.3.0/24", "10.9.0.0/16"]);
  });

  it("announces what it learns from the kernel, but connected prefixes only where a policy asks for them", () => {
    const bench = new RibBench();
    const asking: Policy = {
      name: "connected",
      terms: [{ match: { ...ANY, origin: ["connected"] }, set: undefined, then: "accept" }],
    };
    bench.up(A);
    bench.up(B, { exportPolicies: [asking] });
    const eth1 = { kind: "forward" as const, hops: [{ gateway: undefined, interface: 1 }] };
    bench.rib.kernelRoute(prefix("10.1.0.0/32"), "kernel", eth1, true);
    bench.rib.kernelRoute(prefix("10.2.0.0/24"), "connected", eth1, true);
    bench.rib.kernelRoute(prefix("0.0.0.0/0"), "kernel", eth1, false);
    expect([...bench.knows(A).keys()]).toEqual(["10.1.0.0/32"]);
    expect([...bench.knows(B).keys()].sort()).toEqual(["10.1.0.0/32", "10.2.0.0/24"]);
    expect(bench.kernel.size).toBe(0);
    bench.rib.kernelRoute(prefix("10.1.0.0/32"), "kernel", undefined, false);
    expect([...bench.knows(A).keys()]).toEqual([]);
  });

  it("knows the interface of routes that have no gateway, also when they move to another", () => {
    const bench = new RibBench();
    const overEth1: Policy = {
      name: "over eth1",
      terms: [
        { match: { ...ANY, interface: /^eth1$/ }, set: undefined, then: "accept" },
        { match: ANY, set: undefined, then: "reject" },
      ],
    };
    bench.up(A, { exportPolicies: [overEth1] });
    const eth = (index: number) => ({ kind: "forward" as const, hops: [{ gateway: undefined, interface: index }] });
    bench.rib.kernelRoute(prefix("10.1.0.0/32"), "kernel", eth(1), true);
    bench.rib.kernelRoute(prefix("10.2.0.0/32"), "kernel", eth(2), true);
    bench.rib.kernelRoute(prefix("10.3.0.0/24"), "connected", eth(1), true);
    expect([...bench.knows(A).keys()].sort()).toEqual(["10.1.0.0/32", "10.3.0.0/24"]);
    expect(bench.routes().map((route) => route.hops)).toEqual([eth(1).hops, eth(2).hops, eth(1).hops]);
    bench.rib.kernelRoute(prefix("10.1.0.0/32"), "kernel", eth(2), true);
    bench.rib.kernelRoute(prefix("10.2.0.0/32"), "kernel", eth(1), true);
    expect([...bench.knows(A).keys()].sort()).toEqual(["10.2.0.0/32", "10.3.0.0/24"]);
  });
});

describe("next hops and the kernel", () => {
  const eth = (index: number) => ({ kind: "forward" as const, hops: [{ gateway: undefined, interface: index }] });

  it("writes what resolves, follows links and routes, and withdraws what no longer resolves", () => {
    const bench = new RibBench({ resolveNextHops: true });
    bench.upLinks.add(1).add(2);
    bench.up(A);
    bench.up(B);
    bench.announce(A, plain, "10.1.0.0/16");
    expect(bench.knows(B).size).toBe(0);
    bench.rib.kernelRoute(prefix("11.0.0.0/24"), "connected", eth(1), false);
    expect(bench.knows(B).size).toBe(1);
    expect(bench.kernel.get("10.1.0.0/16")).toBe("11.1@1");
    // A shorter way round appears, then the link goes down.
    bench.rib.kernelRoute(
      prefix("11.0.0.0/8"),
      "kernel",
      { kind: "forward", hops: [{ gateway: ipv4(0x0c000005), interface: 2 }] },
      false,
    );
    bench.clock.settle();
    expect(bench.kernel.get("10.1.0.0/16")).toBe("11.1@1");
    bench.upLinks.delete(1);
    bench.rib.linkChanged(1);
    bench.clock.settle();
    expect(bench.kernel.get("10.1.0.0/16")).toBe("12.5@2");
    bench.upLinks.delete(2);
    bench.rib.linkChanged(2);
    expect(bench.knows(B).size).toBe(0);
    expect(bench.kernel.size).toBe(0);
  });

  it("resolves over a route that a peer announced", () => {
    const bench = new RibBench({ resolveNextHops: true });
    bench.upLinks.add(1);
    bench.rib.kernelRoute(prefix("11.0.0.0/24"), "connected", eth(1), false);
    bench.up(A);
    bench.announce(A, attributesWith(ipv4(0x0d000001), { localPref: 100 }), "10.1.0.0/16");
    bench.clock.settle();
    expect(bench.kernel.size).toBe(0);
    bench.announce(A, plain, "13.0.0.0/24");
    bench.clock.settle();
    expect(bench.kernel.get("10.1.0.0/16")).toBe("11.1@1");
    bench.withdraw(A, "13.0.0.0/24");
    bench.clock.settle();
    expect(bench.kernel.size).toBe(0);
  });

  it("spreads traffic over equal paths up to maxPaths, one object for the same hops", () => {
    const bench = new RibBench({ resolveNextHops: true, maxPaths: 4 });
    bench.upLinks.add(1);
    bench.rib.kernelRoute(prefix("11.0.0.0/24"), "connected", eth(1), false);
    for (const peer of [A, B]) {
      bench.up(peer);
      bench.announce(peer, attributesWith(ipv4(0x0b000000 + peer), { localPref: 100 }), "10.1.0.0/16");
    }
    bench.clock.settle();
    expect(bench.kernel.get("10.1.0.0/16")).toBe("11.1@1 11.2@1");
    bench.rib.peerDown(A, { kind: "flush" });
    bench.clock.settle();
    expect(bench.kernel.get("10.1.0.0/16")).toBe("11.2@1");
  });

  it("resolves over all paths that share the traffic to a next hop, as they come, move and go", () => {
    const bench = new RibBench({ resolveNextHops: true, maxPaths: 4 });
    bench.upLinks.add(1).add(2);
    bench.rib.kernelRoute(prefix("11.0.0.0/24"), "connected", eth(1), false);
    bench.rib.kernelRoute(prefix("12.0.0.0/24"), "connected", eth(2), false);
    for (const peer of [A, B, C]) bench.up(peer);
    const via = (nextHop: number) => attributesWith(ipv4(nextHop), { localPref: 100 });
    const written = () => {
      bench.clock.settle();
      return bench.kernel.get("10.1.0.0/16");
    };
    bench.announce(C, via(0x0d000001), "10.1.0.0/16");
    bench.announce(A, via(0x0b000001), "13.0.0.0/24");
    expect(written()).toBe("11.1@1");
    bench.announce(B, via(0x0c000001), "13.0.0.0/24");
    expect(written()).toBe("11.1@1 12.1@2");
    // The best path stays, and the one beside it can no longer be used.
    bench.upLinks.delete(2);
    bench.rib.linkChanged(2);
    expect(written()).toBe("11.1@1");
    bench.upLinks.add(2);
    bench.rib.linkChanged(2);
    expect(written()).toBe("11.1@1 12.1@2");
    bench.announce(B, attributesWith(ipv4(0x0c000001), { localPref: 99 }), "13.0.0.0/24");
    expect(written()).toBe("11.1@1");
  });

  it("drops packets for a BLACKHOLE route only where a policy agreed to it (RFC 7999 §3.3)", () => {
    const agreeing: Policy = {
      name: "rtbh",
      terms: [
        {
          match: { ...ANY, communities: [{ kind: "standard", value: WellKnown.Blackhole, mask: 0xffffffff }] },
          set: undefined,
          then: "accept",
        },
      ],
    };
    const bench = new RibBench({ resolveNextHops: true });
    bench.upLinks.add(1);
    bench.rib.kernelRoute(prefix("11.0.0.0/24"), "connected", eth(1), false);
    bench.up(A);
    bench.up(B, { importPolicies: [agreeing] });
    const doomed = attributesWith(ipv4(0x0b000001), { localPref: 100, communities: [WellKnown.Blackhole] });
    bench.announce(A, doomed, "10.1.0.1/32");
    bench.announce(B, doomed, "10.2.0.1/32");
    bench.clock.settle();
    expect(Object.fromEntries(bench.kernel)).toEqual({ "10.1.0.1/32": "11.1@1", "10.2.0.1/32": "blackhole" });
    bench.rib.updatePeers([peerOptions(A, { importPolicies: [agreeing] }), peerOptions(B)]);
    bench.clock.settle();
    expect(Object.fromEntries(bench.kernel)).toEqual({ "10.1.0.1/32": "blackhole", "10.2.0.1/32": "11.1@1" });
  });
});

describe("routes that outlive their session", () => {
  const retain = (staleSeconds: number, longLivedSeconds: number) => ({
    kind: "retain" as const,
    families: [{ family: Family.Ipv4, staleSeconds, longLivedSeconds }],
  });

  it("are kept as stale for the restart time, then gone (RFC 4724 §4.2)", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B);
    bench.announce(A, plain, "10.1.0.0/16");
    bench.knows(B);
    bench.rib.peerDown(A, retain(120, 0));
    expect(bench.knows(B).size).toBe(1);
    expect(bench.routes()).toMatchObject([{ stale: true, best: true }]);
    bench.clock.pass(119_000);
    expect(bench.knows(B).size).toBe(1);
    bench.clock.pass(1_001);
    expect(bench.knows(B).size).toBe(0);
  });

  it("go at once when the peer comes back without its forwarding state", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B);
    bench.announce(A, plain, "10.1.0.0/16");
    bench.knows(B);
    bench.rib.peerDown(A, retain(120, 0));
    bench.up(A, {}, { forwardingPreserved: [] });
    expect(bench.knows(B).size).toBe(0);
  });

  it("are marked LLGR_STALE past the restart time, unless they carry NO_LLGR (RFC 9494 §4.2)", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B, {}, { longLivedStale: [Family.Ipv4] });
    bench.announce(A, plain, "10.1.0.0/16");
    bench.announce(
      A,
      attributesWith(ipv4(0x0b000001), { localPref: 100, communities: [WellKnown.NoLlgr] }),
      "10.2.0.0/16",
    );
    expect(bench.knows(B).size).toBe(2);
    bench.rib.peerDown(A, retain(120, 3600));
    bench.clock.pass(120_001);
    expect([...bench.knows(B)].map(([p, a]) => `${p} ${a.communities}`)).toEqual([
      `10.1.0.0/16 ${WellKnown.LlgrStale}`,
    ]);
    bench.clock.pass(3_600_001);
    expect(bench.knows(B).size).toBe(0);
  });
});

describe("a peer that joins while routes come and go", () => {
  const many = Array.from({ length: 3000 }, (_, i) => `10.${i >>> 8}.${i & 255}.0/24`);
  const better = attributesWith(ipv4(0x0b000002), { localPref: 200 });

  it("is told what the destinations come to", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B);
    bench.announce(A, better, ...many);
    bench.announce(B, plain, ...many);
    bench.clock.settle();
    bench.up(C);
    bench.withdraw(A, ...many);
    const known = [...bench.knows(C).values()];
    expect(known).toHaveLength(3000);
    expect(known.every((a) => a.localPref === 100)).toBe(true);
  });

  it("is told nothing of what was withdrawn before it was decided", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B);
    bench.announce(A, plain, ...many);
    bench.clock.turn();
    bench.withdraw(A, ...many);
    bench.clock.turn();
    bench.up(C);
    bench.announce(A, better, ...many.slice(0, 10));
    expect(bench.knows(C).size).toBe(10);
    expect(bench.knows(B).size).toBe(10);
  });
});

describe("external peers", () => {
  it("get our AS in front and our address as next hop; internal ones neither (RFC 4271 §5.1)", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B);
    bench.up(
      C,
      { internal: false, peerAs: asn(65001), routeReflectorClient: false },
      { internal: false, peerAs: asn(65001) },
    );
    bench.announce(A, plain, "10.1.0.0/16");
    expect(bench.knows(B).get("10.1.0.0/16")).toMatchObject({ asPath: [], nextHop: ipv4(0x0b000001), originatorId: 1 });
    expect(bench.knows(C).get("10.1.0.0/16")).toMatchObject({
      asPath: [{ type: 2, asns: [65000] }],
      nextHop: ipv4(0x0a0000fe),
    });
  });
});
