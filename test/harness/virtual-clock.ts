/** A Clock that a test moves: timers fire in order, at their times, and `soon` runs when the test lets it. */

import type { Clock, Timer } from "../../src/bgp/model/ports.ts";

interface Waiting {
  readonly at: number;
  readonly run: () => void;
  isCancelled: boolean;
}

const WALL_START = Date.UTC(2026, 0, 1);
/** A test that runs more than this at one moment runs for ever. */
const MANY = 1_000_000;

export class VirtualClock implements Clock {
  #now = 0;
  #soon: (() => void)[] = [];
  #timers: Waiting[] = [];

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return WALL_START + this.#now;
  }

  after(milliseconds: number, run: () => void): Timer {
    const timer: Waiting = { at: this.#now + Math.max(0, milliseconds), run, isCancelled: false };
    // Behind those of the same time.
    let at = this.#timers.length;
    while (at > 0 && (this.#timers[at - 1] as Waiting).at > timer.at) at--;
    this.#timers.splice(at, 0, timer);
    return {
      cancel: () => {
        timer.isCancelled = true;
      },
    };
  }

  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Everything that needs no time to pass. */
  settle(): void {
    for (let n = 0; this.#soon.length > 0; n++) {
      if (n > MANY) throw new RangeError("the test never comes to rest");
      const batch = this.#soon;
      this.#soon = [];
      for (const run of batch) run();
    }
  }

  /** Lets that much time pass. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    this.settle();
    for (let next = this.#timers[0]; next !== undefined && next.at <= until; next = this.#timers[0]) {
      this.#timers.shift();
      if (next.isCancelled) continue;
      this.#now = Math.max(this.#now, next.at);
      next.run();
      this.settle();
    }
    this.#now = until;
  }

  advanceSeconds(seconds: number): void {
    this.advance(seconds * 1000);
  }

  /** Time passes without anybody getting to do anything: the machine was suspended, or the event loop was held. */
  jump(milliseconds: number): void {
    this.#now += milliseconds;
  }

  get pendingTimers(): number {
    return this.#timers.filter((t) => !t.isCancelled).length;
  }
}
