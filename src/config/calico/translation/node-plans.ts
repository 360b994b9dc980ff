/** Plans that lead from a BGPPeer to nodes: a node that has not changed keeps its plans, for there may be thousands. */

import { Family } from "../../../bgp/model/family.ts";
import type { BgpPeer } from "../resources/bgp-peer.ts";
import type { ClusterNode } from "../resources/node.ts";
import type { PeerPlan, PlanKind } from "./peer-plan.ts";

/** Of one BGPPeer, in one direction. */
export interface Route {
  readonly bgpPeer: BgpPeer;
  readonly kind: PlanKind;
  readonly isReverse: boolean;
  /** Of a BGPPeer by address the other side has sessions of that family alone. */
  readonly only: Family | undefined;
}

interface Known {
  readonly port: number | undefined;
  readonly asNumber: number;
  readonly plans: readonly PeerPlan[];
}

export class NodePlans {
  #before = new Map<BgpPeer, Map<string, Map<ClusterNode, Known>>>();
  #now = new Map<BgpPeer, Map<string, Map<ClusterNode, Known>>>();

  /** What is not asked for again is forgotten. */
  begin(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }

  /** A function for many nodes: a plan in each family in which the node has an address. */
  along(route: Route): (node: ClusterNode, port: number | undefined, asNumber: number) => readonly PeerPlan[] {
    const key = `${route.kind} ${route.isReverse} ${route.only}`;
    const before = this.#before.get(route.bgpPeer)?.get(key);
    const now = new Map<ClusterNode, Known>();
    const routes = this.#now.get(route.bgpPeer) ?? new Map<string, Map<ClusterNode, Known>>();
    this.#now.set(route.bgpPeer, routes.set(key, now));
    return (node, port, asNumber) => {
      const known = before?.get(node);
      const isSame = known !== undefined && known.port === port && known.asNumber === asNumber;
      const one = isSame ? known : { port, asNumber, plans: plansTo(node, port, asNumber, route) };
      now.set(node, one);
      return one.plans;
    };
  }
}

function plansTo(
  node: ClusterNode,
  port: number | undefined,
  asNumber: number,
  { bgpPeer, kind, isReverse, only }: Route,
): readonly PeerPlan[] {
  const addresses = [
    only === Family.Ipv6 ? undefined : node.ipv4?.address,
    only === Family.Ipv4 ? undefined : node.ipv6?.address,
  ];
  return addresses.flatMap((address) =>
    address === undefined
      ? []
      : {
          kind,
          address,
          port,
          asNumber,
          clusterId: node.clusterId,
          isPassive: false,
          bgpPeer,
          isReverse,
          source: `BGPPeer/${bgpPeer.name}`,
        },
  );
}
