/** NLRI straight from and into columns: the hot loops of the codec (RFC 4271 §4.3, RFC 7911 §3). */

import { Family } from "../model/family.ts";
import type { PrefixBatch } from "../model/prefix-batch.ts";

/** Octets of the Path Identifier. */
const PATH_ID = 4;

/** What `decodeNlri` returns for a field that is syntactically incorrect (RFC 7606 §5.3). */
export const MALFORMED = -1;

/**
 * Appends the prefixes between `at` and `end`, host bits cleared. Returns how many it left out because they are multicast,
 * which no unicast route is to (RFC 4271 §6.3: semantically incorrect, to be ignored), or MALFORMED.
 */
export function decodeNlri(bytes: Uint8Array, at: number, end: number, addPath: boolean, into: PrefixBatch): number {
  return into.family === Family.Ipv4
    ? decodeIpv4(bytes, at, end, addPath, into)
    : decodeIpv6(bytes, at, end, addPath, into);
}

/** The most octets that one prefix takes. */
export function maxNlriLength(family: Family, addPath: boolean): number {
  return (family === Family.Ipv4 ? 5 : 17) + (addPath ? PATH_ID : 0);
}

function decodeIpv4(bytes: Uint8Array, from: number, end: number, addPath: boolean, into: PrefixBatch): number {
  let ignored = 0;
  let at = from;
  while (at < end) {
    let pathId = 0;
    if (addPath) {
      if (end - at <= PATH_ID) return MALFORMED;
      pathId = wordAt(bytes, at);
      at += PATH_ID;
    }
    const length = bytes[at++] ?? 0;
    const next = at + ((length + 7) >>> 3);
    if (length > 32 || next > end) return MALFORMED;
    const word = (leadingWord(bytes, at, length) & (-1 << (32 - length))) >>> 0;
    at = next;
    // 224.0.0.0/4 and what is in it.
    if (word >>> 28 === 0xe && length >= 4) ignored++;
    else into.add4(word, length, pathId);
  }
  return ignored;
}

function decodeIpv6(bytes: Uint8Array, from: number, end: number, addPath: boolean, into: PrefixBatch): number {
  let ignored = 0;
  let at = from;
  while (at < end) {
    let pathId = 0;
    if (addPath) {
      if (end - at <= PATH_ID) return MALFORMED;
      pathId = wordAt(bytes, at);
      at += PATH_ID;
    }
    const length = bytes[at++] ?? 0;
    const next = at + ((length + 7) >>> 3);
    if (length > 128 || next > end) return MALFORMED;
    const w0 = maskedWord(bytes, at, length);
    const w1 = length > 32 ? maskedWord(bytes, at + 4, length - 32) : 0;
    const w2 = length > 64 ? maskedWord(bytes, at + 8, length - 64) : 0;
    const w3 = length > 96 ? maskedWord(bytes, at + 12, length - 96) : 0;
    at = next;
    // ff00::/8 and what is in it.
    if (w0 >>> 24 === 0xff && length >= 8) ignored++;
    else into.add6(w0, w1, w2, w3, length, pathId);
  }
  return ignored;
}

/** Where an encoder stands: in the batch, and in the octets. */
export class NlriCursor {
  /** The next prefix. */
  index = 0;
  /** The next octet. */
  at = 0;
}

/** Writes prefixes of `from` from `cursor` on, until there are none or the next would pass `end`. */
export function encodeNlri(
  from: PrefixBatch,
  cursor: NlriCursor,
  out: Uint8Array,
  end: number,
  addPath: boolean,
): void {
  if (from.family === Family.Ipv4) encodeIpv4(from, cursor, out, end, addPath);
  else encodeIpv6(from, cursor, out, end, addPath);
}

function encodeIpv4(from: PrefixBatch, cursor: NlriCursor, out: Uint8Array, end: number, addPath: boolean): void {
  const { count, lengths, w0, pathIds } = from;
  const overhead = addPath ? PATH_ID + 1 : 1;
  let i = cursor.index;
  let at = cursor.at;
  for (; i < count; i++) {
    const length = lengths[i] ?? 0;
    if (at + overhead + ((length + 7) >>> 3) > end) break;
    if (addPath) at = putWord(out, at, pathIds[i] ?? 0, 32);
    out[at++] = length;
    at = putWord(out, at, w0[i] ?? 0, length);
  }
  cursor.index = i;
  cursor.at = at;
}

function encodeIpv6(from: PrefixBatch, cursor: NlriCursor, out: Uint8Array, end: number, addPath: boolean): void {
  const { count, lengths, w0, w1, w2, w3, pathIds } = from;
  const overhead = addPath ? PATH_ID + 1 : 1;
  let i = cursor.index;
  let at = cursor.at;
  for (; i < count; i++) {
    const length = lengths[i] ?? 0;
    if (at + overhead + ((length + 7) >>> 3) > end) break;
    if (addPath) at = putWord(out, at, pathIds[i] ?? 0, 32);
    out[at++] = length;
    at = putWord(out, at, w0[i] ?? 0, length);
    if (length > 32) at = putWord(out, at, w1[i] ?? 0, length - 32);
    if (length > 64) at = putWord(out, at, w2[i] ?? 0, length - 64);
    if (length > 96) at = putWord(out, at, w3[i] ?? 0, length - 96);
  }
  cursor.index = i;
  cursor.at = at;
}

/** Writes the octets of a word that its first `bits` bits need; returns where they end. */
function putWord(out: Uint8Array, from: number, word: number, bits: number): number {
  let at = from;
  if (bits > 0) out[at++] = word >>> 24;
  if (bits > 8) out[at++] = word >>> 16;
  if (bits > 16) out[at++] = word >>> 8;
  if (bits > 24) out[at++] = word;
  return at;
}

/** The 32 bits at `at` of which `bits` belong to the prefix. */
function maskedWord(bytes: Uint8Array, at: number, bits: number): number {
  return bits >= 32 ? wordAt(bytes, at) : (leadingWord(bytes, at, bits) & (-1 << (32 - bits))) >>> 0;
}

/** As many octets as `bits` need, in the high end of a word; bits beyond may be set. */
function leadingWord(bytes: Uint8Array, at: number, bits: number): number {
  if (bits > 16) {
    const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8);
    return bits > 24 ? high | (bytes[at + 3] ?? 0) : high;
  }
  if (bits > 8) return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16);
  return bits > 0 ? (bytes[at] ?? 0) << 24 : 0;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
  );
}
