/** What `--keep` prints after the migration: how to look around, and how to change a node by hand. */

import type { Paint } from "../../src/cli/terminal.ts";
import type { Lab } from "../../test/harness/netns.ts";
import type { NodeSpeaker } from "./speaker.ts";

export function handsOn(paint: Paint, lab: Lab, speakers: readonly NodeSpeaker[]): string {
  const inside = (speaker: NodeSpeaker, command: string) =>
    `  ip netns exec ${speaker.member.node.namespace} ${command}`;
  const lines = speakers.flatMap((speaker) =>
    speaker.birds.map(({ birdc }) => inside(speaker, `${birdc.join(" ")} show protocols`)),
  );
  return `${paint.bold("The lab keeps running until Ctrl-C.")} In another terminal, as root:

${paint.bold("Ask the nodes")}, which are BIRD's again
${lines.join("\n")}

${paint.bold("Their kernels")}
${speakers.map((speaker) => inside(speaker, "ip route")).join("\n")}

The configuration files and logs of all daemons, and Calico's resources, are in ${lab.folder}.
`;
}
