/** A set of attributes as octets, in ascending order of type as RFC 4271 §5 recommends. */

import type { PathAttributes, UnknownAttribute } from "../../model/attributes.ts";
import { GIANT_LENGTH } from "../canonical-layout.ts";
import type { Writer } from "../writer.ts";
import { aggregator } from "./aggregator.ts";
import { asPath, needsFourOctets } from "./as-path.ts";
import { as4Aggregator } from "./as4-aggregator.ts";
import { as4Path } from "./as4-path.ts";
import { atomicAggregate } from "./atomic-aggregate.ts";
import { clusterList } from "./cluster-list.ts";
import { communities } from "./communities.ts";
import { type AttributeCodec, type AttributeContext, AttributeFlag, OPTIONAL_TRANSITIVE } from "./contract.ts";
import { extendedCommunities } from "./extended-communities.ts";
import { largeCommunities } from "./large-communities.ts";
import { localPref } from "./local-pref.ts";
import { multiExitDisc } from "./multi-exit-disc.ts";
import { onlyToCustomer } from "./only-to-customer.ts";
import { origin } from "./origin.ts";
import { originatorId } from "./originator-id.ts";

interface Column {
  readonly type: number;
  encode(attributes: PathAttributes, w: Writer, context: AttributeContext): void;
}

function column<T>(codec: AttributeCodec<T>, read: (a: PathAttributes, c: AttributeContext) => T | undefined): Column {
  return {
    type: codec.type,
    encode(attributes, w, context) {
      const value = read(attributes, context);
      if (value === undefined) return;
      const partial = attributes.partial.includes(codec.type) ? AttributeFlag.Partial : 0;
      encodeAttribute(codec, value, w, context, codec.flags | partial);
    },
  };
}

/** Undefined for an empty list, which is left out. */
function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** From MULTI_EXIT_DISC on. */
const REST: readonly Column[] = [
  column(multiExitDisc, (a) => a.med),
  column(localPref, (a) => a.localPref),
  column(atomicAggregate, (a) => (a.atomicAggregate ? true : undefined)),
  column(aggregator, (a) => a.aggregator),
  column(communities, (a) => some(a.communities)),
  column(originatorId, (a) => a.originatorId),
  column(clusterList, (a) => some(a.clusterList)),
  column(extendedCommunities, (a) => some(a.extendedCommunities)),
  // RFC 6793 §4.2.2: what the two-octet fields cannot say goes along in four octets.
  column(as4Path, (a, c) => (!c.fourOctetAs && needsFourOctets(a.asPath) ? a.asPath : undefined)),
  column(as4Aggregator, (a, c) =>
    !c.fourOctetAs && (a.aggregator?.asNumber ?? 0) > 0xffff ? a.aggregator : undefined,
  ),
  column(largeCommunities, (a) => some(a.largeCommunities)),
  column(onlyToCustomer, (a) => a.onlyToCustomer),
];

/** ORIGIN and AS_PATH, which are always there. NEXT_HOP would follow. */
export function encodeLeading(attributes: PathAttributes, w: Writer, context: AttributeContext): void {
  encodeAttribute(origin, attributes.origin, w, context);
  encodeAttribute(asPath, attributes.asPath, w, context);
}

/** Everything that follows NEXT_HOP. */
export function encodeFollowing(attributes: PathAttributes, w: Writer, context: AttributeContext): void {
  const unknown =
    attributes.unknown.length > 1 ? attributes.unknown.toSorted((a, b) => a.type - b.type) : attributes.unknown;
  let done = 0;
  for (const known of REST) {
    while (done < unknown.length) {
      const attribute = unknown[done];
      if (attribute === undefined || attribute.type > known.type) break;
      encodeUnknown(attribute, w);
      done++;
    }
    known.encode(attributes, w, context);
  }
  for (const attribute of unknown.slice(done)) encodeUnknown(attribute, w);
}

/** Flags, type, length and value of one attribute. */
export function encodeAttribute<T>(
  codec: AttributeCodec<T>,
  value: T,
  w: Writer,
  context: AttributeContext,
  flags = codec.flags,
): void {
  const at = beginAttribute(w, flags, codec.type);
  codec.encode(value, w, context);
  endAttribute(w, at, flags);
}

/** RFC 4271 §5: whoever passes on what it does not know sets the Partial bit. */
function encodeUnknown({ type, value }: UnknownAttribute, w: Writer): void {
  const flags = OPTIONAL_TRANSITIVE | AttributeFlag.Partial;
  const at = beginAttribute(w, flags, type);
  w.bytes(value);
  endAttribute(w, at, flags);
}

function beginAttribute(w: Writer, flags: number, type: number): number {
  const at = w.length;
  w.u8(flags);
  w.u8(type);
  w.u8(0);
  return at;
}

function endAttribute(w: Writer, at: number, flags: number): void {
  const length = w.length - at - 3;
  if (length <= 0xff) {
    w.patch8(at + 2, length);
  } else if (length <= 0xffff) {
    w.patch8(at, flags | AttributeFlag.ExtendedLength);
    w.widen(at + 2, 1);
    w.patch16(at + 2, length);
  } else {
    w.patch8(at, flags | AttributeFlag.ExtendedLength | GIANT_LENGTH);
    w.widen(at + 2, 3);
    w.patch16(at + 2, length >>> 16);
    w.patch16(at + 4, length);
  }
}
