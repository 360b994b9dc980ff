/** Daemons whose whole configuration comes from the Kubernetes API: they find each other, say how they are, and outlive the API server. */

import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { built, freePort } from "../harness/attacked-daemon.ts";
import { CalicoDaemon } from "../harness/calico-daemon.ts";
import { problemsBy, schemasIn } from "../harness/crd-schema.ts";
import { KubernetesApi } from "../harness/kubernetes-api.ts";
import type { ApiObject } from "../harness/kubernetes-objects.ts";
import { shared } from "../harness/shared-data.ts";
import { waitFor } from "../harness/wait-for.ts";

const V1 = "crd.projectcalico.org/v1";
const definitions = shared("calico/crd-v1");

beforeAll(built);

function calico(kind: string, name: string, spec: object): ApiObject {
  return { apiVersion: V1, kind, metadata: { name }, spec };
}

function node(name: string, address: string): ApiObject {
  const annotations = { "projectcalico.org/IPv4Address": `${address}/32` };
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels: {}, annotations } };
}

describe("daemons in a cluster", () => {
  it("come up from the API, answer CalicoNodeStatus, and keep their sessions while the API server is away", async () => {
    const api = await KubernetesApi.start();
    onTestFinished(() => api.close());
    const listenPort = await freePort();
    const request = { node: "node-1", classes: ["Agent", "BGP", "Routes"], updatePeriodSeconds: 1 };
    api.objects.become([
      node("node-1", "127.0.0.1"),
      node("node-2", "127.0.0.2"),
      calico("ClusterInformation", "default", { calicoVersion: "v3.32.0" }),
      calico("BGPConfiguration", "default", { listenPort, bindMode: "NodeIP" }),
      calico("BGPPeer", "nobody", { node: "node-1", peerIP: "127.0.0.3:9", asNumber: 64600 }),
      calico("CalicoNodeStatus", "of-node-1", request),
    ]);
    const environment = { DATASTORE_TYPE: "kubernetes", K8S_API_ENDPOINT: api.url };
    const one = new CalicoDaemon("node-1", environment);
    new CalicoDaemon("node-2", environment);
    await waitFor(async () => (await one.states()).includes("Mesh_127_0_0_2 Established"), {
      what: "the mesh",
      timeout: 40_000,
    });

    const stored = () =>
      api.objects.get(`${V1}/caliconodestatuses`, undefined, "of-node-1") as ApiObject & { status: Status };
    const conditions = (): readonly Readonly<Record<string, string>>[] => {
      const annotations = stored().metadata["annotations"] as Readonly<Record<string, string>> | undefined;
      return JSON.parse(annotations?.["starling/conditions"] ?? "[]");
    };
    // Not ready while it waits, as at each start of a node, for the peer that nobody is; the annotation is written after the status.
    const isTold = () => stored().status?.agent?.birdV4.state === "Ready" && conditions().length === 1;
    await waitFor(isTold, { what: "the status of the node", timeout: 60_000 });
    const { status } = stored();
    expect(status.agent.birdV4).toMatchObject({ routerID: "127.0.0.1" });
    expect(status.bgp).toMatchObject({ numberEstablishedV4: 1, numberNotEstablishedV4: 1 });
    expect(status.bgp.peersV4).toMatchObject([
      { peerIP: "127.0.0.2", type: "NodeMesh", state: "Established" },
      { peerIP: "127.0.0.3", type: "NodePeer" },
    ]);
    expect(conditions()).toMatchObject([
      { type: "PeerDown", peer: "Node_127_0_0_3_port_9", reason: expect.stringMatching(/refused/i) },
    ]);
    if (definitions !== undefined)
      expect(problemsBy(schemasIn(definitions).get("CalicoNodeStatus") ?? {}, stored())).toEqual([]);

    const before = (await one.peers()).find(({ name }) => name.startsWith("Mesh_"));
    await api.close();
    await waitFor(async () => (await one.summary()).calico?.datastore.current === false, {
      what: "that it is said",
      timeout: 20_000,
    });
    expect((await one.summary()).calico?.datastore.reason).toMatch(/ECONNREFUSED/);
    api.objects.delete(calico("BGPPeer", "nobody", {}));
    await api.listen();
    await waitFor(async () => (await one.peers()).length === 1, { what: "the peer to go", timeout: 40_000 });
    const after = await one.peers();
    expect(after).toMatchObject([{ name: "Mesh_127_0_0_2", state: "Established", since: before?.since }]);
  });
});

interface Status {
  readonly agent: { readonly birdV4: { readonly state: string } };
  readonly bgp: { readonly peersV4: readonly object[] };
}
