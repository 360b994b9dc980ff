/** AdjRibOut of one update group: what its members have been told, as one column and never per peer. */

import type { AttrsId, PeerId } from "../bgp/model/ids.ts";
import { IdColumn } from "../columns/id-columns.ts";
import type { AttributeTable } from "./attribute-table.ts";

/** A slot is a prefix id, or a path id where the group sends all paths (RFC 7911). */
export class AdjRibOut {
  readonly #attributes: AttributeTable;
  /** Two words a slot, side by side: the attributes, and the peer that the path came from. */
  readonly #sent = new IdColumn();
  readonly #bySource = new IdColumn();
  #count = 0;

  constructor(attributes: AttributeTable) {
    this.#attributes = attributes;
  }

  /** The attributes that stand advertised, 0 for none. */
  attrs(slot: number): AttrsId {
    return this.#sent.get(slot * 2) as AttrsId;
  }

  /** The peer that the advertised path came from: the member that was not told. */
  source(slot: number): PeerId {
    return this.#sent.get(slot * 2 + 1) as PeerId;
  }

  /** Holds a reference to `attrs` while it stands. */
  set(slot: number, attrs: AttrsId, source: PeerId): void {
    const before = this.attrs(slot);
    if (attrs !== 0) this.#attributes.retain(attrs, 1);
    if (before !== 0) {
      this.#attributes.release(before);
      this.#count--;
      this.#bySource.set(this.source(slot), this.#bySource.get(this.source(slot)) - 1);
    }
    if (attrs !== 0) {
      this.#count++;
      this.#bySource.set(source, this.#bySource.get(source) + 1);
    }
    this.#sent.set(slot * 2, attrs);
    this.#sent.set(slot * 2 + 1, attrs === 0 ? 0 : source);
  }

  get count(): number {
    return this.#count;
  }

  /** How many routes that member has been told: all but its own. */
  countFor(peer: PeerId): number {
    return this.#count - this.#bySource.get(peer);
  }
}
