/** What the daemon tells the tables: plain values, translated from the configuration. */

import type { IpAddress } from "../bgp/model/address.ts";
import type { PathAttributes } from "../bgp/model/attributes.ts";
import type { Family } from "../bgp/model/family.ts";
import type { Asn, PeerId, RouterId } from "../bgp/model/ids.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import type { Policy, PrefixRange, RouteSource } from "./policy/policy.ts";

export interface RibOptions {
  readonly asNumber: Asn;
  readonly routerId: RouterId;
  readonly clusterId: RouterId;
  /** Equal paths that go to the kernel together; 1 switches multipath off. */
  readonly maxPaths: number;
  /** RFC 4271 §9.1.2.2 c compares MED among paths from one neighbouring AS; true compares it among all. */
  readonly alwaysCompareMed: boolean;
  /** False: every next hop counts as reachable (a pure reflector, without kernel routes). */
  readonly resolveNextHops: boolean;
  /** Undefined: this speaker's own routes carry the usual LOCAL_PREF. */
  readonly priorities: Priorities | undefined;
  /** What becomes of best paths on their way to the kernel; see KernelRule. Empty: all are written. */
  readonly kernelRules: readonly KernelRule[];
}

/**
 * LOCAL_PREF and the kernel's metric as two ways to write one thing (Calico 3.32 and later): of one's own routes LOCAL_PREF is
 * `base` - metric, and of a peer's route the metric is `base` - LOCAL_PREF.
 */
export interface Priorities {
  readonly base: number;
  /** Metric of own routes that have none (connected, configured). A route learnt from the kernel has its own, 0 too. */
  readonly normal: Readonly<Record<Family, number>>;
  /** Preference, among the sources of routes, of a peer's route with LOCAL_PREF above `base` - `normal`; others have 100. */
  readonly elevatedPreference: number;
}

/**
 * Rules are tried in order, each path by itself; the first that matches and says accept or reject decides, `next` applies what it
 * sets and goes on, and at the end of all is accept. A rejected best path leaves its destination without a route; of the paths
 * beside it (multipath) only those that are accepted are used.
 */
export interface KernelRule {
  readonly match: {
    readonly prefixes: readonly PrefixRange[] | undefined;
    readonly origin: readonly RouteSource[] | undefined;
    /** The path's NEXT_HOP is one of these. */
    readonly nextHops: readonly IpAddress[] | undefined;
    /** The path's NEXT_HOP is not in this subnet. */
    readonly nextHopOutside: Prefix | undefined;
  };
  readonly set:
    | {
        /** Metric of the route: Priorities.base - LOCAL_PREF of the best path, as an unsigned word. */
        readonly metric: "fromLocalPref" | undefined;
        /** Packets go to NEXT_HOP itself over this interface (RTNH_F_ONLINK: a tunnel). While it is not there or down: as without. */
        readonly device: string | undefined;
      }
    | undefined;
  readonly then: "accept" | "reject" | "next";
}

export type NextHopMode = "auto" | "self" | "keep";

export interface RibPeerOptions {
  readonly id: PeerId;
  readonly name: string;
  readonly internal: boolean;
  readonly localAs: Asn;
  readonly peerAs: Asn;
  readonly routeReflectorClient: boolean;
  readonly clusterId: RouterId;
  readonly nextHop: NextHopMode;
  readonly allowLocalAs: number;
  /** Under another AS than our real one (local AS): the real one in a path counts as a loop too. */
  readonly realAsLoops: boolean;
  /** The first AS of an external peer's paths must be its own (RFC 4271 §6.3). */
  readonly enforceFirstAs: boolean;
  readonly removePrivateAs: boolean;
  readonly asOverride: boolean;
  readonly importPolicies: readonly Policy[];
  readonly exportPolicies: readonly Policy[];
  /** BIRD's order towards external peers: export policies see a path that begins with our own AS already, and prepend in front of that. */
  readonly policyAfterOwnAs: boolean;
  /** Towards external peers the MED of another peer's route becomes 0, as BIRD 1.6 has it; otherwise it goes (RFC 4271 §5.1.4). */
  readonly zeroMed: boolean;
  /** RFC 4271 §9.2.1.1; 0 sends at once. */
  readonly advertisementSeconds: number;
  readonly role: number | undefined;
  readonly maxPrefixes: readonly {
    readonly family: Family;
    readonly limit: number;
    readonly warnPercent: number;
    readonly discard: boolean;
  }[];
}

/** A route of this speaker's own. */
export interface OriginatedRoute {
  readonly prefix: Prefix;
  /** Who configured it: they differ in preference, and one destination may have a route of each. */
  readonly source: "static" | "calico";
  readonly kind: "blackhole" | "via" | "advertiseOnly";
  readonly nextHop: IpAddress | undefined;
  readonly attributes: PathAttributes;
}

export interface Aggregate {
  readonly prefix: Prefix;
  readonly summaryOnly: boolean;
}
