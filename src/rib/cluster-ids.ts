/** The CLUSTER_IDs that this speaker uses, for the loop check of RFC 4456 §8: one for all peers, or several. */

import type { RouterId } from "../bgp/model/ids.ts";
import type { RibPeer } from "./rib-peer.ts";

export class ClusterIds {
  #ids: readonly RouterId[] = [];

  get all(): readonly RouterId[] {
    return this.#ids;
  }

  /** True if they are others now. */
  collect(own: RouterId, peers: Iterable<RibPeer>): boolean {
    const ids = new Set([own]);
    for (const { options } of peers) ids.add(options.clusterId);
    if (ids.size === this.#ids.length && this.#ids.every((id) => ids.has(id))) return false;
    this.#ids = [...ids];
    return true;
  }
}
