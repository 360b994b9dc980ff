/** Path attributes as one value: what an UPDATE says of its prefixes (RFC 4271 §5 and the RFCs named at each field). */

import type { IpAddress } from "./address.ts";
import type { AsPath } from "./as-path.ts";
import type { ExtendedCommunity, LargeCommunity } from "./community.ts";
import type { Asn, RouterId } from "./ids.ts";

export const Origin = { Igp: 0, Egp: 1, Incomplete: 2 } as const;
export type Origin = (typeof Origin)[keyof typeof Origin];

export interface Aggregator {
  readonly asNumber: Asn;
  readonly address: RouterId;
}

/** An optional transitive attribute that starling does not know: passed on with the Partial bit (RFC 4271 §5). */
export interface UnknownAttribute {
  readonly type: number;
  readonly flags: number;
  readonly value: Uint8Array;
}

/** Frozen, and shared by all paths that carry it. Absence is `undefined` or an empty list. */
export interface PathAttributes {
  readonly origin: Origin;
  readonly asPath: AsPath;
  /** NEXT_HOP, or the global next hop of MP_REACH_NLRI (RFC 4760, 2545, 8950). */
  readonly nextHop: IpAddress;
  /** The link-local next hop beside a global one (RFC 2545 §3). */
  readonly linkLocalNextHop: IpAddress | undefined;
  readonly med: number | undefined;
  readonly localPref: number | undefined;
  readonly atomicAggregate: boolean;
  readonly aggregator: Aggregator | undefined;
  readonly communities: readonly number[];
  readonly extendedCommunities: readonly ExtendedCommunity[];
  readonly largeCommunities: readonly LargeCommunity[];
  /** RFC 4456 §8. */
  readonly originatorId: RouterId | undefined;
  readonly clusterList: readonly RouterId[];
  /** RFC 9234 §5. */
  readonly onlyToCustomer: Asn | undefined;
  readonly unknown: readonly UnknownAttribute[];
  /** Types of the known attributes that came with the Partial bit, which nobody may take away again (RFC 4271 §5). */
  readonly partial: readonly number[];
}

/** A set with nothing but what is mandatory; for originated routes and tests. */
export function attributesWith(nextHop: IpAddress, more: Partial<PathAttributes> = {}): PathAttributes {
  return Object.freeze({
    origin: Origin.Igp,
    asPath: [],
    nextHop,
    linkLocalNextHop: undefined,
    med: undefined,
    localPref: undefined,
    atomicAggregate: false,
    aggregator: undefined,
    communities: [],
    extendedCommunities: [],
    largeCommunities: [],
    originatorId: undefined,
    clusterList: [],
    onlyToCustomer: undefined,
    unknown: [],
    partial: [],
    ...more,
  });
}
