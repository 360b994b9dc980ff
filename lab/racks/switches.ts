/** The switches' files: BIRD, set up as a network's own team would, knowing nothing of Calico. */

import { nodesAs, pool, type Rack, rackInterface, racks, type Switch, spineInterface, underlay } from "./network.ts";

export function switchConfiguration({ name, inRack, acrossRacks }: Switch, rack: Rack): string {
  const others = racks
    .filter((other) => other !== rack)
    .flatMap((other) => other.switches.map((tor) => ({ ...tor, asNumber: other.switchesAs })));
  return `# ${name}: the nodes of its rack tell their pods' blocks; it tells them where the other racks are.
log stderr all;
router id ${acrossRacks};
protocol device { }
protocol direct { ipv4; interface "${rackInterface}", "${spineInterface}"; }
protocol kernel {
  merge paths on;
  ipv4 { import none; export where source = RTS_BGP; };
}
template bgp fabric {
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  # Three seconds of silence, and the other end counts as gone.
  hold time 3; keepalive time 1;
}
protocol bgp nodes from fabric {
  local ${inRack} as ${rack.switchesAs};
  neighbor range ${rack.subnet} as ${nodesAs};
  direct;
  ipv4 {
    import where net ~ [ ${pool}+ ];
    export where net ~ [ ${underlay}+ ] && net != ${rack.subnet};
  };
}
${others.map((other) => betweenRacks(acrossRacks, rack, other)).join("\n")}
`;
}

function betweenRacks(local: string, rack: Rack, other: Switch & { readonly asNumber: number }): string {
  return `protocol bgp ${other.name.replace("-", "_")} from fabric {
  local ${local} as ${rack.switchesAs};
  neighbor ${other.acrossRacks} as ${other.asNumber};
  direct;
  ipv4 {
    import all;
    export where net ~ [ ${pool}+, ${rack.subnet} ];
  };
}`;
}
