/** What a walk over the paths does to each: routes that ended go, others are judged, marked or decided again. */

import type { PeerId } from "../bgp/model/ids.ts";
import type { AttributeTable } from "./attribute-table.ts";
import { longLivedStale } from "./import.ts";
import type { LocRib, SweepRequest } from "./loc-rib.ts";
import { Retention, type RibPeer } from "./rib-peer.ts";

export class PathVisits {
  readonly #attributes: AttributeTable;
  readonly #peer: (id: PeerId) => RibPeer | undefined;

  constructor(attributes: AttributeTable, peer: (id: PeerId) => RibPeer | undefined) {
    this.#attributes = attributes;
    this.#peer = peer;
  }

  /** For every request that concerns this path. */
  visit(rib: LocRib, path: number, requests: ReadonlySet<SweepRequest>): void {
    const { paths } = rib.table;
    for (const request of requests) {
      if (request.kind === "nextHops") {
        const accepted = paths.accepted(path);
        if (accepted !== 0 && request.changed.has(this.#attributes.nextHop(accepted))) rib.question(paths.prefix(path));
      } else if (request.kind === "decide") rib.question(paths.prefix(path));
      else if (paths.peer(path) !== request.peer) continue;
      else if (request.kind === "import") this.#judgeAgain(rib, path);
      else if (!rib.isCurrent(path) || (rib.isStale(path) && !this.#becomesLongLived(rib, path))) {
        rib.remove(path);
        return;
      } else rib.question(paths.prefix(path));
    }
  }

  #judgeAgain(rib: LocRib, path: number): void {
    const { paths, prefixes } = rib.table;
    const peer = this.#peer(paths.peer(path));
    const received = paths.received(path);
    if (peer === undefined || received === 0) return;
    const prefix = peer.inbound.dependsOnPrefix ? prefixes.prefix(paths.prefix(path)) : undefined;
    const accepted = peer.inbound.accept(received, this.#attributes.attributes(received), prefix);
    rib.setAccepted(path, accepted, accepted !== 0 && peer.inbound.isBlackhole);
    if (rib.isStale(path) && !this.#becomesLongLived(rib, path)) rib.remove(path);
  }

  /** RFC 9494 §4.2: past the restart time a route is marked, or dropped if it bears NO_LLGR. True if the path may stay. */
  #becomesLongLived(rib: LocRib, path: number): boolean {
    const { paths } = rib.table;
    const peer = this.#peer(paths.peer(path));
    const accepted = paths.accepted(path);
    if (peer?.family(rib.table.family).retention !== Retention.LongLived || accepted === 0) return true;
    if (this.#attributes.isLongLivedStale(accepted)) return true;
    const kept = longLivedStale(this.#attributes.attributes(accepted));
    if (kept === undefined) return false;
    const marked = this.#attributes.intern(kept);
    rib.setAccepted(path, marked, paths.isBlackhole(path));
    this.#attributes.release(marked);
    return true;
  }
}
