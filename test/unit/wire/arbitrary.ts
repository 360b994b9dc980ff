/** Attribute sets of any kind for properties (fast-check). */

import fc from "fast-check";
import { ipv4, ipv6 } from "../../../src/bgp/model/address.ts";
import { type AsPathSegment, SegmentType } from "../../../src/bgp/model/as-path.ts";
import { attributesWith, type PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { asn, routerId } from "../../../src/bgp/model/ids.ts";

export const word = fc.integer({ min: 0, max: 0xffffffff });
export const asNumber = fc.integer({ min: 1, max: 0xffffffff }).map(asn);
export const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

const segmentOf = (types: readonly SegmentType[]): fc.Arbitrary<AsPathSegment> =>
  fc.record({ type: fc.constantFrom(...types), asns: fc.array(asNumber, { minLength: 1, maxLength: 10 }) });

const NO_CONFEDERATIONS: readonly SegmentType[] = [SegmentType.Set, SegmentType.Sequence];

/** Types that starling does not know. */
const unknownType = fc.constantFrom(20, 25, 29, 33, 36, 128, 255);

/** With a next hop of this family; sorted as the codec gives them back. */
export const attributesFor = (family: Family, segmentTypes = NO_CONFEDERATIONS): fc.Arbitrary<PathAttributes> =>
  fc
    .record({
      origin: fc.constantFrom(0, 1, 2),
      asPath: fc.array(segmentOf(segmentTypes), { maxLength: 4 }),
      med: fc.option(word, { nil: undefined }),
      localPref: fc.option(word, { nil: undefined }),
      atomicAggregate: fc.boolean(),
      aggregator: fc.option(fc.record({ asNumber, address: word.map(routerId) }), { nil: undefined }),
      communities: fc.array(word, { maxLength: 100 }),
      extendedCommunities: fc.array(fc.record({ high: word, low: word }), { maxLength: 40 }),
      largeCommunities: fc.array(fc.record({ global: word, local1: word, local2: word }), { maxLength: 30 }),
      originatorId: fc.option(word.map(routerId), { nil: undefined }),
      clusterList: fc.array(word.map(routerId), { maxLength: 5 }),
      onlyToCustomer: fc.option(asNumber, { nil: undefined }),
      isPartial: fc.boolean(),
      unknown: fc
        .uniqueArray(unknownType, { maxLength: 3 })
        .chain((types) =>
          fc.tuple(
            ...types.sort((a, b) => a - b).map((type) => bytes(300).map((value) => ({ type, flags: 0xe0, value }))),
          ),
        ),
    })
    .map(({ isPartial, ...more }) =>
      attributesWith(family === Family.Ipv4 ? ipv4(0x0a000001) : ipv6(0x20010db8, 0, 0, 1), {
        ...(more as Partial<PathAttributes>),
        partial: isPartial ? transitiveTypes(more) : [],
      }),
    );

/** Of those that may be partial and are there. */
function transitiveTypes(a: {
  readonly aggregator: unknown;
  readonly communities: readonly unknown[];
  readonly extendedCommunities: readonly unknown[];
  readonly largeCommunities: readonly unknown[];
  readonly onlyToCustomer: unknown;
}): number[] {
  const there: readonly (readonly [number, boolean])[] = [
    [7, a.aggregator !== undefined],
    [8, a.communities.length > 0],
    [16, a.extendedCommunities.length > 0],
    [32, a.largeCommunities.length > 0],
    [35, a.onlyToCustomer !== undefined],
  ];
  return there.filter(([, is]) => is).map(([type]) => type);
}
