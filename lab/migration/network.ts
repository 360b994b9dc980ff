/** The migration lab's network: four nodes of a mesh on one switch, each with a workload. */

import type { LabNode } from "../../test/harness/lab-node.ts";
import type { Lab } from "../../test/harness/netns.ts";
import type { CalicoNode } from "../calico/resources.ts";
import { addPod, uplink } from "../topology.ts";

export const asNumber = 64512;
export const pool = "10.244.0.0/16";
/** What Felix gives the routes of its workloads. */
const felixMetric = 1024;

export interface MeshNode extends CalicoNode {
  readonly block: string;
  readonly podAddress: string;
}

export const meshNodes: readonly MeshNode[] = [1, 2, 3, 4].map((i) => ({
  name: `node-${i}`,
  address: `10.0.0.${i}`,
  prefixLength: 24,
  block: `10.244.${i}.0/26`,
  podAddress: `10.244.${i}.10`,
}));

export const picture = `
  pod-1        pod-2        pod-3        pod-4
    |            |            |            |
  node-1       node-2       node-3       node-4       AS 64512, a full mesh: BIRD, then starling, then BIRD
    |            |            |            |
    +------------+--[ switch ]+------------+          packets between all pods, all the time
`;

export interface Member {
  readonly plan: MeshNode;
  readonly node: LabNode;
  readonly pod: LabNode;
}

/** Everything but the daemons. */
export async function buildMesh(lab: Lab): Promise<Member[]> {
  const members: Member[] = [];
  for (const plan of meshNodes) {
    const node = await lab.node(plan.name);
    const pod = await lab.node(plan.name.replace("node", "pod"));
    members.push({ plan, node, pod });
  }
  const middle = await lab.node("switch");
  await middle.ip("link", "add", "name", "switch", "type", "bridge");
  await middle.setLink("switch", "up");
  for (const { plan, node, pod } of members) {
    const addresses = [`${plan.address}/${plan.prefixLength}`];
    await lab.link(middle, node, { interfaces: [node.name, uplink], addresses: [[], addresses] });
    await middle.ip("link", "set", "dev", node.name, "master", "switch");
    await addPod(lab, node, pod, { podInterface: `cali${plan.name}`, podAddress: plan.podAddress }, felixMetric);
  }
  return members;
}
