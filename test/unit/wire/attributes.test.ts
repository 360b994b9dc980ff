/** Every path attribute's value, both ways, and what makes it malformed. */

import { describe, expect, it } from "vitest";
import { ipv4, ipv6, parseAddress } from "../../../src/bgp/model/address.ts";
import { SegmentType } from "../../../src/bgp/model/as-path.ts";
import { Origin } from "../../../src/bgp/model/attributes.ts";
import { asn, routerId } from "../../../src/bgp/model/ids.ts";
import { aggregator } from "../../../src/bgp/wire/attributes/aggregator.ts";
import { asPath } from "../../../src/bgp/wire/attributes/as-path.ts";
import { as4Aggregator } from "../../../src/bgp/wire/attributes/as4-aggregator.ts";
import { as4Path } from "../../../src/bgp/wire/attributes/as4-path.ts";
import { atomicAggregate } from "../../../src/bgp/wire/attributes/atomic-aggregate.ts";
import { clusterList } from "../../../src/bgp/wire/attributes/cluster-list.ts";
import { communities } from "../../../src/bgp/wire/attributes/communities.ts";
import { extendedCommunities } from "../../../src/bgp/wire/attributes/extended-communities.ts";
import { largeCommunities } from "../../../src/bgp/wire/attributes/large-communities.ts";
import { localPref } from "../../../src/bgp/wire/attributes/local-pref.ts";
import {
  decodeMpNextHop,
  encodeMpNextHop,
  isHostAddress,
  isNextHopLength,
  settleNextHop,
} from "../../../src/bgp/wire/attributes/mp-reach.ts";
import { multiExitDisc } from "../../../src/bgp/wire/attributes/multi-exit-disc.ts";
import { nextHop } from "../../../src/bgp/wire/attributes/next-hop.ts";
import { onlyToCustomer } from "../../../src/bgp/wire/attributes/only-to-customer.ts";
import { origin } from "../../../src/bgp/wire/attributes/origin.ts";
import { originatorId } from "../../../src/bgp/wire/attributes/originator-id.ts";
import { Reader } from "../../../src/bgp/wire/reader.ts";
import { Writer } from "../../../src/bgp/wire/writer.ts";
import { bytesOf, decodeWith, encodeWith, expectCodec, hexOf, INTERNAL } from "./expect-codec.ts";

const EXTERNAL = { internal: false, fourOctetAs: true };
const TWO_OCTETS = { internal: true, fourOctetAs: false };
const sequence = (...asns: number[]) => ({ type: SegmentType.Sequence, asns: asns.map(asn) });
const set = (...asns: number[]) => ({ type: SegmentType.Set, asns: asns.map(asn) });
const confed = (...asns: number[]) => ({ type: SegmentType.ConfedSequence, asns: asns.map(asn) });

describe("ORIGIN, RFC 4271 §5.1.1", () => {
  it.each([
    ["IGP", "00", Origin.Igp],
    ["EGP", "01", Origin.Egp],
    ["INCOMPLETE", "02", Origin.Incomplete],
  ] as const)("%s", (_name, hex, value) => expectCodec(origin, hex, value));

  it.each(["03", "ff"])("the value %s is undefined (RFC 7606 §7.1)", (hex) => {
    expect(decodeWith(origin, hex)).toBeUndefined();
  });
});

describe("AS_PATH, RFC 4271 §5.1.2, RFC 6793", () => {
  it.each([
    ["empty", "", []],
    ["a sequence", "0202 0000fde9 0000fdea", [sequence(65001, 65002)]],
    ["a four-octet AS number", "0201 00010000", [sequence(65536)]],
    ["a set behind a sequence", "0201 0000fde9 0102 00000001 00000002", [sequence(65001), set(1, 2)]],
    ["confederation segments from within", "0301 0000fde9 0401 0000fdea", [confed(65001), { type: 4, asns: [65002] }]],
  ] as const)("%s", (_name, hex, value) => expectCodec(asPath, hex, value as never));

  it("takes two octets with an old speaker", () => {
    expectCodec(asPath, "0202 fde9 fdea", [sequence(65001, 65002)], TWO_OCTETS);
  });

  it("writes AS_TRANS for what two octets cannot say (RFC 6793 §4.2.2)", () => {
    expect(encodeWith(asPath, [sequence(65001, 70000)], TWO_OCTETS)).toBe("0202fde95ba0");
  });

  it("cuts a segment of more than 255 into two", () => {
    const long = Array.from({ length: 300 }, (_, i) => i + 1);
    const again = decodeWith(asPath, encodeWith(asPath, [sequence(...long)]));
    expect(again).toEqual([sequence(...long.slice(0, 255)), sequence(...long.slice(255))]);
  });

  it.each([
    ["a segment type that is not known", "0501 0000fde9"],
    ["a segment type of zero", "0001 0000fde9"],
    ["a segment of no AS numbers", "0200"],
    ["fewer AS numbers than the segment says", "0202 0000fde9"],
    ["a single octet behind the last segment", "0201 0000fde9 02"],
    ["half an AS number", "0201 0000"],
    ["AS 0 (RFC 7607 §2)", "0202 0000fde9 00000000"],
  ])("is malformed with %s (RFC 7606 §7.2)", (_name, hex) => {
    expect(decodeWith(asPath, hex)).toBeUndefined();
  });

  it.each(["0301 0000fde9", "0401 0000fde9"])("an external peer has no confederation segments to send: %s", (hex) => {
    expect(decodeWith(asPath, hex, EXTERNAL)).toBeUndefined();
  });
});

describe("attributes of one value", () => {
  it("NEXT_HOP, RFC 4271 §5.1.3", () => expectCodec(nextHop, "0a000001", ipv4(0x0a000001)));
  it("MULTI_EXIT_DISC, RFC 4271 §5.1.4", () => expectCodec(multiExitDisc, "ffffffff", 0xffffffff));
  it("LOCAL_PREF, RFC 4271 §5.1.5", () => expectCodec(localPref, "00000064", 100));
  it("ATOMIC_AGGREGATE, RFC 4271 §5.1.6", () => expectCodec(atomicAggregate, "", true));
  it("ORIGINATOR_ID, RFC 4456 §8", () => expectCodec(originatorId, "c0000201", routerId(0xc0000201)));
  it("ONLY_TO_CUSTOMER, RFC 9234 §5", () => expectCodec(onlyToCustomer, "00011170", asn(70000)));
});

describe("AGGREGATOR, RFC 4271 §5.1.7, RFC 6793", () => {
  const value = { asNumber: asn(65001), address: routerId(0x0a000001) };
  it("has four-octet AS numbers", () => expectCodec(aggregator, "0000fde9 0a000001", value));
  it("has two-octet AS numbers", () => expectCodec(aggregator, "fde9 0a000001", value, TWO_OCTETS));
  it("writes AS_TRANS", () => {
    expect(encodeWith(aggregator, { ...value, asNumber: asn(70000) }, TWO_OCTETS)).toBe("5ba00a000001");
  });
  it.each([
    ["six octets where AS numbers have four", "fde90a000001", INTERNAL],
    ["eight octets where AS numbers have two", "0000fde90a000001", TWO_OCTETS],
    ["AS 0 (RFC 7607 §2)", "000000000a000001", INTERNAL],
    ["AS 0 in two octets (RFC 7607 §2)", "00000a000001", TWO_OCTETS],
  ])("is malformed with %s (RFC 7606 §7.7)", (_name, hex, context) => {
    expect(decodeWith(aggregator, hex, context)).toBeUndefined();
  });
});

describe("lists", () => {
  it("COMMUNITIES, RFC 1997", () => expectCodec(communities, "fde90001 ffffff01", [0xfde90001, 0xffffff01]));
  it("CLUSTER_LIST, RFC 4456 §8", () => {
    expectCodec(clusterList, "01000000 02000000", [routerId(0x01000000), routerId(0x02000000)]);
  });
  it("EXTENDED COMMUNITIES, RFC 4360, of whatever type", () => {
    expectCodec(extendedCommunities, "0002fde900000001 43ff0000deadbeef", [
      { high: 0x0002fde9, low: 1 },
      { high: 0x43ff0000, low: 0xdeadbeef },
    ]);
  });
  it("LARGE_COMMUNITY, RFC 8092", () => {
    expectCodec(largeCommunities, "0000fde9 00000001 ffffffff", [{ global: 65001, local1: 1, local2: 0xffffffff }]);
  });
});

describe("AS4_PATH and AS4_AGGREGATOR, RFC 6793 §3", () => {
  it("AS4_PATH", () => expectCodec(as4Path, "0202 00011170 0000fde9", [sequence(70000, 65001)], TWO_OCTETS));
  it("drops confederation segments (§6)", () => {
    expect(decodeWith(as4Path, "0301 0000fde9 0201 00011170", TWO_OCTETS)).toEqual([sequence(70000)]);
  });
  it("carries no confederation segments", () => {
    expect(encodeWith(as4Path, [confed(65001), sequence(70000)], TWO_OCTETS)).toBe("020100011170");
  });
  it.each([
    ["nothing", ""],
    ["a segment type of zero", "0001 00010001"],
    ["AS 0 (RFC 7607 §2)", "0201 00000000"],
  ])("AS4_PATH is malformed with %s (§6)", (_name, hex) => {
    expect(decodeWith(as4Path, hex, TWO_OCTETS)).toBeUndefined();
  });
  it("AS4_AGGREGATOR", () => {
    expectCodec(as4Aggregator, "00011170 0a000001", { asNumber: asn(70000), address: routerId(0x0a000001) });
  });
  it("AS4_AGGREGATOR is malformed with AS 0 (RFC 7607 §2)", () => {
    expect(decodeWith(as4Aggregator, "00000000 0a000001")).toBeUndefined();
  });
});

describe("next hop of MP_REACH_NLRI, RFC 4760 §3, RFC 2545 §3, RFC 8950 §3", () => {
  const global = ipv6(0x20010db8, 0, 0, 1);
  const linkLocal = ipv6(0xfe800000, 0, 0, 1);
  const GLOBAL = "20010db8000000000000000000000001";
  const LINK_LOCAL = "fe800000000000000000000000000001";

  it.each([
    ["IPv4", "0a000001", { nextHop: ipv4(0x0a000001), linkLocal: undefined }],
    ["global", GLOBAL, { nextHop: global, linkLocal: undefined }],
    ["global and link-local", GLOBAL + LINK_LOCAL, { nextHop: global, linkLocal }],
  ])("%s, both ways", (_name, hex, value) => {
    expect(decodeMpNextHop(new Reader(bytesOf(hex)))).toEqual(value);
    const w = new Writer();
    encodeMpNextHop(value, w);
    expect(hexOf(w.view())).toBe(hex);
  });

  it.each([
    [":: and a link-local one", "::", "fe80::1", "fe80::1", undefined],
    ["the link-local one twice", "fe80::1", "fe80::1", "fe80::1", undefined],
    ["two global ones", "2001:db8::1", "2001:db8::2", "2001:db8::1", undefined],
    ["a global and a link-local one", "2001:db8::1", "fe80::1", "2001:db8::1", "fe80::1"],
  ])("%s", (_name, first, second, wantGlobal, wantLinkLocal) => {
    const parse = (text: string) => parseAddress(text) ?? ipv4(0);
    expect(settleNextHop({ nextHop: parse(first), linkLocal: parse(second) })).toEqual({
      nextHop: parse(wantGlobal),
      linkLocal: wantLinkLocal === undefined ? undefined : parse(wantLinkLocal),
    });
  });

  it("has the lengths that its family allows", () => {
    const lengths = (family: 1 | 2, extended: boolean) =>
      [0, 4, 12, 16, 24, 32, 48].filter((n) => isNextHopLength(n, family, extended));
    expect(lengths(1, false)).toEqual([4]);
    expect(lengths(1, true)).toEqual([4, 16, 32]);
    expect(lengths(2, true)).toEqual([16, 32]);
  });

  it.each([
    ["0.0.0.0", false],
    ["0.1.2.3", false],
    ["10.0.0.1", true],
    ["127.0.0.1", true],
    ["224.0.0.1", false],
    ["255.255.255.255", false],
    ["::", false],
    ["ff02::1", false],
    ["fe80::1", true],
    ["2001:db8::1", true],
  ])("%s can be a host's: %s (RFC 4271 §6.3)", (text, want) => {
    expect(isHostAddress(parseAddress(text) ?? ipv4(0))).toBe(want);
  });
});
