/**
 * The messages of one update group, each encoded once: slabs of 64 KiB in a row, and in each the runs of messages that
 * are for the same members. A message never crosses from one slab into the next.
 */

import type { PeerId } from "./model/ids.ts";

/** The longest message (RFC 8654) fits. */
export const SLAB_LENGTH = 65536;

export const RunKind = { All: 0, Except: 1, Only: 2, Joining: 3 } as const;
export type RunKind = (typeof RunKind)[keyof typeof RunKind];

/** Whoever is not named. */
export const NOBODY = 0 as PeerId;

const FIRST_RUNS = 64;
const POOLED_SLABS = 8;

export class Slab {
  readonly bytes: Uint8Array;
  /** Where it begins in the log. */
  start = 0;
  used = 0;
  /** Messages in it. */
  messages = 0;
  next: Slab | undefined = undefined;
  /** Members that still need it or one after it. */
  readers = 0;
  /** Somebody may still be writing from it after all have let go. */
  isLent = false;
  /** Runs: where each ends, for whom it is, and how many messages there are up to its end. */
  runs = 0;
  /** Runs that are not for everybody but one at most. */
  specials = 0;
  ends = new Int32Array(FIRST_RUNS);
  kinds = new Uint8Array(FIRST_RUNS);
  peers = new Int32Array(FIRST_RUNS);
  counts = new Int32Array(FIRST_RUNS);
  #viewFrom = -1;
  #viewTo = -1;
  #view: Uint8Array | undefined = undefined;

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafeSlow(length);
  }

  /** What many members ask for one after the other is made once. */
  view(from: number, to: number): Uint8Array {
    if (this.#view === undefined || from !== this.#viewFrom || to !== this.#viewTo) {
      this.#viewFrom = from;
      this.#viewTo = to;
      this.#view = this.bytes.subarray(from, to);
    }
    return this.#view;
  }

  /** The next run, from `run` on, that everybody but `peer` gets; -1 if none. Only without `specials`. */
  exception(peer: PeerId, run: number): number {
    const found = this.peers.indexOf(peer, run);
    return found < this.runs ? found : -1;
  }

  addRun(kind: RunKind, peer: PeerId): void {
    const run = this.runs++;
    if (run === this.ends.length) this.#grow();
    this.kinds[run] = kind;
    this.peers[run] = peer;
    if (kind !== RunKind.All && kind !== RunKind.Except) this.specials++;
  }

  reset(start: number): void {
    this.start = start;
    this.used = 0;
    this.messages = 0;
    this.next = undefined;
    this.runs = 0;
    this.specials = 0;
    this.#view = undefined;
  }

  #grow(): void {
    const capacity = this.ends.length * 2;
    const wider = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const copy = new Int32Array(capacity);
      copy.set(column);
      return copy;
    };
    this.ends = wider(this.ends);
    this.peers = wider(this.peers);
    this.counts = wider(this.counts);
    const kinds = new Uint8Array(capacity);
    kinds.set(this.kinds);
    this.kinds = kinds;
  }
}

/** Slabs that nobody needs, kept for the next log that needs one. Shared by all logs of a speaker. */
export class SlabPool {
  readonly #free: Slab[] = [];

  take(start: number): Slab {
    const slab = this.#free.pop() ?? new Slab(SLAB_LENGTH);
    slab.reset(start);
    return slab;
  }

  give(slab: Slab): void {
    const isWhole = slab.bytes.length === SLAB_LENGTH;
    if (isWhole && !slab.isLent && this.#free.length < POOLED_SLABS) this.#free.push(slab);
  }
}

export class MessageLog {
  readonly #pool: SlabPool;
  #head: Slab;
  #tail: Slab;
  #mayExtend = false;

  constructor(pool: SlabPool) {
    this.#pool = pool;
    this.#head = emptySlab(0);
    this.#tail = this.#head;
  }

  /** The slab that is being written. */
  get tail(): Slab {
    return this.#tail;
  }

  /** Where the oldest slab that somebody needs begins. */
  get start(): number {
    return this.#head.start;
  }

  /** Octets ever put into the log. */
  get position(): number {
    return this.#tail.start + this.#tail.used;
  }

  /** `length` octets in `messages` messages have been written behind what the tail held. */
  append(kind: RunKind, peer: PeerId, length: number, messages: number): void {
    const slab = this.#tail;
    const last = slab.runs - 1;
    if (!this.#mayExtend || last < 0 || slab.kinds[last] !== kind || slab.peers[last] !== peer) slab.addRun(kind, peer);
    this.#mayExtend = true;
    slab.used += length;
    slab.messages += messages;
    slab.ends[slab.runs - 1] = slab.used;
    slab.counts[slab.runs - 1] = slab.messages;
  }

  /** What comes next is for other members even if it looks the same: who is joining has changed. */
  breakRun(): void {
    this.#mayExtend = false;
  }

  /** Goes on in a new slab. */
  turnOver(): void {
    const slab = this.#pool.take(this.position);
    this.#tail.next = slab;
    this.#tail = slab;
    this.#trim();
  }

  /** Nobody reads any more: keeps no slab until something is written. */
  rest(): void {
    this.#trim();
    const { position } = this;
    this.#pool.give(this.#tail);
    this.#head = emptySlab(position);
    this.#tail = this.#head;
  }

  hold(slab: Slab): void {
    slab.readers++;
  }

  release(slab: Slab): void {
    slab.readers--;
    if (slab === this.#head) this.#trim();
  }

  #trim(): void {
    while (this.#head.readers === 0 && this.#head.next !== undefined) {
      const slab = this.#head;
      this.#head = this.#head.next;
      this.#pool.give(slab);
    }
  }
}

/** One without room, from which the first message turns over to a real one. */
function emptySlab(start: number): Slab {
  const slab = new Slab(0);
  slab.reset(start);
  return slab;
}
