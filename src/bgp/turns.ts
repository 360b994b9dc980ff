/** Who works next, and for how long: no peer that floods, and no group with a thousand members, holds the event loop. */

import type { Clock } from "./model/ports.ts";

export interface Task {
  /** Works until there is nothing more or the clock reads `until`. True while there is more. */
  work(until: number): boolean;
}

/** What is read and what is written have a turn each between two looks at the sockets, and the tables theirs. */
const TURN_MILLISECONDS = 2;
/** One task of several gets this much before the next has its go. */
const SLICE_MILLISECONDS = 1;

/** Round robin in turns of a few milliseconds; between turns the event loop does everything else. */
export class Turns {
  readonly #clock: Clock;
  /** In the order in which they were woken. */
  readonly #waiting = new Set<Task>();
  #scheduled = false;
  /** For work done outside `#turn`, since the event loop last came round. */
  #until = 0;
  #isOpen = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isWaiting(task: Task): boolean {
    return this.#waiting.has(task);
  }

  /** Later, in its turn. A task may wake itself while it works. */
  wake(task: Task): void {
    this.#waiting.add(task);
    this.#schedule();
  }

  /** Now, as far as this round of the event loop still has room; otherwise in its turn. True if it is done. */
  run(task: Task): boolean {
    if (this.#waiting.size === 0) {
      const now = this.#clock.now();
      if (!this.#isOpen) {
        this.#isOpen = true;
        this.#until = now + TURN_MILLISECONDS;
        this.#schedule();
      }
      if (now < this.#until && !task.work(Math.min(this.#until, now + SLICE_MILLISECONDS))) return true;
    }
    this.wake(task);
    return false;
  }

  forget(task: Task): void {
    this.#waiting.delete(task);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.soon(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    this.#isOpen = false;
    let now = this.#clock.now();
    const until = now + TURN_MILLISECONDS;
    for (const task of this.#waiting) {
      this.#waiting.delete(task);
      const alone = this.#waiting.size === 0;
      // Added again it comes last, and this loop comes to it as long as there is time.
      if (task.work(alone ? until : Math.min(until, now + SLICE_MILLISECONDS))) this.#waiting.add(task);
      now = this.#clock.now();
      if (now >= until) break;
    }
    if (this.#waiting.size > 0) this.#schedule();
  }
}
