/** Calico's resources for two racks: no mesh, clients of the reflectors of their own rack, all reflectors joined, switches outside. */

import { cluster, type Resource } from "../calico/resources.ts";
import { nodesAs, pool, racks } from "./network.ts";

const filter = "own-routes-only";

export function rackResources(): Resource[] {
  const nodes = racks.flatMap(({ workers, reflectors }) => [...workers, ...reflectors]);
  return [
    {
      kind: "BGPConfiguration",
      metadata: { name: "default" },
      spec: { nodeToNodeMeshEnabled: false, asNumber: nodesAs },
    },
    ...cluster(nodes, [pool]),
    // Without it a node would tell its switches what it has heard of other nodes, with itself as next hop.
    {
      kind: "BGPFilter",
      metadata: { name: filter },
      spec: { exportV4: [{ source: "RemotePeers", action: "Reject" }] },
    },
    peer("reflectors", { nodeSelector: "has(reflector)", peerSelector: "has(reflector)" }),
    ...racks.flatMap(({ number, switches, switchesAs }) => {
      const clients = `rack == '${number}' && !has(reflector)`;
      return [
        peer(`rack-${number}`, { nodeSelector: clients, peerSelector: `rack == '${number}' && has(reflector)` }),
        ...switches.map(({ name, inRack }) =>
          peer(name, { nodeSelector: clients, peerIP: inRack, asNumber: switchesAs, filters: [filter] }),
        ),
      ];
    }),
  ];
}

function peer(name: string, spec: Readonly<Record<string, unknown>>): Resource {
  return { kind: "BGPPeer", metadata: { name }, spec };
}
