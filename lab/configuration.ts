/** The configuration files of the lab's daemons, as a user would write them. */

import { type NodePlan, nodeA, nodeB, plan, serversInterface } from "./topology.ts";

/** Seconds that suit a demonstration: a session that ended is tried again soon. */
const timers = "timers: {connectRetry: 1s, idleHold: 500ms}";

export function nodeConfiguration(node: NodePlan, socket: string): string {
  return `# ${node.name}: its own block goes out, everybody else's comes in and stands in the kernel.
asNumber: ${plan.nodesAs}
routerId: ${node.address}
peerDefaults: {${timers}, export: [own-block]}
peers:
  - {name: reflector, address: ${plan.reflector}}
  - {name: tor, address: ${plan.tor}, asNumber: ${plan.torAs}}
originate:
  - {prefix: ${node.block}, blackhole: true}
policies:
  own-block: [{match: {origin: [static]}}, {then: reject}]
kernel: {learn: {protocols: [boot], interfaces: ["cali*"]}}
control: {socket: ${socket}}
`;
}

export function reflectorConfiguration(socket: string): string {
  const client = (node: NodePlan) => `  - {name: ${node.name}, address: ${node.address}, routeReflectorClient: true}`;
  return `# reflector: tells each node of the others' blocks; it writes no kernel routes.
asNumber: ${plan.nodesAs}
routerId: ${plan.reflector}
peerDefaults: {${timers}}
peers:
${client(nodeA)}
${client(nodeB)}
kernel: {enabled: false}
control: {socket: ${socket}}
`;
}

export function torConfiguration(): string {
  const peer = (node: NodePlan) => `protocol bgp ${node.name.replace("-", "_")} from rack {
  neighbor ${node.address} as ${plan.nodesAs};
}`;
  return `# tor: a top-of-rack switch as a network's own team would run it.
log stderr all;
router id ${plan.tor};
protocol device { }
protocol direct { ipv4; interface "${serversInterface}"; }
protocol kernel {
  ipv4 { import none; export where source = RTS_BGP; };
}
template bgp rack {
  local ${plan.tor} as ${plan.torAs};
  direct;
  connect delay time 1; connect retry time 1; error wait time 1, 5;
  ipv4 { import all; export where source = RTS_DEVICE; };
}
${peer(nodeA)}
${peer(nodeB)}
`;
}
