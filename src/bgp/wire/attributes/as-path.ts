/** AS_PATH, RFC 4271 §5.1.2, with AS numbers of two or four octets (RFC 6793 §4.1). */

import { type AsPath, type AsPathSegment, SegmentType } from "../../model/as-path.ts";
import { AS_TRANS, type Asn } from "../../model/ids.ts";
import { UpdateSubcode } from "../../model/messages.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { type AttributeCodec, WELL_KNOWN } from "./contract.ts";

/** The count of a segment is one octet. */
const MAX_SEGMENT = 255;
const MAX_TWO_OCTET_AS = 0xffff;

export const asPath: AttributeCodec<AsPath> = {
  type: 2,
  name: "AS_PATH",
  flags: WELL_KNOWN,
  length: "any",
  onError: "withdraw",
  section: "RFC 7606 §7.2",
  subcode: UpdateSubcode.MalformedAsPath,
  decode(r, { internal, fourOctetAs }) {
    const path = decodeSegments(r, fourOctetAs);
    // RFC 5065 §5: only a member of the same confederation may send its segments, and starling is in none.
    if (!internal && path?.some(isConfederation)) return undefined;
    return path;
  },
  isPlain: areSegmentsPlain,
  encode(path, w, { fourOctetAs }) {
    encodeSegments(path, w, fourOctetAs);
  },
};

/**
 * RFC 7606 §7.2: a segment of an unknown type, of no AS numbers or of more than there are makes the path malformed.
 * RFC 7607 §2: so does AS 0.
 */
export function decodeSegments(r: Reader, fourOctetAs: boolean): AsPath | undefined {
  const path: AsPathSegment[] = [];
  const size = fourOctetAs ? 4 : 2;
  while (r.remaining > 0) {
    if (r.remaining < 2) return undefined;
    const type = r.u8();
    const count = r.u8();
    if (type < SegmentType.Set || type > SegmentType.ConfedSet || count === 0 || count * size > r.remaining) {
      return undefined;
    }
    const asns: Asn[] = [];
    for (let i = 0; i < count; i++) {
      const asn = fourOctetAs ? r.u32() : r.u16();
      if (asn === 0) return undefined;
      asns.push(asn as Asn);
    }
    path.push({ type: type as SegmentType, asns });
  }
  return path;
}

/** Without the segments of confederations, which are rare, and not for every peer to send. */
function areSegmentsPlain(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; ) {
    const type = bytes[at] as number;
    if (type !== SegmentType.Sequence && type !== SegmentType.Set) return false;
    const count = at + 1 < end ? (bytes[at + 1] as number) : 0;
    at += 2;
    const next = at + 4 * count;
    if (count === 0 || next > end) return false;
    for (; at < next; at += 4) if (!isNonZero(bytes, at)) return false;
  }
  return true;
}

/** The four octets at `at` are not all 0. */
export function isNonZero(bytes: Uint8Array, at: number): boolean {
  return (
    ((bytes[at] as number) | (bytes[at + 1] as number) | (bytes[at + 2] as number) | (bytes[at + 3] as number)) !== 0
  );
}

export function encodeSegments(path: AsPath, w: Writer, fourOctetAs: boolean): void {
  for (const { type, asns } of path) {
    for (let from = 0; from < asns.length; from += MAX_SEGMENT) {
      const to = Math.min(from + MAX_SEGMENT, asns.length);
      w.u8(type);
      w.u8(to - from);
      for (let i = from; i < to; i++) {
        const asn = asns[i] ?? 0;
        if (fourOctetAs) w.u32(asn);
        else w.u16(asn > MAX_TWO_OCTET_AS ? AS_TRANS : asn);
      }
    }
  }
}

/** RFC 6793 §4.2.2: AS4_PATH goes along when AS_PATH alone would lose a number. */
export function needsFourOctets(path: AsPath): boolean {
  return path.some((segment) => !isConfederation(segment) && segment.asns.some((asn) => asn > MAX_TWO_OCTET_AS));
}

export function isConfederation({ type }: AsPathSegment): boolean {
  return type === SegmentType.ConfedSequence || type === SegmentType.ConfedSet;
}
