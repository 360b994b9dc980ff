/** The migration lab's network: four nodes of a mesh on one switch, each with a workload. */

import type { LabNode } from "../../test/harness/lab-node.ts";
import type { Lab } from "../../test/harness/netns.ts";
import type { CalicoNode, NodeAddresses } from "../calico/resources.ts";
import type { StoryOptions } from "../scenario.ts";
import { addPod, uplink } from "../topology.ts";

export const asNumber = 64512;
export type Release = StoryOptions["release"];
export type Family = "ipv4" | "ipv6";
export const families: readonly Family[] = ["ipv4", "ipv6"];
export const pools: Readonly<Record<Family, string>> = { ipv4: "10.244.0.0/16", ipv6: "fd10::/48" };
/** What Felix gives the routes of its workloads: in 3.31 nothing, which is 0 for IPv4 and the kernel's own 1024 for IPv6. */
const felixMetrics = { "3.31": { ipv4: 0, ipv6: 1024 }, "3.33": { ipv4: 1024, ipv6: 1024 } } as const;
/** The node's end of a workload's cable, as Calico has it on every node. */
const gateway = "fe80::ecee:eeff:feee:eeee";

export interface FamilyPlan extends NodeAddresses {
  readonly block: string;
  readonly podAddress: string;
}

export interface MeshNode {
  readonly name: string;
  readonly ipv4: FamilyPlan;
  readonly ipv6: FamilyPlan;
}

export const meshNodes: readonly MeshNode[] = [1, 2, 3, 4].map((i) => ({
  name: `node-${i}`,
  ipv4: { address: `10.0.0.${i}`, prefixLength: 24, block: `10.244.${i}.0/26`, podAddress: `10.244.${i}.10` },
  ipv6: { address: `fd00::${i}`, prefixLength: 64, block: `fd10::${i}:0/122`, podAddress: `fd10::${i}:10` },
}));

/** As Calico's resources describe them. */
export const calicoNodes: readonly CalicoNode[] = meshNodes.map(({ name, ipv4, ipv6 }) => ({ name, ...ipv4, ipv6 }));

export const picture = `
  pod-1        pod-2        pod-3        pod-4
    |            |            |            |
  node-1       node-2       node-3       node-4       AS 64512, a full mesh over IPv4, one over IPv6
    |            |            |            |
    +------------+--[ switch ]+------------+          BIRD, then starling, then BIRD; packets all the time
`;

export interface Member {
  readonly plan: MeshNode;
  readonly node: LabNode;
  readonly pod: LabNode;
}

/** Everything but the daemons. */
export async function buildMesh(lab: Lab, release: Release): Promise<Member[]> {
  const felix = felixMetrics[release];
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
    const addresses = families.map((family) => `${plan[family].address}/${plan[family].prefixLength}`);
    await lab.link(middle, node, { interfaces: [node.name, uplink], addresses: [[], addresses] });
    await middle.ip("link", "set", "dev", node.name, "master", "switch");
    const podInterface = `cali${plan.name}`;
    await addPod(lab, node, pod, { podInterface, podAddress: plan.ipv4.podAddress }, felix.ipv4);
    await node.ip("address", "add", `${gateway}/64`, "dev", podInterface, "nodad");
    await node.ip("route", "add", `${plan.ipv6.podAddress}/128`, "dev", podInterface, "metric", String(felix.ipv6));
    await pod.ip("address", "add", `${plan.ipv6.podAddress}/128`, "dev", uplink, "nodad");
    await pod.ip("route", "add", "default", "via", gateway, "dev", uplink);
  }
  return members;
}
