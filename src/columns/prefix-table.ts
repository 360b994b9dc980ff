/** The destinations of one family: each prefix has a small dense id and a few words of its owner's beside its key. */

import { Family } from "../bgp/model/family.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import type { PrefixBatch } from "../bgp/model/prefix-batch.ts";
import { HashIndex } from "./hash-index.ts";
import { HASH_SEED } from "./hash-seed.ts";
import { Records } from "./records.ts";

/** The word after the key: the length, whether the record is in use, and how many hold it. */
const LENGTH = 0xff;
const LIVE = 0x100;
const MARKED = 0x200;
const HOLD = 0x400;
/** What of it belongs to the key. */
const KEY = LENGTH | LIVE;

/** Ids are reused after `remove`. -1 stands for "not there" in what this table returns, and nowhere else. */
export class PrefixTable {
  readonly family: Family;
  readonly #records: Records;
  readonly #index = new HashIndex();
  readonly #keyWords: number;
  readonly #payload: number;
  /** How many prefixes of each length there are; longest-prefix match probes only lengths in use. */
  readonly #lengths = new Int32Array(129);
  /** Of the entries of the batch that was last looked at. */
  #hashes = new Int32Array(64);
  /** What `look` loaded: a compiler could leave out loads whose outcome nobody might ask for. */
  protected touched = 0;

  /** `payloadWords`: 32-bit words that `get` and `set` offer for each prefix, 0 at first. */
  constructor(family: Family, payloadWords: number) {
    this.family = family;
    this.#keyWords = family === Family.Ipv4 ? 1 : 4;
    this.#payload = this.#keyWords + 1;
    this.#records = new Records(this.#payload + payloadWords);
  }

  get count(): number {
    return this.#records.count;
  }

  /** All ids lie below; not all of them are live. */
  get end(): number {
    return this.#records.end;
  }

  isLive(id: number): boolean {
    return id < this.#records.end && (this.#records.get(id, this.#keyWords) & LIVE) !== 0;
  }

  /** Host bits must be zero. The words may be signed or unsigned. */
  find(w0: number, w1: number, w2: number, w3: number, length: number): number {
    return this.#keyWords === 1
      ? this.#find4(hash4(w0 | 0, length), w0 | 0, length | LIVE)
      : this.#find6(hash6(w0, w1, w2, w3, length), w0 | 0, w1 | 0, w2 | 0, w3 | 0, length | LIVE);
  }

  findOrAdd(w0: number, w1: number, w2: number, w3: number, length: number): number {
    return this.#keyWords === 1
      ? this.#findOrAdd4(hash4(w0 | 0, length), w0 | 0, length)
      : this.#findOrAdd6(hash6(w0, w1, w2, w3, length), w0 | 0, w1 | 0, w2 | 0, w3 | 0, length);
  }

  /**
   * Before `findAt` and `findOrAddAt` for the entries of this batch. The index is far larger than the caches: with all
   * first looks at it in one loop the processor waits for them together, and not for one after the other.
   */
  look(batch: PrefixBatch): void {
    const { count, w0, w1, w2, w3, lengths } = batch;
    if (count > this.#hashes.length) this.#hashes = new Int32Array(count * 2);
    const hashes = this.#hashes;
    const index = this.#index;
    let touched = 0;
    if (this.#keyWords === 1) {
      for (let i = 0; i < count; i++) {
        const hash = hash4((w0[i] as number) | 0, lengths[i] as number);
        hashes[i] = hash;
        touched ^= index.touch(hash);
      }
    } else {
      for (let i = 0; i < count; i++) {
        const hash = hash6(w0[i] as number, w1[i] as number, w2[i] as number, w3[i] as number, lengths[i] as number);
        hashes[i] = hash;
        touched ^= index.touch(hash);
      }
    }
    this.touched = touched;
  }

  findAt(batch: PrefixBatch, i: number): number {
    const hash = this.#hashes[i] as number;
    const w0 = (batch.w0[i] as number) | 0;
    const key = (batch.lengths[i] as number) | LIVE;
    if (this.#keyWords === 1) return this.#find4(hash, w0, key);
    const { w1, w2, w3 } = batch;
    return this.#find6(hash, w0, (w1[i] as number) | 0, (w2[i] as number) | 0, (w3[i] as number) | 0, key);
  }

  findOrAddAt(batch: PrefixBatch, i: number): number {
    const hash = this.#hashes[i] as number;
    const w0 = (batch.w0[i] as number) | 0;
    const length = batch.lengths[i] as number;
    if (this.#keyWords === 1) return this.#findOrAdd4(hash, w0, length);
    const { w1, w2, w3 } = batch;
    return this.#findOrAdd6(hash, w0, (w1[i] as number) | 0, (w2[i] as number) | 0, (w3[i] as number) | 0, length);
  }

  #findOrAdd4(hash: number, w0: number, length: number): number {
    const found = this.#find4(hash, w0, length | LIVE);
    if (found >= 0) return found;
    const id = this.#records.allocate();
    const page = this.#records.page(id);
    const at = this.#records.offset(id);
    page[at] = w0;
    page[at + 1] = length | LIVE;
    this.#added(hash, id, length);
    return id;
  }

  #findOrAdd6(hash: number, w0: number, w1: number, w2: number, w3: number, length: number): number {
    const found = this.#find6(hash, w0, w1, w2, w3, length | LIVE);
    if (found >= 0) return found;
    const id = this.#records.allocate();
    const page = this.#records.page(id);
    const at = this.#records.offset(id);
    page[at] = w0;
    page[at + 1] = w1;
    page[at + 2] = w2;
    page[at + 3] = w3;
    page[at + 4] = length | LIVE;
    this.#added(hash, id, length);
    return id;
  }

  #added(hash: number, id: number, length: number): void {
    this.#index.insertHere(hash, id);
    this.#lengths[length] = (this.#lengths[length] as number) + 1;
  }

  #find4(hash: number, w0: number, key: number): number {
    const records = this.#records;
    const index = this.#index;
    for (let id = index.first(hash); id >= 0; id = index.next()) {
      const page = records.page(id);
      const at = records.offset(id);
      if (page[at] === w0 && ((page[at + 1] as number) & KEY) === key) return id;
    }
    return -1;
  }

  #find6(hash: number, w0: number, w1: number, w2: number, w3: number, key: number): number {
    const records = this.#records;
    const index = this.#index;
    for (let id = index.first(hash); id >= 0; id = index.next()) {
      const page = records.page(id);
      const at = records.offset(id);
      if (
        page[at] === w0 &&
        page[at + 1] === w1 &&
        page[at + 2] === w2 &&
        page[at + 3] === w3 &&
        ((page[at + 4] as number) & KEY) === key
      )
        return id;
    }
    return -1;
  }

  remove(id: number): void {
    const length = this.length(id);
    const hash =
      this.#keyWords === 1
        ? hash4(this.w0(id), length)
        : hash6(this.w0(id), this.w1(id), this.w2(id), this.w3(id), length);
    this.#index.remove(hash, id);
    this.#records.set(id, this.#keyWords, 0);
    this.#records.free(id);
    this.#lengths[length] = (this.#lengths[length] as number) - 1;
  }

  /** One more holds it: for owners that share prefixes and count who needs them. */
  hold(id: number): void {
    const page = this.#records.page(id);
    const at = this.#records.offset(id) + this.#keyWords;
    page[at] = (page[at] as number) + HOLD;
  }

  /** The last one to let go removes it. */
  release(id: number): void {
    const page = this.#records.page(id);
    const at = this.#records.offset(id) + this.#keyWords;
    const word = (page[at] as number) - HOLD;
    page[at] = word;
    if (word < HOLD) this.remove(id);
  }

  /** One bit for the owner; true if it was not set. */
  mark(id: number): boolean {
    const page = this.#records.page(id);
    const at = this.#records.offset(id) + this.#keyWords;
    const word = page[at] as number;
    page[at] = word | MARKED;
    return (word & MARKED) === 0;
  }

  unmark(id: number): void {
    const page = this.#records.page(id);
    const at = this.#records.offset(id) + this.#keyWords;
    page[at] = (page[at] as number) & ~MARKED;
  }

  get(id: number, field: number): number {
    return this.#records.get(id, this.#payload + field);
  }

  set(id: number, field: number, value: number): void {
    this.#records.set(id, this.#payload + field, value);
  }

  w0(id: number): number {
    return this.#records.get(id, 0);
  }

  w1(id: number): number {
    return this.#keyWords === 1 ? 0 : this.#records.get(id, 1);
  }

  w2(id: number): number {
    return this.#keyWords === 1 ? 0 : this.#records.get(id, 2);
  }

  w3(id: number): number {
    return this.#keyWords === 1 ? 0 : this.#records.get(id, 3);
  }

  length(id: number): number {
    return this.#records.get(id, this.#keyWords) & LENGTH;
  }

  /** True if some prefix of that length is in the table. */
  hasLength(length: number): boolean {
    return (this.#lengths[length] as number) > 0;
  }

  /** Adds the prefix to a batch of its family. */
  addTo(batch: PrefixBatch, id: number, pathId: number): void {
    const page = this.#records.page(id);
    const at = this.#records.offset(id);
    if (this.#keyWords === 1) batch.add4(page[at] as number, (page[at + 1] as number) & LENGTH, pathId);
    else
      batch.add6(
        page[at] as number,
        page[at + 1] as number,
        page[at + 2] as number,
        page[at + 3] as number,
        (page[at + 4] as number) & LENGTH,
        pathId,
      );
  }

  /** For people and tests; allocates. */
  prefix(id: number): Prefix {
    return {
      family: this.family,
      w0: this.w0(id) >>> 0,
      w1: this.w1(id) >>> 0,
      w2: this.w2(id) >>> 0,
      w3: this.w3(id) >>> 0,
      length: this.length(id),
    };
  }
}

function hash4(w0: number, length: number): number {
  let h = Math.imul(w0 ^ (length << 2) ^ HASH_SEED, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return h ^ (h >>> 13);
}

function hash6(w0: number, w1: number, w2: number, w3: number, length: number): number {
  let h = Math.imul(w0 ^ HASH_SEED, 0x9e3779b1) ^ length;
  h = Math.imul((h ^ (h >>> 15)) + w1, 0x85ebca6b);
  h = Math.imul((h ^ (h >>> 13)) + w2, 0xc2b2ae35);
  h = Math.imul((h ^ (h >>> 16)) + w3, 0x27d4eb2f);
  return h ^ (h >>> 15);
}
