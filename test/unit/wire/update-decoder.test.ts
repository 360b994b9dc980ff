/** Well-formed UPDATEs (RFC 4271 §4.3, RFC 4760, RFC 4724 §2, RFC 7911, RFC 8950) and the cache behind them. */

import { describe, expect, it } from "vitest";
import { formatAddress, type IpAddress } from "../../../src/bgp/model/address.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { hexOf } from "./expect-codec.ts";
import {
  AS_PATH,
  attributesOf,
  BOTH_FAMILIES,
  decoderFor,
  MANDATORY,
  MP_REACH,
  NLRI,
  ORIGIN_IGP,
  outcomeOf,
  prefixesOf,
  updateBody,
} from "./messages.ts";

const ADD_PATH = BOTH_FAMILIES.map((f) => ({ ...f, addPathReceive: true }));
const EXTENDED = BOTH_FAMILIES.map((f) => ({ ...f, extendedNextHop: true }));
const text = (a: IpAddress | undefined) => (a === undefined ? undefined : formatAddress(a));

describe("prefixes", () => {
  it("of every length, host bits cleared", () => {
    const nlri = "00 01ff 07ff 080a 090aff 10c0a8 110a00ff 180a0001 190a0001ff 1f0a0001ff 200a000102";
    const { announced } = decoderFor().decode(updateBody(MANDATORY, nlri));
    expect(prefixesOf(announced[0]?.prefixes)).toEqual([
      "0.0.0.0/0",
      "128.0.0.0/1",
      "254.0.0.0/7",
      "10.0.0.0/8",
      "10.128.0.0/9",
      "192.168.0.0/16",
      "10.0.128.0/17",
      "10.0.1.0/24",
      "10.0.1.128/25",
      "10.0.1.254/31",
      "10.0.1.2/32",
    ]);
  });

  it("of IPv6 and of every length, host bits cleared", () => {
    const withdrawn = [
      "00",
      "03ff",
      "20 20010db8",
      "21 20010db8ff",
      "3f 20010db800000fff",
      "40 20010db800000001",
      "41 20010db800000001ff",
      "60 20010db8000000010000000a",
      "61 20010db8000000010000000aff",
      "7f 20010db8000000010000000a000000ff",
      "80 20010db8000000010000000a000000ff",
    ].join("");
    const length = (3 + withdrawn.replaceAll(" ", "").length / 2).toString(16).padStart(2, "0");
    const update = decoderFor().decode(updateBody(`800f${length} 0002 01 ${withdrawn}`));
    expect(prefixesOf(update.withdrawn[0])).toEqual([
      "::/0",
      "e000::/3",
      "2001:db8::/32",
      "2001:db8:8000::/33",
      "2001:db8:0:ffe::/63",
      "2001:db8:0:1::/64",
      "2001:db8:0:1:8000::/65",
      "2001:db8:0:1:0:a::/96",
      "2001:db8:0:1:0:a:8000:0/97",
      "2001:db8:0:1:0:a:0:fe/127",
      "2001:db8:0:1:0:a:0:ff/128",
    ]);
  });

  it("with path identifiers (RFC 7911 §3)", () => {
    const decoder = decoderFor({ families: ADD_PATH });
    const update = decoder.decode(updateBody(MANDATORY, "00000001 18c00002 ffffffff 18c00002", "00000007 080a"));
    expect(outcomeOf(update)).toEqual({
      announced: ["192.0.2.0/24#1", "192.0.2.0/24#4294967295"],
      withdrawn: ["10.0.0.0/8#7"],
      problems: [],
    });
    const v6 = decoder.decode(updateBody("800f0c 0002 01 00000009 20 20010db8"));
    expect(outcomeOf(v6).withdrawn).toEqual(["2001:db8::/32#9"]);
  });

  it("of both families in one message, withdrawn and announced", () => {
    const update = decoderFor().decode(updateBody(`${MP_REACH}${MANDATORY}800f08 0002 01 20 20010db9`, NLRI, "080a"));
    expect(outcomeOf(update)).toEqual({
      announced: ["192.0.2.0/24", "2001:db8::/32"],
      withdrawn: ["10.0.0.0/8", "2001:db9::/32"],
      problems: [],
    });
    expect(update.announced.map((a) => text(a.attributes.nextHop))).toEqual(["10.0.0.1", "2001:db8::1"]);
  });

  it("are in buffers that the next message fills again", () => {
    const decoder = decoderFor();
    const first = decoder.decode(updateBody(MANDATORY, NLRI)).announced[0]?.prefixes;
    const second = decoder.decode(updateBody(MANDATORY, "080a")).announced[0]?.prefixes;
    expect(first).toBe(second);
    expect(prefixesOf(second)).toEqual(["10.0.0.0/8"]);
  });

  it("fill batches beyond their first size", () => {
    const nlri = Array.from(
      { length: 1000 },
      (_, i) => `180a${(i >>> 8).toString(16).padStart(2, "0")}${(i & 255).toString(16).padStart(2, "0")}`,
    );
    const update = decoderFor().decode(updateBody(MANDATORY, nlri.join("")));
    expect(prefixesOf(update.announced[0]?.prefixes).at(-1)).toBe("10.3.231.0/24");
  });
});

describe("next hops", () => {
  it("global and link-local (RFC 2545 §3)", () => {
    const mp = "800e2a 0002 01 20 20010db8000000000000000000000001 fe800000000000000000000000000001 00 20 20010db8";
    const update = decoderFor().decode(updateBody(`${mp}${ORIGIN_IGP}${AS_PATH}`));
    const attributes = attributesOf(update);
    expect([text(attributes?.nextHop), text(attributes?.linkLocalNextHop)]).toEqual(["2001:db8::1", "fe80::1"]);
  });
  it.each([
    [
      "IPv6 for IPv4 prefixes (RFC 8950 §3)",
      "800e19 0001 01 10 20010db8000000000000000000000001 00 18 c00002",
      "2001:db8::1",
    ],
    ["IPv4 in MP_REACH_NLRI (RFC 4760 §3)", "800e0d 0001 01 04 0a000001 00 18 c00002", "10.0.0.1"],
  ])("%s", (_name, mp, want) => {
    const update = decoderFor({ families: EXTENDED }).decode(updateBody(`${mp}${ORIGIN_IGP}${AS_PATH}`));
    expect(outcomeOf(update).announced).toEqual(["192.0.2.0/24"]);
    expect(text(attributesOf(update)?.nextHop)).toBe(want);
  });
});

describe("End-of-RIB, RFC 4724 §2", () => {
  it.each([
    ["IPv4", "", Family.Ipv4],
    ["IPv6", "800f03 0002 01", Family.Ipv6],
    ["IPv6 with an extended length", "900f0003 0002 01", Family.Ipv6],
    ["IPv4 the other way", "800f03 0001 01", Family.Ipv4],
    ["another family's", "800f03 0019 46", undefined],
  ])("%s", (_name, attributes, want) => {
    expect(decoderFor().decode(updateBody(attributes)).endOfRib).toBe(want);
  });
  it.each([
    ["withdrawn routes", updateBody("", "", "080a")],
    ["a prefix in MP_UNREACH_NLRI", updateBody("800f08 0002 01 20 20010db8")],
    ["attributes beside", updateBody(`800f03 0002 01 ${ORIGIN_IGP}`)],
    ["withdrawn routes beside", updateBody("800f03 0002 01", "", "080a")],
  ])("is not one with %s", (_name, body) => {
    expect(decoderFor().decode(body).endOfRib).toBeUndefined();
  });
});

describe("cache", () => {
  const COMMUNITY = "c00804 fde90001";
  // Unknown attributes are read the long way, and that is what the cache spares.
  const UNKNOWN = "c0fd02 beef";
  it.each([COMMUNITY, UNKNOWN])("gives the same octets for the same octets, whatever the prefixes: %s", (more) => {
    const decoder = decoderFor();
    const canonical = (attributes: string, nlri = "") => {
      const { bytes, from, end } =
        decoder.decode(updateBody(`${attributes}${more}`, nlri)).announced[0]?.attributes ?? {};
      return hexOf(bytes?.subarray(from, end) ?? new Uint8Array(0));
    };
    const first = canonical(MANDATORY, NLRI);
    expect(first.length).toBeGreaterThan(40);
    expect(canonical(MANDATORY, "080a")).toBe(first);
    const v6 = canonical(`${MP_REACH}${ORIGIN_IGP}${AS_PATH}`);
    expect(canonical(`${MP_REACH.replace(/20010db8$/, "20010db9")}${ORIGIN_IGP}${AS_PATH}`)).toBe(v6);
    expect(canonical(`${MP_REACH.replace("0001 00", "0002 00")}${ORIGIN_IGP}${AS_PATH}`)).not.toBe(v6);
    expect(canonical(MANDATORY, NLRI)).toBe(first);
  });

  it("survives the buffer that the octets came in", () => {
    const decoder = decoderFor();
    const body = updateBody(`${MANDATORY}${UNKNOWN}`, NLRI);
    decoder.decode(body);
    body.fill(0);
    const update = decoder.decode(updateBody(`${MANDATORY}${UNKNOWN}`, NLRI));
    expect(hexOf(attributesOf(update)?.unknown[0]?.value ?? body)).toBe("beef");
  });

  it("remembers problems as well", () => {
    const decoder = decoderFor();
    const body = updateBody(`${MANDATORY}80040100`, NLRI);
    const once = outcomeOf(decoder.decode(body));
    expect(outcomeOf(decoder.decode(body))).toEqual(once);
    expect(once.problems).toEqual(["MULTI_EXIT_DISC withdraw"]);
  });

  it("tells a list from a shorter one that a next hop follows", () => {
    const decoder = decoderFor();
    // The tail of the second list reads like the next hop of the first.
    const mp = "800e0d 0001 01 04 80040100 00 18 c00002";
    expect(outcomeOf(decoder.decode(updateBody(`${mp}${ORIGIN_IGP}${AS_PATH}`))).problems).toEqual([]);
    expect(outcomeOf(decoder.decode(updateBody(`${ORIGIN_IGP}${AS_PATH}80040100`, NLRI))).problems).toEqual([
      "MULTI_EXIT_DISC withdraw",
    ]);
  });

  it("does not confuse sets that share a slot", () => {
    const decoder = decoderFor();
    for (let round = 0; round < 2; round++) {
      for (let med = 0; med < 2000; med++) {
        const hex = `${MANDATORY}800404${med.toString(16).padStart(8, "0")}`;
        const got = decoder.decode(updateBody(hex, NLRI)).announced[0]?.attributes.med;
        if (got !== med) expect(got).toBe(med);
      }
    }
  });
});
