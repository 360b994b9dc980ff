/** What an update group counts by: destinations, or single paths where it sends all of them (RFC 7911). */

import type { PathId } from "../bgp/model/ids.ts";
import type { FamilyTable } from "./family-table.ts";

/** A slot that is held is not used again for another destination or path. */
export class GroupSlots {
  readonly #table: FamilyTable;
  readonly #addPath: boolean;

  constructor(table: FamilyTable, addPath: boolean) {
    this.#table = table;
    this.#addPath = addPath;
  }

  /** All slots lie below. */
  get end(): number {
    return this.#addPath ? this.#table.paths.end : this.#table.prefixes.end;
  }

  prefix(slot: number): number {
    return this.#addPath ? this.#table.paths.prefix(slot) : slot;
  }

  /** RFC 7911 §3 leaves Path Identifiers to the sender; the path's own id is unique, and never 0. */
  identifier(slot: number): number {
    return this.#addPath ? slot + 1 : 0;
  }

  hold(slot: number): void {
    if (this.#addPath) this.#table.paths.addAdvertisers(slot, 1);
    else this.#table.hold(slot);
  }

  release(slot: number): void {
    if (this.#addPath) {
      this.#table.paths.addAdvertisers(slot, -1);
      this.#table.reclaim(slot as PathId);
    } else this.#table.release(slot);
  }
}
