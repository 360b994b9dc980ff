/** What the tables know of one peer: its options, its session, and for each family how its routes stand. */

import { ipv4 } from "../bgp/model/address.ts";
import { Family } from "../bgp/model/family.ts";
import type { RouterId } from "../bgp/model/ids.ts";
import type { SessionFacts, Timer } from "../bgp/model/ports.ts";
import type { PeerRank } from "./decision.ts";
import type { PolicyInbound } from "./inbound.ts";
import type { RibPeerOptions } from "./options.ts";
import { EPOCHS } from "./path-store.ts";
import type { UpdateGroup } from "./update-group.ts";

/** Why routes of an earlier epoch are still there. */
export const Retention = {
  /** They are not: a path of an earlier epoch counts as withdrawn. */
  None: 0,
  /** The session ended and graceful restart keeps them (RFC 4724 §4.2). */
  Restarting: 1,
  /** The same, past the restart time (RFC 9494 §4.2). */
  LongLived: 2,
  /** The peer is sending everything again between BoRR and EoRR (RFC 7313 §4). */
  Refreshing: 3,
} as const;
export type Retention = (typeof Retention)[keyof typeof Retention];

export class PeerFamily {
  /** How many epochs before the present one still count. */
  #kept = 0;
  /** Grows with each session and each enhanced refresh; a path carries that of its last announcement. */
  epoch = 0;
  retention: Retention = Retention.None;
  timer: Timer | undefined;
  received = 0;
  accepted = 0;
  /** Of the accepted, those that are the best for their destination. */
  preferred = 0;
  /** Since it is known: routes announced, of those refused by import rules or the same as before, and routes withdrawn, of those unknown. */
  announced = 0;
  filtered = 0;
  unchanged = 0;
  withdrawn = 0;
  withdrawnUnknown = 0;
  /** The limit has been said to be near, or passed, since the count was last below. */
  warned = false;
  exceeded = false;
  group: UpdateGroup | undefined;

  /** No route is left, and none is still the best one of the last decision. */
  get isEmpty(): boolean {
    return this.received === 0 && this.preferred === 0;
  }

  isCurrent(epoch: number): boolean {
    return epoch === this.epoch || (this.epoch - epoch + EPOCHS) % EPOCHS <= this.#kept;
  }

  /** All that was not announced again is gone. */
  endRetention(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.retention = Retention.None;
    this.#kept = 0;
  }

  isStale(epoch: number): boolean {
    return epoch !== this.epoch && (this.retention === Retention.Restarting || this.retention === Retention.LongLived);
  }

  nextEpoch(retention: Retention): void {
    // A session that ends amid a refresh leaves routes of two epochs, all of which graceful restart keeps.
    const wasRefreshing = this.retention === Retention.Refreshing;
    this.epoch = (this.epoch + 1) % EPOCHS;
    this.retention = retention;
    this.#kept = retention === Retention.None ? 0 : wasRefreshing ? 2 : 1;
    this.timer?.cancel();
    this.timer = undefined;
  }
}

export class RibPeer {
  options: RibPeerOptions;
  facts: SessionFacts | undefined;
  /** The rank of the last session, for routes that outlive it. */
  rank: PeerRank = { external: false, routerId: 0 as RouterId, address: ipv4(0) };
  /** Interface of its session's link, 0 if unknown. */
  interface = 0;
  inbound: PolicyInbound;
  readonly #ipv4 = new PeerFamily();
  readonly #ipv6 = new PeerFamily();

  constructor(options: RibPeerOptions, inbound: PolicyInbound) {
    this.options = options;
    this.inbound = inbound;
  }

  family(family: Family): PeerFamily {
    return family === Family.Ipv4 ? this.#ipv4 : this.#ipv6;
  }

  /** False if what others are told of its routes is not what it was (RFC 4456 §8). */
  take(options: RibPeerOptions): boolean {
    const { routeReflectorClient, clusterId } = this.options;
    this.options = options;
    return options.routeReflectorClient === routeReflectorClient && options.clusterId === clusterId;
  }

  limit(family: Family): RibPeerOptions["maxPrefixes"][number] | undefined {
    return this.options.maxPrefixes.find((m) => m.family === family);
  }
}
