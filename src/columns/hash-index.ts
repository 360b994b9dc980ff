/**
 * A chained hash over records, grown by linear hashing (Litwin 1980): each insertion splits at most one bucket, so a table of
 * a million entries never stops to rehash.
 */

import type { Records } from "./records.ts";

const PAGE_SHIFT = 14;
const PAGE_MASK = (1 << PAGE_SHIFT) - 1;
const FIRST_SIZE = 1024;

export class HashIndex {
  readonly #records: Records;
  readonly #nextField: number;
  readonly #hashOf: (id: number) => number;
  /** Heads of the chains as id + 1; 0 ends a chain, as everywhere in these tables. */
  readonly #pages: Int32Array[] = [new Int32Array(1 << PAGE_SHIFT)];
  #buckets = FIRST_SIZE;
  #lowMask = FIRST_SIZE - 1;
  #count = 0;

  /** `nextField` is the word of a record that this index may use as its link. */
  constructor(records: Records, nextField: number, hashOf: (id: number) => number) {
    this.#records = records;
    this.#nextField = nextField;
    this.#hashOf = hashOf;
  }

  /** The first record whose hash may be `hash`, or -1. */
  first(hash: number): number {
    const bucket = this.#bucket(hash);
    return ((this.#pages[bucket >>> PAGE_SHIFT] as Int32Array)[bucket & PAGE_MASK] as number) - 1;
  }

  /** The record after `id` in its chain, or -1. */
  next(id: number): number {
    return this.#records.get(id, this.#nextField) - 1;
  }

  insert(hash: number, id: number): void {
    this.#push(this.#bucket(hash), id);
    if (++this.#count > this.#buckets) this.#split();
  }

  remove(hash: number, id: number): void {
    const bucket = this.#bucket(hash);
    const page = this.#pages[bucket >>> PAGE_SHIFT] as Int32Array;
    const after = this.#records.get(id, this.#nextField);
    let at = (page[bucket & PAGE_MASK] as number) - 1;
    if (at === id) page[bucket & PAGE_MASK] = after;
    else {
      for (let next = this.next(at); next !== id; next = this.next(at)) at = next;
      this.#records.set(at, this.#nextField, after);
    }
    this.#count--;
  }

  #bucket(hash: number): number {
    const low = hash & this.#lowMask;
    const high = hash & ((this.#lowMask << 1) | 1);
    return high < this.#buckets ? high : low;
  }

  #push(bucket: number, id: number): void {
    const page = this.#pages[bucket >>> PAGE_SHIFT] as Int32Array;
    this.#records.set(id, this.#nextField, page[bucket & PAGE_MASK] as number);
    page[bucket & PAGE_MASK] = id + 1;
  }

  #split(): void {
    const target = this.#buckets++;
    const source = target - (this.#lowMask + 1);
    if (target >>> PAGE_SHIFT === this.#pages.length) this.#pages.push(new Int32Array(1 << PAGE_SHIFT));
    const highMask = (this.#lowMask << 1) | 1;
    const page = this.#pages[source >>> PAGE_SHIFT] as Int32Array;
    let id = (page[source & PAGE_MASK] as number) - 1;
    page[source & PAGE_MASK] = 0;
    while (id >= 0) {
      const next = this.next(id);
      this.#push((this.#hashOf(id) & highMask) === target ? target : source, id);
      id = next;
    }
    if (this.#buckets === (this.#lowMask + 1) * 2) this.#lowMask = highMask;
  }
}
