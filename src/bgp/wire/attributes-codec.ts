/**
 * A set of path attributes as bytes that two equal sets share: the key of interning, and what UPDATEs are copied from.
 *
 *   octet 0      length of the next hop: 4, 16, or 32 with a link-local one (RFC 2545 §3)
 *   octets 1-4   where the attributes after NEXT_HOP begin, from octet 0
 *   then         the next hop
 *   then         ORIGIN and AS_PATH
 *   then         MULTI_EXIT_DISC and all others, in ascending order of type
 *
 * Attributes look as they do on the wire of a session with four-octet AS numbers, the Partial bit set on those that are not
 * known (RFC 4271 §5) and on those that came with it, so that an UPDATE takes them as they are: with a NEXT_HOP put in between, or with an MP_REACH_NLRI in front.
 */

import type { PathAttributes } from "../model/attributes.ts";
import { InternalError } from "../model/errors.ts";
import type { AttributesCodec } from "../model/ports.ts";
import { type AttributeContext, AttributeFlag } from "./attributes/contract.ts";
import { AttributeDraft, finishDraft, markPartial } from "./attributes/draft.ts";
import { encodeFollowing, encodeLeading, GIANT_LENGTH } from "./attributes/encode.ts";
import { decodeMpNextHop, encodeMpNextHop } from "./attributes/mp-reach.ts";
import { attributeRow } from "./attributes/registry.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

const SPLIT_AT = 1;
/** Where the next hop stands in the canonical bytes. */
export const NEXT_HOP_AT = 5;

const CANONICAL: AttributeContext = { internal: true, fourOctetAs: true };

export function createAttributesCodec(): AttributesCodec {
  const w = new Writer(512);
  return {
    encode(attributes) {
      w.clear();
      const { nextHop, linkLocalNextHop } = attributes;
      w.reserve(NEXT_HOP_AT);
      encodeMpNextHop({ nextHop, linkLocal: linkLocalNextHop }, w);
      w.patch8(0, w.length - NEXT_HOP_AT);
      encodeLeading(attributes, w, CANONICAL);
      const split = w.length;
      w.patch16(SPLIT_AT, split >>> 16);
      w.patch16(SPLIT_AT + 2, split);
      encodeFollowing(attributes, w, CANONICAL);
      return w.toBytes();
    },
    decode: decodeCanonical,
  };
}

/** Where the attributes after NEXT_HOP begin. */
export function canonicalSplit(bytes: Uint8Array): number {
  return new Reader(bytes, SPLIT_AT).u32();
}

export function decodeCanonical(bytes: Uint8Array): PathAttributes {
  const r = new Reader(bytes);
  const nextHopLength = r.u8();
  r.u32();
  const { nextHop, linkLocal } = decodeMpNextHop(r.slice(nextHopLength));
  const draft = new AttributeDraft();
  while (r.remaining > 0) {
    const flags = r.u8();
    const type = r.u8();
    const value = r.slice(
      (flags & GIANT_LENGTH) !== 0 ? r.u32() : (flags & AttributeFlag.ExtendedLength) !== 0 ? r.u16() : r.u8(),
    );
    const row = attributeRow(type);
    if (row === undefined) {
      draft.unknown ??= [];
      draft.unknown.push({
        type,
        flags: flags & ~(AttributeFlag.ExtendedLength | GIANT_LENGTH),
        value: value.bytes(value.remaining).slice(),
      });
    } else if (!row.decodeInto(value, CANONICAL, draft)) {
      throw new InternalError(`the canonical bytes hold a malformed ${row.rules.name}`);
    } else if ((flags & AttributeFlag.Partial) !== 0) {
      markPartial(type, draft);
    }
  }
  const { origin, asPath } = draft;
  if (origin === undefined || asPath === undefined) {
    throw new InternalError("the canonical bytes lack ORIGIN or AS_PATH");
  }
  return finishDraft(draft, origin, asPath, nextHop, linkLocal);
}
