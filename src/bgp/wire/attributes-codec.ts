/** Path attributes to and from the canonical bytes of canonical-layout.ts. */

import type { PathAttributes } from "../model/attributes.ts";
import { InternalError } from "../model/errors.ts";
import type { AttributesCodec } from "../model/ports.ts";
import { CanonicalRewriter } from "./attribute-rewriter.ts";
import { CanonicalView } from "./attribute-view.ts";
import { type AttributeContext, AttributeFlag } from "./attributes/contract.ts";
import { AttributeDraft, finishDraft, markPartial } from "./attributes/draft.ts";
import { encodeFollowing, encodeLeading } from "./attributes/encode.ts";
import { decodeMpNextHop, encodeMpNextHop } from "./attributes/mp-reach.ts";
import { attributeRow } from "./attributes/registry.ts";
import { GIANT_LENGTH, NEXT_HOP_AT, SPLIT_AT } from "./canonical-layout.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

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
    view: () => new CanonicalView(),
    rewriter: () => new CanonicalRewriter(),
  };
}

/** Where the attributes after NEXT_HOP begin. */
export function canonicalSplit(bytes: Uint8Array): number {
  const at = SPLIT_AT;
  return (
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
  );
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
