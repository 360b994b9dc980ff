/** A node of a Calico cluster for the tests of BIRD's control socket: once with starling, once with a BIRD 1.6 in its place. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { built, executable } from "./attacked-daemon.ts";
import type { Bird16 } from "./bird16.ts";
import { writeResources } from "./calico-folder.ts";
import { Starling } from "./daemons/starling.ts";
import type { ApiObject } from "./kubernetes-objects.ts";
import type { LabNode } from "./lab-node.ts";
import type { Lab } from "./netns.ts";

/** What is looked at plays the node of 10.0.0.1; a BIRD 2 at 10.0.0.2 plays all that it talks to. */
const OTHERS = `
router id 10.0.0.2;
protocol device {}
protocol static s4 {
  ipv4;
  route 10.244.1.0/26 blackhole { bgp_community.add((64512,10)); bgp_large_community.add((64512,1,2)); bgp_med = 7; };
  route 10.244.2.0/26 blackhole;
  route 10.96.0.0/24 via 10.0.0.99;
  route 10.50.0.0/24 blackhole { bgp_path.prepend(65001); bgp_path.prepend(65002); };
}
protocol static s6 { ipv6; route fd30::/122 blackhole; }
template bgp calico { multihop; graceful restart; strict bind; passive; }
protocol bgp x from calico { local 10.0.0.2 as 64512; neighbor 10.0.0.1 as 64512; ipv4 { import all; export all; add paths on; }; }
protocol bgp z from calico { local fd00::2 as 64512; neighbor fd00::1 as 64512; ipv6 { import all; export all; add paths on; }; }
`;

/** A BIRD has one session with a neighbour: the switch is another. */
const SWITCH = `
router id 10.0.0.33;
protocol device {}
protocol static s4 {
  ipv4;
  route 10.244.1.0/26 blackhole { bgp_community.add((65033,1)); };
  route 10.33.0.0/16 blackhole { bgp_path.prepend(65034); bgp_med = 5; bgp_origin = ORIGIN_INCOMPLETE; };
}
protocol bgp node {
  local 10.0.0.33 as 65033; neighbor 10.0.0.1 as 64512; multihop; graceful restart; strict bind; passive;
  ipv4 { import all; export where source = RTS_STATIC; add paths on; };
}
`;

const PEERS = [
  { name: "Mesh_10_0_0_2", address: "10.0.0.2", asNumber: 64512 },
  { name: "Global_10_0_0_33", address: "10.0.0.33", asNumber: 65033, multihop: 64 },
  { name: "Node_10_0_0_3", address: "10.0.0.3", asNumber: 64512, passive: true },
  { name: "Global_10_0_0_2_port_1790", address: "10.0.0.22", port: 1790, asNumber: 64512 },
];

export function starlingFile(folder: string): Readonly<Record<string, unknown>> {
  return {
    peers: [
      ...PEERS.map((peer) => ({ ...peer, localAddress: "10.0.0.1", families: { ipv4: { addPath: "both" } } })),
      { name: "Mesh_fd00__2", address: "fd00::2", asNumber: 64512, families: { ipv6: { addPath: "both" } } },
    ].map((peer) => ({ ...peer, export: ["own"], timers: { hold: 240, connectRetry: 1, idleHold: 1 } })),
    policies: {
      own: [{ match: { origin: ["peer", "static", "kernel"] }, then: "accept" }, { then: "reject" }],
    },
    originate: [
      { prefix: "10.244.0.0/26", blackhole: true },
      { prefix: "10.97.0.0/24", nextHop: "10.0.0.99" },
      { prefix: "fd10::/122", blackhole: true },
    ],
    kernel: { enabled: true, learn: { enabled: true, protocols: ["boot", "static"], interfaces: ["*"] } },
    control: {
      socket: join(folder, "starling.sock"),
      birdSocket: join(folder, "bird.ctl"),
      bird6Socket: join(folder, "bird6.ctl"),
    },
  };
}

/** The same node as Calico's own BIRD would be told. */
function bird16Files(): { readonly ipv4: string; readonly ipv6: string } {
  const common = `router id 10.0.0.1;
protocol device { scan time 1; }
protocol direct { interface -"cali*", "*"; }
protocol kernel { learn; persist; scan time 1; import all; export all; merge paths on; }
filter own { if source = RTS_DEVICE then reject; accept; }
template bgp calico { local as 64512; multihop; gateway recursive; import all; export filter own; add paths on; graceful restart; connect delay time 1; connect retry time 1; }
`;
  const peers = PEERS.map(
    ({ name, address, port, asNumber, passive }) =>
      `protocol bgp ${name} from calico { neighbor ${address} ${port === undefined ? "" : `port ${port}`} as ${asNumber}; source address 10.0.0.1; ${passive ? "passive on;" : ""} }`,
  );
  return {
    ipv4: `${common}protocol static { route 10.244.0.0/26 blackhole; route 10.97.0.0/24 via 10.0.0.99; }\n${peers.join("\n")}\n`,
    ipv6: `${common}protocol static { route fd10::/122 blackhole; }
protocol bgp Mesh_fd00__2 from calico { neighbor fd00::2 as 64512; source address fd00::1; }\n`,
  };
}

export interface BirdNode {
  /** Paths of the sockets. */
  readonly ipv4: string;
  readonly ipv6: string;
}

export async function startStarling(lab: Lab): Promise<BirdNode> {
  const node = await place(lab, "starling");
  const file = starlingFile(node.folder);
  await new Starling(node, { asNumber: 64512, routerId: "10.0.0.1", peers: [] }, { file }).start();
  return { ipv4: join(node.folder, "bird.ctl"), ipv6: join(node.folder, "bird6.ctl") };
}

const v3 = (kind: string, name: string, spec: object): ApiObject => ({
  apiVersion: "projectcalico.org/v3",
  kind,
  metadata: { name },
  spec,
});

/** The same place once more, but what it does stands in Calico's resources. */
export async function startCalicoNode(lab: Lab, name: string): Promise<BirdNode> {
  // By Calico's rule the node with the larger address dials.
  const node = await place(lab, name, OTHERS.replaceAll(" passive;", " connect delay time 1;"));
  const bgp = (last: number) => ({ bgp: { ipv4Address: `10.0.0.${last}/24`, ipv6Address: `fd00::${last}/64` } });
  const resources = [
    v3("Node", "node-1", bgp(1)),
    v3("Node", "node-2", bgp(2)),
    v3("IPPool", "pods", { cidr: "10.244.0.0/16", ipipMode: "Never", vxlanMode: "Never" }),
    v3("BlockAffinity", "node-1-10-244-0-0-26", {
      node: "node-1",
      cidr: "10.244.0.0/26",
      state: "confirmed",
      deleted: "false",
    }),
    v3("BGPPeer", "tor", { peerIP: "10.0.0.254", asNumber: 65001 }),
  ];
  const path = writeResources(node.folder, { resources, kubernetes: [] });
  const { control } = starlingFile(node.folder);
  const calico = { nodeName: "node-1", release: "3.33", datastore: { type: "file", path } };
  const file = join(node.folder, "starling.yaml");
  writeFileSync(file, JSON.stringify({ calico, control, http: false, log: { format: "json" } }));
  await built();
  node.spawn([process.execPath, executable, "run", "-c", file], "starling");
  return { ipv4: join(node.folder, "bird.ctl"), ipv6: join(node.folder, "bird6.ctl") };
}

export async function startBird16(lab: Lab, { bird, bird6 }: Bird16): Promise<BirdNode> {
  const node = await place(lab, "real");
  const files = bird16Files();
  const paths = { ipv4: join(node.folder, "bird.ctl"), ipv6: join(node.folder, "bird6.ctl") };
  for (const [program, family] of [
    [bird, "ipv4"],
    [bird6, "ipv6"],
  ] as const) {
    const file = join(node.folder, `${family}.conf`);
    writeFileSync(file, files[family]);
    node.spawn(
      [program, "-f", "-c", file, "-s", paths[family], "-P", join(node.folder, `${family}.pid`)],
      `bird16-${family}`,
    );
  }
  return paths;
}

/** In a network of its own, with the routes that Felix and the administrator of a node would have put there. */
async function place(lab: Lab, name: string, configuration = OTHERS): Promise<LabNode> {
  const [node, others] = await lab.nodes(name, `${name}-others`);
  await lab.link(node, others, {
    addresses: [
      ["10.0.0.1/24", "fd00::1/64"],
      ["10.0.0.2/24", "10.0.0.22/24", "10.0.0.33/24", "10.0.0.99/24", "fd00::2/64"],
    ],
    interfaces: ["eth0", "eth0"],
  });
  await node.stub("cali1");
  await node.ip("route", "add", "10.65.0.2/32", "dev", "cali1", "proto", "boot");
  await node.ip("route", "add", "default", "via", "10.0.0.254", "proto", "static");
  for (const [program, text] of Object.entries({ bird: configuration, switch: SWITCH })) {
    const file = join(others.folder, `${program}.conf`);
    writeFileSync(file, text);
    const own = (what: string) => join(others.folder, `${program}.${what}`);
    others.spawn(["bird", "-f", "-c", file, "-s", own("ctl"), "-P", own("pid")], program);
  }
  return node;
}
