/** Sessions with workloads of this node that a BGPPeer selects, as Felix finds them. */

import type { BgpPeer } from "../resources/bgp-peer.ts";
import type { EndpointStatus } from "../resources/endpoint-status.ts";
import type { ClusterNode } from "../resources/node.ts";
import type { PeerPlan } from "./peer-plan.ts";

export function workloadPlans(
  own: ClusterNode,
  workloads: readonly EndpointStatus[],
  bgpPeers: { get(name: string): BgpPeer | undefined },
): readonly PeerPlan[] {
  const plans = new Map<string, PeerPlan>();
  for (const workload of workloads) {
    const bgpPeer = bgpPeers.get(workload.bgpPeer);
    if (bgpPeer === undefined || !bgpPeer.isForLocalWorkloads || bgpPeer.asNumber === undefined) continue;
    const addresses = [own.ipv4 && workload.ipv4, own.ipv6 && workload.ipv6];
    for (const address of addresses) {
      if (address === undefined || plans.has(address)) continue;
      plans.set(address, {
        kind: "Local_Workload",
        address,
        port: undefined,
        asNumber: bgpPeer.asNumber,
        clusterId: undefined,
        isPassive: true,
        bgpPeer,
        isReverse: false,
        source: `BGPPeer/${bgpPeer.name}`,
      });
    }
  }
  return [...plans.values()];
}
