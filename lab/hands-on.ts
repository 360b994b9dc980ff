/** What `--keep` prints: how to enter the lab's nodes, and what to try there. */

import type { Paint } from "../src/cli/terminal.ts";
import type { Starling } from "./starling.ts";
import { type LabNetwork, nodeB, uplink } from "./topology.ts";

/** What there is to look at once the steps are through. */
interface Stage {
  readonly network: LabNetwork;
  readonly speakers: readonly Starling[];
  readonly birdc: readonly string[];
}

export function handsOn({ network, speakers, birdc }: Stage, paint: Paint): string {
  const { nodeA, podA, tor } = network;
  const enter = (namespace: string, command: string) => `  ip netns exec ${namespace} ${command}`;
  const sockets = speakers.map((speaker) => `  export STARLING_SOCKET=${speaker.socket}`);
  const second = speakers.find((speaker) => speaker.name === nodeB.name);
  return `${paint.bold("The lab keeps running until Ctrl-C.")} In another terminal, as root:

${paint.bold("Ask starling")} (one of these, then any command of docs/commands.md)
${sockets.join("\n")}
  npx starling show peers
  npx starling show routes
  npx starling show kernel

${paint.bold("Look at the kernel and the packets")}
${enter(nodeA.namespace, "ip route")}
${enter(podA.namespace, `ping ${nodeB.podAddress}`)}
${enter(nodeA.namespace, "bash")}

${paint.bold("Ask BIRD on the tor")}
${enter(tor.namespace, `${birdc.join(" ")} show route all`)}

${paint.bold("Break something")}, with the ping running
  npx starling peer reflector disable --message "a lesson" --socket ${second?.socket ?? ""}
  ip -netns ${nodeA.namespace} route delete ${nodeB.block}
  ip -netns ${nodeA.namespace} link set dev ${uplink} down

The configuration files and logs of all daemons are in ${network.lab.folder}.
`;
}
