/**
 * Attribute sets, each stored once: canonical bytes, a reference count, and in columns what the decision process reads
 * (RFC 4271 §9.1.2.2, RFC 4456 §9). The sets themselves are decoded again when policy or a person asks.
 */

import type { IpAddress } from "../bgp/model/address.ts";
import type { Origin, PathAttributes } from "../bgp/model/attributes.ts";
import { WellKnown } from "../bgp/model/community.ts";
import type { AttrsId } from "../bgp/model/ids.ts";
import type { AttributesCodec, AttributeView } from "../bgp/model/ports.ts";
import { ByteStore } from "../columns/byte-store.ts";
import { HashIndex } from "../columns/hash-index.ts";
import { HASH_SEED } from "../columns/hash-seed.ts";
import { Records } from "../columns/records.ts";

/** Next hops are interned too: the table holds one reference for each set that names them. */
export interface NextHopInterner {
  acquire(nextHop: IpAddress, linkLocal: IpAddress | undefined): number;
  release(id: number): void;
}

const Field = {
  Hash: 0,
  References: 1,
  Handle: 2,
  Bytes: 3,
  LocalPref: 4,
  Med: 5,
  Summary: 6,
  NeighborAs: 7,
  OriginatorId: 8,
  ClusterLength: 9,
  NextHop: 10,
} as const;
const STRIDE = 11;

/** Summary: path length in the low 16 bits, then ORIGIN (2 bits), then this. */
const LLGR_STALE = 1 << 18;

/** RFC 4271 §5.1.5 leaves the default to us; every implementation takes 100. */
export const DEFAULT_LOCAL_PREF = 100;

const DECODED = 2048;

/** Ids are 1 and up; 0 means no attributes. A set with no references left is forgotten at once. */
export class AttributeTable {
  readonly #codec: AttributesCodec;
  readonly #nextHops: NextHopInterner;
  readonly #records = new Records(STRIDE);
  readonly #bytes = new ByteStore();
  readonly #index = new HashIndex();
  /** For sets that come as objects, and for those that somebody reads. */
  readonly #encoded: AttributeView;
  readonly #reader: AttributeView;
  readonly #decoded: (PathAttributes | undefined)[] = new Array(DECODED);
  readonly #decodedId = new Int32Array(DECODED);

  constructor(codec: AttributesCodec, nextHops: NextHopInterner) {
    this.#codec = codec;
    this.#nextHops = nextHops;
    this.#encoded = codec.view();
    this.#reader = codec.view();
    this.#records.allocate(); // id 0 means "none"
  }

  /** Sets in use. */
  get count(): number {
    return this.#records.count - 1;
  }

  /** The set's id, with one reference more for the caller to release. */
  intern(attributes: PathAttributes): AttrsId {
    return this.internView(this.#encoded.load(this.#codec.encode(attributes)));
  }

  /** The same for a set that comes as its canonical bytes, which are copied. */
  internView(view: AttributeView): AttrsId {
    const { bytes, from, end } = view;
    const hash = hashBytes(bytes, from, end);
    for (let id = this.#index.first(hash); id >= 0; id = this.#index.next()) {
      const handle = this.#records.get(id, Field.Handle);
      if (this.#bytes.equals(handle, this.#records.get(id, Field.Bytes), bytes, from, end)) {
        this.retain(id as AttrsId, 1);
        return id as AttrsId;
      }
    }
    return this.#add(view, hash);
  }

  retain(id: AttrsId, references: number): void {
    this.#records.set(id, Field.References, this.#records.get(id, Field.References) + references);
  }

  release(id: AttrsId): void {
    const references = this.#records.get(id, Field.References) - 1;
    this.#records.set(id, Field.References, references);
    if (references === 0) this.#forget(id);
  }

  /** Frozen; the same object while it is asked for often. */
  attributes(id: AttrsId): PathAttributes {
    const slot = id & (DECODED - 1);
    const cached = this.#decoded[slot];
    if (cached !== undefined && this.#decodedId[slot] === id) return cached;
    const attributes = this.#codec.decode(this.bytes(id));
    this.#remember(id, attributes);
    return attributes;
  }

  /** A cursor on the set: the table's own, until the next call. */
  viewOf(id: AttrsId): AttributeView {
    return this.load(this.#reader, id);
  }

  /** Moves the cursor to the set; it holds while a reference is held. */
  load(view: AttributeView, id: AttrsId): AttributeView {
    const handle = this.#records.get(id, Field.Handle);
    const from = this.#bytes.offset(handle);
    return view.load(this.#bytes.slab(handle), from, from + this.#records.get(id, Field.Bytes));
  }

  /** The canonical bytes; a view, valid while a reference is held. */
  bytes(id: AttrsId): Uint8Array {
    return this.#bytes.view(this.#records.get(id, Field.Handle), this.#records.get(id, Field.Bytes));
  }

  localPref(id: AttrsId): number {
    return this.#records.get(id, Field.LocalPref) >>> 0;
  }

  med(id: AttrsId): number {
    return this.#records.get(id, Field.Med) >>> 0;
  }

  pathLength(id: AttrsId): number {
    return this.#records.get(id, Field.Summary) & 0xffff;
  }

  origin(id: AttrsId): Origin {
    return ((this.#records.get(id, Field.Summary) >>> 16) & 3) as Origin;
  }

  isLongLivedStale(id: AttrsId): boolean {
    return (this.#records.get(id, Field.Summary) & LLGR_STALE) !== 0;
  }

  neighborAs(id: AttrsId): number {
    return this.#records.get(id, Field.NeighborAs) >>> 0;
  }

  /** 0 when there is no ORIGINATOR_ID. */
  originatorId(id: AttrsId): number {
    return this.#records.get(id, Field.OriginatorId) >>> 0;
  }

  clusterLength(id: AttrsId): number {
    return this.#records.get(id, Field.ClusterLength);
  }

  nextHop(id: AttrsId): number {
    return this.#records.get(id, Field.NextHop);
  }

  #add(view: AttributeView, hash: number): AttrsId {
    const { bytes, from, end } = view;
    const id = this.#records.allocate();
    const page = this.#records.page(id);
    const at = this.#records.offset(id);
    page[at + Field.References] = 1;
    page[at + Field.Hash] = hash;
    page[at + Field.Handle] = this.#bytes.put(bytes, from, end);
    page[at + Field.Bytes] = end - from;
    page[at + Field.LocalPref] = view.localPref ?? DEFAULT_LOCAL_PREF;
    page[at + Field.Med] = view.med ?? 0;
    page[at + Field.Summary] = summarise(view);
    page[at + Field.NeighborAs] = view.neighborAs;
    page[at + Field.OriginatorId] = view.originatorId ?? 0;
    page[at + Field.ClusterLength] = view.clusterCount;
    page[at + Field.NextHop] = this.#nextHops.acquire(view.nextHop, view.linkLocalNextHop);
    this.#index.insert(hash, id);
    return id as AttrsId;
  }

  #forget(id: AttrsId): void {
    this.#index.remove(this.#records.get(id, Field.Hash), id);
    this.#bytes.free(this.#records.get(id, Field.Handle), this.#records.get(id, Field.Bytes));
    this.#nextHops.release(this.#records.get(id, Field.NextHop));
    const slot = id & (DECODED - 1);
    if (this.#decodedId[slot] === id) this.#decoded[slot] = undefined;
    this.#records.free(id);
  }

  #remember(id: number, attributes: PathAttributes): void {
    const slot = id & (DECODED - 1);
    this.#decoded[slot] = attributes;
    this.#decodedId[slot] = id;
  }
}

function summarise(view: AttributeView): number {
  const summary = Math.min(view.pathLength, 0xffff) | (view.origin << 16);
  return view.hasCommunity(WellKnown.LlgrStale) ? summary | LLGR_STALE : summary;
}

function hashBytes(bytes: Uint8Array, from: number, end: number): number {
  let h = 0x811c9dc5 ^ HASH_SEED;
  for (let i = from; i < end; i++) h = Math.imul(h ^ (bytes[i] as number), 0x01000193);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return h ^ (h >>> 13);
}
