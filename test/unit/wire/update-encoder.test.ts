/** UPDATEs onto the wire (RFC 4271 §4.3, RFC 4760, RFC 6793 §4.2.2, RFC 7606 §5.1, RFC 7911, RFC 8950). */

import { describe, expect, it } from "vitest";
import { ipv4, ipv6 } from "../../../src/bgp/model/address.ts";
import { SegmentType } from "../../../src/bgp/model/as-path.ts";
import { attributesWith, type PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { asn, routerId } from "../../../src/bgp/model/ids.ts";
import type { Encoding } from "../../../src/bgp/model/ports.ts";
import { parsePrefix } from "../../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../../src/bgp/wire/attributes-codec.ts";
import { Framer } from "../../../src/bgp/wire/framer.ts";
import { UpdateEncoder } from "../../../src/bgp/wire/update-encoder.ts";
import { hexOf } from "./expect-codec.ts";
import { decoderFor, outcomeOf, prefixesOf } from "./messages.ts";

const MARKER = "ff".repeat(16);
const codec = createAttributesCodec();
const IPV4: Encoding = {
  family: Family.Ipv4,
  fourOctetAs: true,
  addPath: false,
  extendedNextHop: false,
  maxMessageLength: 4096,
};
const IPV6: Encoding = { ...IPV4, family: Family.Ipv6 };
const sequence = (...asns: number[]) => ({ type: SegmentType.Sequence, asns: asns.map(asn) });
const SIMPLE = attributesWith(ipv4(0x0a000001), { asPath: [sequence(65001)], localPref: 100 });
const SIMPLE6 = attributesWith(ipv6(0x20010db8, 0, 0, 1), { asPath: [sequence(65001)], localPref: 100 });

function batch(family: Family, ...texts: string[]): PrefixBatch {
  const prefixes = new PrefixBatch(family, 2);
  for (const text of texts) {
    const [prefix, id = "0"] = text.split("#");
    const parsed = parsePrefix(prefix ?? "");
    if (parsed !== undefined) prefixes.add(parsed, Number(id));
  }
  return prefixes;
}

function many(count: number, length = 24): PrefixBatch {
  const prefixes = new PrefixBatch(Family.Ipv4);
  for (let i = 0; i < count; i++) prefixes.add4((0x0a000000 + i * 256) >>> 0, length, i);
  return prefixes;
}

function announce(encoding: Encoding, attributes: PathAttributes, prefixes: PrefixBatch): string {
  const encoder = new UpdateEncoder(encoding);
  const out = new Uint8Array(4096);
  const end = encoder.announce(codec.encode(attributes), prefixes, 0, out, 0);
  expect(encoder.problem).toBeUndefined();
  expect(encoder.next).toBe(prefixes.count);
  return hexOf(out.subarray(0, end));
}

function withdraw(encoding: Encoding, prefixes: PrefixBatch): string {
  const encoder = new UpdateEncoder(encoding);
  const out = new Uint8Array(4096);
  return hexOf(out.subarray(0, encoder.withdraw(prefixes, 0, out, 0)));
}

const hex = (text: string) => text.replaceAll(/\s+/g, "");

describe("announcements", () => {
  it("IPv4 in the NLRI field", () => {
    expect(announce(IPV4, SIMPLE, batch(Family.Ipv4, "192.0.2.0/24", "0.0.0.0/0", "10.1.2.3/32", "10.128.0.0/9"))).toBe(
      hex(`${MARKER} 003f 02 0000 001b 400101 00 400206 0201 0000fde9 400304 0a000001 400504 00000064
        18 c00002 00 20 0a010203 09 0a80`),
    );
  });

  it("IPv6 in MP_REACH_NLRI, as the first attribute (RFC 7606 §5.1)", () => {
    expect(
      announce(IPV6, SIMPLE6, batch(Family.Ipv6, "2001:db8::/32", "2001:db8:0:1::/64", "::/0", "2001:db8::1/128")),
    ).toBe(
      hex(`${MARKER} 0064 02 0000 004d
        900e 0035 0002 01 10 20010db8000000000000000000000001 00
        20 20010db8 40 20010db800000001 00 80 20010db8000000000000000000000001
        400101 00 400206 0201 0000fde9 400504 00000064`),
    );
  });

  it("IPv6 with a link-local next hop (RFC 2545 §3)", () => {
    const attributes = attributesWith(SIMPLE6.nextHop, { linkLocalNextHop: ipv6(0xfe800000, 0, 0, 1) });
    expect(announce(IPV6, attributes, batch(Family.Ipv6, "2001:db8::/32"))).toContain(
      hex("900e002a 0002 01 20 20010db8000000000000000000000001 fe800000000000000000000000000001 00 20 20010db8"),
    );
  });

  it("IPv4 with an IPv6 next hop (RFC 8950 §3)", () => {
    expect(announce({ ...IPV4, extendedNextHop: true }, SIMPLE6, batch(Family.Ipv4, "192.0.2.0/24"))).toContain(
      hex("900e0019 0001 01 10 20010db8000000000000000000000001 00 18 c00002"),
    );
  });

  it("path identifiers (RFC 7911 §3)", () => {
    const v4 = announce(
      { ...IPV4, addPath: true },
      SIMPLE,
      batch(Family.Ipv4, "192.0.2.0/24#1", "10.0.0.0/8#4294967295"),
    );
    expect(v4.endsWith(hex("00000001 18 c00002 ffffffff 08 0a"))).toBe(true);
    const v6 = announce({ ...IPV6, addPath: true }, SIMPLE6, batch(Family.Ipv6, "2001:db8::/32#7"));
    expect(v6).toContain(hex("00000007 20 20010db8"));
  });

  it("two-octet peers get AS_TRANS, AS4_PATH and AS4_AGGREGATOR (RFC 6793 §4.2.2)", () => {
    const attributes = attributesWith(ipv4(0x0a000001), {
      asPath: [sequence(65001, 70000)],
      aggregator: { asNumber: asn(70000), address: routerId(0x0a000002) },
      largeCommunities: [{ global: 1, local1: 2, local2: 3 }],
    });
    expect(announce({ ...IPV4, fourOctetAs: false }, attributes, batch(Family.Ipv4, "192.0.2.0/24"))).toBe(
      hex(`${MARKER} 005f 02 0000 0044 400101 00 400206 0202 fde9 5ba0 400304 0a000001 c00706 5ba0 0a000002
        c0110a 0202 0000fde9 00011170 c01208 00011170 0a000002 c0200c 00000001 00000002 00000003 18 c00002`),
    );
  });

  it("two-octet peers get no AS4_PATH where nothing is lost", () => {
    expect(announce({ ...IPV4, fourOctetAs: false }, SIMPLE, batch(Family.Ipv4, "192.0.2.0/24"))).toBe(
      hex(`${MARKER} 0034 02 0000 0019 400101 00 400204 0201 fde9 400304 0a000001 400504 00000064 18 c00002`),
    );
  });
});

describe("withdrawals", () => {
  it("IPv4 in the Withdrawn Routes field", () => {
    expect(withdraw(IPV4, batch(Family.Ipv4, "192.0.2.0/24", "10.0.0.0/8"))).toBe(
      hex(`${MARKER} 001d 02 0006 18 c00002 08 0a 0000`),
    );
  });
  it.each([
    ["IPv6", IPV6, batch(Family.Ipv6, "2001:db8::/32"), "900f0008 0002 01 20 20010db8"],
    [
      "IPv4 with RFC 8950",
      { ...IPV4, extendedNextHop: true },
      batch(Family.Ipv4, "192.0.2.0/24"),
      "900f0007 0001 01 18 c00002",
    ],
  ])("%s in MP_UNREACH_NLRI", (_name, encoding, prefixes, want) => {
    const length = hex(want).length / 2;
    const octets = (n: number) => n.toString(16).padStart(4, "0");
    expect(withdraw(encoding, prefixes)).toBe(
      hex(`${MARKER} ${octets(23 + length)} 02 0000 ${octets(length)} ${want}`),
    );
  });
});

describe("End-of-RIB, RFC 4724 §2", () => {
  it("IPv4", () => expect(hexOf(new UpdateEncoder(IPV4).endOfRib())).toBe(`${MARKER}00170200000000`));
  it("IPv6", () => expect(hexOf(new UpdateEncoder(IPV6).endOfRib())).toBe(`${MARKER}001d0200000006800f03000201`));
});

describe("packing", () => {
  /** Encodes as the loop of the class comment does, in slabs of `slabSize`. */
  function messages(encoding: Encoding, prefixes: PrefixBatch, slabSize: number): Uint8Array[] {
    const encoder = new UpdateEncoder(encoding);
    const attributes = codec.encode(SIMPLE);
    const framer = new Framer(encoding.maxMessageLength);
    const bodies: Uint8Array[] = [];
    let slab = new Uint8Array(slabSize);
    let used = 0;
    const flush = () => {
      framer.push(slab.slice(0, used));
      for (let m = framer.next(); m !== undefined; m = framer.next()) bodies.push(m.body);
      slab = new Uint8Array(slabSize);
      used = 0;
    };
    for (let i = 0; i < prefixes.count; i = encoder.next) {
      used = encoder.announce(attributes, prefixes, i, slab, used);
      if (encoder.next === i) flush();
    }
    flush();
    return bodies;
  }

  it.each([
    [4096, 65536, 1, 1],
    [4096, 65536, 1011, 1],
    [4096, 65536, 1012, 2],
    [4096, 4096, 5000, 5],
    [4096, 10_000, 5000, 5],
    [65535, 65536, 5000, 1],
    [65535, 65536, 50_000, 4],
    [65535, 65535, 50_000, 4],
  ])("messages of %s in buffers of %s: %s prefixes in %s messages", (maxMessageLength, slabSize, count, want) => {
    const prefixes = many(count);
    const bodies = messages({ ...IPV4, maxMessageLength }, prefixes, slabSize);
    expect(bodies.length).toBe(want);
    const decoder = decoderFor();
    const got = bodies.flatMap((body) => outcomeOf(decoder.decode(body)).announced);
    expect(got).toEqual(prefixesOf(prefixes).map((p) => p.split("#")[0]));
  });

  it("fills a message to the last octet", () => {
    // 19 + 4 + 27 octets, and 1011 prefixes of four.
    const [body] = messages(IPV4, many(2000), 65536);
    expect((body?.length ?? 0) + 19).toBe(4094);
  });

  it("starts where it is told to, in the batch and in the buffer", () => {
    const encoder = new UpdateEncoder(IPV4);
    const out = new Uint8Array(5000);
    const end = encoder.announce(codec.encode(SIMPLE), batch(Family.Ipv4, "10.0.0.0/8", "192.0.2.0/24"), 1, out, 100);
    expect(end).toBe(100 + 54);
    expect(hexOf(out.subarray(100, end)).endsWith("64" + "18c00002")).toBe(true);
    expect(out.subarray(0, 100).every((octet) => octet === 0)).toBe(true);
  });

  it("writes nothing where there is no room", () => {
    const encoder = new UpdateEncoder(IPV4);
    const out = new Uint8Array(54);
    const prefixes = batch(Family.Ipv4, "10.0.0.0/8", "192.0.2.0/24");
    expect(encoder.announce(codec.encode(SIMPLE), prefixes, 0, out, 0)).toBe(0);
    expect(encoder.next).toBe(0);
    expect(encoder.withdraw(prefixes, 0, out, 20)).toBe(20 + 19 + 4 + 6);
    expect(encoder.next).toBe(2);
  });
});

describe("what cannot be said", () => {
  const out = new Uint8Array(65536);
  it.each([
    ["attributes that leave no room", IPV4, attributesWith(ipv4(1), { communities: new Array<number>(1020).fill(1) })],
    [
      "attributes longer than any message",
      IPV4,
      attributesWith(ipv4(1), { communities: new Array<number>(20_000).fill(1) }),
    ],
    ["an IPv6 next hop without RFC 8950", IPV4, SIMPLE6],
    ["an IPv4 next hop for IPv6", IPV6, SIMPLE],
  ])("%s: the prefixes are left out, with the reason", (_name, encoding, attributes) => {
    const encoder = new UpdateEncoder(encoding);
    const prefixes = batch(encoding.family, "10.0.0.0/8", "2001:db8::/32");
    expect(encoder.announce(codec.encode(attributes), prefixes, 0, out, 7)).toBe(7);
    expect(encoder.next).toBe(prefixes.count);
    expect(encoder.problem).toMatch(/RFC|cannot/);
    encoder.announce(codec.encode(encoding.family === Family.Ipv4 ? SIMPLE : SIMPLE6), prefixes, 0, out, 0);
    expect(encoder.problem).toBeUndefined();
  });

  it("has room where messages are longer (RFC 8654)", () => {
    const encoder = new UpdateEncoder({ ...IPV4, maxMessageLength: 65535 });
    const attributes = attributesWith(ipv4(1), { communities: new Array<number>(1020).fill(1) });
    expect(encoder.announce(codec.encode(attributes), many(1), 0, out, 0)).toBe(19 + 4 + 4 + 3 + 7 + 4 + 4080 + 4);
  });
});
