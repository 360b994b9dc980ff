/** What one update group has to say, in order and encoded once: messages in slabs, in runs that share an audience. */

import type { PeerId } from "./model/ids.ts";
import type { Audience } from "./model/ports.ts";

const SLAB_BYTES = 65_536;

/** Whole messages in one slab for one audience; what follows it in the slab may be for another. */
export interface Run {
  readonly slab: Uint8Array;
  readonly start: number;
  end: number;
  messages: number;
  readonly kind: Audience["kind"];
  /** Whom it is for, or whom not; undefined for nobody. */
  readonly peer: PeerId | undefined;
  /** Octets of the log before this run. */
  readonly position: number;
}

/**
 * Runs are numbered for ever; the log forgets from the front what everybody has passed. Slabs are never written again once
 * they are full, and never reused: a socket may still hold on to their octets.
 */
export class MessageLog {
  readonly #runs: (Run | undefined)[] = [];
  #first = 0;
  #head = 0;
  #slab = new Uint8Array(0);
  #used = 0;
  #position = 0;
  #isSealed = false;

  /** The number that the next run will have. */
  get end(): number {
    return this.#first + this.#runs.length - this.#head;
  }

  /** Octets ever put in. */
  get position(): number {
    return this.#position;
  }

  /** Undefined past the end; runs before the front that `forget` set must not be asked for. */
  run(number: number): Run | undefined {
    return this.#runs[number - this.#first + this.#head];
  }

  /** Room for one more message at the least: a slab and where to write in it. */
  room(messageBytes: number): { readonly slab: Uint8Array; readonly at: number } {
    if (this.#slab.length - this.#used < messageBytes) this.#newSlab(messageBytes);
    return { slab: this.#slab, at: this.#used };
  }

  /** What was written since `room`, up to `end`, is for this audience. */
  commit(end: number, audience: Audience): void {
    const start = this.#used;
    if (end === start) return;
    const peer = audience.kind === "all" ? undefined : audience.kind === "joining" ? audience.except : audience.peer;
    const messages = countMessages(this.#slab, start, end);
    const last = this.#isSealed ? undefined : this.#runs.at(-1);
    this.#isSealed = false;
    if (
      last !== undefined &&
      last.slab === this.#slab &&
      last.end === start &&
      last.kind === audience.kind &&
      last.peer === peer
    ) {
      last.end = end;
      last.messages += messages;
    } else {
      this.#runs.push({ slab: this.#slab, start, end, messages, kind: audience.kind, peer, position: this.#position });
    }
    this.#used = end;
    this.#position += end - start;
  }

  /** Somebody reads to here, or from here: what comes next is a run of its own. Returns its number. */
  seal(): number {
    this.#isSealed = true;
    return this.end;
  }

  /** A message that was encoded elsewhere. */
  append(message: Uint8Array, audience: Audience): void {
    const { slab, at } = this.room(message.length);
    slab.set(message, at);
    this.commit(at + message.length, audience);
  }

  /** Nobody needs the runs before `number` any more. */
  forget(number: number): void {
    const count = Math.min(number, this.end) - this.#first;
    if (count <= 0) return;
    for (let i = 0; i < count; i++) this.#runs[this.#head + i] = undefined;
    this.#head += count;
    this.#first += count;
    // Moving what is left is worth it only when it is the smaller part.
    if (this.#head * 2 > this.#runs.length) {
      this.#runs.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#runs.length === 0) this.#closeSlab();
  }

  /** A slab with little room left is not kept for a rainy day when the log is empty. */
  #closeSlab(): void {
    if (this.#used * 2 > this.#slab.length) {
      this.#slab = new Uint8Array(0);
      this.#used = 0;
    }
  }

  #newSlab(messageBytes: number): void {
    // A quiet group needs no 64 KiB to say a few things: slabs grow while the log is busy.
    const grown = Math.min(SLAB_BYTES, Math.max(4096, this.#slab.length * 4));
    this.#slab = new Uint8Array(Math.max(grown, messageBytes));
    this.#used = 0;
  }
}

function countMessages(slab: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; count++) at += ((slab[at + 16] as number) << 8) | (slab[at + 17] as number);
  return count;
}
