/** Slots that were withdrawn lately: one who falls behind before he has written the withdrawal must hear of it all the same. */

import { IdQueue } from "../columns/id-queue.ts";

/** Places in the log are kept in this many octets, so that a 32-bit number holds them for two terabytes. */
const UNIT = 1024;

export class RecentWithdrawals {
  readonly #slots = new IdQueue();
  readonly #places = new IdQueue();

  get count(): number {
    return this.#slots.count;
  }

  /** `position`: octets in the log when the withdrawal was in it. */
  add(slot: number, position: number): void {
    this.#slots.push(slot);
    this.#places.push(Math.floor(position / UNIT) + 1);
  }

  /** The oldest slot whose withdrawal everybody has written, or -1. */
  take(slowest: number, position: number): number {
    if (slowest < position && this.#places.peek() > Math.floor(slowest / UNIT)) return -1;
    this.#places.shift();
    return this.#slots.shift();
  }

  values(): Iterable<number> {
    return this.#slots.values();
  }
}
