/** One member of an update group: how far it has read the shared log, and what it alone still gets when it fell behind. */

import { type MessageLog, RunKind, type Slab } from "./message-log.ts";
import type { PeerId } from "./model/ids.ts";

/** Where the messages for one peer go: its session. */
export interface MessageSink {
  /** It takes nothing sensible now; the owner of the outbox is told when it does again. */
  readonly isBlocked: boolean;
  /** Octets that it took and has not got rid of. */
  readonly unsent: number;
  /** Whole messages: `updates` of them are UPDATEs. Not copied. */
  write(bytes: Uint8Array, updates: number): void;
  cork(): void;
  uncork(): void;
  /** A ROUTE-REFRESH is on its way among what is written. */
  countRouteRefresh(): void;
}

export interface Chunk {
  readonly bytes: Uint8Array;
  readonly updates: number;
}

/** A stretch of the log in which it takes what is for those who are joining, and what it is sent at the end of it. */
interface Telling {
  readonly from: number;
  /** Infinite until the end is known. */
  to: number;
  readonly endOfRib: boolean;
  endOfRefresh: boolean;
}

export class OutboxMember {
  readonly peer: PeerId;
  readonly sink: MessageSink;
  /** Of its own, because it has fallen behind; undefined while it reads the log. */
  backlog: Chunk[] | undefined = undefined;
  /** Its owner has been asked for more and has given nothing since. */
  hasAsked = false;
  readonly #log: MessageLog;
  /** The oldest slab that it, or its connection, may still read. */
  #held: Slab;
  #slab: Slab;
  #at: number;
  #run: number;
  #count: number;
  #tellings: Telling[];
  /** Markers that were dropped with its part of the log. */
  #owesEndOfRib = false;
  #owesEndOfRefresh = false;

  constructor(peer: PeerId, sink: MessageSink, log: MessageLog) {
    this.peer = peer;
    this.sink = sink;
    this.#log = log;
    this.#slab = log.tail;
    this.#held = log.tail;
    this.#at = 0;
    this.#run = 0;
    this.#count = 0;
    this.#tellings = [];
    log.hold(this.#held);
    this.#moveToEnd();
  }

  get position(): number {
    return this.#slab.start + this.#at;
  }

  get hasUnread(): boolean {
    return this.#at < this.#slab.used || this.#slab.next !== undefined;
  }

  /** It is being told the table: for the first time, or again. */
  startTelling(endOfRib: boolean, endOfRefresh: boolean): void {
    const open = this.#openTelling();
    if (open !== undefined) {
      open.endOfRefresh ||= endOfRefresh;
      return;
    }
    this.#log.breakRun();
    this.#tellings.push({ from: this.#log.position, to: Number.POSITIVE_INFINITY, endOfRib, endOfRefresh });
  }

  /** The table is complete. Which markers say so: End-of-RIB, EoRR, both or none. */
  dueMarkers(): { readonly endOfRib: boolean; readonly endOfRefresh: boolean } {
    const open = this.#openTelling();
    return {
      endOfRib: this.#owesEndOfRib || open?.endOfRib === true,
      endOfRefresh: this.#owesEndOfRefresh || open?.endOfRefresh === true,
    };
  }

  /** After its markers have been put into the log. */
  stopTelling(): void {
    this.#owesEndOfRib = false;
    this.#owesEndOfRefresh = false;
    const open = this.#openTelling();
    if (open === undefined) return;
    this.#log.breakRun();
    open.to = this.#log.position;
  }

  /** Gives what the log has for it, at most to the end of one slab. */
  write(): void {
    if (this.#at === this.#slab.used && this.#slab.next !== undefined) {
      this.#slab = this.#slab.next;
      this.#at = 0;
      this.#run = 0;
      this.#count = 0;
    }
    const slab = this.#slab;
    if (this.#at < slab.used) {
      if (slab.specials === 0) this.#writeShared(slab);
      else this.#writeSelected(slab);
      this.#moveTo(slab);
      if (this.#tellings.length > 0) this.#forgetTellings();
    }
    this.#letGo();
  }

  /** What it has not read is dropped; from here on it gets only what is given to it alone. */
  fallBehind(): void {
    this.#lend();
    this.#owesEndOfRib ||= this.#tellings.some((t) => t.endOfRib);
    this.#owesEndOfRefresh ||= this.#tellings.some((t) => t.endOfRefresh);
    this.#tellings = [];
    this.backlog = [];
    this.hasAsked = false;
    this.#moveToEnd();
  }

  /** It reads the log again, from here on. */
  rejoin(): void {
    this.backlog = undefined;
    this.#log.hold(this.#log.tail);
    this.#held = this.#log.tail;
    this.#moveToEnd();
  }

  /** It is gone, or behind. */
  leave(): void {
    if (this.backlog === undefined) this.#lend();
  }

  /** All that is there, but for the few runs that came from this peer. */
  #writeShared(slab: Slab): void {
    const { sink, peer } = this;
    let hole = slab.exception(peer, this.#run);
    if (hole < 0) {
      sink.write(slab.view(this.#at, slab.used), slab.messages - this.#count);
      return;
    }
    let at = this.#at;
    let count = this.#count;
    sink.cork();
    while (hole >= 0) {
      const end = hole === 0 ? 0 : (slab.ends[hole - 1] as number);
      if (end > at) sink.write(slab.view(at, end), (slab.counts[hole - 1] as number) - count);
      at = slab.ends[hole] as number;
      count = slab.counts[hole] as number;
      hole = slab.exception(peer, hole + 1);
    }
    if (slab.used > at) sink.write(slab.view(at, slab.used), slab.messages - count);
    sink.uncork();
  }

  /** Run by run, because some are for few. */
  #writeSelected(slab: Slab): void {
    const { sink } = this;
    let from = this.#at;
    let fromCount = this.#count;
    let at = from;
    let count = fromCount;
    sink.cork();
    for (let run = this.#run; run < slab.runs; run++) {
      const end = slab.ends[run] as number;
      if (end <= at) continue;
      if (!this.#isFor(slab, run, at)) {
        if (at > from) sink.write(slab.view(from, at), count - fromCount);
        from = end;
        fromCount = slab.counts[run] as number;
      }
      at = end;
      count = slab.counts[run] as number;
    }
    if (at > from) sink.write(slab.view(from, at), count - fromCount);
    sink.uncork();
  }

  #isFor(slab: Slab, run: number, at: number): boolean {
    const peer = slab.peers[run];
    switch (slab.kinds[run] as RunKind) {
      case RunKind.All:
        return true;
      case RunKind.Except:
        return peer !== this.peer;
      case RunKind.Only:
        return peer === this.peer;
      default:
        return peer !== this.peer && this.#isToldAt(slab.start + at);
    }
  }

  #isToldAt(position: number): boolean {
    for (const telling of this.#tellings) if (position >= telling.from && position < telling.to) return true;
    return false;
  }

  #openTelling(): Telling | undefined {
    const last = this.#tellings.at(-1);
    return last?.to === Number.POSITIVE_INFINITY ? last : undefined;
  }

  #forgetTellings(): void {
    const { position } = this;
    while (this.#tellings[0] !== undefined && this.#tellings[0].to <= position) this.#tellings.shift();
  }

  #moveToEnd(): void {
    this.#slab = this.#log.tail;
    this.#moveTo(this.#slab);
  }

  #moveTo(slab: Slab): void {
    this.#at = slab.used;
    // The last run may yet become longer.
    this.#run = Math.max(0, slab.runs - 1);
    this.#count = slab.messages;
  }

  /** What the connection has sent is not needed any more. */
  #letGo(): void {
    if (this.#held === this.#slab || this.sink.unsent > 0) return;
    this.#log.hold(this.#slab);
    this.#log.release(this.#held);
    this.#held = this.#slab;
  }

  /** Lets go of all slabs; those that its connection may still be sending from must not be written again. */
  #lend(): void {
    if (this.sink.unsent > 0) {
      for (let slab: Slab | undefined = this.#held; slab !== undefined; slab = slab.next) {
        slab.isLent = true;
        if (slab === this.#slab) break;
      }
    }
    this.#log.release(this.#held);
  }
}
