/**
 * Drives the reconcilers: one bounded batch of requests after the other, with the event loop's turn in between. While the kernel works
 * off one, the next is made ready, so that it need not wait for us.
 */

import { familyName } from "../bgp/model/family.ts";
import type { Clock, Logger, Timer } from "../bgp/model/ports.ts";
import { errnoName } from "../sys/errno.ts";
import type { RequestPort } from "./netlink/socket.ts";
import type { Reconciler } from "./reconciler.ts";
import { type Answer, RequestBatch } from "./request-batch.ts";

/** Entries looked at in one slice, with or without a request. */
const LOOKED_AT = 4096;
const SECOND_SEQUENCE = 0x80000000;
const FIRST_RETRY_MILLISECONDS = 20;
const LAST_RETRY_MILLISECONDS = 5000;
const PARKED_PER_MILLISECOND = 100;

export interface WriterHooks {
  /** Nothing is queued any more. */
  idle(): void;
  /** What the kernel has is not what was thought. */
  resynchronise(): void;
}

export class Writer {
  readonly #socket: RequestPort;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #reconcilers: readonly Reconciler[];
  readonly #hooks: WriterHooks;
  /** The kernel has it, where one is under way. */
  #batch = new RequestBatch();
  /** Made ready meanwhile, and for whom; empty where `count` is 0. */
  #next = new RequestBatch(SECOND_SEQUENCE);
  #nextFor: Reconciler | undefined;
  #turn = 0;
  #scheduled = false;
  #underWay = false;
  readonly #whenPaused: (() => void)[] = [];
  #paused = true;
  #held = false;
  #closed = false;
  #retry: Timer | undefined;
  #retryDelay = FIRST_RETRY_MILLISECONDS;

  constructor(socket: RequestPort, clock: Clock, log: Logger, reconcilers: readonly Reconciler[], hooks: WriterHooks) {
    this.#socket = socket;
    this.#clock = clock;
    this.#log = log;
    this.#reconcilers = reconcilers;
    this.#hooks = hooks;
  }

  /** There may be something to write. `idle` follows in any case. */
  wake(): void {
    if (this.#scheduled || this.#isWaiting || this.#closed) return;
    this.#scheduled = true;
    this.#clock.soon(() => {
      this.#scheduled = false;
      this.#slice();
    });
  }

  /**
   * While the table is dumped nothing is written: a dump that runs beside our own changes would show neither before nor after.
   * `paused` follows when what is under way has been answered.
   */
  pause(paused: () => void): void {
    this.#paused = true;
    this.#putBackNext();
    if (this.#underWay) this.#whenPaused.push(paused);
    else paused();
  }

  resume(): void {
    this.#paused = false;
    this.wake();
  }

  /** What is wanted is noted and not written, whatever else happens, until `release`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.wake();
  }

  get #isWaiting(): boolean {
    return this.#paused || this.#held;
  }

  /** A link or an address came: what was refused for want of it has its chance at once. */
  retrySoon(): void {
    this.#retryDelay = FIRST_RETRY_MILLISECONDS;
    this.#retry?.cancel();
    this.#retry = undefined;
    this.retryLater();
  }

  /** Something changed that may or may not help: the more often it did not, the later. */
  retryLater(): void {
    const parked = this.#reconcilers.reduce((sum, r) => sum + r.parked, 0);
    if (this.#retry !== undefined || this.#closed || parked === 0) return;
    // A hundred thousand routes without their link are not tried at every event of some other link.
    const delay = Math.max(this.#retryDelay, parked / PARKED_PER_MILLISECOND);
    this.#retry = this.#clock.after(delay, () => {
      this.#retry = undefined;
      this.#retryDelay = Math.min(this.#retryDelay * 2, LAST_RETRY_MILLISECONDS);
      for (const reconciler of this.#reconcilers) reconciler.retryParked();
      this.wake();
    });
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
  }

  #slice(): void {
    if (this.#isWaiting || this.#closed) return;
    const reconciler = this.#nextFor ?? this.#whoseTurn();
    if (reconciler === undefined) {
      if (!this.#underWay) this.#rest();
      return;
    }
    reconciler.fill(this.#next, LOOKED_AT);
    this.#nextFor = this.#next.count === 0 ? undefined : reconciler;
    if (this.#underWay) return;
    if (this.#nextFor === undefined) this.wake();
    else this.#submit(this.#nextFor);
  }

  /** Nothing is queued, and nothing under way. */
  #rest(): void {
    if (this.#reconcilers.every((r) => r.parked === 0)) this.#retryDelay = FIRST_RETRY_MILLISECONDS;
    else if (this.#reconcilers.some((r) => r.transient)) this.retryLater();
    this.#hooks.idle();
  }

  /** What was made ready is under way from here on. */
  #submit(reconciler: Reconciler): void {
    const batch = this.#next;
    this.#next = this.#batch;
    this.#nextFor = undefined;
    this.#batch = batch;
    this.#underWay = true;
    batch.submit(this.#socket, (answer) => {
      this.#underWay = false;
      if (!this.#closed) this.#completed(reconciler, batch, answer);
    });
  }

  #completed(reconciler: Reconciler, batch: RequestBatch, answer: Answer): void {
    // First of all the kernel gets its next work: what it answered can be entered while it is at that.
    if (answer.kind === "answered" && this.#nextFor !== undefined) this.#submit(this.#nextFor);
    const pause = this.#answered(reconciler, batch, answer);
    batch.clear();
    if (reconciler.unexplained) {
      reconciler.unexplained = false;
      this.#hooks.resynchronise();
    }
    for (const run of this.#whenPaused.splice(0)) run();
    if (pause === 0) this.wake();
    else this.#clock.after(pause, () => this.wake());
  }

  #putBackNext(): void {
    this.#nextFor?.putBack(this.#next);
    this.#nextFor = undefined;
    this.#next.clear();
  }

  /** The families take turns. */
  #whoseTurn(): Reconciler | undefined {
    for (let i = 0; i < this.#reconcilers.length; i++) {
      this.#turn = (this.#turn + 1) % this.#reconcilers.length;
      const reconciler = this.#reconcilers[this.#turn];
      if (reconciler !== undefined && reconciler.queued > 0) return reconciler;
    }
    return undefined;
  }

  /** How long to wait before the next batch, in milliseconds. */
  #answered(reconciler: Reconciler, batch: RequestBatch, answer: Answer): number {
    switch (answer.kind) {
      case "answered":
        reconciler.apply(batch);
        return 0;
      case "lost":
        this.#log.warn({ family: familyName(reconciler.table.family), count: batch.count }, "kernel answers lost");
        reconciler.doubt(batch);
        return 0;
      case "refused": {
        reconciler.putBack(batch);
        this.#log.warn({ reason: errnoName(answer.errno), count: batch.count }, "kernel takes no routes");
        const delay = this.#retryDelay;
        this.#retryDelay = Math.min(delay * 2, LAST_RETRY_MILLISECONDS);
        return delay;
      }
    }
  }
}
