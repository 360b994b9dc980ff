/** Daemons whose whole configuration comes from a real etcd, which is away at the start and again later. */

import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { built, freePort } from "../harness/attacked-daemon.ts";
import { CalicoDaemon } from "../harness/calico-daemon.ts";
import { EtcdServer, hasEtcd } from "../harness/daemons/etcd.ts";
import { ROOT } from "../harness/etcd-follower.ts";
import { waitFor } from "../harness/wait-for.ts";

beforeAll(built);

function calico(plural: string, kind: string, name: string, spec: object): [string, object] {
  return [`${ROOT}/${plural}/${name}`, { apiVersion: "projectcalico.org/v3", kind, metadata: { name }, spec }];
}

const node = (name: string, address: string) =>
  calico("nodes", "Node", name, { bgp: { ipv4Address: `${address}/32` } });

describe.skipIf(!hasEtcd)("daemons in a cluster with etcd (skipped without etcd and etcdctl)", () => {
  it("wait for etcd, come up when it does, write their status, and keep their sessions while it is away", async () => {
    const server = await EtcdServer.start();
    onTestFinished(() => server.close());
    const request = { node: "node-1", classes: ["Agent", "BGP"], updatePeriodSeconds: 1 };
    await server.putAll([
      node("node-1", "127.0.0.1"),
      node("node-2", "127.0.0.2"),
      calico("clusterinformations", "ClusterInformation", "default", { calicoVersion: "v3.32.0" }),
      calico("bgpconfigurations", "BGPConfiguration", "default", { listenPort: await freePort(), bindMode: "NodeIP" }),
      calico("caliconodestatuses", "CalicoNodeStatus", "of-node-1", request),
    ]);
    await server.stop();
    const one = new CalicoDaemon("node-1", { ETCD_ENDPOINTS: server.endpoint });
    new CalicoDaemon("node-2", { ETCD_ENDPOINTS: server.endpoint });
    const reason = async () => (await one.summary()).calico?.datastore.reason ?? "";
    await waitFor(async () => (await reason()).includes("ECONNREFUSED"), { what: "the reason", timeout: 40_000 });
    expect(await one.peers()).toEqual([]);

    await server.start();
    const isUp = async () => (await one.states()).includes("Mesh_127_0_0_2 Established");
    await waitFor(isUp, { what: "the mesh", timeout: 60_000 });
    const status = async () => JSON.parse((await server.get(`${ROOT}/caliconodestatuses/of-node-1`)) ?? "{}").status;
    await waitFor(async () => (await status())?.bgp?.numberEstablishedV4 === 1, {
      what: "the status",
      timeout: 20_000,
    });

    const [before] = await one.peers();
    await server.stop();
    await waitFor(async () => (await one.summary()).calico?.datastore.current === false, { what: "that it is said" });
    await waitFor(async () => /^etcd does not serve since .*ECONNREFUSED/.test(await reason()), { what: "the reason" });
    await server.start();
    await server.putAll([node("node-3", "127.0.0.3")]);
    await waitFor(async () => (await one.peers()).length === 2, { what: "the new node", timeout: 40_000 });
    expect((await one.peers()).find(({ name }) => name === before?.name)).toMatchObject({
      state: "Established",
      since: before?.since,
    });
  }, 240_000);
});
