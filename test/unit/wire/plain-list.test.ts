/** The short way from attribute lists to canonical bytes ends where the long way does, and is taken where it can be. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SegmentType } from "../../../src/bgp/model/as-path.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { sizeOfAttribute } from "../../../src/bgp/wire/attribute-list.ts";
import { AttributeWalk } from "../../../src/bgp/wire/attribute-walk.ts";
import { createAttributesCodec } from "../../../src/bgp/wire/attributes-codec.ts";
import { attributesFor } from "./arbitrary.ts";
import { bytesOf, hexOf } from "./expect-codec.ts";
import {
  AS_PATH,
  BOTH_FAMILIES,
  decoderFor,
  MANDATORY,
  MP_REACH,
  NEXT_HOP,
  NLRI,
  notificationFrom,
  ORIGIN_IGP,
  outcomeOf,
  updateBody,
} from "./messages.ts";

/** Optional, not transitive and not known: dropped without a word (RFC 4271 §9), but no list with it is plain. */
const DETOUR = bytesOf("80fd00");
const DETOUR_TYPE = 0xfd;

const SESSIONS = [true, false].flatMap((internal) =>
  [true, false].map((extendedNextHop) => {
    const families = BOTH_FAMILIES.map((f) => ({ ...f, extendedNextHop }));
    return { short: decoderFor({ internal, families }), long: decoderFor({ internal, families }) };
  }),
);

const u16 = (body: Uint8Array, at: number) => ((body[at] ?? 0) << 8) | (body[at + 1] ?? 0);

/** The same UPDATE with DETOUR in front of its list; undefined where that would be another UPDATE. */
function detoured(body: Uint8Array): Uint8Array | undefined {
  const at = 2 + u16(body, 0) + 2;
  const length = u16(body, at - 2);
  const end = at + length;
  if (at > body.length || end > body.length) return undefined;
  let hasOthers = false;
  for (let i = at; i < end; ) {
    const type = body[i + 1] ?? 0;
    if (type === DETOUR_TYPE) return undefined;
    const size = sizeOfAttribute(body, i, end);
    if (size === undefined || (type !== 14 && type !== 15)) hasOthers = true;
    i += size ?? end;
  }
  // A list of MP_REACH_NLRI and MP_UNREACH_NLRI alone, or of nothing, may be something special.
  if (!hasOthers) return undefined;
  const longer = length + DETOUR.length;
  return Uint8Array.of(...body.subarray(0, at - 2), longer >>> 8, longer & 255, ...DETOUR, ...body.subarray(at));
}

/** All that a session does with an UPDATE. */
function resultOf(decoder: ReturnType<typeof decoderFor>, body: Uint8Array): unknown {
  let result: unknown;
  const error = notificationFrom(() => {
    const update = decoder.decode(body);
    result = {
      ...outcomeOf(update),
      reasons: update.problems.map((p) => p.reason),
      endOfRib: update.endOfRib,
      sets: update.announced.map(({ family, attributes: { bytes, from, end } }) => [
        family,
        hexOf(bytes.subarray(from, end)),
      ]),
    };
  });
  return error === undefined ? result : [error.code, error.subcode, error.message, hexOf(error.data)];
}

function expectSameWay(body: Uint8Array): void {
  const other = detoured(body);
  if (other === undefined) return;
  for (const { short, long } of SESSIONS) expect(resultOf(short, body)).toEqual(resultOf(long, other));
}

const codec = createAttributesCodec();
const view = codec.view();

/** The attributes of a set, each by itself, NEXT_HOP or MP_REACH_NLRI among them. */
function chunksOf(bytes: Uint8Array, family: Family): string[] {
  view.load(bytes);
  const chunks = Array.from({ length: view.attributeCount }, (_, i) => {
    const type = view.typeAt(i);
    return hexOf(bytes.subarray(view.headerOf(type), view.endOf(type)));
  });
  return [...chunks, family === Family.Ipv4 ? NEXT_HOP : MP_REACH];
}

/** With two octets of length, as some speakers write all attributes. */
function widened(chunk: string): string {
  const [flags = 0, type = 0, length = 0, ...value] = bytesOf(chunk);
  return (flags & 0x10) !== 0 ? chunk : hexOf(Uint8Array.of(flags | 0x10, type, 0, length, ...value));
}

const anySegments = [SegmentType.Set, SegmentType.Sequence, SegmentType.ConfedSequence];

/** UPDATEs with their attributes in any order, of which some octets may be changed. */
const updates = (changes: number) =>
  fc
    .constantFrom(Family.Ipv4, Family.Ipv6)
    .chain((family) =>
      fc.record({
        chunks: fc
          .oneof(
            { weight: 4, arbitrary: attributesFor(family) },
            { weight: 1, arbitrary: attributesFor(family, anySegments) },
          )
          .map((attributes) => chunksOf(codec.encode(attributes), family)),
        order: fc.array(fc.nat(), { minLength: 20, maxLength: 20 }),
        isOrdered: fc.boolean(),
        wide: fc.nat(0xffff),
        dropped: fc.option(fc.nat(20), { nil: undefined, freq: 5 }),
        doubled: fc.option(fc.nat(20), { nil: undefined, freq: 5 }),
        nlri: fc.constantFrom("", NLRI, `${NLRI}${NLRI}`),
        changed: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: changes }),
      }),
    )
    .map(({ chunks, order, isOrdered, wide, dropped, doubled, nlri, changed }) => {
      let list = chunks.map((chunk, i) => ((wide >> i) & 1 ? widened(chunk) : chunk));
      if (changes > 0) {
        if (dropped !== undefined) list = list.filter((_, i) => i !== dropped);
        const twice = doubled === undefined ? undefined : list[doubled];
        if (twice !== undefined) list.push(twice);
      }
      if (!isOrdered) {
        const places = list.map((chunk, i) => ({ chunk, place: order[i] ?? 0 }));
        list = places.sort((a, b) => a.place - b.place).map(({ chunk }) => chunk);
      }
      const body = updateBody(list.join(""), nlri);
      for (const [at, octet] of changed) body[at % body.length] = octet;
      return body;
    });

describe("the short way and the long way agree", () => {
  it("on UPDATEs with attributes of any kind, in any order", () => {
    fc.assert(fc.property(updates(0), expectSameWay), { numRuns: 1000 });
  });
  it("on UPDATEs that were tampered with", () => {
    fc.assert(fc.property(updates(4), expectSameWay), { numRuns: 4000 });
  });

  const mp = (nextHop: string) => {
    const length = bytesOf(nextHop).length;
    const octet = (n: number) => n.toString(16).padStart(2, "0");
    return `800e${octet(length + 10)} 0002 01 ${octet(length)} ${nextHop} 00 20 20010db8`;
  };
  const GLOBAL = "20010db8000000000000000000000001";
  const LINK_LOCAL = "fe800000000000000000000000000001";
  const ZERO = "00000000000000000000000000000000";
  it.each([
    ["global", GLOBAL],
    ["link-local", LINK_LOCAL],
    ["unspecified", ZERO],
    ["multicast", "ff020000000000000000000000000001"],
    ["global and link-local", `${GLOBAL}${LINK_LOCAL}`],
    ["global and global", `${GLOBAL}${GLOBAL}`],
    ["global and unspecified", `${GLOBAL}${ZERO}`],
    ["unspecified and link-local", `${ZERO}${LINK_LOCAL}`],
    ["link-local and link-local", `${LINK_LOCAL}${LINK_LOCAL}`],
    ["unspecified and global", `${ZERO}${GLOBAL}`],
  ])("on next hops in MP_REACH_NLRI: %s", (_name, nextHop) => {
    expectSameWay(updateBody(`${mp(nextHop)}${ORIGIN_IGP}${AS_PATH}`));
  });
  it.each(["00000001", "7f000001", "dfffffff", "e0000001", "ffffffff"])("on the NEXT_HOP %s", (nextHop) => {
    expectSameWay(updateBody(`${ORIGIN_IGP}${AS_PATH}400304${nextHop}`, NLRI));
    expectSameWay(updateBody(`800e0d 0001 01 04 ${nextHop} 00 18 c00002 ${ORIGIN_IGP}${AS_PATH}`));
  });
});

describe("lists that are plain", () => {
  const isPlain = (list: string, internal = true, fourOctetAs = true) => {
    const walk = new AttributeWalk();
    const bytes = bytesOf(list);
    walk.walk(bytes, 0, bytes.length, { internal, fourOctetAs });
    return walk.isPlain;
  };
  const ALL = `
    400101 02  400210 0202 0000fde9 00011170 0101 00000001  400304 0a000001
    800404 0000000a  400504 00000064  400600  c00708 00011170 0a000002  c00804 fde90001
    800904 00000001  800a08 00000002 00000003  c01008 0002fde900000001
    c0200c 00000001 00000002 00000003  c02304 0000fde9`;
  it.each([
    ["what is mandatory", MANDATORY],
    ["all that is known", ALL],
    ["MP_REACH_NLRI among them", `${ORIGIN_IGP}${MP_REACH}${AS_PATH}`],
    ["an extended length", `${ORIGIN_IGP}500200060201 0000fde9${NEXT_HOP}`],
    ["the Partial bit where it may be", `${MANDATORY}e00804fde90001`],
    ["an empty AS_PATH", `${ORIGIN_IGP}400200${NEXT_HOP}`],
  ])("%s", (_name, list) => expect(isPlain(list)).toBe(true));

  it.each([
    ["twice the same", `${MANDATORY}${ORIGIN_IGP}`],
    ["one that is not known", `${MANDATORY}c0fd00`],
    ["AS4_PATH", `${MANDATORY}c01106020100011170`],
    ["an undefined ORIGIN", "40010103"],
    ["wrong flags", "c0010100"],
    ["the Partial bit where it may not be", "60010100"],
    ["a wrong length", "4001020000"],
    ["half a community", "c00806fde900010000"],
    ["no community", "c00800"],
    ["a segment of no AS numbers", "4002020200"],
    ["a segment that ends early", "400206 0202 0000fde9"],
    ["half a header of a segment", "400207 0201 0000fde9 02"],
    ["AS 0", "400206 0201 00000000"],
    ["a segment of a confederation", "400206 0301 0000fde9"],
    ["an aggregator in AS 0", "c00708 00000000 0a000001"],
    ["an aggregator in two octets", "c00706 fde9 0a000001"],
    ["one that overruns the list", `${MANDATORY}c00808fde90001`],
  ])("not with %s", (_name, list) => expect(isPlain(list)).toBe(false));

  it("none from an external peer with what is for internal ones", () => {
    const [localPref, originatorId, clusters] = ["40050400000064", "80090400000001", "800a0400000002"];
    for (const list of [localPref, originatorId, clusters])
      expect([isPlain(`${MANDATORY}${list}`), isPlain(`${MANDATORY}${list}`, false)]).toEqual([true, false]);
  });

  it("none in a session with two-octet AS numbers", () => {
    expect(isPlain(`${ORIGIN_IGP}400200${NEXT_HOP}`, true, false)).toBe(false);
  });
});
