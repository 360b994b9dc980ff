/** A small Calico cluster as `calicoctl get -o yaml` would print it, and the file that starling needs beside it. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";

/** What a node has in one family. */
export interface NodeAddresses {
  /** In the node's own subnet. */
  readonly address: string;
  readonly prefixLength: number;
  /** Its block of pod addresses; undefined where no pods run. */
  readonly block: string | undefined;
}

export interface CalicoNode extends NodeAddresses {
  readonly name: string;
  readonly ipv6?: NodeAddresses;
  readonly labels?: Readonly<Record<string, string>>;
  /** Of a node that is a route reflector. */
  readonly clusterId?: string;
}

export interface Resource {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What is the same in every lab: nodes, their blocks, and pools without encapsulation. */
export function cluster(nodes: readonly CalicoNode[], pools: readonly string[]): Resource[] {
  return [
    ...pools.map((cidr, i) => ({
      kind: "IPPool",
      metadata: { name: `pods-${i + 1}` },
      spec: { cidr, ipipMode: "Never", vxlanMode: "Never" },
    })),
    ...nodes.map(({ name, address, prefixLength, ipv6, labels = {}, clusterId }) => ({
      kind: "Node",
      metadata: { name, labels },
      spec: {
        bgp: {
          ipv4Address: `${address}/${prefixLength}`,
          ...(ipv6 === undefined ? {} : { ipv6Address: `${ipv6.address}/${ipv6.prefixLength}` }),
          ...(clusterId === undefined ? {} : { routeReflectorClusterID: clusterId }),
        },
      },
    })),
    ...nodes.flatMap(({ name, block, ipv6 }) =>
      [block, ipv6?.block].flatMap((cidr) => (cidr === undefined ? [] : [affinity(name, cidr)])),
    ),
  ];
}

function affinity(node: string, cidr: string): Resource {
  const name = `${node}-${cidr.replaceAll(/[.:/]+/g, "-")}`;
  return { kind: "BlockAffinity", metadata: { name }, spec: { node, cidr, state: "confirmed", deleted: "false" } };
}

/** One file for all: every node reads the same, as every node asks the same API server. */
export function writeResources(folder: string, resources: readonly Resource[]): string {
  const file = join(folder, "resources.yaml");
  writeFileSync(
    file,
    resources.map((resource) => dump({ apiVersion: "projectcalico.org/v3", ...resource })).join("---\n"),
  );
  return file;
}

/** `folder`: of the node, for what would lie in /var/run/calico. */
export function starlingFile(
  node: string,
  resources: string,
  folder: string,
  socket: string,
  { role = "node", release = "3.33" }: { readonly role?: string; readonly release?: string } = {},
): string {
  return `# ${node}: everything that BGP is about here comes from Calico's resources.
calico:
  nodeName: ${node}
  release: "${release}"
  role: ${role}
  datastore: {type: file, path: ${resources}}
control:
  socket: ${socket}
  birdSocket: ${join(folder, "calico-bird.ctl")}
  bird6Socket: ${join(folder, "calico-bird6.ctl")}
`;
}
