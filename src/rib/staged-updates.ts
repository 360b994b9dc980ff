/** One slice of an update group's work, gathered by what it says and to whom, so that each UPDATE is packed as full as it can be. */

import type { AttrsId, PeerId } from "../bgp/model/ids.ts";
import type { Audience, Outbox } from "../bgp/model/ports.ts";
import { PrefixBatch } from "../bgp/model/prefix-batch.ts";
import type { AttributeTable } from "./attribute-table.ts";
import type { FamilyTable } from "./family-table.ts";

export const To = { All: 0, Except: 1, Only: 2, Joining: 3, JoiningExcept: 4 } as const;
export type To = (typeof To)[keyof typeof To];

const CAPACITY = 4096;
const SLOTS = CAPACITY * 2;

/** Room for CAPACITY entries; `emit` empties it. */
export class StagedUpdates {
  readonly #table: FamilyTable;
  readonly #attributes: AttributeTable;
  readonly #batch: PrefixBatch;
  readonly #prefix = new Int32Array(CAPACITY);
  readonly #identifier = new Int32Array(CAPACITY);
  readonly #next = new Int32Array(CAPACITY);
  #count = 0;
  /** Buckets: (attributes, audience) in the order of their first entry. */
  readonly #attrs = new Int32Array(CAPACITY);
  readonly #to = new Uint8Array(CAPACITY);
  readonly #peer = new Int32Array(CAPACITY);
  readonly #head = new Int32Array(CAPACITY);
  readonly #tail = new Int32Array(CAPACITY);
  #buckets = 0;
  /** Open addressing from a bucket's key to its number + 1. */
  readonly #slots = new Int32Array(SLOTS);
  /** Which of them a bucket has. */
  readonly #taken = new Int32Array(CAPACITY);

  constructor(table: FamilyTable, attributes: AttributeTable) {
    this.#table = table;
    this.#attributes = attributes;
    this.#batch = new PrefixBatch(table.family, CAPACITY);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count > CAPACITY - 4;
  }

  /** `attrs` 0 withdraws. Until `emit`, the attributes must stay referenced and the prefix held. */
  stage(prefix: number, identifier: number, attrs: AttrsId, to: To, peer: PeerId): void {
    const entry = this.#count++;
    this.#prefix[entry] = prefix;
    this.#identifier[entry] = identifier;
    this.#next[entry] = -1;
    const bucket = this.#bucket(attrs, to, peer);
    if (this.#head[bucket] === -1) this.#head[bucket] = entry;
    else this.#next[this.#tail[bucket] as number] = entry;
    this.#tail[bucket] = entry;
  }

  emit(outbox: Outbox): void {
    if (this.#count === 0) return;
    for (let bucket = 0; bucket < this.#buckets; bucket++) {
      this.#fill(this.#head[bucket] as number);
      const audience = audienceOf(this.#to[bucket] as To, this.#peer[bucket] as PeerId);
      const attrs = this.#attrs[bucket] as AttrsId;
      if (attrs === 0) outbox.withdraw(this.#batch, audience);
      else outbox.announce(this.#attributes.bytes(attrs), this.#batch, audience);
    }
    this.#count = 0;
    for (const slot of this.#taken.subarray(0, this.#buckets)) this.#slots[slot] = 0;
    this.#buckets = 0;
  }

  #bucket(attrs: AttrsId, to: To, peer: PeerId): number {
    let slot = (Math.imul(attrs, 0x9e3779b1) ^ Math.imul(peer * 8 + to, 0x85ebca6b)) & (SLOTS - 1);
    for (;;) {
      const bucket = (this.#slots[slot] as number) - 1;
      if (bucket < 0) break;
      if (this.#attrs[bucket] === attrs && this.#to[bucket] === to && this.#peer[bucket] === peer) return bucket;
      slot = (slot + 1) & (SLOTS - 1);
    }
    const bucket = this.#buckets++;
    this.#slots[slot] = bucket + 1;
    this.#taken[bucket] = slot;
    this.#attrs[bucket] = attrs;
    this.#to[bucket] = to;
    this.#peer[bucket] = peer;
    this.#head[bucket] = -1;
    return bucket;
  }

  #fill(head: number): void {
    const prefixes = this.#table.prefixes;
    this.#batch.clear();
    for (let entry = head; entry >= 0; entry = this.#next[entry] as number) {
      const id = this.#prefix[entry] as number;
      prefixes.addTo(this.#batch, id, this.#identifier[entry] as number);
    }
  }
}

const ALL: Audience = { kind: "all" };
const JOINING: Audience = { kind: "joining", except: undefined };

function audienceOf(to: To, peer: PeerId): Audience {
  switch (to) {
    case To.All:
      return ALL;
    case To.Except:
      return { kind: "except", peer };
    case To.Only:
      return { kind: "only", peer };
    case To.Joining:
      return JOINING;
    default:
      return { kind: "joining", except: peer };
  }
}
