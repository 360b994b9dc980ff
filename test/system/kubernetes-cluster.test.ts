/** A node of a cluster of a thousand: everything from the API, in the memory that such a node has for it. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { SummaryView } from "../../src/control/views.ts";
import { built, executable, freePort } from "../harness/attacked-daemon.ts";
import { KubernetesApi } from "../harness/kubernetes-api.ts";
import type { ApiObject } from "../harness/kubernetes-objects.ts";
import { BackgroundProcess, runCommand } from "../harness/process.ts";
import { waitFor } from "../harness/wait-for.ts";

const NODES = 1000;
const SERVICES = 300;
const MEBIBYTE = 1024 * 1024;
/** Octets of what a kubelet writes into its Node: images, conditions, capacity. */
const STATUS = 12_000;

beforeAll(built);

/** A Node as large as real ones are, at an address of this machine where nobody listens. */
function node(i: number): ApiObject {
  const address = i === 0 ? "127.0.0.1" : `127.1.${i >> 8}.${i & 255}`;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: `node-${i}`,
      labels: { "kubernetes.io/hostname": `node-${i}`, "kubernetes.io/os": "linux", rack: `r${i % 40}` },
      annotations: { "projectcalico.org/IPv4Address": `${address}/8` },
    },
    spec: { podCIDR: "10.0.0.0/24" },
    status: { images: [{ names: ["x".repeat(STATUS)] }] },
  };
}

function affinity(i: number): ApiObject {
  const cidr = `10.${i >> 8}.${i & 255}.0/26`;
  const spec = { cidr, node: `node-${i}`, state: "confirmed", deleted: "false", type: "host" };
  return { apiVersion: "crd.projectcalico.org/v1", kind: "BlockAffinity", metadata: { name: `block-${i}` }, spec };
}

function service(i: number): ApiObject[] {
  const metadata = { name: `service-${i}`, namespace: "default" };
  const clusterIP = `10.96.${i >> 8}.${i & 255}`;
  const spec = { type: "ClusterIP", clusterIP, clusterIPs: [clusterIP], ipFamilies: ["IPv4"] };
  const endpoints = Array.from({ length: 50 }, (_, e) => ({ addresses: [`10.1.0.${e}`], nodeName: `node-${e}` }));
  const labels = { "kubernetes.io/service-name": metadata.name };
  return [
    { apiVersion: "v1", kind: "Service", metadata, spec },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels },
      addressType: "IPv4",
      endpoints,
    },
  ];
}

describe("a cluster of a thousand nodes", () => {
  it("is read and meshed within 150 MB, and another node is another peer", async () => {
    const api = await KubernetesApi.start();
    onTestFinished(() => api.close());
    const listenPort = await freePort();
    const spec = { listenPort, bindMode: "NodeIP", serviceClusterIPs: [{ cidr: "10.96.0.0/16" }] };
    api.objects.put({
      apiVersion: "crd.projectcalico.org/v1",
      kind: "BGPConfiguration",
      metadata: { name: "default" },
      spec,
    });
    for (let i = 0; i < NODES; i++) for (const object of [node(i), affinity(i)]) api.objects.put(object);
    for (let i = 0; i < SERVICES; i++) for (const object of service(i)) api.objects.put(object);

    const folder = mkdtempSync(join(tmpdir(), "starling-cluster-"));
    const socket = join(folder, "starling.sock");
    const file = join(folder, "starling.yaml");
    const control = { socket, birdSocket: join(folder, "4.ctl"), bird6Socket: join(folder, "6.ctl") };
    // A reflector: whatever comes of it, this machine's routes are left alone.
    writeFileSync(file, JSON.stringify({ calico: { role: "route-reflector" }, control, http: false }));
    const env = { NODENAME: "node-0", DATASTORE_TYPE: "kubernetes", K8S_API_ENDPOINT: api.url };
    const words = [process.execPath, executable, "run", "-c", file];
    const daemon = new BackgroundProcess("starling", words, join(folder, "log"), env);
    onTestFinished(async () => {
      await daemon.stop("SIGKILL");
      rmSync(folder, { recursive: true });
    });
    const summary = async (): Promise<SummaryView> => {
      const show = [process.execPath, executable, "show", "summary", "--json"];
      return JSON.parse(await runCommand(show, { env: { STARLING_SOCKET: socket } }));
    };
    const peers = (count: number) => async () => (await summary()).peers.configured === count;
    await waitFor(peers(NODES - 1), { what: "a session for each node", timeout: 60_000, interval: 200 });
    api.objects.put(node(NODES));
    await waitFor(peers(NODES), { what: "a session for the new node", timeout: 20_000 });
    expect((await summary()).calico).toMatchObject({ datastore: { current: true }, problems: 0 });
    expect(peakOf(daemon.pid)).toBeLessThan(150 * MEBIBYTE);
  });
});

/** The most memory that a process ever had, in octets. */
function peakOf(pid: number): number {
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(peak) * 1024;
}
