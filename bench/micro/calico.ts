/** What Calico's resources cost: a cluster read and translated at once, and single changes in a large one. */

import { Cluster } from "../../src/config/calico/cluster.ts";
import { CALICO_API } from "../../src/config/calico/object-key.ts";
import type { StoredObject } from "../../src/config/calico/stored-object.ts";
import { translate } from "../../src/config/calico/translate.ts";
import type { MicroTask } from "./micro-task.ts";

const OPTIONS = {
  nodeName: nameOf(1),
  nodeSelector: undefined,
  kubernetesNodeName: nameOf(1),
  release: "3.33",
  role: "node",
  secretNamespace: "kube-system",
  routerId: "",
  advertiseClusterIps: undefined,
  usePodCidr: false,
} as const;
const REFLECTORS = 4;
const NODES = 5000;
const ENDPOINTS = 5;

export function calicoTasks(): MicroTask[] {
  const small = clusterObjects(1000, 5000, 5000);
  const mesh = filled(clusterObjects(NODES, 5000, 5000));
  const reflected = filled([...clusterObjects(NODES, 0, 0), ...reflection()]);
  let turn = 0;
  const changed = (cluster: Cluster) => () => {
    turn++;
    cluster.set(node(10 + (turn % 1000), `11.0.${turn & 255}.${(turn >> 8) & 255}`), "bench");
    translate(cluster, OPTIONS);
  };
  return [
    {
      name: "calico: 1000 nodes, 5000 blocks, 5000 services at once",
      units: 1,
      calls: 5,
      run: () => void filled(small),
    },
    { name: "calico: the address of one node among 5000, mesh, dual stack", units: 1, run: changed(mesh) },
    { name: "calico: the same on a reflector with 5000 clients", units: 1, run: changed(reflected) },
    {
      name: "calico: the endpoint of one service among 5000",
      units: 1,
      run: () => {
        turn++;
        mesh.set(slice(turn % 1000, 1, turn % 2000 < 1000), "bench");
        translate(mesh, OPTIONS);
      },
    },
    {
      name: "calico: a BGPFilter comes, mesh of 5000, dual stack",
      units: 1,
      run: () => {
        turn++;
        mesh.set(calico("BGPFilter", `filter-${turn}`, { importV4: [{ action: "Accept" }] }), "bench");
        translate(mesh, OPTIONS);
        mesh.deleted({ group: "calico", kind: "BGPFilter", namespace: "", name: `filter-${turn}` });
      },
    },
    { name: "calico: nothing changed", units: 1, run: () => void translate(mesh, OPTIONS) },
  ];
}

function filled(objects: readonly StoredObject[]): Cluster {
  const cluster = new Cluster();
  for (const object of objects) cluster.set(object, "bench");
  translate(cluster, OPTIONS);
  return cluster;
}

function nameOf(n: number): string {
  return `node-${String(n).padStart(5, "0")}`;
}

function clusterObjects(nodes: number, blocks: number, services: number): StoredObject[] {
  const configuration = calico("BGPConfiguration", "default", { serviceClusterIPs: [{ cidr: "172.16.0.0/12" }] });
  return [
    configuration,
    ...Array.from({ length: nodes }, (_, n) => node(n)),
    ...Array.from({ length: blocks }, (_, n) => block(n, nodes)),
    ...Array.from({ length: services }, (_, n) => service(n)),
    ...Array.from({ length: services }, (_, n) => slice(n, n % nodes, true)),
  ];
}

function calico(kind: string, name: string, spec: unknown): StoredObject {
  return { apiVersion: CALICO_API, kind, metadata: { name }, spec };
}

function node(n: number, address = `10.${n >> 8}.${n & 255}.7`): StoredObject {
  const isReflector = n < REFLECTORS;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: nameOf(n),
      labels: { "kubernetes.io/hostname": nameOf(n), ...(isReflector ? { reflector: "" } : {}) },
      annotations: {
        "projectcalico.org/IPv4Address": `${address}/8`,
        "projectcalico.org/IPv6Address": `fd00::${n.toString(16)}/64`,
      },
    },
  };
}

/** All nodes peer with the reflectors, of which this one is one. */
function reflection(): StoredObject[] {
  const spec = { bgp: { routeReflectorClusterID: "244.0.0.1" } };
  return [
    calico("BGPConfiguration", "default", { nodeToNodeMeshEnabled: false }),
    calico("BGPPeer", "reflectors", { nodeSelector: "all()", peerSelector: "has(reflector)" }),
    ...Array.from({ length: REFLECTORS }, (_, n) => calico("Node", nameOf(n), spec)),
  ];
}

function block(n: number, nodes: number): StoredObject {
  const cidr = `10.${128 + (n >> 10)}.${(n >> 2) & 255}.${(n & 3) * 64}/26`;
  return calico("BlockAffinity", `block-${n}`, { cidr, node: nameOf(n % nodes), state: "confirmed" });
}

function service(n: number): StoredObject {
  const clusterIP = `172.16.${n >> 8}.${n & 255}`;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `service-${n}`, namespace: "bench" },
    spec: {
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: ["IPv4"],
    },
  };
}

function slice(n: number, firstNode: number, ready: boolean): StoredObject {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `slice-${n}`, namespace: "bench", labels: { "kubernetes.io/service-name": `service-${n}` } },
    addressType: "IPv4",
    endpoints: Array.from({ length: ENDPOINTS }, (_, i) => ({
      nodeName: nameOf(firstNode + i),
      conditions: { ready },
    })),
  };
}
