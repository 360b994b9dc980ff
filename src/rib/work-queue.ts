/** Work that waits, done in slices: the event loop is never held longer than a budget, and sockets are read in between. */

import type { Clock } from "../bgp/model/ports.ts";

/** Does one small slice, and less when time is up; true while there is more. */
export type Slice = (isTimeUp: () => boolean) => boolean;

const BUDGET_MILLISECONDS = 2;

export class WorkQueue {
  readonly #clock: Clock;
  readonly #slices: readonly Slice[];
  readonly #afterwards: () => void;
  #scheduled = false;
  #held = false;

  /** Each turn runs the slices round and round until all are idle or the budget is spent, then `afterwards` once. */
  constructor(clock: Clock, slices: readonly Slice[], afterwards: () => void) {
    this.#clock = clock;
    this.#slices = slices;
    this.#afterwards = afterwards;
  }

  /** There is work. Cheap when it has been said before. */
  wake(): void {
    if (this.#scheduled || this.#held) return;
    this.#scheduled = true;
    this.#clock.soon(() => this.#turn());
  }

  /** Nothing is done until `release`: route selection deferral (RFC 4724 §4.1). */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.wake();
  }

  get isHeld(): boolean {
    return this.#held;
  }

  get isIdle(): boolean {
    return !this.#scheduled;
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#held) return;
    const until = this.#clock.now() + BUDGET_MILLISECONDS;
    const isTimeUp = () => this.#clock.now() >= until;
    let more: boolean;
    // Once at least: a machine that is held up between two looks at the clock must get on all the same.
    do {
      more = false;
      for (const slice of this.#slices) if (slice(isTimeUp)) more = true;
    } while (more && !isTimeUp());
    if (more) this.wake();
    this.#afterwards();
  }
}
