/** BIRD's file as confd writes it for a node of a mesh: in the words of BIRD 1.6, as in Calico, or the same in those of BIRD 2. */

import { asNumber, type Family, type FamilyPlan, type MeshNode, meshNodes, pools, type Release } from "./network.ts";

export type BirdVersion = "1.6" | "2";

/** As `Mesh_10_0_0_1`, which tools and people know. */
export const meshName = (address: string) => `Mesh_${address.replaceAll(/[.:]/g, "_")}`;

/** Of one family, since Calico has a daemon for each. */
export function birdOfCalico(node: MeshNode, family: Family, version: BirdVersion, release: Release): string {
  const own = node[family];
  const others = meshNodes.filter((other) => other !== node).map((other) => other[family]);
  const priorities = release === "3.31" ? none : byLocalPref;
  const words = version === "2" ? birdTwo(family, own) : birdOne(own);
  return `log stderr all;
router id ${node.ipv4.address};

filter calico_kernel_programming {
  # BIRD 1.6 keeps these from the kernel by itself.
  if source = RTS_DEVICE then reject;${priorities.kernel}
  accept;
}

function calico_aggr() {
  if net = ${own.block} then accept;
  if net ~ ${own.block} then reject;
}

filter calico_import {${priorities.import}
  accept;
}

filter calico_export {${priorities.export}
  calico_aggr();
  if net ~ ${pools[family]} then accept;
  reject;
}

protocol device { scan time 2; }
protocol direct {${words.channel}
  interface -"cali*", -"kube-ipvs*", "*";
}
protocol kernel {
  learn;
  persist;
  scan time 2;
  graceful restart;
  merge paths on;
  ${words.kernel}
}
protocol static {${words.channel}
  route ${own.block} blackhole;
}

template bgp calico {
  connect delay time 2;
  connect retry time 5;
  error wait time 5, 30;
  multihop;
  ${words.bgp}
}
${others.map((other) => meshProtocol(own, other)).join("\n")}
`;
}

/** From 3.32 on LOCAL_PREF carries the metric of a route: what goes in front of each filter. */
const byLocalPref = {
  kernel: `
  if source = RTS_BGP && !defined(krt_metric) then {
    krt_metric = 1024;
    if defined(bgp_local_pref) then krt_metric = 2147483647 - bgp_local_pref;
  }`,
  import: `
  if defined(bgp_local_pref) && bgp_local_pref > 2147482623 then preference = 200;`,
  export: `
  if source = RTS_BGP && defined(bgp_local_pref) then {
    krt_metric = 2147483647 - bgp_local_pref;
  } else {
    if !defined(krt_metric) then krt_metric = 1024;
    bgp_local_pref = 2147483647 - krt_metric;
  }`,
};
const none = { kernel: "", import: "", export: "" };

interface Words {
  readonly channel: string;
  readonly kernel: string;
  readonly bgp: string;
}

function birdOne({ address }: FamilyPlan): Words {
  return {
    channel: "",
    kernel: "import all; export filter calico_kernel_programming;",
    bgp: `local as ${asNumber};
  source address ${address};
  graceful restart;
  gateway recursive;
  add paths on;
  import filter calico_import;
  export filter calico_export;`,
  };
}

function birdTwo(family: Family, { address }: FamilyPlan): Words {
  return {
    channel: ` ${family};`,
    kernel: `metric 0;\n  ${family} { import all; export filter calico_kernel_programming; };`,
    bgp: `local ${address} as ${asNumber};
  graceful restart on;
  ${family} {
    gateway recursive;
    add paths on;
    import filter calico_import;
    export filter calico_export;
  };`,
  };
}

/** The one whose address comes first as text waits for the other to dial, as in Calico's mesh. */
function meshProtocol(own: FamilyPlan, other: FamilyPlan): string {
  const passive = other.address > own.address ? "\n  passive on;" : "";
  return `protocol bgp ${meshName(other.address)} from calico {
  neighbor ${other.address} as ${asNumber};${passive}
}`;
}
