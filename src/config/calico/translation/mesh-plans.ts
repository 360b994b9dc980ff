/** The full mesh: a session with every node that has an address of the family and is no reflector. */

import { Family } from "../../../bgp/model/family.ts";
import type { ClusterNode } from "../resources/node.ts";
import type { NodeDirectory } from "./node-directory.ts";
import type { PeerPlan } from "./peer-plan.ts";

interface Known {
  readonly node: ClusterNode;
  readonly port: number | undefined;
  readonly asNumber: number;
  readonly plan: PeerPlan;
}

/** A node that has not changed keeps its plan: there may be thousands. */
export class MeshPlanner {
  readonly #family: Family;
  #known = new Map<string, Known>();
  /** This node's address, which the plans depend on. */
  #local: string | undefined;

  constructor(family: Family) {
    this.#family = family;
  }

  /** A reflector is in no mesh. Of two nodes with one address the first by name counts. */
  plans(own: ClusterNode, directory: NodeDirectory): readonly PeerPlan[] {
    const local = this.#addressOf(own);
    if (local !== this.#local) this.#known = new Map();
    this.#local = local;
    if (local === undefined || own.clusterId !== undefined) return [];
    const plans: PeerPlan[] = [];
    const known = new Map<string, Known>();
    const taken = new Set([local]);
    for (const node of directory.all()) {
      const address = this.#addressOf(node);
      if (address === undefined || address === local || node.clusterId !== undefined) continue;
      if (directory.sharedAddresses.has(address)) {
        if (taken.has(address)) continue;
        taken.add(address);
      }
      const one = this.#planFor(node, address, local, directory);
      known.set(node.name, one);
      plans.push(one.plan);
    }
    this.#known = known;
    return plans;
  }

  #planFor(node: ClusterNode, address: string, local: string, directory: NodeDirectory): Known {
    const port = directory.portOf(node);
    const asNumber = directory.asNumberOf(node);
    const before = this.#known.get(node.name);
    if (before?.node === node && before.port === port && before.asNumber === asNumber) return before;
    const plan: PeerPlan = {
      kind: "Mesh",
      address,
      port,
      asNumber,
      clusterId: undefined,
      // As text, so that BIRD's nodes come to the opposite: of each pair one dials, and no restart is broken off by the other.
      isPassive: address > local,
      bgpPeer: undefined,
      isReverse: false,
      source: `Node/${node.name}`,
    };
    return { node, port, asNumber, plan };
  }

  #addressOf({ ipv4, ipv6 }: ClusterNode): string | undefined {
    return (this.#family === Family.Ipv4 ? ipv4 : ipv6)?.address;
  }
}
