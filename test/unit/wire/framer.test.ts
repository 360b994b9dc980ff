/** Framing of the byte stream (RFC 4271 §4.1, §6.1, RFC 8654). */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeaderSubcode, MessageType, NotificationCode } from "../../../src/bgp/model/messages.ts";
import { Framer } from "../../../src/bgp/wire/framer.ts";
import { bytesOf, hexOf } from "./expect-codec.ts";
import { MANDATORY, message, NLRI, notificationFrom, updateBody } from "./messages.ts";

const MARKER = "ff".repeat(16);
const KEEPALIVE = message(MessageType.Keepalive, new Uint8Array(0));
const UPDATE = message(MessageType.Update, updateBody(MANDATORY, NLRI));
const LONG = message(MessageType.Update, new Uint8Array(4000));

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

function drain(framer: Framer): string[] {
  const seen: string[] = [];
  for (let m = framer.next(); m !== undefined; m = framer.next()) seen.push(`${m.type}:${hexOf(m.body)}`);
  return seen;
}

const STREAM = concat(KEEPALIVE, UPDATE, LONG, UPDATE, KEEPALIVE);
const WANT = [KEEPALIVE, UPDATE, LONG, UPDATE, KEEPALIVE].map((m) => `${m[18]}:${hexOf(m.subarray(19))}`);

describe("Framer", () => {
  it("gives type, body and length", () => {
    const framer = new Framer();
    framer.push(UPDATE);
    expect(framer.next()).toEqual({ type: MessageType.Update, body: UPDATE.subarray(19), length: UPDATE.length });
    expect(framer.next()).toBeUndefined();
  });

  it("is the same wherever the stream is cut in two", () => {
    for (let cut = 0; cut <= STREAM.length; cut++) {
      const framer = new Framer();
      framer.push(STREAM.subarray(0, cut));
      const seen = drain(framer);
      framer.push(STREAM.subarray(cut));
      seen.push(...drain(framer));
      if (seen.join() !== WANT.join()) expect(seen, `cut at ${cut}`).toEqual(WANT);
    }
  });

  it("is the same octet by octet", () => {
    const framer = new Framer();
    const seen: string[] = [];
    for (const octet of STREAM) {
      framer.push(Uint8Array.of(octet));
      seen.push(...drain(framer));
    }
    expect(seen).toEqual(WANT);
  });

  it("is the same in chunks of any sizes, also when it is not drained between them", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 })), fc.array(fc.boolean()), (sizes, drains) => {
        const framer = new Framer();
        const seen: string[] = [];
        let at = 0;
        for (const [i, size] of [...sizes, STREAM.length].entries()) {
          framer.push(STREAM.subarray(at, at + size));
          at += size;
          if (drains[i] !== false) seen.push(...drain(framer));
        }
        seen.push(...drain(framer));
        expect(seen).toEqual(WANT);
      }),
    );
  });

  it("does not copy a message that is whole in its chunk", () => {
    const framer = new Framer();
    framer.push(STREAM);
    framer.next();
    expect(framer.next()?.body.buffer).toBe(STREAM.buffer);
  });

  it("keeps all bodies of a chunk intact until the next push", () => {
    const framer = new Framer();
    framer.push(UPDATE.subarray(0, 30));
    framer.next();
    framer.push(concat(UPDATE.subarray(30), UPDATE, LONG.subarray(0, 100)));
    const first = framer.next();
    const second = framer.next();
    expect(framer.next()).toBeUndefined();
    expect(hexOf(first?.body ?? KEEPALIVE)).toBe(hexOf(UPDATE.subarray(19)));
    expect(hexOf(second?.body ?? KEEPALIVE)).toBe(hexOf(UPDATE.subarray(19)));
  });

  it("has input only while octets wait to be looked at", () => {
    const framer = new Framer();
    expect(framer.hasInput).toBe(false);
    framer.push(concat(KEEPALIVE, KEEPALIVE.subarray(0, 5)));
    expect(framer.hasInput).toBe(true);
    framer.next();
    expect(framer.hasInput).toBe(true);
    framer.next();
    expect(framer.hasInput).toBe(false);
  });

  it.each([
    ["a marker that is not all ones", `00${MARKER.slice(2)}001304`, HeaderSubcode.NotSynchronized, ""],
    ["a last octet of the marker that is not", `${MARKER.slice(2)}fe001304`, HeaderSubcode.NotSynchronized, ""],
    ["less than a header", `${MARKER}001204`, HeaderSubcode.BadLength, "0012"],
    ["no length", `${MARKER}000004`, HeaderSubcode.BadLength, "0000"],
    ["more than 4096", `${MARKER}100102`, HeaderSubcode.BadLength, "1001"],
    ["type 0", `${MARKER}001300`, HeaderSubcode.BadType, "00"],
    ["a type that is not known", `${MARKER}001306`, HeaderSubcode.BadType, "06"],
    ["a long KEEPALIVE", `${MARKER}001404`, HeaderSubcode.BadLength, "0014"],
    ["a short OPEN", `${MARKER}001c01`, HeaderSubcode.BadLength, "001c"],
    ["a short UPDATE", `${MARKER}001602`, HeaderSubcode.BadLength, "0016"],
    ["a short NOTIFICATION", `${MARKER}001403`, HeaderSubcode.BadLength, "0014"],
    ["a short ROUTE-REFRESH", `${MARKER}001605`, HeaderSubcode.BadLength, "0016"],
  ])("rejects %s (RFC 4271 §6.1)", (_name, hex, subcode, data) => {
    const framer = new Framer();
    framer.push(bytesOf(hex));
    const error = notificationFrom(() => framer.next());
    expect(error).toMatchObject({ code: NotificationCode.MessageHeader, subcode });
    expect(hexOf(error?.data ?? KEEPALIVE)).toBe(data);
    expect(notificationFrom(() => framer.next())).toMatchObject({ subcode });
  });

  it("rejects a wrong header that comes octet by octet", () => {
    const framer = new Framer();
    const error = notificationFrom(() => {
      for (const octet of bytesOf(`${MARKER}100102`)) {
        framer.push(Uint8Array.of(octet));
        framer.next();
      }
    });
    expect(error).toMatchObject({ code: NotificationCode.MessageHeader, subcode: HeaderSubcode.BadLength });
  });

  it("takes long messages once they are negotiated, but no long OPEN (RFC 8654 §4)", () => {
    const framer = new Framer();
    framer.maxLength = 65535;
    const huge = message(MessageType.Update, new Uint8Array(65535 - 19));
    for (let at = 0; at < huge.length; at += 1000) {
      framer.push(huge.subarray(at, at + 1000));
      const frame = framer.next();
      expect(frame?.length).toBe(at + 1000 >= huge.length ? 65535 : undefined);
    }
    framer.push(message(MessageType.Open, new Uint8Array(4096)));
    expect(notificationFrom(() => framer.next())).toMatchObject({ subcode: HeaderSubcode.BadLength });
  });
});
