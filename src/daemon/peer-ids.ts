/** Peers' names and the small numbers that the tables know them by. */

import type { PeerId } from "../bgp/model/ids.ts";

/** A number is used again only when its owner says that nothing of the old peer is left. */
export class PeerIds {
  readonly #ids = new Map<string, PeerId>();
  readonly #names = new Map<PeerId, string>();
  readonly #free: PeerId[] = [];
  #next = 1;

  /** The peer's number; a new name gets a new one. */
  idOf(name: string): PeerId {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#free.pop() ?? (this.#next++ as PeerId);
    this.#ids.set(name, id);
    this.#names.set(id, name);
    return id;
  }

  find(name: string): PeerId | undefined {
    return this.#ids.get(name);
  }

  nameOf(id: PeerId): string | undefined {
    return this.#names.get(id);
  }

  /** Peers that keep their numbers under other names; two may change places. A name that nobody has any more is free. */
  rename(changes: readonly { readonly from: string; readonly to: string }[]): void {
    const moved = changes.flatMap(({ from, to }) => {
      const id = this.#ids.get(from);
      return id === undefined ? [] : [{ from, to, id }];
    });
    for (const { from } of moved) this.#ids.delete(from);
    for (const { to, id } of moved) {
      this.#ids.set(to, id);
      this.#names.set(id, to);
    }
  }

  /** The name is gone; the number stays taken until `release`. */
  forgetName(id: PeerId): void {
    const name = this.#names.get(id);
    if (name !== undefined && this.#ids.get(name) === id) this.#ids.delete(name);
  }

  release(id: PeerId): void {
    this.forgetName(id);
    this.#names.delete(id);
    this.#free.push(id);
  }
}
