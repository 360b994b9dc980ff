import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { SegmentType } from "../../../src/bgp/model/as-path.ts";
import { attributesWith, type Origin, type PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { WellKnown } from "../../../src/bgp/model/community.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { asn, type PeerId, type PrefixId, routerId } from "../../../src/bgp/model/ids.ts";
import { createAttributesCodec } from "../../../src/bgp/wire/attributes-codec.ts";
import { AttributeTable } from "../../../src/rib/attribute-table.ts";
import { Decision, Reason } from "../../../src/rib/decision.ts";
import { FamilyTable } from "../../../src/rib/family-table.ts";
import type { RouteSource } from "../../../src/rib/policy/policy.ts";

interface Candidate {
  localPref?: number;
  asPath?: readonly number[];
  origin?: Origin;
  med?: number;
  external?: boolean;
  metric?: number;
  stale?: boolean;
  longLived?: boolean;
  routerId?: number;
  originatorId?: number;
  clusters?: number;
  address?: number;
  pathId?: number;
  preference?: number;
  source?: RouteSource;
  accepted?: boolean;
}

/** Runs the process over the candidates, laid into the tables in the given order; answers by their index. */
function decide(
  candidates: readonly Candidate[],
  order = candidates.map((_, i) => i),
  options: { always?: boolean; maxPaths?: number } = {},
) {
  const table = new FamilyTable(Family.Ipv4);
  const attributes = new AttributeTable(createAttributesCodec(), { acquire: () => 1, release: () => {} });
  const prefix = table.prefixes.findOrAdd(0x0a000000, 0, 0, 0, 8);
  const pathOf: number[] = [];
  const candidateOf = new Map<number, Candidate>();
  for (const i of order) {
    const c = candidates[i] ?? {};
    const a: PathAttributes = attributesWith(ipv4(1), {
      localPref: c.localPref,
      med: c.med,
      origin: c.origin ?? 0,
      asPath: c.asPath === undefined ? [] : [{ type: SegmentType.Sequence, asns: c.asPath.map(asn) }],
      originatorId: c.originatorId === undefined ? undefined : routerId(c.originatorId),
      clusterList: Array.from({ length: c.clusters ?? 0 }, () => routerId(9)),
      communities: c.longLived ? [WellKnown.LlgrStale] : [],
    });
    const source = c.source ?? "peer";
    const path = table.paths.add(prefix as PrefixId, table.first(prefix), (i + 1) as PeerId, c.pathId ?? 0, source);
    table.setFirst(prefix, path);
    if (c.accepted !== false) table.paths.setAccepted(path, attributes.intern(a));
    pathOf[i] = path;
    candidateOf.set(path, c);
  }
  const of = (path: number): Candidate => candidateOf.get(path) ?? {};
  const decision = new Decision({
    paths: table.paths,
    attributes,
    rules: () => ({ alwaysCompareMed: options.always ?? false, maxPaths: options.maxPaths ?? 1 }),
    isCurrent: () => true,
    isStale: (path) => of(path).stale ?? false,
    metric: (path) => of(path).metric ?? 0,
    preference: (path) => of(path).preference ?? 100,
    rank: (path) => ({
      external: of(path).external ?? false,
      routerId: routerId(of(path).routerId ?? 1),
      address: ipv4(of(path).address ?? 1),
    }),
  });
  const best = decision.select(table.first(prefix));
  return {
    best: pathOf.indexOf(best),
    reasons: pathOf.map((path) => table.paths.reason(path)),
    tied: [...decision.tied].map((path) => pathOf.indexOf(path)).sort(),
  };
}

describe("decision process, RFC 4271 §9.1.2.2 and RFC 4456 §9", () => {
  it.each<[string, Candidate, Candidate, number]>([
    ["preference of the source", { preference: 200, source: "static" }, { localPref: 500 }, Reason.Preference],
    ["preference of a peer's route", { preference: 200 }, { preference: 10, source: "kernel" }, Reason.Preference],
    ["a peer's route elevated by its LOCAL_PREF", { preference: 200, localPref: 500 }, {}, Reason.LocalPref],
    [
      "long-lived stale comes last, RFC 9494 §4.3",
      { localPref: 1 },
      { localPref: 500, longLived: true },
      Reason.LongLivedStale,
    ],
    ["LOCAL_PREF", { localPref: 200, asPath: [1, 2, 3] }, { localPref: 100 }, Reason.LocalPref],
    ["LOCAL_PREF is 100 where there is none", { localPref: 101 }, {}, Reason.LocalPref],
    ["a: AS_PATH length", { asPath: [1] }, { asPath: [1, 2], origin: 0 }, Reason.PathLength],
    ["b: ORIGIN", { origin: 0, asPath: [1] }, { origin: 1, asPath: [1] }, Reason.Origin],
    ["c: MED of one neighbouring AS", { asPath: [1], med: 5 }, { asPath: [1], med: 6 }, Reason.Med],
    ["c: a missing MED is the lowest", { asPath: [1] }, { asPath: [1], med: 1 }, Reason.Med],
    ["d: external before internal", { external: true, routerId: 9 }, { routerId: 1 }, Reason.External],
    ["e: the nearer next hop", { metric: 0, routerId: 9 }, { metric: 1 }, Reason.IgpMetric],
    ["a fresh path before a stale one", { routerId: 9 }, { stale: true }, Reason.Stale],
    ["f: the lower router id", { routerId: 1 }, { routerId: 2 }, Reason.RouterId],
    ["f: ORIGINATOR_ID in its place", { routerId: 9, originatorId: 1 }, { routerId: 2 }, Reason.RouterId],
    ["RFC 4456: the shorter CLUSTER_LIST", { clusters: 1, address: 9 }, { clusters: 2 }, Reason.ClusterLength],
    ["g: the lower peer address", { address: 1 }, { address: 2 }, Reason.PeerAddress],
    ["one peer's paths: the lower identifier", { pathId: 1 }, { pathId: 2 }, Reason.PathIdentifier],
  ])("%s", (_name, winner, loser, reason) => {
    expect(decide([winner, loser])).toMatchObject({ best: 0, reasons: [Reason.Best, reason] });
    expect(decide([loser, winner])).toMatchObject({ best: 1, reasons: [reason, Reason.Best] });
  });

  it("leaves MED of different neighbouring ASes alone, unless told to compare always", () => {
    const candidates = [
      { asPath: [1], med: 50, routerId: 1 },
      { asPath: [2], med: 5, routerId: 2 },
    ];
    expect(decide(candidates).best).toBe(0);
    expect(decide(candidates, [0, 1], { always: true }).best).toBe(1);
  });

  it("removes all of a neighbour's paths but its lowest MED before comparing across neighbours", () => {
    // Compared in pairs, 0 beats 1 (router id), 1 beats 2 (MED), 2 beats 0 (router id): a fold would depend on the order.
    const candidates = [
      { asPath: [1], routerId: 2 },
      { asPath: [2], med: 0, routerId: 3 },
      { asPath: [2], med: 10, routerId: 1 },
    ];
    for (const order of [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ])
      expect(decide(candidates, order).best).toBe(0);
  });

  it("passes over what is not accepted or not reachable, and finds nothing among such", () => {
    expect(decide([{ accepted: false }, { metric: Number.POSITIVE_INFINITY }, { localPref: 1 }])).toMatchObject({
      best: 2,
      reasons: [Reason.NotAccepted, Reason.NextHopUnreachable, Reason.Best],
    });
    expect(decide([{ accepted: false }]).best).toBe(-1);
  });

  it("multipath takes the paths that tie through the IGP metric, up to the limit", () => {
    const candidates = [{ routerId: 3 }, { routerId: 1 }, { routerId: 2 }, { localPref: 5 }];
    expect(decide(candidates, [0, 1, 2, 3], { maxPaths: 16 })).toMatchObject({
      best: 1,
      tied: [0, 1, 2],
      reasons: [Reason.Multipath, Reason.Best, Reason.Multipath, Reason.LocalPref],
    });
    expect(decide(candidates, [0, 1, 2, 3], { maxPaths: 2 }).tied).toHaveLength(2);
    expect(decide(candidates, [0, 1, 2, 3], { maxPaths: 1 }).tied).toEqual([1]);
  });

  const candidate: fc.Arbitrary<Candidate> = fc.record({
    localPref: fc.constantFrom(100, 200),
    asPath: fc.constantFrom([1], [2], [1, 2], [2, 3]),
    origin: fc.constantFrom<Origin>(0, 2),
    med: fc.constantFrom(0, 5, 10),
    external: fc.boolean(),
    metric: fc.constantFrom(0, 1),
    stale: fc.boolean(),
    routerId: fc.integer({ min: 1, max: 3 }),
    address: fc.integer({ min: 1, max: 3 }),
    clusters: fc.integer({ min: 0, max: 2 }),
  });

  it("does not depend on the order of the candidates", () => {
    const shuffled = fc.array(candidate, { minLength: 1, maxLength: 7 }).chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray(
          list.map((_, i) => i),
          { minLength: list.length },
        ),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([candidates, order]) => {
        // Path identifiers make every candidate distinct: what is equal in all else may win in either place.
        const distinct = candidates.map((c, pathId) => ({ ...c, pathId }));
        const options = { maxPaths: 4 };
        expect(decide(distinct, order, options).best).toBe(decide(distinct, undefined, options).best);
        expect(decide(distinct, order, options).tied.length).toBe(decide(distinct, undefined, options).tied.length);
      }),
      { numRuns: 500 },
    );
  });
});
