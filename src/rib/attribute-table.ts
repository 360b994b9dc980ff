/**
 * Attribute sets, each stored once: canonical bytes, a reference count, and in columns what the decision process reads
 * (RFC 4271 §9.1.2.2, RFC 4456 §9). The sets themselves are decoded again when policy or a person asks.
 */

import type { IpAddress } from "../bgp/model/address.ts";
import { neighborAs, pathLength } from "../bgp/model/as-path.ts";
import type { Origin, PathAttributes } from "../bgp/model/attributes.ts";
import { WellKnown } from "../bgp/model/community.ts";
import type { AttrsId } from "../bgp/model/ids.ts";
import type { AttributesCodec } from "../bgp/model/ports.ts";
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
  Generation: 11,
} as const;
const STRIDE = 12;

/** Summary: path length in the low 16 bits, then ORIGIN (2 bits), then this. */
const LLGR_STALE = 1 << 18;

/** RFC 4271 §5.1.5 leaves the default to us; every implementation takes 100. */
export const DEFAULT_LOCAL_PREF = 100;

const DECODED = 2048;
const GENERATIONS = 2 ** 26;

/** Ids are 1 and up; 0 means no attributes. A set with no references left is forgotten at once. */
export class AttributeTable {
  readonly #codec: AttributesCodec;
  readonly #nextHops: NextHopInterner;
  readonly #records = new Records(STRIDE);
  readonly #bytes = new ByteStore();
  readonly #index = new HashIndex();
  /** From a frozen object to its id and the id's generation in one number, so that a reused id is not mistaken for it. */
  readonly #known = new WeakMap<PathAttributes, number>();
  readonly #decoded: (PathAttributes | undefined)[] = new Array(DECODED);
  readonly #decodedId = new Int32Array(DECODED);

  constructor(codec: AttributesCodec, nextHops: NextHopInterner) {
    this.#codec = codec;
    this.#nextHops = nextHops;
    this.#records.allocate(); // id 0 means "none"
  }

  /** Sets in use. */
  get count(): number {
    return this.#records.count - 1;
  }

  /** The set's id, with one reference more for the caller to release. */
  intern(attributes: PathAttributes): AttrsId {
    const known = this.#known.get(attributes);
    if (known !== undefined) {
      const id = Math.floor(known / GENERATIONS);
      if (this.#records.get(id, Field.Generation) === known % GENERATIONS) {
        this.retain(id as AttrsId, 1);
        return id as AttrsId;
      }
    }
    const id = this.#internBytes(this.#codec.encode(attributes), attributes);
    this.#known.set(attributes, id * GENERATIONS + this.#records.get(id, Field.Generation));
    return id;
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

  #internBytes(bytes: Uint8Array, attributes: PathAttributes): AttrsId {
    const hash = hashBytes(bytes);
    for (let id = this.#index.first(hash); id >= 0; id = this.#index.next()) {
      if (this.#bytes.equals(this.#records.get(id, Field.Handle), this.#records.get(id, Field.Bytes), bytes)) {
        this.retain(id as AttrsId, 1);
        return id as AttrsId;
      }
    }
    const id = this.#records.allocate();
    const generation = this.#nextGeneration;
    this.#nextGeneration = (generation + 1) % GENERATIONS;
    this.#records.set(id, Field.Generation, generation);
    this.#records.set(id, Field.References, 1);
    this.#records.set(id, Field.Hash, hash);
    this.#records.set(id, Field.Handle, this.#bytes.put(bytes));
    this.#records.set(id, Field.Bytes, bytes.length);
    this.#records.set(id, Field.LocalPref, attributes.localPref ?? DEFAULT_LOCAL_PREF);
    this.#records.set(id, Field.Med, attributes.med ?? 0);
    this.#records.set(id, Field.Summary, summarise(attributes));
    this.#records.set(id, Field.NeighborAs, neighborAs(attributes.asPath));
    this.#records.set(id, Field.OriginatorId, attributes.originatorId ?? 0);
    this.#records.set(id, Field.ClusterLength, attributes.clusterList.length);
    this.#records.set(id, Field.NextHop, this.#nextHops.acquire(attributes.nextHop, attributes.linkLocalNextHop));
    this.#index.insert(hash, id);
    this.#remember(id, attributes);
    return id as AttrsId;
  }

  #nextGeneration = 1;

  #forget(id: AttrsId): void {
    this.#index.remove(this.#records.get(id, Field.Hash), id);
    this.#bytes.free(this.#records.get(id, Field.Handle), this.#records.get(id, Field.Bytes));
    this.#nextHops.release(this.#records.get(id, Field.NextHop));
    this.#records.set(id, Field.Generation, -1);
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

function summarise(attributes: PathAttributes): number {
  let summary = Math.min(pathLength(attributes.asPath), 0xffff) | (attributes.origin << 16);
  for (const community of attributes.communities) {
    if (community === WellKnown.LlgrStale) summary |= LLGR_STALE;
  }
  return summary;
}

function hashBytes(bytes: Uint8Array): number {
  let h = 0x811c9dc5 ^ HASH_SEED;
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ (bytes[i] as number), 0x01000193);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return h ^ (h >>> 13);
}
