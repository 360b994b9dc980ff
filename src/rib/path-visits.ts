/** What a walk over the paths does to each: routes that ended go, others are judged, marked or decided again. */

import { WellKnown } from "../bgp/model/community.ts";
import { LOCAL_PEER, type PeerId } from "../bgp/model/ids.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import type { AttributeTable } from "./attribute-table.ts";
import { longLivedStale } from "./import.ts";
import type { LocRib } from "./loc-rib.ts";
import type { RouteSource } from "./policy/policy.ts";
import { Retention, type RibPeer } from "./rib-peer.ts";
import { Ask, type Requests } from "./sweep.ts";

export class PathVisits {
  readonly #attributes: AttributeTable;
  readonly #peer: (id: PeerId) => RibPeer | undefined;

  readonly #renewOwn: (prefix: Prefix, source: RouteSource) => void;

  /** `renewOwn`: this route of the speaker's own may carry other attributes now. */
  constructor(
    attributes: AttributeTable,
    peer: (id: PeerId) => RibPeer | undefined,
    renewOwn: (prefix: Prefix, source: RouteSource) => void,
  ) {
    this.#attributes = attributes;
    this.#peer = peer;
    this.#renewOwn = renewOwn;
  }

  /** For every request that concerns this path. */
  visit(rib: LocRib, path: number, requests: Requests): void {
    const { paths } = rib.table;
    const asked = requests.peers.get(paths.peer(path)) ?? 0;
    const moved = requests.nextHops.size > 0 && this.#hasMoved(rib, path, requests.nextHops);
    const judged =
      (asked & Ask.Import) !== 0 || (moved && this.#peer(paths.peer(path))?.inbound.asksInterface === true);
    if (judged) this.#judgeAgain(rib, path);
    if (
      (judged || asked !== 0) &&
      (!rib.isCurrent(path) || (rib.isStale(path) && !this.#becomesLongLived(rib, path)))
    ) {
      rib.remove(path);
      return;
    }
    if ((asked & Ask.Source) !== 0) paths.touch(path);
    if ((asked & (Ask.Retention | Ask.Source)) !== 0 || moved || requests.decide) rib.question(paths.prefix(path));
  }

  #hasMoved(rib: LocRib, path: number, changed: ReadonlySet<number>): boolean {
    const { paths } = rib.table;
    const accepted = paths.accepted(path);
    const received = paths.received(path);
    return (
      (accepted !== 0 && changed.has(this.#attributes.nextHop(accepted))) ||
      (received !== 0 && changed.has(this.#attributes.nextHop(received)))
    );
  }

  #judgeAgain(rib: LocRib, path: number): void {
    const { paths, prefixes } = rib.table;
    const peer = this.#peer(paths.peer(path));
    const received = paths.received(path);
    if (paths.peer(path) === LOCAL_PEER) this.#renewOwn(prefixes.prefix(paths.prefix(path)), paths.source(path));
    if (peer === undefined || received === 0) return;
    const prefix = peer.inbound.dependsOnPrefix ? prefixes.prefix(paths.prefix(path)) : undefined;
    const accepted = peer.inbound.accept(received, this.#attributes.viewOf(received), prefix);
    rib.setAccepted(path, accepted, accepted !== 0 && peer.inbound.isBlackhole);
  }

  /** RFC 9494 §4.2: past the restart time a route is marked, or dropped if it bears NO_LLGR. True if the path may stay. */
  #becomesLongLived(rib: LocRib, path: number): boolean {
    const { paths } = rib.table;
    const peer = this.#peer(paths.peer(path));
    if (peer?.family(rib.table.family).retention !== Retention.LongLived) return true;
    const accepted = paths.accepted(path);
    if (accepted === 0)
      return !this.#attributes.attributes(paths.received(path)).communities.includes(WellKnown.NoLlgr);
    if (this.#attributes.isLongLivedStale(accepted)) return true;
    const kept = longLivedStale(this.#attributes.attributes(accepted));
    if (kept === undefined) return false;
    const marked = this.#attributes.intern(kept);
    rib.setAccepted(path, marked, paths.isBlackhole(path));
    this.#attributes.release(marked);
    return true;
  }
}
