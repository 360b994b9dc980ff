/** Which peer a connection belongs to: by its address, by the interface it came in on, or by the most specific range. */

import { formatAddress, type IpAddress, isLinkLocal, sameAddress } from "./model/address.ts";
import { addressBits } from "./model/family.ts";
import { prefixContains } from "./model/prefix.ts";
import type { PeerOptions } from "./options.ts";
import type { Peer } from "./peer.ts";

export interface Range {
  readonly template: PeerOptions;
  /** Of the peers that came from it. */
  count: number;
}

export class PeerIndex {
  readonly #byAddress = new Map<string, Peer[]>();
  readonly #byInterface = new Map<string, Peer>();
  /** Most specific first. */
  #ranges: Range[] = [];

  add(peer: Peer): void {
    const { remote } = peer.options;
    if (remote.kind === "address") {
      const key = addressKey(remote.address, remote.interface);
      this.#byAddress.set(key, [...(this.#byAddress.get(key) ?? []), peer]);
    } else if (remote.kind === "interface") this.#byInterface.set(remote.interface, peer);
  }

  /** By the options that it was added with. */
  remove(peer: Peer): void {
    const { remote } = peer.options;
    if (remote.kind === "address") {
      const key = addressKey(remote.address, remote.interface);
      const rest = this.#byAddress.get(key)?.filter((p) => p !== peer) ?? [];
      if (rest.length === 0) this.#byAddress.delete(key);
      else this.#byAddress.set(key, rest);
    } else if (remote.kind === "interface" && this.#byInterface.get(remote.interface) === peer) {
      this.#byInterface.delete(remote.interface);
    }
  }

  find(remote: IpAddress, remoteInterface: string | undefined, local: IpAddress): Peer | undefined {
    const zone = isLinkLocal(remote) ? remoteInterface : undefined;
    const all =
      this.#byAddress.get(addressKey(remote, zone)) ??
      (zone === undefined ? undefined : this.#byAddress.get(addressKey(remote, undefined)));
    if (all !== undefined) {
      const free = all.length === 1 ? all : all.filter((p) => p.restraint === undefined);
      const peers = free.length === 0 ? all : free;
      // Two peers may share an address and differ in ours.
      const exact = peers.find(
        (p) => p.options.localAddress !== undefined && sameAddress(p.options.localAddress, local),
      );
      return exact ?? peers.find((p) => p.options.localAddress === undefined) ?? peers[0];
    }
    return zone === undefined ? undefined : this.#byInterface.get(zone);
  }

  addRange(template: PeerOptions): void {
    this.removeRange(template.id);
    this.#ranges.push({ template, count: 0 });
    this.#ranges.sort((a, b) => rangeLength(b.template) - rangeLength(a.template));
  }

  removeRange(id: number): Range | undefined {
    const range = this.#ranges.find((r) => r.template.id === id);
    if (range !== undefined) this.#ranges = this.#ranges.filter((r) => r !== range);
    return range;
  }

  range(id: number): Range | undefined {
    return this.#ranges.find((r) => r.template.id === id);
  }

  findRange(remote: IpAddress): Range | undefined {
    return this.#ranges.find(
      ({ template }) =>
        template.enabled &&
        template.remote.kind === "range" &&
        prefixContains(template.remote.prefix, remote, addressBits(remote.family)),
    );
  }
}

function addressKey(address: IpAddress, zone: string | undefined): string {
  return zone === undefined ? formatAddress(address) : `${formatAddress(address)}%${zone}`;
}

function rangeLength(template: PeerOptions): number {
  return template.remote.kind === "range" ? template.remote.prefix.length : 0;
}
