/** The canonical bytes of a set of attributes: equal sets, equal bytes, and back. */

import { describe, expect, it } from "vitest";
import { ipv4, ipv6 } from "../../../src/bgp/model/address.ts";
import { SegmentType } from "../../../src/bgp/model/as-path.ts";
import { attributesWith, Origin, type PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { asn, routerId } from "../../../src/bgp/model/ids.ts";
import { createAttributesCodec } from "../../../src/bgp/wire/attributes-codec.ts";
import { bytesOf, hexOf } from "./expect-codec.ts";

const codec = createAttributesCodec();
const sequence = (...asns: number[]) => ({ type: SegmentType.Sequence, asns: asns.map(asn) });

const FULL: PathAttributes = attributesWith(ipv4(0x0a000001), {
  origin: Origin.Incomplete,
  asPath: [sequence(65001, 70000), { type: SegmentType.Set, asns: [asn(1)] }],
  med: 10,
  localPref: 100,
  atomicAggregate: true,
  aggregator: { asNumber: asn(70000), address: routerId(0x0a000002) },
  communities: [0xfde90001],
  originatorId: routerId(1),
  clusterList: [routerId(2), routerId(3)],
  extendedCommunities: [{ high: 0x0002fde9, low: 1 }],
  largeCommunities: [{ global: 1, local1: 2, local2: 3 }],
  onlyToCustomer: asn(65001),
  unknown: [
    { type: 28, flags: 0xe0, value: bytesOf("beef") },
    { type: 253, flags: 0xe0, value: new Uint8Array(300) },
  ],
});

const FULL_HEX = `
  04 00000020 0a000001
  400101 02  400210 0202 0000fde9 00011170 0101 00000001
  800404 0000000a  400504 00000064  400600  c00708 00011170 0a000002  c00804 fde90001
  800904 00000001  800a08 00000002 00000003  c01008 0002fde900000001
  e01c02 beef  c0200c 00000001 00000002 00000003  c02304 0000fde9  f0fd012c ${"00".repeat(300)}`;

describe("AttributesCodec", () => {
  it("lays a set out as its file says", () => {
    expect(hexOf(codec.encode(FULL))).toBe(FULL_HEX.replaceAll(/\s+/g, ""));
  });

  it.each([
    ["all attributes", FULL],
    ["the mandatory ones", attributesWith(ipv4(1))],
    ["an IPv6 next hop", attributesWith(ipv6(0x20010db8, 0, 0, 1))],
    ["two next hops", attributesWith(ipv6(0x20010db8, 0, 0, 1), { linkLocalNextHop: ipv6(0xfe800000, 0, 0, 1) })],
    [
      "the link-local one twice",
      attributesWith(ipv6(0xfe800000, 0, 0, 1), { linkLocalNextHop: ipv6(0xfe800000, 0, 0, 1) }),
    ],
    [
      "an attribute longer than any message",
      attributesWith(ipv4(1), { communities: new Array<number>(20_000).fill(7) }),
    ],
  ])("gives back %s", (_name, attributes) => {
    const bytes = codec.encode(attributes);
    expect(codec.decode(bytes)).toEqual(attributes);
    expect(hexOf(codec.encode(codec.decode(bytes)))).toBe(hexOf(bytes));
  });

  it("sets the Partial bit of what is passed on unknown (RFC 4271 §5), wherever it stood", () => {
    const one = { type: 253, flags: 0xc0, value: bytesOf("01") };
    const two = { type: 20, flags: 0xe0, value: bytesOf("02") };
    const bytes = codec.encode(attributesWith(ipv4(1), { unknown: [one, two] }));
    expect(hexOf(bytes)).toBe("040000001000000001" + "40010100400200" + "e0140102" + "e0fd0101");
    expect(codec.encode(attributesWith(ipv4(1), { unknown: [two, one] }))).toEqual(bytes);
  });

  it("keeps the Partial bit of what came with it (RFC 4271 §5)", () => {
    const attributes = attributesWith(ipv4(1), { communities: [0xfde90001], med: 1, partial: [8] });
    const bytes = codec.encode(attributes);
    expect(hexOf(bytes).endsWith("80040400000001" + "e00804fde90001")).toBe(true);
    expect(codec.decode(bytes)).toEqual(attributes);
  });

  it("returns bytes of their own", () => {
    const first = codec.encode(FULL);
    codec.encode(attributesWith(ipv4(1)));
    expect(hexOf(first)).toBe(FULL_HEX.replaceAll(/\s+/g, ""));
  });
});
