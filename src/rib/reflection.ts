/** Route reflection (RFC 4456): which internal paths may go to which internal peers, and the marks that keep them from looping. */

import type { RouterId } from "../bgp/model/ids.ts";
import type { AttributeView } from "../bgp/model/ports.ts";

/** What is known of the internal peer that a path came from. */
export interface InternalSource {
  readonly client: boolean;
  readonly routerId: RouterId;
  readonly clusterId: RouterId;
}

export interface InternalTarget {
  readonly client: boolean;
  readonly clusterId: RouterId;
}

/** RFC 4456 §6: from a client to all, from others to clients only. Without any client this is RFC 4271 §9.2's plain rule. */
export function mayReflect(from: InternalSource, to: InternalTarget): boolean {
  return from.client || to.client;
}

/**
 * RFC 4456 §8: our CLUSTER_ID in front of the list. A path that goes from a client of one of our clusters to a client of another
 * passes both, and both are written.
 */
export function reflectingClusters(from: InternalSource, to: InternalTarget): readonly RouterId[] {
  const clusters = from.client ? [from.clusterId] : [];
  if (to.client && !clusters.includes(to.clusterId)) clusters.unshift(to.clusterId);
  return clusters;
}

/** RFC 4456 §8: a path that left from us must not come back; nor one that has passed one of our clusters. */
export function reflectionLoop(
  set: AttributeView,
  routerId: RouterId,
  clusterIds: readonly RouterId[],
): "originator" | "cluster" | undefined {
  if (set.originatorId === routerId) return "originator";
  for (let i = 0; i < set.clusterCount; i++) if (clusterIds.includes(set.cluster(i) as RouterId)) return "cluster";
  return undefined;
}
