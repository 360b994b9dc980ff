/**
 * From hashes to record ids: open addressing in segments of a few kilobytes, found by the upper bits of the hash (extendible hashing,
 * Fagin 1979). A full segment alone is split, so a table of a million entries never stops to rehash; and since the hashes stand
 * beside the ids, neither a search nor a split looks at a record whose hash is another: a cache miss saved for each.
 */

/** Words of a slot: the hash, then the id + 1; 0 there means that the slot is free. */
const WORDS = 2;
const FIRST_SLOTS = 64;
/** A segment that is not to be split is doubled: while it is small, or where its hashes share all bits that a split could go by. */
const SPLIT_SLOTS = 2048;
/** Slots in use, at most. Longer runs would cost more than the room saves. */
const LOAD = 3 / 4;

/** Of a segment that is being split. */
let scratch = new Int32Array(0);

interface Segment {
  readonly slots: Int32Array;
  used: number;
  /** It holds the hashes that agree in so many upper bits. */
  readonly depth: number;
}

export class HashIndex {
  /** By the upper `#depth` bits; a segment of less depth stands here several times. */
  #segments: Segment[] = [];
  /** Its slots, at the same place: a search needs no more. */
  #directory: Int32Array[] = [];
  #depth = 0;
  #count = 0;
  /** Where the search stands. */
  #slots: Int32Array = new Int32Array(0);
  #at = 0;
  #hash = 0;

  constructor() {
    this.#place({ slots: new Int32Array(FIRST_SLOTS * WORDS), used: 0, depth: 0 }, 0);
  }

  /** The first record of that hash, or -1; `next` gives the others. */
  first(hash: number): number {
    const slots = this.#directory[this.#number(hash)] as Int32Array;
    this.#slots = slots;
    this.#hash = hash | 0;
    this.#at = homeOf(hash) & (slots.length - 1);
    return this.#search();
  }

  /** The next record of the hash that `first` was asked for, or -1. Nothing may have been inserted or removed since. */
  next(): number {
    this.#at = (this.#at + WORDS) & (this.#slots.length - 1);
    return this.#search();
  }

  /** Loads what a search for this hash begins with; of no use but for that. */
  touch(hash: number): number {
    const slots = this.#directory[this.#number(hash)] as Int32Array;
    return slots[homeOf(hash) & (slots.length - 1)] as number;
  }

  /** Right after a search for this hash that found nothing: the record goes where that ended. */
  insertHere(hash: number, id: number): void {
    const segment = this.#segments[this.#number(hash)] as Segment;
    if (segment.used >= (segment.slots.length / WORDS) * LOAD) {
      this.insert(hash, id);
      return;
    }
    this.#slots[this.#at] = hash | 0;
    this.#slots[this.#at + 1] = id + 1;
    segment.used++;
    this.#count++;
  }

  insert(hash: number, id: number): void {
    let segment = this.#segments[this.#number(hash)] as Segment;
    while (segment.used >= (segment.slots.length / WORDS) * LOAD) {
      this.#enlarge(segment, hash);
      segment = this.#segments[this.#number(hash)] as Segment;
    }
    put(segment.slots, hash | 0, id + 1);
    segment.used++;
    this.#count++;
  }

  remove(hash: number, id: number): void {
    const segment = this.#segments[this.#number(hash)] as Segment;
    const { slots } = segment;
    const mask = slots.length - 1;
    let at = homeOf(hash) & mask;
    while (slots[at + 1] !== id + 1) at = (at + WORDS) & mask;
    closeGap(slots, at);
    segment.used--;
    this.#count--;
  }

  /** Where its segment stands in the directory. */
  #number(hash: number): number {
    // In two steps: a shift by 32 would be one by 0.
    return (hash >>> 1) >>> (31 - this.#depth);
  }

  #search(): number {
    const slots = this.#slots;
    const hash = this.#hash;
    const mask = slots.length - 1;
    let at = this.#at;
    for (;;) {
      const place = slots[at + 1] as number;
      if (place === 0) {
        this.#at = at;
        return -1;
      }
      if (slots[at] === hash) {
        this.#at = at;
        return place - 1;
      }
      at = (at + WORDS) & mask;
    }
  }

  #enlarge(segment: Segment, hash: number): void {
    const { slots, used, depth } = segment;
    const isSmall = slots.length < SPLIT_SLOTS * WORDS;
    // Hashes that are spread evenly need no more segments than this; others would only blow up the directory.
    if (isSmall || 2 ** depth * SPLIT_SLOTS > 8 * this.#count) {
      this.#place({ slots: rehash(slots, new Int32Array(slots.length * 2)), used, depth }, hash);
      return;
    }
    if (depth === this.#depth) this.#deepen();
    this.#split(segment);
  }

  #deepen(): void {
    this.#segments = this.#segments.flatMap((segment) => [segment, segment]);
    this.#directory = this.#segments.map(({ slots }) => slots);
    this.#depth++;
  }

  /** The lower half stays in the segment's slots, so that nothing is left behind. */
  #split({ slots, depth }: Segment): void {
    if (scratch.length < slots.length) scratch = new Int32Array(slots.length);
    const before = scratch;
    const { length } = slots;
    before.set(slots);
    slots.fill(0);
    const lower: Segment = { slots, used: 0, depth: depth + 1 };
    const upper: Segment = { slots: new Int32Array(length), used: 0, depth: depth + 1 };
    const bit = 1 << (31 - depth);
    let prefix = 0;
    for (let at = 0; at < length; at += WORDS) {
      const place = before[at + 1] as number;
      if (place === 0) continue;
      const hash = before[at] as number;
      const half = (hash & bit) === 0 ? lower : upper;
      put(half.slots, hash, place);
      half.used++;
      prefix = hash;
    }
    this.#place(lower, prefix & ~bit);
    this.#place(upper, prefix | bit);
  }

  /** Puts a segment wherever hashes that share its bits with `hash` are looked for. */
  #place(segment: Segment, hash: number): void {
    const places = 1 << (this.#depth - segment.depth);
    const from = this.#number(hash) & -places;
    for (let i = from; i < from + places; i++) {
      this.#segments[i] = segment;
      this.#directory[i] = segment.slots;
    }
  }
}

/** Where a search for this hash begins, by its lower bits. */
function homeOf(hash: number): number {
  return hash << 1;
}

function put(slots: Int32Array, hash: number, place: number): void {
  const mask = slots.length - 1;
  let at = homeOf(hash) & mask;
  while (slots[at + 1] !== 0) at = (at + WORDS) & mask;
  slots[at] = hash;
  slots[at + 1] = place;
}

function rehash(from: Int32Array, into: Int32Array): Int32Array {
  for (let at = 0; at < from.length; at += WORDS) {
    const place = from[at + 1] as number;
    if (place !== 0) put(into, from[at] as number, place);
  }
  return into;
}

/** Frees the slot `gap` and moves up whatever a search would no longer find behind it. */
function closeGap(slots: Int32Array, gap: number): void {
  const mask = slots.length - 1;
  let hole = gap;
  for (let at = (hole + WORDS) & mask; slots[at + 1] !== 0; at = (at + WORDS) & mask) {
    const home = homeOf(slots[at] as number) & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots[hole] = slots[at] as number;
    slots[hole + 1] = slots[at + 1] as number;
    hole = at;
  }
  slots[hole + 1] = 0;
}
