/** A small Calico cluster as `calicoctl get -o yaml` would print it, and the file that starling needs beside it. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";

export interface CalicoNode {
  readonly name: string;
  /** In the node's own subnet. */
  readonly address: string;
  readonly prefixLength: number;
  /** Its block of pod addresses; undefined where no pods run. */
  readonly block: string | undefined;
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

/** What is the same in every lab: nodes, their blocks, and one pool without encapsulation. */
export function cluster(nodes: readonly CalicoNode[], pool: string): Resource[] {
  return [
    { kind: "IPPool", metadata: { name: "pods" }, spec: { cidr: pool, ipipMode: "Never", vxlanMode: "Never" } },
    ...nodes.map(({ name, address, prefixLength, labels = {}, clusterId }) => ({
      kind: "Node",
      metadata: { name, labels },
      spec: {
        bgp: {
          ipv4Address: `${address}/${prefixLength}`,
          ...(clusterId === undefined ? {} : { routeReflectorClusterID: clusterId }),
        },
      },
    })),
    ...nodes.flatMap(({ name, block }) => (block === undefined ? [] : [affinity(name, block)])),
  ];
}

function affinity(node: string, cidr: string): Resource {
  const name = `${node}-${cidr.replaceAll(/[./]/g, "-")}`;
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
export function starlingFile(node: string, resources: string, folder: string, socket: string, role = "node"): string {
  return `# ${node}: everything that BGP is about here comes from Calico's resources.
calico:
  nodeName: ${node}
  release: "3.33"
  role: ${role}
  datastore: {type: file, path: ${resources}}
control:
  socket: ${socket}
  birdSocket: ${join(folder, "calico-bird.ctl")}
  bird6Socket: ${join(folder, "calico-bird6.ctl")}
`;
}
