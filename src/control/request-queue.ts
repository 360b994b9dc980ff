/** What clients ask for, begun in slices: a client that sends a thousand requests at once must not hold up the sessions. */

import type { Clock } from "../bgp/model/ports.ts";

const SLICE_MILLISECONDS = 4;

export class RequestQueue {
  readonly #clock: Pick<Clock, "now" | "soon">;
  #waiting: (() => void)[] = [];
  #next = 0;
  #isScheduled = false;

  constructor(clock: Pick<Clock, "now" | "soon">) {
    this.#clock = clock;
  }

  /** `begin` is called later, in the order of the calls. */
  add(begin: () => void): void {
    this.#waiting.push(begin);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.soon(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    const until = this.#clock.now() + SLICE_MILLISECONDS;
    for (let begin = this.#waiting[this.#next]; begin !== undefined; begin = this.#waiting[this.#next]) {
      this.#next++;
      begin();
      if (this.#clock.now() >= until) break;
    }
    if (this.#next < this.#waiting.length) this.#schedule();
    else {
      this.#waiting = [];
      this.#next = 0;
    }
  }
}
