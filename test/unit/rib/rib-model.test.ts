import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { attributesWith, type PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import type { SessionFacts } from "../../../src/bgp/model/ports.ts";
import { formatPrefix, type Prefix, parsePrefix } from "../../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../../src/bgp/model/prefix-batch.ts";
import { viewOf } from "../../harness/canonical.ts";
import { facts, peerOptions, RibBench } from "../../harness/rib-bench.ts";

const PEERS = [1, 2, 3] as PeerId[];
const PREFIXES = ["10.0.0.0/24", "10.0.1.0/24", "10.0.0.0/16", "10.1.0.0/16", "0.0.0.0/0"].map(
  (p) => parsePrefix(p) as Prefix,
);

const sessionOf = (peer: PeerId, addPath: boolean): SessionFacts =>
  facts(peer, {
    families: [{ family: Family.Ipv4, addPathReceive: addPath, addPathSend: addPath, extendedNextHop: false }],
  });

/** One of a few sets, each a good deal better or worse than the others. */
const attributesOf = (choice: number): PathAttributes => ATTRIBUTES[choice] as PathAttributes;
const ATTRIBUTES = [100, 100, 200].map((localPref, i) => attributesWith(ipv4(0x0b000000 + i), { localPref }));

type Step =
  | { kind: "announce"; peer: number; prefix: number; attributes: number; pathId: number }
  | { kind: "withdraw"; peer: number; prefix: number; pathId: number }
  | { kind: "down"; peer: number; retain: boolean }
  | { kind: "up"; peer: number }
  | { kind: "endOfRib"; peer: number }
  | { kind: "refresh"; peer: number }
  | { kind: "read"; peer: number; count: number }
  | { kind: "lag"; peer: number }
  | { kind: "turn" };

const peerIndex = fc.integer({ min: 0, max: PEERS.length - 1 });
const prefixIndex = fc.integer({ min: 0, max: PREFIXES.length - 1 });
const pathId = fc.integer({ min: 0, max: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("announce" as const),
      peer: peerIndex,
      prefix: prefixIndex,
      attributes: fc.integer({ min: 0, max: 2 }),
      pathId,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("withdraw" as const), peer: peerIndex, prefix: prefixIndex, pathId }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("down" as const), peer: peerIndex, retain: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("up" as const), peer: peerIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("endOfRib" as const), peer: peerIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("refresh" as const), peer: peerIndex }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("read" as const),
      peer: peerIndex,
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("lag" as const), peer: peerIndex }) },
  { weight: 6, arbitrary: fc.constant({ kind: "turn" as const }) },
);

/** What a Map-based speaker would hold: for each peer its routes, with the session that each is from. */
class Model {
  readonly up = new Set<PeerId>();
  readonly routes = new Map<PeerId, Map<string, { prefix: string; attributes: number; stale: boolean }>>();

  of(peer: PeerId) {
    let routes = this.routes.get(peer);
    if (routes === undefined) {
      routes = new Map();
      this.routes.set(peer, routes);
    }
    return routes;
  }

  /** Best peer for a prefix: LOCAL_PREF, fresh before stale, router id, path identifier. */
  best(prefix: string): { peer: PeerId; attributes: number } | undefined {
    const all = [...this.routes].flatMap(([peer, routes]) =>
      [...routes].filter(([, r]) => r.prefix === prefix).map(([key, r]) => ({ peer, key, ...r })),
    );
    all.sort(
      (a, b) =>
        (attributesOf(b.attributes).localPref ?? 0) - (attributesOf(a.attributes).localPref ?? 0) ||
        Number(a.stale) - Number(b.stale) ||
        a.peer - b.peer ||
        (a.key < b.key ? -1 : 1),
    );
    return all[0];
  }
}

function run(steps: readonly Step[], addPath: boolean): void {
  const bench = new RibBench();
  const { clock, rib } = bench;
  const outboxOf = (peer: PeerId) => bench.outboxOf(peer);
  const model = new Model();
  for (const peer of PEERS) rib.addPeer(peerOptions(peer));
  const batch = new PrefixBatch(Family.Ipv4);
  const key = (prefix: string, id: number) => `${prefix}#${id}`;

  for (const s of steps) {
    if (s.kind === "turn") {
      clock.turn();
      continue;
    }
    const peer = PEERS[s.peer] as PeerId;
    const id = "pathId" in s && addPath ? s.pathId : 0;
    if (s.kind === "up" && !model.up.has(peer)) {
      model.up.add(peer);
      rib.peerUp(peer, sessionOf(peer, addPath));
    }
    if (!model.up.has(peer)) continue;
    if (s.kind === "announce" || s.kind === "withdraw") {
      const prefix = PREFIXES[s.prefix] as Prefix;
      batch.clear();
      batch.add(prefix, id);
      if (s.kind === "announce") {
        rib.announce(peer, viewOf(attributesOf(s.attributes)), batch);
        model
          .of(peer)
          .set(key(formatPrefix(prefix), id), { prefix: formatPrefix(prefix), attributes: s.attributes, stale: false });
      } else {
        rib.withdraw(peer, batch);
        model.of(peer).delete(key(formatPrefix(prefix), id));
      }
    } else if (s.kind === "down") {
      model.up.delete(peer);
      const retain = { family: Family.Ipv4, staleSeconds: 60, longLivedSeconds: 0 };
      rib.peerDown(peer, s.retain ? { kind: "retain", families: [retain] } : { kind: "flush" });
      for (const [k, r] of model.of(peer)) {
        if (!s.retain || r.stale) model.of(peer).delete(k);
        else r.stale = true;
      }
    } else if (s.kind === "endOfRib") {
      rib.endOfRib(peer, Family.Ipv4);
      for (const [k, r] of model.of(peer)) if (r.stale) model.of(peer).delete(k);
    } else if (s.kind === "refresh") rib.refreshRequested(peer, Family.Ipv4, true);
    else if (s.kind === "read") outboxOf(peer)?.read(peer, s.count);
    else if (s.kind === "lag") outboxOf(peer)?.lag(peer);
  }

  clock.settle();
  for (const peer of PEERS) outboxOf(peer)?.knows(peer);
  clock.settle();

  const held: string[] = [];
  for (const route of bench.routes())
    held.push(`${formatPrefix(route.prefix)}#${route.pathId} ${route.peer} ${route.stale} ${route.best}`);
  const expected = [...model.routes].flatMap(([peer, list]) =>
    [...list].map(
      ([k, r]) =>
        `${k} ${peer} ${r.stale} ${model.best(r.prefix)?.peer === peer && isBestKey(model, r.prefix, peer, k)}`,
    ),
  );
  expect(held.sort()).toEqual(expected.sort());

  for (const peer of model.up) {
    const outbox = outboxOf(peer);
    const view = outbox?.knows(peer) ?? new Map<string, string>();
    const seen = [...view].map(([k, a]) => `${k.replace(/#.*/, "")} ${describeSent(a)}`);
    const should: string[] = [];
    for (const text of PREFIXES.map(formatPrefix)) {
      if (addPath) {
        for (const [from, list] of model.routes)
          for (const r of list.values())
            if (from !== peer && r.prefix === text) should.push(`${text} ${describeRoute(from, r.attributes)}`);
      } else {
        const best = model.best(text);
        if (best !== undefined && best.peer !== peer)
          should.push(`${text} ${describeRoute(best.peer, best.attributes)}`);
      }
    }
    expect(seen.sort(), `peer ${peer}`).toEqual(should.sort());
    expect(outbox?.members.get(peer)?.ends, "End-of-RIB").toBeGreaterThanOrEqual(1);
  }

  // Nothing is left behind: when all peers are gone, so is every prefix, path and attribute set.
  for (const peer of PEERS) {
    if (model.up.has(peer)) rib.peerDown(peer, { kind: "flush" });
    else rib.endOfRib(peer, Family.Ipv4);
    rib.removePeer(peer);
  }
  clock.settle();
  const { table } = rib.rib(Family.Ipv4);
  expect([table.prefixes.count, table.paths.count, table.reachable, rib.attributes.count, rib.groups.count]).toEqual([
    0, 0, 0, 0, 0,
  ]);
}

function isBestKey(model: Model, prefix: string, peer: PeerId, key: string): boolean {
  const best = model.best(prefix) as { peer: PeerId; key?: string } | undefined;
  return best?.peer === peer && best.key === key;
}

const describeRoute = (from: PeerId, attributes: number) => `${attributesOf(attributes).nextHop.w0} from ${from}`;
const describeSent = (json: string) => {
  const a = JSON.parse(json) as PathAttributes;
  return `${a.nextHop.w0} from ${a.originatorId}`;
};

describe("the tables equal a naive model, whatever comes in and however slowly members read", () => {
  it.each([
    ["best paths", false],
    ["all paths (RFC 7911)", true],
  ])("%s", (_name, addPath) => {
    const start: Step[] = [0, 1, 2].map((peer) => ({ kind: "up", peer }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => run([...start, ...steps], addPath)),
      { numRuns: 400 },
    );
  });
});
