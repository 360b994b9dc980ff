/** What the order, the number or the timing of events must not change. */

import { describe, expect, it } from "vitest";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { attributesWith } from "../../../src/bgp/model/attributes.ts";
import { WellKnown } from "../../../src/bgp/model/community.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { asn, type PeerId, routerId } from "../../../src/bgp/model/ids.ts";
import { formatPrefix } from "../../../src/bgp/model/prefix.ts";
import { type Route, routes } from "../../../src/rib/routes.ts";
import { EVERY_ROUTE } from "../../harness/every-route.ts";
import { peerOptions, prefix, RibBench } from "../../harness/rib-bench.ts";
import { policy, standard, term } from "./sample.ts";

const [A, B] = [1 as PeerId, 2 as PeerId];
const hop = (n: number) => ipv4(0x0b000000 + n);
const plain = attributesWith(hop(1), { localPref: 100 });
const retain = (staleSeconds: number, longLivedSeconds = 0) =>
  ({ kind: "retain", families: [{ family: Family.Ipv4, staleSeconds, longLivedSeconds }] }) as const;
const tagging = policy("tag", term({}, "accept", { addCommunities: [standard("65000:1")] }));
const overEth1 = policy("eth1", term({ interface: /^eth1$/ }, "accept"), term({}, "reject"));

function forget(bench: RibBench, id: PeerId): void {
  bench.rib.removePeer(id);
  bench.clock.settle();
  expect(bench.rib.isForgotten(id)).toBe(true);
  bench.rib.forget(id);
}

describe("a peer's number goes to another peer", () => {
  it("which is told of with its own ORIGINATOR_ID (RFC 4456 §8)", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B);
    bench.announce(A, plain, "10.1.0.0/16");
    expect(bench.knows(B).get("10.1.0.0/16")?.originatorId).toBe(1);
    forget(bench, A);
    bench.up(A, {}, { remoteRouterId: routerId(77) });
    bench.announce(A, plain, "10.1.0.0/16");
    expect(bench.knows(B).get("10.1.0.0/16")?.originatorId).toBe(77);
  });

  it("and nothing of the first is kept, though its routes were judged again on the way out", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.announce(A, plain, "10.1.0.0/16");
    bench.rib.updatePeers([peerOptions(A, { importPolicies: [tagging] })]);
    forget(bench, A);
    expect(bench.rib.attributes.count).toBe(0);
  });
});

describe("routes of a session that ended", () => {
  it("wait for End-of-RIB once the peer is back, however late it came (RFC 4724 §4.2)", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.announce(A, plain, "10.1.0.0/16", "10.2.0.0/16");
    bench.rib.peerDown(A, retain(60));
    bench.clock.pass(50_000);
    bench.up(A);
    bench.announce(A, plain, "10.1.0.0/16");
    bench.clock.pass(30_000);
    expect(bench.routes().map((r) => r.stale)).toEqual([false, true]);
    bench.rib.endOfRib(A, Family.Ipv4);
    bench.clock.settle();
    expect(bench.routes().map((r) => r.stale)).toEqual([false]);
  });

  it("but not for ever", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.announce(A, plain, "10.1.0.0/16");
    bench.rib.peerDown(A, retain(60));
    bench.up(A);
    bench.clock.pass(300_000);
    expect(bench.routes()).toEqual([]);
  });

  it("are counted out once, whatever asks for them at the same time (RFC 9494 §4.2)", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.announce(A, attributesWith(hop(1), { communities: [WellKnown.NoLlgr] }), "10.1.0.0/16");
    bench.clock.settle();
    bench.rib.updatePeers([peerOptions(A, { importPolicies: [tagging] })]);
    bench.rib.peerDown(A, retain(0, 60));
    bench.rib.peerDown(A, retain(0, 60));
    bench.clock.settle();
    expect(bench.rib.peer(A)?.family(Family.Ipv4)).toMatchObject({ received: 0, accepted: 0 });
    expect(bench.rib.rib(Family.Ipv4).table.paths.count).toBe(0);
  });

  it("go when they carry NO_LLGR, also where policy had refused them (RFC 9494 §4.2)", () => {
    const bench = new RibBench();
    bench.up(A, { importPolicies: [policy("none", term({}, "reject"))] });
    bench.announce(A, attributesWith(hop(1), { communities: [WellKnown.NoLlgr] }), "10.1.0.0/16");
    bench.clock.settle();
    bench.rib.peerDown(A, retain(0, 60));
    bench.clock.settle();
    expect(bench.rib.rib(Family.Ipv4).table.paths.count).toBe(0);
  });

  it("are told anew with the identifier that their peer comes back with", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B);
    bench.announce(A, plain, "10.1.0.0/16");
    bench.clock.settle();
    bench.rib.peerDown(A, retain(60));
    bench.up(A, {}, { remoteRouterId: routerId(77) });
    expect(bench.knows(B).get("10.1.0.0/16")?.originatorId).toBe(77);
  });

  it.each([127, 128, 255, 256, 300])(
    "are gone after %i refreshes that nothing was decided between (RFC 7313 §4)",
    (n) => {
      const bench = new RibBench();
      bench.up(A);
      bench.announce(A, plain, "10.1.0.0/16");
      for (let i = 0; i < n; i++) {
        bench.rib.refreshBegin(A, Family.Ipv4);
        bench.rib.refreshEnd(A, Family.Ipv4);
      }
      bench.clock.settle();
      expect(bench.routes()).toEqual([]);
    },
  );
});

describe("while nothing is decided", () => {
  it("a route that flaps does not pile up", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.rib.hold();
    for (let i = 0; i < 10_000; i++) {
      bench.announce(A, plain, "10.1.0.0/16");
      bench.withdraw(A, "10.1.0.0/16");
    }
    expect(bench.rib.rib(Family.Ipv4).table.paths.end).toBeLessThan(4);
    bench.rib.release();
    bench.clock.settle();
    expect(bench.rib.rib(Family.Ipv4).table.prefixes.count).toBe(0);
  });
});

describe("when all peers come back at once", () => {
  it.each(["after a restart", "one after the other"])("each route goes out once: %s", (how) => {
    const bench = new RibBench();
    if (how === "after a restart") bench.rib.hold();
    bench.up(A);
    bench.up(B);
    let said = 0;
    for (const outbox of bench.outboxes) {
      const announce = outbox.announce.bind(outbox);
      outbox.announce = (attributes, prefixes, audience) => {
        said += prefixes.count;
        announce(attributes, prefixes, audience);
      };
    }
    const prefixes = Array.from({ length: 5000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
    for (let i = 0; i < prefixes.length; i += 100) bench.announce(A, plain, ...prefixes.slice(i, i + 100));
    bench.rib.release();
    expect(bench.knows(B).size).toBe(prefixes.length);
    expect(bench.knows(A).size).toBe(0);
    expect(said).toBe(prefixes.length);
  });
});

describe("what the configuration says is done without another cause", () => {
  it("a route that is not originated any more is withdrawn", () => {
    const bench = new RibBench();
    bench.up(A);
    const attributes = attributesWith(ipv4(0));
    bench.rib.setOriginated([
      { prefix: prefix("10.1.0.0/16"), source: "static", kind: "blackhole", nextHop: undefined, attributes },
    ]);
    expect([...bench.knows(A).keys()]).toEqual(["10.1.0.0/16"]);
    bench.rib.setOriginated([]);
    expect(bench.knows(A).size).toBe(0);
  });

  it("another peer's CLUSTER_ID is looked for in what is there already (RFC 4456 §8)", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B);
    bench.announce(
      A,
      attributesWith(hop(1), { originatorId: routerId(9), clusterList: [routerId(77)] }),
      "10.1.0.0/16",
    );
    expect(bench.knows(B).size).toBe(1);
    bench.rib.updatePeers([peerOptions(B, { clusterId: routerId(77) })]);
    expect(bench.knows(B).size).toBe(0);
    bench.rib.updatePeers([peerOptions(B)]);
    expect(bench.knows(B).size).toBe(1);
  });

  it("AGGREGATOR is who we are now (RFC 4271 §5.1.7)", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.announce(A, plain, "10.1.1.0/24");
    bench.rib.setAggregates([{ prefix: prefix("10.1.0.0/16"), summaryOnly: false }]);
    bench.rib.setAggregates([{ prefix: prefix("10.1.0.0/16"), summaryOnly: false }]);
    expect(bench.knows(A).get("10.1.0.0/16")?.aggregator?.asNumber).toBe(65000);
    bench.rib.reconfigure({
      asNumber: asn(65001),
      routerId: routerId(98),
      clusterId: routerId(98),
      maxPaths: 1,
      alwaysCompareMed: false,
      resolveNextHops: false,
      priorities: undefined,
      kernelRules: [],
    });
    expect(bench.knows(A).get("10.1.0.0/16")?.aggregator).toEqual({ asNumber: 65001, address: 98 });
  });
});

describe("what next hops rest on", () => {
  const forward = (index: number) => ({ kind: "forward", hops: [{ gateway: undefined, interface: index }] }) as const;
  const resolving = () => {
    const bench = new RibBench({ resolveNextHops: true });
    bench.upLinks.add(1).add(2);
    return bench;
  };

  it("is not an aggregate, which rests on them in its turn", () => {
    const bench = resolving();
    bench.up(A);
    bench.rib.setAggregates([{ prefix: prefix("0.0.0.0/0"), summaryOnly: false }]);
    bench.rib.kernelRoute(prefix("11.0.0.0/24"), "connected", forward(1), false);
    bench.announce(A, plain, "10.1.0.0/16");
    bench.clock.settle();
    expect([...bench.kernel.keys()].sort()).toEqual(["0.0.0.0/0", "10.1.0.0/16"]);
    bench.rib.kernelRoute(prefix("11.0.0.0/24"), "connected", undefined, false);
    bench.clock.settle();
    expect([...bench.kernel.keys()]).toEqual([]);
  });

  it("comes to rest where two destinations would each be reached by way of the other", () => {
    const bench = resolving();
    bench.clock.tick = 3;
    bench.rib.kernelRoute(prefix("11.0.0.0/24"), "connected", forward(1), false);
    for (const id of [A, B, 3 as PeerId]) bench.up(id);
    const within = (third: number) => attributesWith(ipv4(0x0a000001 + (third << 16)), { localPref: 200 });
    bench.announce(B, plain, "10.1.0.0/16", "10.2.0.0/16");
    bench.clock.settle();
    bench.announce(A, within(2), "10.1.0.0/16");
    bench.announce(A, within(1), "10.2.0.0/16");
    bench.clock.settle();
    expect(bench.clock.turn(), "work left").toBe(false);
    bench.withdraw(A, "10.1.0.0/16", "10.2.0.0/16");
    bench.clock.settle();
    expect([...bench.kernel.values()]).toEqual(["11.1@1", "11.1@1"]);
  });

  it("decides what policies say of interfaces, on both sides, when it moves", () => {
    const bench = resolving();
    bench.up(A, { importPolicies: [overEth1] });
    bench.up(B);
    bench.up(3 as PeerId, { exportPolicies: [overEth1] });
    bench.announce(A, plain, "10.1.0.0/16");
    bench.announce(B, plain, "10.2.0.0/16");
    const told = () => [...bench.knows(3 as PeerId).keys()].sort();
    bench.rib.kernelRoute(prefix("11.0.0.0/24"), "connected", forward(1), false);
    expect(told()).toEqual(["10.1.0.0/16", "10.2.0.0/16"]);
    bench.rib.kernelRoute(prefix("11.0.0.0/24"), "connected", forward(2), false);
    expect(told()).toEqual([]);
    expect(bench.routes().map((r) => r.best)).toEqual([false, true]);
    bench.rib.kernelRoute(prefix("11.0.0.0/24"), "connected", forward(1), false);
    expect(told()).toEqual(["10.1.0.0/16", "10.2.0.0/16"]);
  });
});

describe("a member that is told a large table from where it stands", () => {
  const COUNT = 3000;
  const many = Array.from({ length: COUNT }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
  const refusing = policy("half", term({ prefixes: [{ prefix: prefix("10.0.0.0/13"), ge: 24, le: 24 }] }, "reject"));
  const full = () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B);
    bench.announce(A, plain, ...many);
    expect(bench.knows(B).size).toBe(COUNT);
    return bench;
  };
  const nothingLeft = (bench: RibBench) => {
    for (const id of [A, B]) forget(bench, id);
    const { table } = bench.rib.rib(Family.Ipv4);
    expect([table.prefixes.count, bench.rib.attributes.count, bench.rib.groups.count]).toEqual([0, 0, 0]);
  };

  it.each([true, false])("gets all of it again if it asks while it is behind (enhanced: %s)", (enhanced) => {
    const bench = full();
    const outbox = bench.outboxOf(B);
    outbox?.lag(B);
    outbox?.serve(B);
    outbox?.forget(B);
    bench.rib.refreshRequested(B, Family.Ipv4, enhanced);
    outbox?.read(B);
    expect(bench.knows(B).size).toBe(COUNT);
    nothingLeft(bench);
  });

  it("sees changes on both sides of where it is", () => {
    const bench = full();
    const outbox = bench.outboxOf(B);
    outbox?.lag(B);
    outbox?.serve(B);
    bench.withdraw(A, many[0] as string, many[COUNT - 1] as string);
    bench.announce(A, attributesWith(hop(2)), many[1] as string, many[COUNT - 2] as string);
    bench.announce(A, plain, "192.0.2.0/24");
    bench.clock.settle();
    const view = bench.knows(B);
    expect(view.size).toBe(COUNT - 1);
    expect([many[0], many[COUNT - 1]].some((text) => view.has(text as string))).toBe(false);
    expect([many[1], many[COUNT - 2]].map((text) => view.get(text as string)?.nextHop)).toEqual([hop(2), hop(2)]);
    nothingLeft(bench);
  });

  it("has taken back what another group told it, also if it falls behind over just that", () => {
    const bench = full();
    bench.rib.updatePeers([peerOptions(B, { exportPolicies: [refusing] })]);
    bench.clock.settle();
    bench.outboxOf(B)?.lag(B);
    expect(bench.knows(B).size).toBe(COUNT - 2048);
    nothingLeft(bench);
  });

  it("parts from its group, lags, parts again, and has taken back what it may not have", () => {
    const bench = full();
    const parts = (exportPolicies: (typeof refusing)[]) => bench.rib.updatePeers([peerOptions(B, { exportPolicies })]);
    parts([refusing]);
    bench.clock.turn();
    bench.outboxOf(B)?.lag(B);
    bench.withdraw(A, many[COUNT - 1] as string);
    bench.clock.turn();
    parts([tagging]);
    bench.clock.turn();
    parts([refusing]);
    const view = bench.knows(B);
    expect(view.size).toBe(COUNT - 2048 - 1);
    nothingLeft(bench);
  });
});

describe("a listing that goes on while the tables change", () => {
  const show = (route: Route | undefined) =>
    route === undefined ? "" : `${formatPrefix(route.prefix)} by ${route.attributes.nextHop.w0 & 0xff}`;

  it("never takes one destination's path for another's", () => {
    const bench = new RibBench();
    for (const id of [A, B]) bench.up(id);
    bench.announce(A, attributesWith(hop(1)), "10.1.0.0/16", "10.2.0.0/16");
    bench.announce(B, attributesWith(hop(2)), "10.1.0.0/16");
    bench.clock.settle();
    const listing = routes(bench.rib, EVERY_ROUTE);
    const seen = [show(listing.next().value ?? undefined)];
    bench.withdraw(A, "10.1.0.0/16", "10.2.0.0/16");
    bench.withdraw(B, "10.1.0.0/16");
    bench.clock.settle();
    for (const id of [A, B]) bench.knows(id);
    const others = ["10.3.0.0/16", "10.4.0.0/16"];
    bench.announce(A, attributesWith(hop(3)), ...others);
    bench.announce(B, attributesWith(hop(4)), ...others);
    bench.clock.settle();
    for (const route of listing) seen.push(show(route));
    const lawful = ["10.1.0.0/16 by 1", "10.1.0.0/16 by 2", "10.2.0.0/16 by 1"];
    const now = others.flatMap((text) => [`${text} by 3`, `${text} by 4`]);
    for (const line of seen) expect([...lawful, ...now]).toContain(line);
  });

  it("finds the route that packets take, past destinations without one", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.up(B, { importPolicies: [policy("none", term({}, "reject"))] });
    bench.announce(A, plain, "10.0.0.0/8");
    bench.announce(B, plain, "10.1.0.0/16");
    bench.clock.settle();
    const found = [...routes(bench.rib, { ...EVERY_ROUTE, address: ipv4(0x0a010203) })];
    expect(found.map(show)).toEqual(["10.0.0.0/8 by 1"]);
  });
});
