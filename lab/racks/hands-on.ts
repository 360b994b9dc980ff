/** What `--keep` prints for the two racks: whom to ask, and what to break. */

import type { Paint } from "../../src/cli/terminal.ts";
import type { Lab } from "../../test/harness/netns.ts";
import type { Bird } from "../bird.ts";
import type { Starling } from "../starling.ts";
import { rackInterface } from "./network.ts";

export function handsOn(paint: Paint, lab: Lab, speakers: readonly Starling[], switches: readonly Bird[]): string {
  const [tor] = switches;
  return `${paint.bold("The lab keeps running until Ctrl-C.")} In another terminal, as root:

${paint.bold("Ask starling")} (one of these, then any command of docs/commands.md)
${speakers.map(({ socket }) => `  export STARLING_SOCKET=${socket}`).join("\n")}

${paint.bold("Ask the switches")}
${switches.map(({ node, birdc }) => `  ip netns exec ${node.namespace} ${birdc.join(" ")} show route`).join("\n")}

${paint.bold("Break something")}
  ip -netns ${tor?.node.namespace} link set dev ${rackInterface} down

The configuration files and logs of all daemons, and Calico's resources, are in ${lab.folder}.
`;
}
