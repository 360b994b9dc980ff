/** Addresses of one family, found by the prefixes that hold them: "does this route change concern any of them" in one probe. */

import type { IpAddress } from "../bgp/model/address.ts";
import { wordMask } from "../bgp/model/prefix.ts";

const FIRST_SIZE = 64;

/** Chains of the addresses by their first `length` bits. Places are slot + 1; 0 ends a chain. */
interface Level {
  readonly length: number;
  readonly masks: Int32Array;
  heads: Int32Array;
  next: Int32Array;
  previous: Int32Array;
}

/** A level is made when a prefix of its length first changes: most of the 33 or 129 lengths never do. */
export class AddressIndex {
  readonly #levels: (Level | undefined)[] = [];
  #words = new Int32Array(FIRST_SIZE * 4);
  #live = new Uint8Array(FIRST_SIZE);
  readonly #free: number[] = [];
  #end = 0;

  /** A small dense number for the address; each address once. */
  add(address: IpAddress): number {
    const slot = this.#free.pop() ?? this.#end++;
    if (slot === this.#live.length) this.#grow();
    this.#words.set([address.w0 | 0, address.w1 | 0, address.w2 | 0, address.w3 | 0], slot * 4);
    this.#live[slot] = 1;
    for (const level of this.#levels) if (level !== undefined) this.#link(level, slot);
    return slot;
  }

  remove(slot: number): void {
    for (const level of this.#levels) if (level !== undefined) this.#unlink(level, slot);
    this.#live[slot] = 0;
    this.#free.push(slot);
  }

  /** The first address within the prefix, or -1. Host bits must be zero. */
  first(w0: number, w1: number, w2: number, w3: number, length: number): number {
    if (this.#end === this.#free.length) return -1;
    const level = this.#levels[length] ?? this.#build(length);
    const bucket = hash(w0 | 0, w1 | 0, w2 | 0, w3 | 0) & (level.heads.length - 1);
    return this.#search(level, (level.heads[bucket] as number) - 1, w0 | 0, w1 | 0, w2 | 0, w3 | 0);
  }

  /** The one after `slot`, or -1. */
  next(slot: number, w0: number, w1: number, w2: number, w3: number, length: number): number {
    const level = this.#levels[length];
    if (level === undefined) return -1;
    return this.#search(level, (level.next[slot] as number) - 1, w0 | 0, w1 | 0, w2 | 0, w3 | 0);
  }

  #search(level: Level, from: number, w0: number, w1: number, w2: number, w3: number): number {
    const { masks, next } = level;
    const words = this.#words;
    for (let slot = from; slot >= 0; slot = (next[slot] as number) - 1) {
      const at = slot * 4;
      if (
        ((words[at] as number) & (masks[0] as number)) === w0 &&
        ((words[at + 1] as number) & (masks[1] as number)) === w1 &&
        ((words[at + 2] as number) & (masks[2] as number)) === w2 &&
        ((words[at + 3] as number) & (masks[3] as number)) === w3
      ) {
        return slot;
      }
    }
    return -1;
  }

  #build(length: number): Level {
    const size = this.#live.length;
    const masks = Int32Array.from(([0, 1, 2, 3] as const).map((word) => wordMask(length, word)));
    const level: Level = {
      length,
      masks,
      heads: new Int32Array(size),
      next: new Int32Array(size),
      previous: new Int32Array(size),
    };
    for (let slot = 0; slot < this.#end; slot++) if (this.#live[slot] === 1) this.#link(level, slot);
    this.#levels[length] = level;
    return level;
  }

  #bucket(level: Level, slot: number): number {
    const at = slot * 4;
    const [m0 = 0, m1 = 0, m2 = 0, m3 = 0] = level.masks;
    const words = this.#words;
    return (
      hash(
        (words[at] as number) & m0,
        (words[at + 1] as number) & m1,
        (words[at + 2] as number) & m2,
        (words[at + 3] as number) & m3,
      ) &
      (level.heads.length - 1)
    );
  }

  #link(level: Level, slot: number): void {
    const bucket = this.#bucket(level, slot);
    const head = level.heads[bucket] as number;
    level.next[slot] = head;
    level.previous[slot] = 0;
    if (head > 0) level.previous[head - 1] = slot + 1;
    level.heads[bucket] = slot + 1;
  }

  #unlink(level: Level, slot: number): void {
    const next = level.next[slot] as number;
    const previous = level.previous[slot] as number;
    if (previous > 0) level.next[previous - 1] = next;
    else level.heads[this.#bucket(level, slot)] = next;
    if (next > 0) level.previous[next - 1] = previous;
  }

  /** Twice the room; the levels are made again when they are next asked for. */
  #grow(): void {
    const words = new Int32Array(this.#words.length * 2);
    words.set(this.#words);
    this.#words = words;
    const live = new Uint8Array(this.#live.length * 2);
    live.set(this.#live);
    this.#live = live;
    this.#levels.length = 0;
  }
}

function hash(w0: number, w1: number, w2: number, w3: number): number {
  let h = Math.imul(w0, 0x9e3779b1);
  h = Math.imul((h ^ (h >>> 15)) + w1, 0x85ebca6b);
  h = Math.imul((h ^ (h >>> 13)) + w2, 0xc2b2ae35);
  h = Math.imul((h ^ (h >>> 16)) + w3, 0x27d4eb2f);
  return h ^ (h >>> 15);
}
