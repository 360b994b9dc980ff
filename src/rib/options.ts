/** What the daemon tells the tables: plain values, translated from the configuration. */

import type { IpAddress } from "../bgp/model/address.ts";
import type { PathAttributes } from "../bgp/model/attributes.ts";
import type { Family } from "../bgp/model/family.ts";
import type { Asn, PeerId, RouterId } from "../bgp/model/ids.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import type { Policy } from "./policy/policy.ts";

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
  readonly removePrivateAs: boolean;
  readonly asOverride: boolean;
  readonly importPolicies: readonly Policy[];
  readonly exportPolicies: readonly Policy[];
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
  readonly kind: "blackhole" | "via" | "advertiseOnly";
  readonly nextHop: IpAddress | undefined;
  readonly attributes: PathAttributes;
}

export interface Aggregate {
  readonly prefix: Prefix;
  readonly summaryOnly: boolean;
}
