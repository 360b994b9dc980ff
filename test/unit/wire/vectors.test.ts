/** Vectors from the test suites of other implementations: where they and the RFC differ, the RFC wins and the row is named. */

import { describe, expect, it } from "vitest";
import { MessageType, NotificationCode } from "../../../src/bgp/model/messages.ts";
import { Framer } from "../../../src/bgp/wire/framer.ts";
import { decodeOpen } from "../../../src/bgp/wire/open.ts";
import { frrDifferences, gobgpResets, type Outcome } from "../../harness/rfc7606-cases.ts";
import { bytesOf } from "./expect-codec.ts";
import { attributesOf, decoderFor, notificationFrom, updateBody } from "./messages.ts";
import { describeData, rowsOf } from "./shared-data.ts";
import { mpPrefixes, nlriPrefixes, readAnyUpdate, type WiresharkUpdate, withdrawnPrefixes } from "./wireshark.ts";

const FRR = "vectors/frr-rfc7606-cases.jsonl";
const GOBGP = "vectors/gobgp-malformed.jsonl";
const WIRESHARK = "vectors/messages-wireshark.jsonl";
const NETGAUZE = "vectors/netgauze-bgp.jsonl";
const CRASHES = "fuzz/crash-poc.jsonl";

interface FrrRow {
  readonly name: string;
  readonly attr_type?: number;
  readonly attr_hex?: string;
  readonly nexthop?: string;
  readonly expected_outcome: Readonly<Record<string, Outcome>>;
}

/** The default attributes of the upstream suite; a raw attribute of one of their types takes its place. */
const DEFAULTS: readonly (readonly [number, string])[] = [
  [1, "40010100"],
  [2, "4002060201 0000fde9"],
  [3, "4003040a000001"],
];

function outcomeOfCase(row: { attr_type?: number; attr_hex?: string; nexthop?: string }, internal: boolean): Outcome {
  const nextHop = row.nexthop?.split(".").map((n) => Number(n).toString(16).padStart(2, "0"));
  const parts = DEFAULTS.filter(([type]) => type !== row.attr_type).map(([type, hex]) =>
    type === 3 && nextHop !== undefined ? `400304${nextHop.join("")}` : hex,
  );
  const body = updateBody(`${parts.join("")}${row.attr_hex ?? ""}`, "20 c0000201");
  const error = notificationFrom(() => decoderFor({ internal }).decode(body));
  if (error !== undefined) return "session-reset";
  const update = decoderFor({ internal }).decode(body);
  if (update.announced.length === 0) return update.withdrawn.length === 1 ? "treat-as-withdraw" : "accept";
  const unknown = attributesOf(update)?.unknown.length ?? 0;
  const dropped = row.attr_type !== undefined && row.attr_type > 18 && unknown === 0 && row.attr_type !== 32;
  return update.problems.length > 0 || dropped ? "discard" : "accept";
}

describeData(FRR, "FRR's cases of RFC 7606", () => {
  const cases = rowsOf<FrrRow>(FRR).flatMap((row) =>
    (["ibgp", "ebgp"] as const).flatMap((sort) => {
      const expected = row.expected_outcome[sort];
      return expected === undefined ? [] : [{ row, sort, name: row.name.replace("frr-rfc7606/", ""), expected }];
    }),
  );
  it.each(cases)("$name, $sort", ({ row, sort, name, expected }) => {
    const [want] = frrDifferences[name] ?? [expected];
    expect(outcomeOfCase(row, sort === "ibgp")).toBe(want);
  });
  it("names no difference that is none", () => {
    const known = new Map(cases.map((c) => [c.name, c.expected]));
    for (const [name, [ours]] of Object.entries(frrDifferences)) {
      expect(known.has(name), name).toBe(true);
      expect(known.get(name), name).not.toBe(ours);
    }
  });
});

describeData(GOBGP, "GoBGP's malformed attributes", () => {
  interface Row {
    readonly name: string;
    readonly attr_type: number;
    readonly attr_flags: number;
    readonly attr_value_hex: string;
  }
  it.each(rowsOf<Row>(GOBGP).map((row) => ({ ...row, short: row.name.split("/")[1] ?? "" })))("$short", (row) => {
    const octet = (n: number) => n.toString(16).padStart(2, "0");
    const { attr_type, attr_flags, attr_value_hex: value } = row;
    const attr_hex = `${octet(attr_flags)}${octet(attr_type)}${octet(value.length / 2)}${value}`;
    const want = gobgpResets.has(row.short) ? "session-reset" : "treat-as-withdraw";
    expect(outcomeOfCase({ attr_type, attr_hex }, false)).toBe(want);
  });
});

interface MessageRow {
  readonly hex: string;
  readonly names: readonly string[];
  readonly type: number;
  readonly wireshark_malformed: boolean;
  readonly wireshark: readonly WiresharkUpdate[];
}

describeData(WIRESHARK, "messages of all suites, as Wireshark reads them", () => {
  /** Wireshark shows them without complaint; they are wrong all the same. */
  const WRONG: Readonly<Record<string, string>> = {
    "bgpcep/ParserTest.java:testBadKeepAliveMsg:bytes": "a KEEPALIVE of 20 octets",
    "bgpcep/ParserTest.java:testBadMsgLength:bMsg": "an OPEN of 27 octets",
    "bgpcep/ParserTest.java:testWrongLength:bMsg": "a NOTIFICATION of 20 octets",
    "bgpcep/SimpleRegistryTest.java:testSimpleMessageRegistry:msgBytes": "message type 0",
    "bgpkit-parser/messages.rs:test_parse_bgp_route_refresh_message_truncated:bytes": "a ROUTE-REFRESH of 21 octets",
    "bio-rd/decoder_test.go:TestDecodeHeader:L1321": "a ROUTE-REFRESH of 19 octets",
    "bgpcep/extensions/linkstate/up4.bin": "an OPEN with BGP Identifier 0",
    "NetGauze/update.rs:test_update_bad_length:bad_withdraw_length_short_wire": "fields longer than the message",
    "raku-net-bgp/open-message": "optional parameter 240",
    "raku-net-bgp/test-invalid-option-len-in-open-3": "optional parameters beyond the message",
    "raku-net-bgp/test-invalid-param-len-in-open-2": "an optional parameter beyond the others",
  };
  /** Ours and Wireshark's prefixes differ, and why. */
  const UNEQUAL: Readonly<Record<string, string>> = {
    "bio-rd/path_attributes_test.go:TestSerialize:L1964": "Wireshark shows no NLRI behind an empty attribute list",
    "bio-rd/path_attributes_test.go:TestSerializeAddPath:L2163":
      "the same, and nothing tells that it has path identifiers",
    "NetGauze/update.rs:test_update_non_unicast_nlri:bad_multicast_nlri_wire":
      "224.16.1.0/24 is ignored (RFC 4271 §6.3)",
  };
  const rows = rowsOf<MessageRow>(WIRESHARK).map((row) => ({ ...row, name: row.names[0] ?? "" }));

  it.each(rows)("$name", ({ hex, name, wireshark_malformed, wireshark }) => {
    const framer = new Framer(65535);
    framer.push(bytesOf(hex));
    const error = notificationFrom(() => {
      const frame = framer.next();
      if (frame?.type === MessageType.Open) decodeOpen(frame.body);
      if (frame?.type !== MessageType.Update) return;
      const update = readAnyUpdate(frame.body, wireshark[0]);
      if (wireshark_malformed || name in UNEQUAL) return;
      expect(nlriPrefixes(update)).toEqual(nlriPrefixes(wireshark[0]));
      expect(withdrawnPrefixes(update)).toEqual(withdrawnPrefixes(wireshark[0]));
      expect(mpPrefixes(update)).toEqual(mpPrefixes(wireshark[0]));
    });
    if (!wireshark_malformed)
      expect(error?.message, WRONG[name]).toEqual(name in WRONG ? expect.any(String) : undefined);
  });
});

describeData(NETGAUZE, "NetGauze's capabilities", () => {
  interface Row {
    readonly name: string;
    readonly hex: string;
    readonly expected: "parses" | "error" | null;
  }
  const rows = rowsOf<Row>(NETGAUZE)
    .filter(({ name, expected }) => name.includes("/capabilities.rs:") && expected !== null)
    .map((row) => ({ ...row, short: row.name.split("capabilities.rs:")[1] ?? "" }));

  /** RFC 7911 §4: a Send/Receive value that is not assigned makes the tuple ignored, not the OPEN malformed. */
  const LENIENT = new Set(["test_parse_add_path:bad_send_receive_wire"]);
  /** These rows hold the value without its code. */
  const BARE = new Set(["test_extended_next_hop_encodings:good_one_afi_wire"]);

  it.each(rows)("$short", ({ short, hex, expected }) => {
    const capability = BARE.has(short) ? `05${hex}` : hex;
    const length = capability.length / 2;
    const octet = (n: number) => n.toString(16).padStart(2, "0");
    const body = bytesOf(`04fde9005a0a000001${octet(length + 2)}02${octet(length)}${capability}`);
    const error = notificationFrom(() => decodeOpen(body));
    if (expected === "parses" || LENIENT.has(short)) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ code: NotificationCode.Open, subcode: 0 });
  });
});

describeData(CRASHES, "messages that made others crash or flap", () => {
  const hexes = new Map(rowsOf<{ name: string; hex: string | null }>(CRASHES).map((row) => [row.name, row.hex ?? ""]));
  const frame = (name: string) => {
    const framer = new Framer();
    framer.push(bytesOf(hexes.get(name) ?? ""));
    return framer.next()?.body ?? new Uint8Array(0);
  };

  describe("OPEN", () => {
    it.each(["CVE-2022-40302", "gobgp-2598"])("%s is answered by an OPEN error", (name) => {
      expect(notificationFrom(() => decodeOpen(frame(name)))).toMatchObject({ code: NotificationCode.Open });
    });
    it("exabgp-1375: one without parameters is fine", () => {
      expect(decodeOpen(frame("exabgp-1375-open-no-capabilities")).capabilities).toEqual([]);
    });
  });

  it("frr-8941: AS 0 in a real AS_PATH is treated as withdraw (RFC 7607 §2)", () => {
    const update = decoderFor({ internal: false }).decode(frame("frr-8941-as0"));
    expect(update.announced).toEqual([]);
    expect(update.withdrawn[0]?.count).toBe(1);
  });

  it("bgplite-298: a route without NEXT_HOP takes the earlier one away", () => {
    const decoder = decoderFor({ internal: false });
    expect(decoder.decode(updateBody("40010100 40020602010000fde9 400304c0000201", "080a")).announced.length).toBe(1);
    const update = decoder.decode(updateBody("40010100 40020602010000fde9", "080a"));
    expect(update.withdrawn[0]?.count).toBe(1);
    expect(update.announced).toEqual([]);
  });
});
