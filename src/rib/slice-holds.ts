/** What one slice of an update group's work holds until its messages are out, so that no id comes to mean something else. */

import type { FamilyTable } from "./family-table.ts";
import type { GroupSlots } from "./group-slots.ts";

export class SliceHolds {
  readonly #table: FamilyTable;
  readonly #slots: GroupSlots;
  readonly #heldPrefixes: number[] = [];
  readonly #heldSlots: number[] = [];

  constructor(table: FamilyTable, slots: GroupSlots) {
    this.#table = table;
    this.#slots = slots;
  }

  /** The caller held it; this lets go. */
  addPrefix(prefix: number): void {
    this.#heldPrefixes.push(prefix);
  }

  /** The caller held it; this lets go. */
  addSlot(slot: number): void {
    this.#heldSlots.push(slot);
  }

  release(): void {
    for (const prefix of this.#heldPrefixes) this.#table.release(prefix);
    this.#heldPrefixes.length = 0;
    for (const slot of this.#heldSlots) this.#slots.release(slot);
    this.#heldSlots.length = 0;
  }
}
