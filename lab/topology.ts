/** The lab's network: who is in it, at which addresses, and how the cables run. */

import type { LabNode } from "../test/harness/lab-node.ts";
import type { Lab } from "../test/harness/netns.ts";

export const plan = {
  nodesAs: 64512,
  torAs: 65000,
  fabric: "10.0.0.0/24",
  reflector: "10.0.0.9",
  tor: "10.0.0.254",
  servers: "203.0.113.0/24",
  torTowardsServers: "203.0.113.1",
  server: "203.0.113.10",
  /** What a workload's default route names; every node answers for it on its own `cali*` interfaces, as in Calico. */
  workloadGateway: "169.254.1.1",
} as const;

export interface NodePlan {
  readonly name: string;
  readonly address: string;
  readonly block: string;
  readonly pod: string;
  readonly podAddress: string;
  /** The node's end of the workload's cable. */
  readonly podInterface: string;
}

export const nodeA: NodePlan = {
  name: "node-a",
  address: "10.0.0.1",
  block: "10.244.1.0/26",
  pod: "pod-a",
  podAddress: "10.244.1.10",
  podInterface: "cali0a",
};

export const nodeB: NodePlan = {
  name: "node-b",
  address: "10.0.0.2",
  block: "10.244.2.0/26",
  pod: "pod-b",
  podAddress: "10.244.2.10",
  podInterface: "cali0b",
};

/** The interface of nodes, reflector and tor towards the switch between them. */
export const uplink = "eth0";
/** The interface of the tor behind which the server stands. */
export const serversInterface = "servers";

export const picture = `
                      server
                         | 203.0.113.10
                         |
                        tor            BIRD, AS 65000; 203.0.113.0/24 is behind it
                         | 10.0.0.254
                         |
    10.0.0.1             |             10.0.0.2
  node-a -----------[ switch ]----------- node-b      starling, AS 64512; each has
    |                    |                  |         a block of 64 pod addresses
    |                    | 10.0.0.9         |
    |                reflector              |         starling, without a kernel side:
    |                                       |         reflects routes, forwards nothing
  pod-a                                   pod-b
  10.244.1.10                       10.244.2.10

  eBGP: tor with node-a and node-b.   iBGP: reflector with node-a and node-b, its clients.
`;

export interface LabNetwork {
  readonly lab: Lab;
  readonly nodeA: LabNode;
  readonly nodeB: LabNode;
  readonly reflector: LabNode;
  readonly tor: LabNode;
  readonly podA: LabNode;
  readonly podB: LabNode;
  readonly server: LabNode;
}

/** Everything but the daemons. `progress` is told of what comes next. */
export async function buildNetwork(lab: Lab, progress: (text: string) => void): Promise<LabNetwork> {
  progress("namespaces");
  const [first, second, reflector, tor, podA, podB, server, middle] = await lab.nodes(
    ...([nodeA.name, nodeB.name, "reflector", "tor", nodeA.pod, nodeB.pod, "server", "switch"] as const),
  );
  progress("the switch and its cables");
  await middle.ip("link", "add", "name", "switch", "type", "bridge");
  await middle.setLink("switch", "up");
  const members: readonly (readonly [LabNode, string])[] = [
    [first, nodeA.address],
    [second, nodeB.address],
    [reflector, plan.reflector],
    [tor, plan.tor],
  ];
  for (const [member, address] of members) {
    await lab.link(middle, member, { interfaces: [member.name, uplink], addresses: [[], [`${address}/24`]] });
    await middle.ip("link", "set", "dev", member.name, "master", "switch");
  }
  progress("workloads");
  await addPod(lab, first, podA, nodeA);
  await addPod(lab, second, podB, nodeB);
  progress("the server behind the tor");
  await lab.link(tor, server, {
    interfaces: [serversInterface, uplink],
    addresses: [[`${plan.torTowardsServers}/24`], [`${plan.server}/24`]],
  });
  await server.ip("route", "add", "default", "via", plan.torTowardsServers);
  return { lab, nodeA: first, nodeB: second, reflector, tor, podA, podB, server };
}

/** As Calico wires a pod: an address of its own, a gateway that is nowhere but on its cable, a host route on the node. `metric`: of that route. */
export async function addPod(
  lab: Lab,
  node: LabNode,
  pod: LabNode,
  wiring: Pick<NodePlan, "podInterface" | "podAddress">,
  metric = 0,
): Promise<void> {
  const gateway = plan.workloadGateway;
  await lab.link(node, pod, {
    interfaces: [wiring.podInterface, uplink],
    addresses: [[`${gateway}/32`], [`${wiring.podAddress}/32`]],
  });
  const route = [`${wiring.podAddress}/32`, "dev", wiring.podInterface, "scope", "link", "metric", String(metric)];
  await node.ip("route", "add", ...route);
  await pod.ip("route", "add", gateway, "dev", uplink, "scope", "link");
  await pod.ip("route", "add", "default", "via", gateway, "dev", uplink);
}
