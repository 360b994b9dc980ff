/** What each tracked next hop rests on: which prefixes and which links, when they change, make it worth resolving again. */

import type { IpAddress } from "../bgp/model/address.ts";
import { Family } from "../bgp/model/family.ts";
import { AddressIndex } from "./address-index.ts";

/** An address that was looked up for somebody, and the shortest route that mattered to each of them. */
interface Watch {
  readonly slot: number;
  readonly key: string;
  readonly family: Family;
  readonly shortest: Map<number, number>;
}

export class NextHopDependencies {
  readonly #index = { [Family.Ipv4]: new AddressIndex(), [Family.Ipv6]: new AddressIndex() };
  readonly #bySlot: Record<Family, (Watch | undefined)[]> = { [Family.Ipv4]: [], [Family.Ipv6]: [] };
  readonly #byAddress = new Map<string, Watch>();
  readonly #byLink = new Map<number, Set<number>>();
  readonly #watches = new Map<number, Set<Watch>>();
  readonly #links = new Map<number, Set<number>>();

  /** Next hop `id` rests on the routes of at least `length` bits that hold `address`. */
  restsOnAddress(id: number, address: IpAddress, length: number): void {
    const watch = this.#watch(address);
    const before = watch.shortest.get(id);
    if (before === undefined || length < before) watch.shortest.set(id, length);
    addTo(this.#watches, id, watch);
  }

  restsOnLink(id: number, interfaceIndex: number): void {
    addTo(this.#byLink, interfaceIndex, id);
    addTo(this.#links, id, interfaceIndex);
  }

  forget(id: number): void {
    for (const watch of this.#watches.get(id) ?? []) {
      watch.shortest.delete(id);
      if (watch.shortest.size === 0) this.#unwatch(watch);
    }
    this.#watches.delete(id);
    for (const interfaceIndex of this.#links.get(id) ?? []) {
      const ids = this.#byLink.get(interfaceIndex);
      ids?.delete(id);
      if (ids?.size === 0) this.#byLink.delete(interfaceIndex);
    }
    this.#links.delete(id);
  }

  /** Adds to `affected` the next hops that a change of this prefix's route may concern. */
  affected(
    family: Family,
    w0: number,
    w1: number,
    w2: number,
    w3: number,
    length: number,
    affected: Set<number>,
  ): void {
    const index = this.#index[family];
    for (let slot = index.first(w0, w1, w2, w3, length); slot >= 0; slot = index.next(slot, w0, w1, w2, w3, length)) {
      const watch = this.#bySlot[family][slot];
      if (watch === undefined) continue;
      for (const [id, shortest] of watch.shortest) if (length >= shortest) affected.add(id);
    }
  }

  affectedByLink(interfaceIndex: number, affected: Set<number>): void {
    for (const id of this.#byLink.get(interfaceIndex) ?? []) affected.add(id);
  }

  #watch(address: IpAddress): Watch {
    const key = `${address.family}/${address.w0},${address.w1},${address.w2},${address.w3}`;
    let watch = this.#byAddress.get(key);
    if (watch === undefined) {
      watch = { slot: this.#index[address.family].add(address), key, family: address.family, shortest: new Map() };
      this.#byAddress.set(key, watch);
      this.#bySlot[address.family][watch.slot] = watch;
    }
    return watch;
  }

  #unwatch(watch: Watch): void {
    this.#index[watch.family].remove(watch.slot);
    this.#bySlot[watch.family][watch.slot] = undefined;
    this.#byAddress.delete(watch.key);
  }
}

function addTo<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([value]));
  else set.add(value);
}
