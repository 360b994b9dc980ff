/** A line now, and then one line that sums up each ten seconds: what strangers can cause must not fill a disk. */

import type { Clock } from "./model/ports.ts";

const INTERVAL_MILLISECONDS = 10_000;

export class RateLimitedLog<T> {
  readonly #clock: Clock;
  readonly #write: (last: T, count: number) => void;
  #isQuiet = false;
  #count = 0;
  #last: T | undefined;

  /** `write` is told the last of `count` occurrences. */
  constructor(clock: Clock, write: (last: T, count: number) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  note(what: T): void {
    this.#count++;
    this.#last = what;
    if (!this.#isQuiet) this.#flush();
  }

  #flush(): void {
    this.#isQuiet = this.#last !== undefined;
    if (this.#last === undefined) return;
    const last = this.#last;
    const count = this.#count;
    this.#last = undefined;
    this.#count = 0;
    this.#clock.after(INTERVAL_MILLISECONDS, () => this.#flush());
    this.#write(last, count);
  }
}
