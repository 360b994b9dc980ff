/** NOTIFICATION, its words, and the two smallest messages (RFC 4271 §4.4, §4.5, RFC 8538, RFC 9003, RFC 7313). */

import { describe, expect, it } from "vitest";
import {
  CeaseSubcode,
  NotificationCode,
  type NotificationMessage,
  RefreshSubtype,
  RouteRefreshSubcode,
} from "../../../src/bgp/model/messages.ts";
import { encodeKeepalive } from "../../../src/bgp/wire/keepalive.ts";
import {
  decodeNotification,
  decodeShutdownText,
  encodeNotification,
  encodeShutdownText,
  hardReset,
  unwrapHardReset,
} from "../../../src/bgp/wire/notification.ts";
import { describeNotification } from "../../../src/bgp/wire/notification-text.ts";
import { decodeRouteRefresh, encodeRouteRefresh } from "../../../src/bgp/wire/route-refresh.ts";
import { bytesOf, hexOf } from "./expect-codec.ts";
import { notificationFrom } from "./messages.ts";

const MARKER = "ff".repeat(16);
const NO_DATA = new Uint8Array(0);
const SHUTDOWN: NotificationMessage = {
  code: NotificationCode.Cease,
  subcode: CeaseSubcode.AdministrativeShutdown,
  data: encodeShutdownText("maintenance"),
};

describe("NOTIFICATION, RFC 4271 §4.5", () => {
  it.each([
    ["without data", `${MARKER}0015030400`, { code: 4, subcode: 0, data: NO_DATA }],
    ["with data", `${MARKER}00170302010004`, { code: 2, subcode: 1, data: Uint8Array.of(0, 4) }],
  ])("%s, both ways", (_name, hex, value) => {
    expect(hexOf(encodeNotification(value))).toBe(hex);
    expect(decodeNotification(bytesOf(hex).subarray(19))).toEqual(value);
  });

  it("keeps its data when the buffer that it came in is used again", () => {
    const body = Uint8Array.of(2, 1, 0, 4);
    const { data } = decodeNotification(body);
    body.fill(9);
    expect([...data]).toEqual([0, 4]);
  });

  it("cuts data that has no room in 4096 octets", () => {
    const message = encodeNotification({ code: 3, subcode: 1, data: new Uint8Array(9000) });
    expect(message.length).toBe(4096);
    expect(hexOf(message.subarray(16, 19))).toBe("100003");
  });
});

describe("hard reset, RFC 8538 §3", () => {
  it("wraps and unwraps", () => {
    const wrapped = hardReset(SHUTDOWN);
    expect(hexOf(encodeNotification(wrapped).subarray(19))).toBe(`06090602${hexOf(SHUTDOWN.data)}`);
    expect(unwrapHardReset(wrapped)).toEqual(SHUTDOWN);
  });

  it("is none without an inner code and subcode", () => {
    expect(unwrapHardReset({ code: 6, subcode: 9, data: Uint8Array.of(6) })).toBeUndefined();
    expect(unwrapHardReset(SHUTDOWN)).toBeUndefined();
  });
});

describe("shutdown communication, RFC 9003 §2", () => {
  it.each(["maintenance", "Wartung morgen früh um 4 🛠", "x".repeat(255)])("%s, both ways", (text) => {
    expect(decodeShutdownText(encodeShutdownText(text))).toBe(text);
  });

  it("is cut at a character, at 255 octets", () => {
    expect(encodeShutdownText("x".repeat(300)).length).toBe(256);
    const data = encodeShutdownText("ü".repeat(200));
    expect(data[0]).toBe(254);
    expect(decodeShutdownText(data)).toBe("ü".repeat(127));
  });

  it("has no control characters", () => {
    expect(decodeShutdownText(Uint8Array.of(6, 0x61, 0x1b, 0x5b, 0x32, 0x4a, 0x07))).toBe("a [2J ");
    expect(decodeShutdownText(encodeShutdownText("a\u202eb\nc"))).toBe("a b c");
  });

  it.each([
    ["no data", ""],
    ["no text", "00"],
    ["a length beyond the data", "0561"],
    ["text that is not UTF-8", "02ff61"],
  ])("%s is no text", (_name, hex) => {
    expect(decodeShutdownText(bytesOf(hex))).toBeUndefined();
  });
});

describe("describeNotification", () => {
  const wrapped = hardReset(SHUTDOWN);
  it.each([
    [6, 2, hexOf(SHUTDOWN.data), "Cease: administrative shutdown: maintenance"],
    [6, 4, "00", "Cease: administrative reset"],
    [6, 9, hexOf(wrapped.data), "Cease: hard reset: Cease: administrative shutdown: maintenance"],
    [6, 9, `0609${hexOf(wrapped.data)}`, "Cease: hard reset"],
    [6, 9, "", "Cease: hard reset"],
    [6, 1, "000101000003e8", "Cease: maximum number of prefixes reached: limit 1000 for AFI 1 SAFI 1"],
    [6, 1, "00", "Cease: maximum number of prefixes reached"],
    [6, 10, "", "Cease: BFD down"],
    [4, 0, "", "hold timer expired"],
    [8, 0, "", "send hold timer expired"],
    [2, 1, "0004", "OPEN error: unsupported version number: it supports version 4"],
    [2, 11, "", "OPEN error: role mismatch"],
    [3, 11, "400200", "UPDATE error: malformed AS_PATH"],
    [5, 1, "", "finite state machine error: unexpected message in OpenSent"],
    [7, 1, "", "ROUTE-REFRESH error: invalid message length"],
    [1, 99, "", "message header error: subcode 99"],
    [77, 3, "", "code 77: subcode 3"],
  ])("%s/%s %s", (code, subcode, hex, want) => {
    expect(describeNotification(code, subcode, bytesOf(hex))).toBe(want);
  });
});

describe("KEEPALIVE, RFC 4271 §4.4", () => {
  it("is a header", () => expect(hexOf(encodeKeepalive())).toBe(`${MARKER}001304`));
});

describe("ROUTE-REFRESH, RFC 2918 §3, RFC 7313", () => {
  it.each([
    ["request", "00010001", { afi: 1, safi: 1, subtype: RefreshSubtype.Normal }],
    ["beginning", "00020101", { afi: 2, safi: 1, subtype: RefreshSubtype.Begin }],
    ["end", "00020201", { afi: 2, safi: 1, subtype: RefreshSubtype.End }],
    ["one for a family that is not known", "4004ff47", { afi: 0x4004, safi: 0x47, subtype: 255 }],
  ])("%s, both ways", (_name, hex, value) => {
    expect(hexOf(encodeRouteRefresh(value))).toBe(`${MARKER}001705${hex}`);
    expect(decodeRouteRefresh(bytesOf(hex))).toEqual(value);
  });

  it("ignores route filters behind a plain request (RFC 5291 §5)", () => {
    expect(decodeRouteRefresh(bytesOf("00010001 01 80 0000"))).toEqual({ afi: 1, safi: 1, subtype: 0 });
  });

  it.each(["0001", "000101", "0001010100", "0001020100ff"])(
    "rejects the length of %s with all of it (RFC 7313 §5)",
    (hex) => {
      const error = notificationFrom(() => decodeRouteRefresh(bytesOf(hex)));
      expect(error).toMatchObject({ code: NotificationCode.RouteRefresh, subcode: RouteRefreshSubcode.InvalidLength });
      expect(hexOf(error?.data ?? NO_DATA)).toBe(`${MARKER}00${(19 + hex.length / 2).toString(16)}05${hex}`);
    },
  );
});
