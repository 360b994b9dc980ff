/** The turns in which next hops are resolved again, and the destinations of those that fare differently put into the queue. */

import type { Clock, Timer } from "../bgp/model/ports.ts";
import type { NextHopTable } from "./next-hop.ts";

/** Next hops that are resolved again in one slice. */
const NEXT_HOPS = 256;
/** Milliseconds until those that did not come to rest are resolved again. */
const TRY_AGAIN = 10_000;

export class NextHopWork {
  readonly #nextHops: NextHopTable;
  readonly #clock: Clock;
  readonly #moved: (nextHops: readonly number[]) => void;
  readonly #wake: () => void;
  #tryAgain: Timer | undefined;

  /** `moved`: the paths of these are to be looked at. */
  constructor(nextHops: NextHopTable, clock: Clock, moved: (nextHops: readonly number[]) => void, wake: () => void) {
    this.#nextHops = nextHops;
    this.#clock = clock;
    this.#moved = moved;
    this.#wake = wake;
  }

  /** One slice; true while there is more. */
  work(): boolean {
    const moved = this.#nextHops.takeChanged(NEXT_HOPS);
    if (moved.length > 0) this.#moved(moved);
    if (this.#nextHops.isRestless)
      this.#tryAgain ??= this.#clock.after(TRY_AGAIN, () => {
        this.#tryAgain = undefined;
        this.#nextHops.tryAgain();
        this.#wake();
      });
    return moved.length > 0 || this.#nextHops.hasChanges;
  }
}
