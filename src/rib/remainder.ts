/**
 * What somebody has still to be told, or taken back from, of what one update group has advertised: found by a walk over its
 * AdjRibOut that goes on when there is time, instead of a list made at once. What the walk would miss is set apart as it changes.
 */

import { IdSet } from "../columns/id-columns.ts";
import type { AdjRibOut } from "./adj-rib-out.ts";
import type { GroupSlots } from "./group-slots.ts";

export class Remainder {
  readonly #out: AdjRibOut;
  readonly #slots: GroupSlots;
  readonly #end: number;
  #at = 0;
  /** Held, each of them. */
  readonly #apart = new IdSet();
  #apartAt = 0;

  constructor(out: AdjRibOut, slots: GroupSlots) {
    this.#out = out;
    this.#slots = slots;
    this.#end = slots.end;
  }

  /** The walk has still to come to this slot. */
  isAhead(slot: number): boolean {
    return slot >= this.#at && slot < this.#end;
  }

  setApart(slot: number): void {
    if (this.#apart.add(slot)) this.#slots.hold(slot);
  }

  /** A slot that has its turn, or -1 when none is left. */
  next(): number {
    while (this.#at < this.#end) {
      const slot = this.#at++;
      if (this.#out.attrs(slot) !== 0) return slot;
    }
    if (this.#apart.count === 0) return -1;
    const { end } = this.#slots;
    let slot = this.#apart.next(this.#apartAt, end);
    if (slot < 0) slot = this.#apart.next(0, end);
    this.#apartAt = slot + 1;
    return slot;
  }

  /** True if it was set apart: it is held, and the caller lets go of it. */
  take(slot: number): boolean {
    return this.#apart.delete(slot);
  }

  /** The slots set apart are the other's as well. */
  addTo(other: Remainder): void {
    for (const slot of this.#apart.values(this.#slots.end)) other.setApart(slot);
  }

  /** Nobody wants it any more. */
  letGo(): void {
    if (this.#apart.count === 0) return;
    for (const slot of this.#apart.values(this.#slots.end)) if (this.take(slot)) this.#slots.release(slot);
  }
}
