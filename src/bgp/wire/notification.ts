/** NOTIFICATION (RFC 4271 §4.5), the hard reset around one (RFC 8538 §3) and the operator's words in it (RFC 9003). */

import { CeaseSubcode, MessageType, NotificationCode, type NotificationMessage } from "../model/messages.ts";
import { beginMessage, endMessage, HEADER_LENGTH, MAX_LENGTH } from "./header.ts";
import { Reader } from "./reader.ts";
import { decodeText, encodeText } from "./text.ts";
import { Writer } from "./writer.ts";

const FIXED_LENGTH = HEADER_LENGTH + 2;
/** RFC 9003 §2: one octet of length. */
const MAX_SHUTDOWN_TEXT = 255;

/** The whole message; data that has no room in 4096 octets is cut. */
export function encodeNotification(notification: NotificationMessage): Uint8Array {
  const w = new Writer(64);
  beginMessage(w, MessageType.Notification);
  w.u8(notification.code);
  w.u8(notification.subcode);
  w.bytes(notification.data.subarray(0, MAX_LENGTH - FIXED_LENGTH));
  return endMessage(w);
}

/** The framer has seen to it that code and subcode are there. */
export function decodeNotification(body: Uint8Array): NotificationMessage {
  const r = new Reader(body);
  return { code: r.u8(), subcode: r.u8(), data: r.bytes(r.remaining).slice() };
}

/** RFC 8538 §3: the NOTIFICATION that this one wraps, which says why the session ends and that its routes shall not stay. */
export function hardReset(inner: NotificationMessage): NotificationMessage {
  const data = new Uint8Array(2 + inner.data.length);
  data[0] = inner.code;
  data[1] = inner.subcode;
  data.set(inner.data, 2);
  return { code: NotificationCode.Cease, subcode: CeaseSubcode.HardReset, data };
}

/** What a hard reset wraps; undefined if it is none, or wraps nothing readable. */
export function unwrapHardReset(notification: NotificationMessage): NotificationMessage | undefined {
  const { code, subcode, data } = notification;
  if (code !== NotificationCode.Cease || subcode !== CeaseSubcode.HardReset || data.length < 2) return undefined;
  return { code: data[0] ?? 0, subcode: data[1] ?? 0, data: data.subarray(2) };
}

/** The data of an administrative shutdown or reset (RFC 9003 §2): length and UTF-8, cut at a character. */
export function encodeShutdownText(text: string): Uint8Array {
  const bytes = encodeText(text, MAX_SHUTDOWN_TEXT);
  const data = new Uint8Array(1 + bytes.length);
  data[0] = bytes.length;
  data.set(bytes, 1);
  return data;
}

/** Undefined when there is no text or it is not laid out as RFC 9003 §2 says. Control characters become spaces. */
export function decodeShutdownText(data: Uint8Array): string | undefined {
  const length = data[0] ?? 0;
  if (length === 0 || length > data.length - 1) return undefined;
  return decodeText(data.subarray(1, 1 + length));
}
