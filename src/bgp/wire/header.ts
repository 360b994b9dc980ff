/** The fixed header of every message and what is wrong with one (RFC 4271 §4.1, §6.1, RFC 8654 §4). */

import { HeaderSubcode, MessageType, NotificationCode, NotificationError } from "../model/messages.ts";
import type { Writer } from "./writer.ts";

export const HEADER_LENGTH = 19;
export const MARKER_LENGTH = 16;
/** The longest message without the extended message capability (RFC 4271 §4.1). */
export const MAX_LENGTH = 4096;
/** RFC 8654 §3. */
export const MAX_EXTENDED_LENGTH = 65535;

/** Shortest message of each type, header included; the index is the type. */
const MIN_LENGTHS: readonly number[] = [0, 29, 23, 21, 19, 23];

/** Reads the header that stands at `at`; 19 octets must be there. Returns the length of the message and its type as `type << 16 | length`. */
export function checkHeader(bytes: Uint8Array, at: number, maxLength: number): number {
  for (let i = at; i < at + MARKER_LENGTH; i++) {
    if (bytes[i] !== 0xff) {
      throw new NotificationError(
        NotificationCode.MessageHeader,
        HeaderSubcode.NotSynchronized,
        "the marker of a message is not all ones",
      );
    }
  }
  const length = ((bytes[at + 16] ?? 0) << 8) | (bytes[at + 17] ?? 0);
  const type = bytes[at + 18] ?? 0;
  if (length < HEADER_LENGTH || length > maxLength) throw badLength(length, type);
  const min = MIN_LENGTHS[type];
  if (min === undefined || min === 0) {
    throw new NotificationError(
      NotificationCode.MessageHeader,
      HeaderSubcode.BadType,
      `message type ${type} is unknown`,
      Uint8Array.of(type),
    );
  }
  // RFC 8654 §4: extended messages do not extend OPEN and KEEPALIVE.
  if (
    length < min ||
    (type === MessageType.Keepalive && length !== HEADER_LENGTH) ||
    (type === MessageType.Open && length > MAX_LENGTH)
  ) {
    throw badLength(length, type);
  }
  return (type << 16) | length;
}

/** Writes a header whose length is patched by `endMessage`. */
export function beginMessage(w: Writer, type: MessageType): void {
  for (let i = 0; i < 4; i++) w.u32(0xffffffff);
  w.u16(0);
  w.u8(type);
}

/** The finished message, which is all that the writer holds. */
export function endMessage(w: Writer): Uint8Array {
  w.patch16(MARKER_LENGTH, w.length);
  return w.toBytes();
}

// RFC 4271 §6.1: the data field holds the erroneous length.
function badLength(length: number, type: number): NotificationError {
  return new NotificationError(
    NotificationCode.MessageHeader,
    HeaderSubcode.BadLength,
    `a message of type ${type} claims ${length} octets`,
    Uint8Array.of(length >>> 8, length & 255),
  );
}
