/** The peers by their numbers, which are small: every decision asks for the peers of its paths. */

import type { PeerId } from "../bgp/model/ids.ts";
import type { RibPeer } from "./rib-peer.ts";

export class PeerTable {
  readonly #peers: (RibPeer | undefined)[] = [];

  get(id: PeerId): RibPeer | undefined {
    return this.#peers[id];
  }

  set(id: PeerId, peer: RibPeer): void {
    this.#peers[id] = peer;
  }

  delete(id: PeerId): void {
    this.#peers[id] = undefined;
  }

  *values(): Generator<RibPeer> {
    for (const peer of this.#peers) if (peer !== undefined) yield peer;
  }
}
