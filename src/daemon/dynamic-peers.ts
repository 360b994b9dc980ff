/** Peers that come from a range: each gets a name and a number of its own when it connects, and loses them when it goes. */

import { formatAddress, type IpAddress } from "../bgp/model/address.ts";
import type { PeerId } from "../bgp/model/ids.ts";
import type { PeerOptions } from "../bgp/options.ts";
import type { CompiledPeer } from "../config/compile.ts";
import type { PeerConfig } from "../config/model.ts";
import type { PeerIds } from "./peer-ids.ts";

export interface PeerRegister {
  find(id: PeerId): CompiledPeer | undefined;
  add(peer: CompiledPeer): void;
}

export class DynamicPeers {
  readonly #ids: PeerIds;
  readonly #register: PeerRegister;
  /** From a peer to the range that it came from. */
  readonly #origins = new Map<PeerId, PeerId>();

  constructor(ids: PeerIds, register: PeerRegister) {
    this.#ids = ids;
    this.#register = register;
  }

  /** The peer for this address. */
  accept(template: PeerOptions, address: IpAddress): PeerOptions | undefined {
    const range = this.#register.find(template.id);
    if (range === undefined) return undefined;
    const base = `${template.name}-${formatAddress(address)}`;
    let name = base;
    // Somebody in the configuration may be called so.
    for (let n = 2; this.#ids.find(name) !== undefined; n++) name = `${base}-${n}`;
    const id = this.#ids.idOf(name);
    const peer = memberOf(range, template, id, name, { kind: "address", address, interface: undefined });
    this.#register.add(peer);
    this.#origins.set(id, template.id);
    return peer.session;
  }

  gone(id: PeerId): void {
    this.#origins.delete(id);
  }

  /** Those that came from this range. */
  from(range: PeerId): readonly PeerId[] {
    return [...this.#origins].flatMap(([id, origin]) => (origin === range ? [id] : []));
  }

  /** Those whose address or name the configuration now gives to a peer of its own. */
  displacedBy(peers: readonly PeerConfig[]): readonly PeerId[] {
    if (this.#origins.size === 0) return [];
    const names = new Set(peers.map(({ name }) => name));
    const addresses = new Set(
      peers.flatMap(({ remote }) => (remote.kind === "address" ? [formatAddress(remote.address)] : [])),
    );
    return [...this.#origins.keys()].filter((id) => {
      const session = this.#register.find(id)?.session;
      if (session?.remote.kind !== "address") return false;
      return names.has(session.name) || addresses.has(formatAddress(session.remote.address));
    });
  }

  /** The peers that came from ranges whose rules changed, with the rules that are theirs now. */
  follow(changed: readonly CompiledPeer[]): readonly CompiledPeer[] {
    const followers: CompiledPeer[] = [];
    for (const [id, origin] of this.#origins) {
      const range = changed.find((peer) => peer.session.id === origin);
      const peer = this.#register.find(id);
      if (range === undefined || peer === undefined) continue;
      const now = memberOf(range, range.session, id, peer.rib.name, peer.session.remote);
      this.#register.add(now);
      followers.push(now);
    }
    return followers;
  }
}

function memberOf(
  range: CompiledPeer,
  template: PeerOptions,
  id: PeerId,
  name: string,
  remote: PeerOptions["remote"],
): CompiledPeer {
  return { session: { ...template, id, name, remote, passive: true }, rib: { ...range.rib, id, name } };
}
