/** The cursor over canonical bytes says what the decoded set says. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipv4, ipv6 } from "../../../src/bgp/model/address.ts";
import { countAs, neighborAs, pathLength, SegmentType } from "../../../src/bgp/model/as-path.ts";
import { attributesWith, type PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import type { AttributeView } from "../../../src/bgp/model/ports.ts";
import { createAttributesCodec } from "../../../src/bgp/wire/attributes-codec.ts";
import { attributesFor } from "./arbitrary.ts";
import { hexOf } from "./expect-codec.ts";

const codec = createAttributesCodec();
/** One for all cases: nothing of the set before may show. */
const view = codec.view();

function summaryOf(v: AttributeView, ases: readonly number[], communities: readonly number[]) {
  return {
    nextHop: v.nextHop,
    linkLocal: v.linkLocalNextHop,
    origin: v.origin,
    pathLength: v.pathLength,
    neighborAs: v.neighborAs,
    isPathEmpty: v.isPathEmpty,
    counts: ases.map((asn) => v.countAs(asn)),
    med: v.med,
    localPref: v.localPref,
    originatorId: v.originatorId,
    onlyToCustomer: v.onlyToCustomer,
    communities: Array.from({ length: v.communityCount }, (_, i) => v.community(i)),
    has: communities.map((community) => v.hasCommunity(community)),
    clusters: Array.from({ length: v.clusterCount }, (_, i) => v.cluster(i)),
  };
}

function expectedOf(a: PathAttributes, ases: readonly number[], communities: readonly number[]) {
  return {
    nextHop: a.nextHop,
    linkLocal: a.linkLocalNextHop,
    origin: a.origin,
    pathLength: pathLength(a.asPath),
    neighborAs: neighborAs(a.asPath),
    isPathEmpty: a.asPath.length === 0,
    counts: ases.map((asn) => countAs(a.asPath, asn)),
    med: a.med,
    localPref: a.localPref,
    originatorId: a.originatorId,
    onlyToCustomer: a.onlyToCustomer,
    communities: a.communities,
    has: communities.map((community) => a.communities.includes(community)),
    clusters: a.clusterList,
  };
}

function expectView(attributes: PathAttributes, before = 0): void {
  const bytes = codec.encode(attributes);
  const among = new Uint8Array(before + bytes.length + 7).fill(0xff);
  among.set(bytes, before);
  const ases = [1, ...attributes.asPath.flatMap((s) => s.asns)];
  const communities = [1, ...attributes.communities];
  view.load(among, before, before + bytes.length);
  expect(summaryOf(view, ases, communities)).toEqual(expectedOf(attributes, ases, communities));

  // The ranges, one after the other, are all that follows the next hop.
  let at = before + 5 + view.nextHopLength;
  for (let i = 0; i < view.attributeCount; i++) {
    const type = view.typeAt(i);
    expect(view.headerOf(type)).toBe(at);
    expect(among[at + 1]).toBe(type);
    expect(view.valueOf(type)).toBeGreaterThan(at + 2);
    at = view.endOf(type);
  }
  expect(at).toBe(view.end);
}

describe("AttributeView", () => {
  const any = [SegmentType.Set, SegmentType.Sequence, SegmentType.ConfedSequence, SegmentType.ConfedSet];
  it.each([Family.Ipv4, Family.Ipv6])("agrees with the decoded set, next hops of family %s", (family) => {
    fc.assert(fc.property(attributesFor(family, any), fc.nat(40), expectView));
  });

  it.each([
    ["the mandatory ones", attributesWith(ipv4(1))],
    ["two next hops", attributesWith(ipv6(0x20010db8, 0, 0, 1), { linkLocalNextHop: ipv6(0xfe800000, 0, 0, 1) })],
    [
      "long attributes",
      attributesWith(ipv4(1), { communities: new Array<number>(100).fill(7), localPref: 0xffffffff }),
    ],
    ["attributes longer than any message", attributesWith(ipv4(1), { communities: new Array<number>(20_000).fill(7) })],
  ])("reads %s", (_name, attributes) => expectView(attributes));

  it("forgets the set before", () => {
    const full = attributesWith(ipv4(1), { med: 1, communities: [7], clusterList: [], unknown: [] });
    view.load(codec.encode(full));
    view.load(codec.encode(attributesWith(ipv4(2))));
    expect([view.med, view.communityCount, view.hasCommunity(7)]).toEqual([undefined, 0, false]);
    expect([view.headerOf(4), view.valueOf(4), view.endOf(4)]).toEqual([0, 0, 0]);
  });

  it("tells the same words of an IPv4 and an IPv6 next hop apart", () => {
    for (const nextHop of [ipv4(1), ipv6(1, 0, 0, 0), ipv4(1), ipv6(1, 2, 3, 4), ipv6(1, 2, 3, 5)])
      expect(view.load(codec.encode(attributesWith(nextHop))).nextHop).toEqual(nextHop);
  });

  it("gives words of the bytes", () => {
    const bytes = codec.encode(attributesWith(ipv4(0xfffefdfc)));
    expect(hexOf(bytes.subarray(5, 9))).toBe("fffefdfc");
    expect(view.load(bytes).u32(5)).toBe(0xfffefdfc);
  });
});
