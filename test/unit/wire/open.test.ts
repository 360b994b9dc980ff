/** OPEN and its capabilities (RFC 4271 §4.2, §6.2, RFC 5492, RFC 9072). */

import { describe, expect, it } from "vitest";
import type { Capability } from "../../../src/bgp/model/capability.ts";
import { asn, routerId } from "../../../src/bgp/model/ids.ts";
import { NotificationCode, type OpenMessage, OpenSubcode } from "../../../src/bgp/model/messages.ts";
import { decodeOpen, encodeOpen } from "../../../src/bgp/wire/open.ts";
import { bytesOf, hexOf } from "./expect-codec.ts";
import { notificationFrom } from "./messages.ts";

/** Version 4, AS 65001, hold time 90, 10.0.0.1. */
const FIXED = "04 fde9 005a 0a000001";
const open = (capabilities: readonly Capability[]): OpenMessage => ({
  version: 4,
  myAs: 65001,
  holdTimeSeconds: 90,
  bgpIdentifier: routerId(0x0a000001),
  capabilities,
});

/** An OPEN's body whose only parameter holds the capabilities. */
function withCapabilities(hex: string): Uint8Array {
  const length = bytesOf(hex).length;
  const octet = (n: number) => n.toString(16).padStart(2, "0");
  return bytesOf(`${FIXED}${octet(length + 2)}02${octet(length)}${hex}`);
}

const CAPABILITIES: readonly (readonly [string, string, Capability])[] = [
  ["multiprotocol, RFC 4760 §8", "01 04 0002 00 01", { kind: "multiprotocol", afi: 2, safi: 1 }],
  ["route refresh, RFC 2918", "02 00", { kind: "routeRefresh" }],
  [
    "extended next hop, RFC 8950 §4",
    "05 06 0001 0001 0002",
    { kind: "extendedNextHop", tuples: [{ afi: 1, safi: 1, nextHopAfi: 2 }] },
  ],
  ["extended message, RFC 8654", "06 00", { kind: "extendedMessage" }],
  ["role, RFC 9234 §4.1", "09 01 03", { kind: "role", role: 3 }],
  ["a role that is not assigned is the negotiation's business", "09 01 ff", { kind: "role", role: 255 }],
  [
    "graceful restart, RFC 4724 §3, RFC 8538 §2",
    "40 0a c078 0001 01 80 0002 01 00",
    {
      kind: "gracefulRestart",
      restarted: true,
      notification: true,
      timeSeconds: 120,
      families: [
        { afi: 1, safi: 1, forwardingPreserved: true },
        { afi: 2, safi: 1, forwardingPreserved: false },
      ],
    },
  ],
  [
    "graceful restart, helper only",
    "40 02 0fff",
    { kind: "gracefulRestart", restarted: false, notification: false, timeSeconds: 4095, families: [] },
  ],
  ["four-octet AS, RFC 6793 §3", "41 04 00011170", { kind: "fourOctetAs", asNumber: asn(70000) }],
  [
    "add-path, RFC 7911 §4",
    "45 08 0001 01 03 0002 01 01",
    {
      kind: "addPath",
      tuples: [
        { afi: 1, safi: 1, mode: 3 },
        { afi: 2, safi: 1, mode: 1 },
      ],
    },
  ],
  ["enhanced route refresh, RFC 7313", "46 00", { kind: "enhancedRouteRefresh" }],
  [
    "long-lived graceful restart, RFC 9494 §3.1",
    "47 0e 0001 01 00 000e10 0002 01 80 ffffff",
    {
      kind: "longLivedGracefulRestart",
      tuples: [
        { afi: 1, safi: 1, forwardingPreserved: false, staleTimeSeconds: 3600 },
        { afi: 2, safi: 1, forwardingPreserved: true, staleTimeSeconds: 0xffffff },
      ],
    },
  ],
  ["host name", "49 0a 05 72c3b67574 03 6e6574", { kind: "fqdn", hostName: "röut", domainName: "net" }],
  ["one that is not known", "80 02 beef", { kind: "unknown", code: 128, value: Uint8Array.of(0xbe, 0xef) }],
];

describe("capabilities, RFC 5492 §4", () => {
  it.each(CAPABILITIES)("%s", (_name, hex, capability) => {
    const body = withCapabilities(hex);
    expect(decodeOpen(body)).toEqual(open([capability]));
    expect(hexOf(encodeOpen(open([capability])).subarray(19))).toBe(hexOf(body));
  });

  it("ignores an add-path tuple with a Send/Receive that is not assigned (RFC 7911 §4)", () => {
    const { capabilities } = decodeOpen(withCapabilities("45 08 0001 01 04 0002 01 02"));
    expect(capabilities).toEqual([{ kind: "addPath", tuples: [{ afi: 2, safi: 1, mode: 2 }] }]);
  });

  it("takes a host name without a domain name, and cuts long ones", () => {
    expect(decodeOpen(withCapabilities("49 03 02 7231")).capabilities).toEqual([
      { kind: "fqdn", hostName: "r1", domainName: "" },
    ]);
    const long = encodeOpen(open([{ kind: "fqdn", hostName: "n".repeat(300), domainName: "d" }]));
    expect(decodeOpen(long.subarray(19)).capabilities).toEqual([
      { kind: "fqdn", hostName: "n".repeat(64), domainName: "d" },
    ]);
  });

  it("keeps control characters of a host name away from terminals", () => {
    const { capabilities } = decodeOpen(withCapabilities("49 05 03 611b62 00"));
    expect(capabilities).toEqual([{ kind: "fqdn", hostName: "a b", domainName: "" }]);
  });

  it.each([
    ["route refresh", "02 01 00"],
    ["enhanced route refresh", "46 01 00"],
    ["multiprotocol", "01 03 000100"],
    ["a long multiprotocol", "01 05 0001000100"],
    ["extended message", "06 01 00"],
    ["role", "09 02 0000"],
    ["graceful restart", "40 03 007800"],
    ["graceful restart of nothing", "40 00"],
    ["four-octet AS", "41 03 000000"],
    ["add-path", "45 03 000101"],
    ["extended next hop", "05 04 00010001"],
    ["long-lived graceful restart", "47 05 0001018000"],
    ["a capability that ends outside its parameter", "80 05 00"],
    ["a capability without a length", "80"],
  ])("%s of a wrong length is malformed: subcode 0 (RFC 4271 §6.2)", (_name, hex) => {
    expect(notificationFrom(() => decodeOpen(withCapabilities(hex)))).toMatchObject({
      code: NotificationCode.Open,
      subcode: OpenSubcode.Unspecific,
    });
  });
});

describe("optional parameters", () => {
  it("there need be none", () => {
    expect(decodeOpen(bytesOf(`${FIXED}00`))).toEqual(open([]));
    expect(hexOf(encodeOpen(open([])))).toBe(`${"ff".repeat(16)}001d01${FIXED.replaceAll(" ", "")}00`);
  });

  it("may hold one capability each, or several", () => {
    const { capabilities } = decodeOpen(bytesOf(`${FIXED} 0c 02 02 0200 02 06 0600 4600 8000`));
    expect(capabilities.map((c) => c.kind)).toEqual([
      "routeRefresh",
      "extendedMessage",
      "enhancedRouteRefresh",
      "unknown",
    ]);
  });

  it.each([253, 254, 255, 300, 3000])("%s octets of capabilities, in the long form if need be (RFC 9072)", (size) => {
    const capabilities: Capability[] = [];
    for (let left = size; left > 0; ) {
      // Never leave a single octet, which no capability fits in.
      const step = Math.min(left, left === 258 ? 200 : 257);
      capabilities.push({ kind: "unknown", code: 200, value: new Uint8Array(step - 2) });
      left -= step;
    }
    const message = encodeOpen(open(capabilities));
    expect(message[28]).toBe(size < 253 ? size + 2 : 255);
    expect(message[29] === 255, "long form").toBe(size >= 253);
    expect(decodeOpen(message.subarray(19)).capabilities).toEqual(capabilities);
  });

  it("takes the long form also where the short one would do (RFC 9072 §2)", () => {
    expect(decodeOpen(bytesOf(`${FIXED} ff ff 0005 02 0002 0200`))).toEqual(open([{ kind: "routeRefresh" }]));
    expect(decodeOpen(bytesOf(`${FIXED} 07 ff 0005 02 0002 0200`))).toEqual(open([{ kind: "routeRefresh" }]));
    expect(decodeOpen(bytesOf(`${FIXED} ff ff 0000`))).toEqual(open([]));
  });

  it("is not the long form when 255 comes as a later parameter", () => {
    expect(notificationFrom(() => decodeOpen(bytesOf(`${FIXED} 06 02 02 0200 ff 00`)))).toMatchObject({
      subcode: OpenSubcode.UnsupportedOptionalParameter,
    });
  });
});

describe("errors, RFC 4271 §6.2", () => {
  it.each([
    ["version 3", "03 fde9 005a 0a000001 00", OpenSubcode.UnsupportedVersion, "0004"],
    ["version 5", "05 fde9 005a 0a000001 00", OpenSubcode.UnsupportedVersion, "0004"],
    ["AS 0 (RFC 7607 §2)", "04 0000 005a 0a000001 00", OpenSubcode.BadPeerAs, ""],
    ["AS 0 in four octets", `${FIXED} 08 02 06 4104 00000000`, OpenSubcode.BadPeerAs, ""],
    ["hold time 1", "04 fde9 0001 0a000001 00", OpenSubcode.UnacceptableHoldTime, ""],
    ["hold time 2", "04 fde9 0002 0a000001 00", OpenSubcode.UnacceptableHoldTime, ""],
    ["identifier 0 (RFC 6286 §2.2)", "04 fde9 005a 00000000 00", OpenSubcode.BadBgpIdentifier, ""],
    ["authentication", `${FIXED} 02 01 00`, OpenSubcode.UnsupportedOptionalParameter, ""],
    ["octets behind no parameters", `${FIXED} 00 00`, OpenSubcode.Unspecific, ""],
    ["a parameter length beyond the message", `${FIXED} 05 02 02 0200`, OpenSubcode.Unspecific, ""],
    ["a parameter length short of the message", `${FIXED} 03 02 02 0200`, OpenSubcode.Unspecific, ""],
    ["a parameter beyond the others", `${FIXED} 04 02 03 0200`, OpenSubcode.Unspecific, ""],
    ["a long form beyond the message", `${FIXED} ff ff 0006 02 0002 0200`, OpenSubcode.Unspecific, ""],
    ["a long form that is cut", `${FIXED} ff ff 00`, OpenSubcode.Unspecific, ""],
    ["fixed fields that are cut", "04 fde9 00", OpenSubcode.Unspecific, ""],
  ])("%s", (_name, hex, subcode, data) => {
    const error = notificationFrom(() => decodeOpen(bytesOf(hex)));
    expect(error).toMatchObject({ code: NotificationCode.Open, subcode });
    expect(hexOf(error?.data ?? Uint8Array.of(1))).toBe(data);
  });

  it("hold time 0 and 3 are fine", () => {
    expect(decodeOpen(bytesOf("04 fde9 0000 0a000001 00")).holdTimeSeconds).toBe(0);
    expect(decodeOpen(bytesOf("04 fde9 0003 0a000001 00")).holdTimeSeconds).toBe(3);
  });
});
