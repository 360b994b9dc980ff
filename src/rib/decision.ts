/**
 * The decision process over all candidates of one destination, step by step as RFC 4271 §9.1.2.2 and RFC 4456 §9 are written:
 * each step looks at the whole set and removes the losers. A fold of a pairwise comparison would depend on the order, because
 * MED compares only some pairs.
 */

import { compareAddress, type IpAddress } from "../bgp/model/address.ts";
import type { AttrsId, RouterId } from "../bgp/model/ids.ts";
import type { AttributeTable } from "./attribute-table.ts";
import type { PathStore } from "./path-store.ts";

/** Why a path is not the best one; kept with the path, for `show` and `explain`. */
export const Reason = {
  Best: 0,
  /** Tied with the best one through the IGP metric and used beside it. */
  Multipath: 1,
  NotAccepted: 2,
  NextHopUnreachable: 3,
  Preference: 4,
  LongLivedStale: 5,
  LocalPref: 6,
  PathLength: 7,
  Origin: 8,
  Med: 9,
  External: 10,
  IgpMetric: 11,
  Stale: 12,
  RouterId: 13,
  ClusterLength: 14,
  PeerAddress: 15,
  PathIdentifier: 16,
} as const;
export type Reason = (typeof Reason)[keyof typeof Reason];

/** In words: "it lost on: ...". */
export const REASON_TEXT: Readonly<Record<Reason, string>> = {
  [Reason.Best]: "best",
  [Reason.Multipath]: "equal to the best path, used beside it",
  [Reason.NotAccepted]: "not accepted on import",
  [Reason.NextHopUnreachable]: "next hop unreachable (RFC 4271 §9.1.2.1)",
  [Reason.Preference]: "lower preference of its source",
  [Reason.LongLivedStale]: "long-lived stale (RFC 9494 §4.3)",
  [Reason.LocalPref]: "lower LOCAL_PREF",
  [Reason.PathLength]: "longer AS_PATH (RFC 4271 §9.1.2.2 a)",
  [Reason.Origin]: "higher ORIGIN (RFC 4271 §9.1.2.2 b)",
  [Reason.Med]: "higher MULTI_EXIT_DISC (RFC 4271 §9.1.2.2 c)",
  [Reason.External]: "internal, where an external path is left (RFC 4271 §9.1.2.2 d)",
  [Reason.IgpMetric]: "farther next hop (RFC 4271 §9.1.2.2 e)",
  [Reason.Stale]: "stale, where a fresh path is left (RFC 4724 §4.2)",
  [Reason.RouterId]: "higher router id or ORIGINATOR_ID (RFC 4271 §9.1.2.2 f, RFC 4456 §9)",
  [Reason.ClusterLength]: "longer CLUSTER_LIST (RFC 4456 §9)",
  [Reason.PeerAddress]: "higher peer address (RFC 4271 §9.1.2.2 g)",
  [Reason.PathIdentifier]: "higher path identifier of the same peer",
};

/** What the process asks of a path's peer. */
export interface PeerRank {
  readonly external: boolean;
  readonly routerId: RouterId;
  readonly address: IpAddress;
}

export interface DecisionRules {
  /** Compare MED among all paths, not only those of one neighbouring AS. */
  readonly alwaysCompareMed: boolean;
  /** Equal paths that share the traffic, at most. */
  readonly maxPaths: number;
}

/** What the process reads beside the columns. */
export interface DecisionContext {
  readonly paths: PathStore;
  readonly attributes: AttributeTable;
  rules(): DecisionRules;
  /** May this path be used at all: its peer's session stands or its routes are retained. */
  isCurrent(path: number): boolean;
  /** Distance to its next hop: 0 on a connected subnet, more behind a gateway; Infinity when it is unreachable. */
  metric(path: number): number;
  /** Kept from a session that ended (RFC 4724 §4.2). */
  isStale(path: number): boolean;
  /** BIRD's protocol preference: what is connected or configured before what is learnt. */
  preference(path: number): number;
  rank(path: number): PeerRank;
}

const FEW = 16;

export class Decision {
  readonly #context: DecisionContext;
  /** Paths that are left, their accepted attributes, and what the step at work compares. */
  #candidates = new Int32Array(16);
  #attrs = new Int32Array(16);
  #values = new Float64Array(16);
  #lowest = 0;
  /** By neighbouring AS, of the step at work. */
  readonly #lowestMeds = new Map<number, number>();
  #count = 0;
  /** Those that are left when only the router identifiers tell them apart. */
  #equal = new Int32Array(16);
  #equalCount = 0;
  #tied = 0;

  constructor(context: DecisionContext) {
    this.#context = context;
  }

  /** Paths that share the traffic after `select`: the best one first, then the others of its multipath set. */
  get tied(): Int32Array {
    return this.#candidates.subarray(0, this.#tied);
  }

  /** The best path of the chain from `head`, or -1. Writes every path's reason. */
  select(head: number): number {
    const { paths } = this.#context;
    this.#count = 0;
    for (let id = head; id >= 0; id = paths.next(id)) {
      if (paths.isRemoved(id)) continue;
      const accepted = paths.accepted(id);
      if (accepted === 0 || !this.#context.isCurrent(id)) paths.setReason(id, Reason.NotAccepted);
      else if (this.#context.metric(id) === Number.POSITIVE_INFINITY) paths.setReason(id, Reason.NextHopUnreachable);
      else this.#add(id, accepted);
    }
    this.#tied = this.#count;
    if (this.#count > 1) this.#eliminate();
    if (this.#count === 0) return -1;
    const best = this.#candidates[0] as number;
    paths.setReason(best, Reason.Best);
    return best;
  }

  #eliminate(): void {
    this.#preferSources();
    this.#keepLowest(Reason.LongLivedStale);
    this.#keepLowest(Reason.LocalPref);
    this.#keepLowest(Reason.PathLength);
    this.#keepLowest(Reason.Origin);
    this.#compareMed();
    this.#keepLowest(Reason.External);
    this.#keepLowest(Reason.IgpMetric);
    const { maxPaths } = this.#context.rules();
    const isShared = this.#count > 1 && maxPaths > 1;
    if (isShared) this.#rememberEqual();
    // RFC 4724 §4.2 wants stale routes used as before; a fresh path that is as good in all else is the safer one.
    this.#keepLowest(Reason.Stale);
    this.#keepLowest(Reason.RouterId);
    this.#keepLowest(Reason.ClusterLength);
    this.#lowestPeerAddress();
    this.#keepLowest(Reason.PathIdentifier);
    this.#tied = 1;
    if (isShared) this.#spread(maxPaths);
  }

  /** What a step compares; the lowest is the best. */
  #value(step: Reason, id: number, attrs: AttrsId): number {
    const context = this.#context;
    const { attributes } = context;
    switch (step) {
      case Reason.Preference:
        return -context.preference(id);
      case Reason.LongLivedStale:
        return attributes.isLongLivedStale(attrs) ? 1 : 0;
      case Reason.LocalPref:
        return -attributes.localPref(attrs);
      case Reason.PathLength:
        return attributes.pathLength(attrs);
      case Reason.Origin:
        return attributes.origin(attrs);
      case Reason.Med:
        return attributes.med(attrs);
      case Reason.External:
        return context.rank(id).external ? 0 : 1;
      case Reason.IgpMetric:
        return context.metric(id);
      case Reason.Stale:
        return context.isStale(id) ? 1 : 0;
      case Reason.RouterId:
        return attributes.originatorId(attrs) || context.rank(id).routerId;
      case Reason.ClusterLength:
        return attributes.clusterLength(attrs);
      default:
        return context.paths.identifier(id);
    }
  }

  #add(id: number, attrs: AttrsId): void {
    if (this.#count === this.#candidates.length) this.#grow();
    this.#attrs[this.#count] = attrs;
    this.#candidates[this.#count++] = id;
  }

  #grow(): void {
    const candidates = this.#candidates;
    const attrs = this.#attrs;
    this.#candidates = new Int32Array(this.#count * 2);
    this.#candidates.set(candidates);
    this.#attrs = new Int32Array(this.#count * 2);
    this.#attrs.set(attrs);
    this.#values = new Float64Array(this.#count * 2);
  }

  /** Passes over all candidates but those that have the lowest value. */
  #keepLowest(step: Reason): void {
    if (this.#count < 2) return;
    if (this.#differ(step)) this.#filter(step);
  }

  /** Works out the values of a step and the lowest of them. */
  #differ(step: Reason): boolean {
    const values = this.#values;
    const first = this.#value(step, this.#candidates[0] as number, this.#attrs[0] as AttrsId);
    values[0] = first;
    this.#lowest = first;
    let differ = false;
    for (let i = 1; i < this.#count; i++) {
      const value = this.#value(step, this.#candidates[i] as number, this.#attrs[i] as AttrsId);
      values[i] = value;
      if (value !== first) differ = true;
      if (value < this.#lowest) this.#lowest = value;
    }
    return differ;
  }

  /** Passes over those whose value is not the lowest. `ofPeers`: the reason for paths of peers. */
  #filter(step: Reason, ofPeers = step): void {
    let kept = 0;
    for (let i = 0; i < this.#count; i++) {
      const id = this.#candidates[i] as number;
      if (this.#values[i] !== this.#lowest) {
        const isPeers = ofPeers !== step && this.#context.paths.source(id) === "peer";
        this.#context.paths.setReason(id, isPeers ? ofPeers : step);
        continue;
      }
      this.#attrs[kept] = this.#attrs[i] as number;
      this.#candidates[kept++] = id;
    }
    this.#count = kept;
  }

  /** Only paths from one neighbouring AS are comparable; those that another of their own AS beats go, the rest stay. */
  #compareMed(): void {
    if (this.#count < 2) return;
    if (this.#context.rules().alwaysCompareMed) {
      this.#keepLowest(Reason.Med);
      return;
    }
    if (!this.#differ(Reason.Med)) return;
    const { attributes } = this.#context;
    const lowest = this.#lowestMeds;
    lowest.clear();
    for (let i = 0; i < this.#count; i++) {
      const neighbor = attributes.neighborAs(this.#attrs[i] as AttrsId);
      const before = lowest.get(neighbor);
      if (before === undefined || (this.#values[i] as number) < before) lowest.set(neighbor, this.#values[i] as number);
    }
    for (let i = 0; i < this.#count; i++) {
      const neighbor = attributes.neighborAs(this.#attrs[i] as AttrsId);
      this.#values[i] = this.#values[i] === lowest.get(neighbor) ? 0 : 1;
    }
    this.#lowest = 0;
    this.#filter(Reason.Med);
  }

  /** What elevates a peer's route above another peer's is its LOCAL_PREF: that is what the other one lost on. */
  #preferSources(): void {
    if (this.#count < 2 || !this.#differ(Reason.Preference)) return;
    const { paths } = this.#context;
    let isPeers = false;
    for (let i = 0; i < this.#count; i++)
      if (this.#values[i] === this.#lowest && paths.source(this.#candidates[i] as number) === "peer") isPeers = true;
    this.#filter(Reason.Preference, isPeers ? Reason.LocalPref : Reason.Preference);
  }

  #lowestPeerAddress(): void {
    if (this.#count < 2) return;
    let lowest = this.#context.rank(this.#candidates[0] as number).address;
    for (let i = 1; i < this.#count; i++) {
      const address = this.#context.rank(this.#candidates[i] as number).address;
      if (compareAddress(address, lowest) < 0) lowest = address;
    }
    for (let i = 0; i < this.#count; i++) {
      const { address } = this.#context.rank(this.#candidates[i] as number);
      this.#values[i] = compareAddress(address, lowest) === 0 ? 0 : 1;
    }
    this.#lowest = 0;
    this.#filter(Reason.PeerAddress);
  }

  /** Sorts the candidates aside, so that the same set is the same route whoever is the best. */
  #rememberEqual(): void {
    const count = this.#count;
    if (this.#equal.length < count) this.#equal = new Int32Array(this.#candidates.length);
    const equal = this.#equal;
    for (let i = 0; i < count; i++) equal[i] = this.#candidates[i] as number;
    // Few, as a rule: sorted without making a view of them for each decision.
    if (count > FEW) equal.subarray(0, count).sort();
    else
      for (let i = 1; i < count; i++) {
        const id = equal[i] as number;
        let at = i;
        for (; at > 0 && (equal[at - 1] as number) > id; at--) equal[at] = equal[at - 1] as number;
        equal[at] = id;
      }
    this.#equalCount = count;
  }

  /** The paths that tied with the best one share its traffic. */
  #spread(maxPaths: number): void {
    const { paths } = this.#context;
    const best = this.#candidates[0] as number;
    for (let i = 0; i < this.#equalCount && this.#tied < maxPaths; i++) {
      const id = this.#equal[i] as number;
      if (id === best) continue;
      paths.setReason(id, Reason.Multipath);
      this.#candidates[this.#tied++] = id;
    }
  }
}
