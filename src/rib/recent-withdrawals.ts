/** Slots that were withdrawn lately: one who falls behind before he has written the withdrawal must hear of it all the same. */

import type { Outbox } from "../bgp/model/ports.ts";
import { IdQueue } from "../columns/id-queue.ts";
import type { GroupSlots } from "./group-slots.ts";

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

  /** Lets go of those, `limit` at most, whose withdrawal everybody has written; true if there may be more. */
  settle(outbox: Pick<Outbox, "slowest" | "position">, limit: number, slots: GroupSlots): boolean {
    // To find the slowest takes a look at each member.
    if (this.#slots.count === 0) return false;
    const { slowest, position } = outbox;
    for (let n = 0; n < limit; n++) {
      const slot = this.#take(slowest, position);
      if (slot < 0) return false;
      slots.release(slot);
    }
    return true;
  }

  values(): Iterable<number> {
    return this.#slots.values();
  }

  /** The oldest slot whose withdrawal everybody has written, or -1. */
  #take(slowest: number, position: number): number {
    if (slowest < position && this.#places.peek() > Math.floor(slowest / UNIT)) return -1;
    this.#places.shift();
    return this.#slots.shift();
  }
}
