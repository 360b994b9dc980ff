/**
 * The sessions that BGPPeers give this node. Those for all nodes come first, then those for some, then the other side of each: nodes
 * that a BGPPeer selects as peers peer back. Of several that lead to the same peer the first counts; BGPPeers go by name.
 */

import { Family } from "../../../bgp/model/family.ts";
import type { BgpPeer } from "../resources/bgp-peer.ts";
import { familyOf } from "../resources/field-types.ts";
import type { ClusterNode } from "../resources/node.ts";
import type { NodeDirectory } from "./node-directory.ts";
import type { NodePlans, Route } from "./node-plans.ts";
import { type PeerPlan, type PlanKind, planKey } from "./peer-plan.ts";

export interface ExplicitPlans {
  readonly plans: readonly PeerPlan[];
  /** Plans of BGPPeers that came too late for their peer, with the plan that was first. */
  readonly late: readonly { readonly plan: PeerPlan; readonly first: PeerPlan }[];
  /** BGPPeers without an AS number to an address that no node has. */
  readonly lacksAsNumber: readonly BgpPeer[];
}

/** `nodePlans`: of the last time, for this one. */
export function explicitPlans(
  own: ClusterNode,
  bgpPeers: readonly BgpPeer[],
  directory: NodeDirectory,
  nodePlans: NodePlans,
): ExplicitPlans {
  nodePlans.begin();
  return new Planner(own, directory, nodePlans).plan(bgpPeers.filter((one) => !one.isForLocalWorkloads));
}

function isForAll({ node, nodeSelector }: BgpPeer): boolean {
  return node === undefined && nodeSelector === undefined;
}

/** Whether the BGPPeer gives this node a session by itself. */
function isLocal({ node, nodeSelector }: BgpPeer, own: ClusterNode): boolean {
  if (nodeSelector !== undefined) return nodeSelector.matches(own.labels);
  return node === undefined || node === own.name;
}

class Planner {
  readonly #own: ClusterNode;
  readonly #directory: NodeDirectory;
  readonly #nodePlans: NodePlans;
  readonly #plans = new Map<string, PeerPlan>();
  readonly #late: { readonly plan: PeerPlan; readonly first: PeerPlan }[] = [];
  readonly #lacksAsNumber: BgpPeer[] = [];

  constructor(own: ClusterNode, directory: NodeDirectory, nodePlans: NodePlans) {
    this.#own = own;
    this.#nodePlans = nodePlans;
    this.#directory = directory;
  }

  plan(bgpPeers: readonly BgpPeer[]): ExplicitPlans {
    const local = bgpPeers.filter((one) => isLocal(one, this.#own));
    for (const one of local) if (isForAll(one)) this.#forward(one, "Global");
    for (const one of local) if (!isForAll(one)) this.#forward(one, "Node");
    for (const one of bgpPeers) if (one.hasReverse && this.#isRemote(one)) this.#backward(one);
    return { plans: [...this.#plans.values()], late: this.#late, lacksAsNumber: this.#lacksAsNumber };
  }

  #forward(bgpPeer: BgpPeer, kind: PlanKind): void {
    const { peerSelector, peerIp } = bgpPeer;
    if (peerSelector !== undefined) {
      const nodes = this.#directory.matching(peerSelector);
      this.#toNodes(nodes, { bgpPeer, kind, isReverse: false, only: undefined });
    } else if (peerIp !== undefined) {
      this.#toAddress(bgpPeer, kind, peerIp.address, peerIp.port);
    }
  }

  #toAddress(bgpPeer: BgpPeer, kind: PlanKind, address: string, port: number | undefined): void {
    const node = this.#directory.at(address, bgpPeer.asNumber, port);
    const asNumber = bgpPeer.asNumber ?? (node === undefined ? undefined : this.#directory.asNumberOf(node));
    if (asNumber === undefined) {
      this.#lacksAsNumber.push(bgpPeer);
      return;
    }
    const local = familyOf(address) === Family.Ipv4 ? this.#own.ipv4 : this.#own.ipv6;
    this.#add({
      kind,
      address,
      port: port ?? (node === undefined ? undefined : this.#directory.portOf(node)),
      asNumber,
      // BIRD's rules do not know it either: two reflectors that name each other by address are clients of each other.
      clusterId: undefined,
      // As in the mesh, of two nodes that name each other one dials: whatever AS number is written. Text is compared, as BIRD's nodes do.
      isPassive: kind === "Global" && this.#directory.isNode(address) && local !== undefined && address > local.address,
      bgpPeer,
      isReverse: false,
      source: `BGPPeer/${bgpPeer.name}`,
    });
  }

  #toNodes(nodes: readonly ClusterNode[], route: Route): void {
    const plansTo = this.#nodePlans.along(route);
    // A BGPPeer by address may give its nodes another AS number towards this one: with that they will open their sessions.
    const { peerIp, localAsNumber } = route.bgpPeer;
    const localAs = route.isReverse && peerIp !== undefined ? localAsNumber : undefined;
    for (const node of nodes) {
      const asNumber = localAs ?? this.#directory.asNumberOf(node);
      for (const plan of plansTo(node, this.#directory.portOf(node), asNumber)) this.#add(plan);
    }
  }

  /** Whether this node is whom the BGPPeer's nodes peer with. */
  #isRemote({ peerSelector, peerIp, asNumber }: BgpPeer): boolean {
    if (peerSelector !== undefined) return peerSelector.matches(this.#own.labels);
    if (peerIp === undefined) return false;
    const { ipv4, ipv6 } = this.#own;
    const isOurs = peerIp.address === ipv4?.address || peerIp.address === ipv6?.address;
    return isOurs && this.#directory.isAt(this.#own, asNumber, peerIp.port);
  }

  #backward(bgpPeer: BgpPeer): void {
    // Of a BGPPeer by address one family is meant.
    const only = bgpPeer.peerIp === undefined ? undefined : familyOf(bgpPeer.peerIp.address);
    this.#toNodes(this.#localSide(bgpPeer), { bgpPeer, kind: "Node", isReverse: true, only });
  }

  #localSide({ node, nodeSelector }: BgpPeer): readonly ClusterNode[] {
    if (nodeSelector !== undefined) return this.#directory.matching(nodeSelector);
    if (node === undefined) return this.#directory.all();
    const one = this.#directory.get(node);
    return one === undefined ? [] : [one];
  }

  #add(plan: PeerPlan): void {
    const isOwn = plan.address === this.#own.ipv4?.address || plan.address === this.#own.ipv6?.address;
    if (isOwn || (familyOf(plan.address) === Family.Ipv4 ? this.#own.ipv4 : this.#own.ipv6) === undefined) return;
    const key = planKey(plan);
    const first = this.#plans.get(key);
    if (first === undefined) this.#plans.set(key, plan);
    else if (!plan.isReverse) this.#late.push({ plan, first });
  }
}
