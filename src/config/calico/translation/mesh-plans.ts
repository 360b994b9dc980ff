/** The full mesh: a session with every node that has an address of the family and is no reflector. */

import { Family } from "../../../bgp/model/family.ts";
import type { ClusterNode } from "../resources/node.ts";
import type { NodeDirectory } from "./node-directory.ts";
import type { PeerPlan } from "./peer-plan.ts";

/** A reflector is in no mesh. Of two nodes with one address the first by name counts. */
export function meshPlans(own: ClusterNode, directory: NodeDirectory, family: Family): readonly PeerPlan[] {
  const local = addressOf(own, family);
  if (local === undefined || own.clusterId !== undefined) return [];
  const plans: PeerPlan[] = [];
  const taken = new Set([local]);
  for (const node of directory.all()) {
    const address = addressOf(node, family);
    if (address === undefined || node.clusterId !== undefined || taken.has(address)) continue;
    taken.add(address);
    plans.push({
      kind: "Mesh",
      address,
      port: directory.portOf(node),
      asNumber: directory.asNumberOf(node),
      clusterId: undefined,
      // As text, so that BIRD's nodes come to the opposite: of each pair one dials, and no restart is broken off by the other.
      isPassive: address > local,
      bgpPeer: undefined,
      isReverse: false,
      source: `Node/${node.name}`,
    });
  }
  return plans;
}

function addressOf({ ipv4, ipv6 }: ClusterNode, family: Family): string | undefined {
  return (family === Family.Ipv4 ? ipv4 : ipv6)?.address;
}
