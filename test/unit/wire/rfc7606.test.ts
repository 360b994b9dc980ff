/** What becomes of malformed UPDATEs (RFC 7606, section by section). */

import { describe, expect, it } from "vitest";
import { NotificationCode, UpdateSubcode } from "../../../src/bgp/model/messages.ts";
import { bytesOf, hexOf } from "./expect-codec.ts";
import {
  AS_PATH,
  attributesOf,
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

const PREFIX = "192.0.2.0/24";
const V6_PREFIX = "2001:db8::/32";
const FINE = { announced: [PREFIX], withdrawn: [], problems: [] };
const withdrawn = (...problems: string[]) => ({ announced: [], withdrawn: [PREFIX], problems });
const accepted = (...problems: string[]) => ({ announced: [PREFIX], withdrawn: [], problems });

function outcome(attributes: string, options = {}, nlri = NLRI) {
  return outcomeOf(decoderFor(options).decode(updateBody(attributes, nlri)));
}

function reset(attributes: string, nlri = NLRI, withdrawnRoutes = "", options = {}) {
  return notificationFrom(() => decoderFor(options).decode(updateBody(attributes, nlri, withdrawnRoutes)));
}

it("finds nothing wrong with a well-formed one", () => expect(outcome(MANDATORY)).toEqual(FINE));

describe("§3 b, field lengths: session reset (RFC 4271 §6.3)", () => {
  it.each([
    ["withdrawn routes beyond the message", "0064 0000"],
    ["withdrawn routes that leave no room for the attributes' length", "0001 0000"],
    ["attributes beyond the message", "0000 0005 40010100"],
    ["a body of three octets", "000000"],
    ["no body", ""],
  ])("%s", (_name, hex) => {
    expect(notificationFrom(() => decoderFor().decode(bytesOf(hex)))).toMatchObject({
      code: NotificationCode.Update,
      subcode: UpdateSubcode.MalformedAttributeList,
    });
  });
});

describe("§3 c, attribute flags: treat-as-withdraw", () => {
  it.each([
    ["an optional ORIGIN", `c0010100${AS_PATH}${NEXT_HOP}`, "ORIGIN"],
    ["a non-transitive AS_PATH", `${ORIGIN_IGP}0002060201 0000fde9${NEXT_HOP}`, "AS_PATH"],
    ["a partial AS_PATH (RFC 4271 §4.3)", `${ORIGIN_IGP}6002060201 0000fde9${NEXT_HOP}`, "AS_PATH"],
    ["a transitive MED", `${MANDATORY}c0040400000064`, "MULTI_EXIT_DISC"],
    ["an optional LOCAL_PREF", `${MANDATORY}c0050400000064`, "LOCAL_PREF"],
    ["an optional ATOMIC_AGGREGATE", `${MANDATORY}c00600`, "ATOMIC_AGGREGATE"],
    ["a well-known COMMUNITIES", `${MANDATORY}400804fde90001`, "COMMUNITIES"],
    ["a non-transitive EXTENDED_COMMUNITIES", `${MANDATORY}8010080002fde900000001`, "EXTENDED_COMMUNITIES"],
    ["a non-transitive ONLY_TO_CUSTOMER", `${MANDATORY}8023040000fde9`, "ONLY_TO_CUSTOMER"],
  ])("%s", (_name, attributes, name) => expect(outcome(attributes)).toEqual(withdrawn(`${name} withdraw`)));

  it("also of MP_REACH_NLRI, whose prefixes are withdrawn with the others", () => {
    expect(outcome(`${MANDATORY}${MP_REACH.replace("800e", "c00e")}`)).toEqual({
      announced: [],
      withdrawn: [PREFIX, V6_PREFIX],
      problems: ["MP_REACH_NLRI withdraw"],
    });
  });

  it("takes the extended length for a short attribute, and unused bits", () => {
    expect(outcome(`5001000100${AS_PATH}${NEXT_HOP}`)).toEqual(FINE);
    expect(outcome(`4f010100${AS_PATH}${NEXT_HOP}`)).toEqual(FINE);
  });

  it("takes a partial optional transitive one, and remembers that it is", () => {
    const update = decoderFor().decode(updateBody(`${MANDATORY}e00804fde90001 c02304 0000fde9`, NLRI));
    expect(outcomeOf(update)).toEqual(FINE);
    expect(attributesOf(update)?.partial).toEqual([8]);
  });
});

describe("§3 d, missing mandatory attributes: treat-as-withdraw", () => {
  it.each([
    ["ORIGIN", `${AS_PATH}${NEXT_HOP}`],
    ["AS_PATH", `${ORIGIN_IGP}${NEXT_HOP}`],
    ["NEXT_HOP", `${ORIGIN_IGP}${AS_PATH}`],
    ["ORIGIN", ""],
  ])("%s", (name, attributes) => expect(outcome(attributes)).toEqual(withdrawn(`${name} withdraw`)));

  it("prefixes of MP_REACH_NLRI need no NEXT_HOP (RFC 4760 §3)", () => {
    expect(outcome(`${MP_REACH}${ORIGIN_IGP}${AS_PATH}`, {}, "")).toEqual({ ...FINE, announced: [V6_PREFIX] });
    expect(outcome(`${MP_REACH}${ORIGIN_IGP}`, {}, "")).toEqual({
      announced: [],
      withdrawn: [V6_PREFIX],
      problems: ["AS_PATH withdraw"],
    });
  });

  it("names the attribute when nothing could be withdrawn", () => {
    expect(outcome(ORIGIN_IGP, {}, "")).toEqual({ announced: [], withdrawn: [], problems: [] });
  });
});

describe("§3 g, attributes that are there twice", () => {
  it("the first one holds", () => {
    const update = decoderFor().decode(updateBody(`${MANDATORY}80040400000001 80040400000002`, NLRI));
    expect(attributesOf(update)?.med).toBe(1);
    expect(outcomeOf(update)).toEqual(accepted("MULTI_EXIT_DISC discard"));
  });
  it("the others are not even looked at", () => {
    expect(outcome(`${MANDATORY}400101 07 c0fd0100 c0fd0100`)).toEqual(
      accepted("ORIGIN discard", "attribute 253 discard"),
    );
  });
  it.each([
    ["MP_REACH_NLRI", `${MP_REACH}${MP_REACH}${MANDATORY}`],
    ["MP_UNREACH_NLRI", `800f03000201 800f03000201`],
  ])("%s: session reset", (_name, attributes) => {
    expect(reset(attributes)).toMatchObject({ subcode: UpdateSubcode.MalformedAttributeList });
  });
});

describe("§3 h, several errors: the strongest outcome", () => {
  it("discard and withdraw", () => {
    expect(outcome(`${MANDATORY}40060100 80040100`)).toEqual(
      withdrawn("ATOMIC_AGGREGATE discard", "MULTI_EXIT_DISC withdraw"),
    );
  });
  it("withdraw and reset", () => {
    expect(reset(`${MANDATORY}80040100`, "21 c0000200")).toMatchObject({ subcode: UpdateSubcode.InvalidNetworkField });
  });
});

describe("§3 i, j and §5.3, prefixes that cannot be parsed: session reset", () => {
  const V6 = "0002 01";
  it.each([
    ["an NLRI longer than 32 bits", MANDATORY, "21c000020000", "", UpdateSubcode.InvalidNetworkField],
    ["an NLRI that is cut", MANDATORY, "18c000", "", UpdateSubcode.InvalidNetworkField],
    ["withdrawn routes longer than 32 bits", "", "", "21c000020000", UpdateSubcode.InvalidNetworkField],
    ["withdrawn routes that are cut", "", "", "18c000", UpdateSubcode.InvalidNetworkField],
    ["MP_UNREACH_NLRI with 129 bits", `800f15${V6}81${"00".repeat(17)}`, "", "", UpdateSubcode.OptionalAttribute],
    ["MP_UNREACH_NLRI that is cut", `800f05${V6}20 20`, "", "", UpdateSubcode.OptionalAttribute],
    ["MP_UNREACH_NLRI without a family", "800f020002", "", "", UpdateSubcode.OptionalAttribute],
  ])("%s", (_name, attributes, nlri, routes, subcode) => {
    expect(reset(attributes, nlri, routes)).toMatchObject({ code: NotificationCode.Update, subcode });
  });

  it("RFC 4271 §6.3: semantically incorrect prefixes are ignored", () => {
    expect(outcome(MANDATORY, {}, `04e0 08ef ${NLRI} 03e0`)).toEqual({
      announced: [PREFIX, "224.0.0.0/3"],
      withdrawn: [],
      problems: ["NLRI discard"],
    });
    const mp = "800e1a 0002 01 10 20010db8000000000000000000000001 00 08ff 0a2000";
    expect(outcome(`${mp}${ORIGIN_IGP}${AS_PATH}`, {}, "")).toMatchObject({
      announced: ["2000::/10"],
      problems: ["MP_REACH_NLRI discard"],
    });
  });
});

describe("§4, attributes that overrun the list: treat-as-withdraw", () => {
  it.each([
    ["a value beyond the list", `${MANDATORY}8004 ff 00`],
    ["no length", `${MANDATORY}8004`],
    ["one octet", `${MANDATORY}80`],
    ["half an extended length", `${MANDATORY}900400`],
  ])("%s", (_name, attributes) => {
    expect(outcome(attributes)).toEqual(withdrawn("attribute list withdraw"));
  });
  it("but a session reset where the prefixes go missing", () => {
    expect(reset(`${MANDATORY}800e20 0002 01`)).toMatchObject({ subcode: UpdateSubcode.OptionalAttribute });
  });
  it.each(["400100", "40030", "800400", "c00800", "800900", "c01000", "c02000"].map((h) => h.padEnd(6, "0")))(
    "a value of no octets: %s",
    (hex) => {
      const rest = hex.startsWith("4001")
        ? `${AS_PATH}${NEXT_HOP}`
        : hex.startsWith("4003")
          ? `${ORIGIN_IGP}${AS_PATH}`
          : MANDATORY;
      expect(outcome(`${rest}${hex}`)).toMatchObject({ announced: [], withdrawn: [PREFIX] });
    },
  );
});

describe("§5.2, errors and no prefix announced: session reset", () => {
  it.each([
    ["attributes alone", "400101 07", ""],
    ["withdrawn routes beside", "400101 07", "18c00002"],
    ["MP_UNREACH_NLRI beside", "400101 07 800f03000201", ""],
    ["an MP_REACH_NLRI without prefixes", `400101 07 800e15 0002 01 10 20010db8000000000000000000000001 00`, ""],
  ])("%s", (_name, attributes, routes) => {
    const error = reset(attributes, "", routes);
    expect(error).toMatchObject({ code: NotificationCode.Update, subcode: UpdateSubcode.InvalidOrigin });
    expect(hexOf(error?.data ?? bytesOf(""))).toBe("40010107");
  });
  it("but not for an error that is mended by discarding", () => {
    expect(outcome("40060100", {}, "")).toEqual({
      announced: [],
      withdrawn: [],
      problems: ["ATOMIC_AGGREGATE discard"],
    });
  });
  it("nor for flags of MP_UNREACH_NLRI alone", () => {
    expect(outcome("c00f08 0002 01 20 20010db8", {}, "")).toEqual({
      announced: [],
      withdrawn: [V6_PREFIX],
      problems: ["MP_UNREACH_NLRI withdraw"],
    });
  });
});

describe("§7, attribute by attribute", () => {
  it.each([
    ["§7.1 ORIGIN of two octets", `40010200 00${AS_PATH}${NEXT_HOP}`, "ORIGIN", "withdraw"],
    ["§7.1 ORIGIN 3", `40010103${AS_PATH}${NEXT_HOP}`, "ORIGIN", "withdraw"],
    ["§7.2 AS_PATH with an overrun", `${ORIGIN_IGP}4002060202 0000fde9${NEXT_HOP}`, "AS_PATH", "withdraw"],
    ["RFC 7607 AS_PATH with AS 0", `${ORIGIN_IGP}4002060201 00000000${NEXT_HOP}`, "AS_PATH", "withdraw"],
    ["§7.3 NEXT_HOP of three octets", `${ORIGIN_IGP}${AS_PATH}4003030a0000`, "NEXT_HOP", "withdraw"],
    ["RFC 4271 §6.3 NEXT_HOP 0.0.0.0", `${ORIGIN_IGP}${AS_PATH}40030400000000`, "NEXT_HOP", "withdraw"],
    ["RFC 4271 §6.3 NEXT_HOP 224.0.0.1", `${ORIGIN_IGP}${AS_PATH}400304e0000001`, "NEXT_HOP", "withdraw"],
    ["§7.4 MULTI_EXIT_DISC of three octets", `${MANDATORY}800403000000`, "MULTI_EXIT_DISC", "withdraw"],
    ["§7.5 LOCAL_PREF of five octets", `${MANDATORY}4005050000000064`, "LOCAL_PREF", "withdraw"],
    ["§7.6 ATOMIC_AGGREGATE of one octet", `${MANDATORY}40060100`, "ATOMIC_AGGREGATE", "discard"],
    ["§7.7 AGGREGATOR of seven octets", `${MANDATORY}c007070000fde90a0000`, "AGGREGATOR", "discard"],
    ["RFC 7607 AGGREGATOR with AS 0", `${MANDATORY}c00708000000000a000002`, "AGGREGATOR", "discard"],
    ["§7.8 COMMUNITIES of three octets", `${MANDATORY}c00803fde900`, "COMMUNITIES", "withdraw"],
    ["§7.9 ORIGINATOR_ID of three octets", `${MANDATORY}8009030a0000`, "ORIGINATOR_ID", "withdraw"],
    ["§7.10 CLUSTER_LIST of five octets", `${MANDATORY}800a050a00000200`, "CLUSTER_LIST", "withdraw"],
    [
      "§7.14 EXTENDED_COMMUNITIES of nine octets",
      `${MANDATORY}c010090002fde90000000100`,
      "EXTENDED_COMMUNITIES",
      "withdraw",
    ],
    [
      "RFC 8092 §6 LARGE_COMMUNITY of eleven octets",
      `${MANDATORY}c0200b${"00".repeat(11)}`,
      "LARGE_COMMUNITY",
      "withdraw",
    ],
    ["RFC 9234 §5 ONLY_TO_CUSTOMER of five octets", `${MANDATORY}c023050000fde900`, "ONLY_TO_CUSTOMER", "withdraw"],
    ["RFC 6793 §3 AS4_PATH from a new speaker", `${MANDATORY}c0110602010000fde9`, "AS4_PATH", "discard"],
    [
      "RFC 6793 §3 AS4_AGGREGATOR from a new speaker",
      `${MANDATORY}c012080000fde90a000002`,
      "AS4_AGGREGATOR",
      "discard",
    ],
  ])("%s", (_name, attributes, name, want) => {
    const problem = `${name} ${want}`;
    expect(outcome(attributes)).toEqual(want === "withdraw" ? withdrawn(problem) : accepted(problem));
  });

  it.each([
    ["§7.5 LOCAL_PREF", "40050400000064", "LOCAL_PREF"],
    ["§7.5 LOCAL_PREF that is malformed as well", "400501 00", "LOCAL_PREF"],
    ["§7.9 ORIGINATOR_ID", "8009040a000002", "ORIGINATOR_ID"],
    ["§7.10 CLUSTER_LIST", "800a040a000002", "CLUSTER_LIST"],
  ])("%s from an external peer is discarded", (_name, attribute, name) => {
    const update = decoderFor({ internal: false }).decode(updateBody(`${MANDATORY}${attribute}`, NLRI));
    expect(outcomeOf(update)).toEqual(accepted(`${name} discard`));
    expect(attributesOf(update)).toMatchObject({
      localPref: undefined,
      originatorId: undefined,
      clusterList: [],
    });
  });

  it("RFC 6793 §6: malformed AS4 attributes of an old speaker are discarded", () => {
    const two = `${ORIGIN_IGP}400204 0201 fde9${NEXT_HOP}`;
    expect(outcome(`${two}c01106000100010001 c01207000000010a0000`, { fourOctetAs: false })).toEqual(
      accepted("AS4_PATH discard", "AS4_AGGREGATOR discard"),
    );
  });

  it("RFC 5065 §5: confederation segments only from within", () => {
    const path = `${ORIGIN_IGP}400206 0301 0000fde9${NEXT_HOP}`;
    expect(outcome(path)).toEqual(FINE);
    expect(outcome(path, { internal: false })).toEqual(withdrawn("AS_PATH withdraw"));
  });

  it.each([
    ["too long for the attribute", "800e0a 0002 01 10 20010db80000"],
    ["of nine octets", `800e17 0002 01 09 20010db80000000000 00 40 20010db800000001`],
    ["of four octets for IPv6", "800e0e 0002 01 04 0a000001 00 20 20010db8"],
    ["of sixteen octets for IPv4 without RFC 8950", "800e19 0001 01 10 20010db8000000000000000000000001 00 18 c00002"],
    ["that is not there", "800e03 0002 01"],
  ])("§7.11 MP_REACH_NLRI with a next hop %s: session reset", (_name, mp) => {
    expect(reset(`${mp}${MANDATORY}`)).toMatchObject({
      code: NotificationCode.Update,
      subcode: UpdateSubcode.OptionalAttribute,
      data: bytesOf(mp),
    });
  });

  it.each(["00000000000000000000000000000000", "ff020000000000000000000000000001"])(
    "RFC 4271 §6.3: MP_REACH_NLRI with the next hop %s",
    (hex) => {
      const mp = `800e1a 0002 01 10 ${hex} 00 20 20010db8`;
      expect(outcome(`${mp}${ORIGIN_IGP}${AS_PATH}`, {}, "")).toEqual({
        announced: [],
        withdrawn: [V6_PREFIX],
        problems: ["MP_REACH_NLRI withdraw"],
      });
    },
  );

  it("RFC 4760 §3: a NEXT_HOP without NLRI is ignored, whatever it says", () => {
    expect(outcome(`${MP_REACH}${ORIGIN_IGP}${AS_PATH}40030400000000`, {}, "")).toEqual({
      ...FINE,
      announced: [V6_PREFIX],
    });
  });
});

describe("attributes that are not known, RFC 4271 §5, §6.3", () => {
  it("optional transitive ones are kept, and partial from here on (§5)", () => {
    const update = decoderFor().decode(updateBody(`${MANDATORY}c0fd02beef f0fe0001 01`, NLRI));
    expect(attributesOf(update)?.unknown).toEqual([
      { type: 253, flags: 0xe0, value: bytesOf("beef") },
      { type: 254, flags: 0xe0, value: bytesOf("01") },
    ]);
    expect(update.problems).toEqual([]);
  });
  it("optional non-transitive ones are dropped without a word", () => {
    const update = decoderFor().decode(updateBody(`${MANDATORY}80fd04deadbeef`, NLRI));
    expect(attributesOf(update)?.unknown).toEqual([]);
    expect(update.problems).toEqual([]);
  });
  it("well-known ones end the session, with the attribute as data", () => {
    const error = reset(`${MANDATORY}40fd04deadbeef`);
    expect(error).toMatchObject({ code: NotificationCode.Update, subcode: UpdateSubcode.UnrecognizedWellKnown });
    expect(hexOf(error?.data ?? bytesOf(""))).toBe("40fd04deadbeef");
  });
});

describe("families that were not negotiated, RFC 4760 §6", () => {
  const families = [{ family: 1 as const, addPathReceive: false, addPathSend: false, extendedNextHop: false }];
  it("are ignored", () => {
    expect(outcome(`${MP_REACH}${MANDATORY}`, { families })).toEqual(accepted("MP_REACH_NLRI discard"));
    expect(outcome("800f03000201", { families }, "")).toEqual({
      announced: [],
      withdrawn: [],
      problems: ["MP_UNREACH_NLRI discard"],
    });
    expect(outcome(`800e0d 0019 46 04 0a000001 00 ffffffff${MANDATORY}`)).toEqual(accepted("MP_REACH_NLRI discard"));
  });
  it("IPv4 too, where the peer speaks IPv6 alone", () => {
    const v6 = [{ ...families[0], family: 2 as const }] as never;
    expect(outcome(`${MP_REACH}${MANDATORY}`, { families: v6 })).toEqual({
      announced: [V6_PREFIX],
      withdrawn: [],
      problems: ["NLRI discard"],
    });
  });
});
