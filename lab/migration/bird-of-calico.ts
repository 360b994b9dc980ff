/** BIRD's file as confd writes it for a node of a mesh, in the words of BIRD 2: same sessions, same filters, same timers. */

import type { CalicoNode } from "../calico/resources.ts";

/** As `Mesh_10_0_0_1`, which tools and people know. */
export const meshName = (address: string) => `Mesh_${address.replaceAll(".", "_")}`;

export function birdOfCalico(node: CalicoNode, nodes: readonly CalicoNode[], asNumber: number, pool: string): string {
  const others = nodes.filter((other) => other !== node);
  return `log stderr all;
router id ${node.address};

filter calico_kernel_programming {
  # BIRD 1.6 keeps these from the kernel by itself.
  if source = RTS_DEVICE then reject;
  if source = RTS_BGP && !defined(krt_metric) then {
    krt_metric = 1024;
    if defined(bgp_local_pref) then krt_metric = 2147483647 - bgp_local_pref;
  }
  accept;
}

function calico_aggr() {
  if net = ${node.block} then accept;
  if net ~ ${node.block} then reject;
}

protocol device { scan time 2; }
protocol direct {
  ipv4;
  interface -"cali*", -"kube-ipvs*", "*";
}
protocol kernel {
  learn;
  persist;
  scan time 2;
  graceful restart;
  merge paths on;
  metric 0;
  ipv4 { import all; export filter calico_kernel_programming; };
}
protocol static {
  ipv4;
  route ${node.block} blackhole;
}

template bgp calico {
  local ${node.address} as ${asNumber};
  multihop;
  graceful restart on;
  connect delay time 2;
  connect retry time 5;
  error wait time 5, 30;
  ipv4 {
    gateway recursive;
    add paths on;
    import filter {
      if defined(bgp_local_pref) && bgp_local_pref > 2147482623 then preference = 200;
      accept;
    };
    export filter {
      if source = RTS_BGP && defined(bgp_local_pref) then {
        krt_metric = 2147483647 - bgp_local_pref;
      } else {
        if !defined(krt_metric) then krt_metric = 1024;
        bgp_local_pref = 2147483647 - krt_metric;
      }
      calico_aggr();
      if net ~ ${pool} then accept;
      reject;
    };
  };
}
${others.map((other) => meshProtocol(node, other, asNumber)).join("\n")}
`;
}

/** The one whose address comes first as text waits for the other to dial, as in Calico's mesh. */
function meshProtocol(node: CalicoNode, other: CalicoNode, asNumber: number): string {
  const passive = other.address > node.address ? "\n  passive on;" : "";
  return `protocol bgp ${meshName(other.address)} from calico {
  neighbor ${other.address} as ${asNumber};${passive}
}`;
}
