/**
 * What a route goes through on its way in (RFC 4271 §9.1.1 and the checks before it). In this order: `importRefusal`,
 * `beforeImportPolicy`, the import policies, `afterImportPolicy`. Where there are no policies, `importChanges` may spare the rest.
 */

import type { IpAddress } from "../bgp/model/address.ts";
import type { PathAttributes } from "../bgp/model/attributes.ts";
import { WellKnown } from "../bgp/model/community.ts";
import type { Asn, RouterId } from "../bgp/model/ids.ts";
import type { AttributeView } from "../bgp/model/ports.ts";
import { editAttributes } from "./edit-attributes.ts";
import { isLeak, isMarkedOnIngress, markOnIngress, Role } from "./only-to-customer.ts";
import { withCommunity } from "./policy/community-patterns.ts";
import { reflectionLoop } from "./reflection.ts";

/** What decides over a peer's routes before any policy. */
export interface ImportPeer {
  readonly internal: boolean;
  readonly peerAs: Asn;
  /** Our AS towards this peer, and our real one. */
  readonly localAs: Asn;
  readonly realAs: Asn;
  /** How often our own AS may stand in a path. */
  readonly allowLocalAs: number;
  readonly routerId: RouterId;
  /** Every CLUSTER_ID that this speaker uses. */
  readonly clusterIds: readonly RouterId[];
  /** The first AS of an external peer's paths must be its own; never asked of one that by its role is a route server (RFC 7947 §2.2.2). */
  readonly enforceFirstAs: boolean;
  /** Our role (RFC 9234), for external peers. */
  readonly role: number | undefined;
  /** True for the addresses by which this speaker forwards; never for one that does not (a pure reflector). */
  isOwnAddress(address: IpAddress): boolean;
}

export const ImportRefusal = {
  AsLoop: 1,
  OriginatorLoop: 2,
  ClusterLoop: 3,
  FirstAs: 4,
  OnlyToCustomer: 5,
  OwnNextHop: 6,
} as const;
export type ImportRefusal = (typeof ImportRefusal)[keyof typeof ImportRefusal];

export const IMPORT_REFUSAL_TEXT: Readonly<Record<ImportRefusal, string>> = {
  [ImportRefusal.AsLoop]: "our own AS stands in AS_PATH (RFC 4271 §9.1.2)",
  [ImportRefusal.OriginatorLoop]: "ORIGINATOR_ID is our own router id (RFC 4456 §8)",
  [ImportRefusal.ClusterLoop]: "a cluster id of ours stands in CLUSTER_LIST (RFC 4456 §8)",
  [ImportRefusal.FirstAs]: "the first AS of AS_PATH is not the peer's (RFC 4271 §6.3)",
  [ImportRefusal.OnlyToCustomer]: "a route leak: Only to Customer from this peer (RFC 9234 §5)",
  [ImportRefusal.OwnNextHop]: "NEXT_HOP is an address of our own (RFC 4271 §6.3)",
};

/** Undefined when the route may go on to the policies. A refused one stays in AdjRibIn. */
export function importRefusal(set: AttributeView, peer: ImportPeer): ImportRefusal | undefined {
  if (set.countAs(peer.localAs) > peer.allowLocalAs) return ImportRefusal.AsLoop;
  if (peer.realAs !== peer.localAs && set.countAs(peer.realAs) > peer.allowLocalAs) return ImportRefusal.AsLoop;
  if (peer.isOwnAddress(set.nextHop)) return ImportRefusal.OwnNextHop;
  if (peer.internal) {
    const loop = reflectionLoop(set, peer.routerId, peer.clusterIds);
    if (loop === undefined) return undefined;
    return loop === "originator" ? ImportRefusal.OriginatorLoop : ImportRefusal.ClusterLoop;
  }
  const ownsFirstAs = peer.enforceFirstAs && peer.role !== Role.RouteServerClient;
  if (ownsFirstAs && set.neighborAs !== peer.peerAs) return ImportRefusal.FirstAs;
  return isLeak(set, peer.role, peer.peerAs) ? ImportRefusal.OnlyToCustomer : undefined;
}

/** False: `beforeImportPolicy` and `afterImportPolicy` have nothing to change in this set. */
export function importChanges(set: AttributeView, peer: ImportPeer): boolean {
  return !peer.internal && (isMarkedOnIngress(set, peer.role) || set.hasCommunity(WellKnown.GracefulShutdown));
}

/** The same object when there is nothing to add. */
export function beforeImportPolicy(attributes: PathAttributes, peer: ImportPeer): PathAttributes {
  return peer.internal ? attributes : markOnIngress(attributes, peer.role, peer.peerAs);
}

/**
 * RFC 8326 §4: an external peer that is about to shut down is the last resort. After the policies, so that one which sets
 * LOCAL_PREF for everything does not undo it; a policy that removes the community opts out.
 */
export function afterImportPolicy(attributes: PathAttributes, peer: ImportPeer): PathAttributes {
  return !peer.internal && attributes.communities.includes(WellKnown.GracefulShutdown)
    ? editAttributes(attributes, { localPref: 0 })
    : attributes;
}

/** RFC 9494 §4.2: a route kept past the restart time is marked; undefined when it asked not to be kept (NO_LLGR). */
export function longLivedStale(attributes: PathAttributes): PathAttributes | undefined {
  if (attributes.communities.includes(WellKnown.NoLlgr)) return undefined;
  return editAttributes(attributes, { communities: withCommunity(attributes.communities, WellKnown.LlgrStale) });
}
