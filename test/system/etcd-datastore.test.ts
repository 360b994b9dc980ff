/** The etcd datastore against a real etcd that is stopped, restarted, compacted and wiped. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type CaseState, calicoCases } from "../harness/calico-case.ts";
import { EtcdServer, hasEtcd } from "../harness/daemons/etcd.ts";
import { closeFollowers, follow, following, peer, ROOT } from "../harness/etcd-follower.ts";
import { etcdForm, etcdObjects } from "../harness/etcd-form.ts";
import { waitFor } from "../harness/wait-for.ts";

afterEach(closeFollowers);

describe.skipIf(!hasEtcd)("Calico's resources in etcd (skipped without etcd and etcdctl)", () => {
  let server: EtcdServer;

  beforeAll(async () => {
    server = await EtcdServer.start();
  });

  afterAll(async () => {
    await server?.close();
  });

  afterEach(async () => {
    await server.control("del", "--prefix", "/calico/");
  });

  it("are listed at once, and followed as they come, change and go", async () => {
    await server.put(`${ROOT}/bgppeers/a`, peer("a"));
    const { told } = follow([server.endpoint]);
    await waitFor(() => told.isSynced, { what: "the list" });
    expect(told.names()).toEqual(["BGPPeer a"]);
    expect(told.origins.get("BGPPeer a")).toBe(`${ROOT}/bgppeers/a`);
    await following(told);
    await server.put(`${ROOT}/bgppeers/b`, peer("b"));
    await server.put(`${ROOT}/bgppeers/a`, peer("a", "10.0.0.2"));
    await server.put(`${ROOT}/networkpolicies/default/x`, { kind: "NetworkPolicy" });
    await server.delete(`${ROOT}/bgppeers/b`);
    await waitFor(() => told.log.includes("deleted BGPPeer b"), { what: "the deletion" });
    expect(told.log).toEqual(["set BGPPeer b", "set BGPPeer a", "deleted BGPPeer b"]);
    expect(told.objects.get("BGPPeer a")?.["spec"]).toEqual({ peerIP: "10.0.0.2", asNumber: 65001 });
  });

  it("have the node's own blocks among them, which are keys alone", async () => {
    const blocks = "/calico/ipam/v2/host/node-1";
    await server.put(`${blocks}/ipv4/block/192.168.221.64-26`, { state: "pendingDeletion", deleted: true });
    await server.put(`${blocks}/ipv4/block/10.1.0.0-24`, "");
    await server.put(`${blocks}/ipv6/block/fd00:1::-122`, {});
    await server.put("/calico/ipam/v2/host/node-10/ipv4/block/10.2.0.0-26", {});
    const { told } = follow([server.endpoint]);
    await waitFor(() => told.isSynced, { what: "the list" });
    expect(Object.fromEntries([...told.objects].map(([name, object]) => [name, object["spec"]]))).toEqual({
      "BlockAffinity node-1-192-168-221-64-26": {
        state: "pendingDeletion",
        node: "node-1",
        cidr: "192.168.221.64/26",
        deleted: true,
      },
      "BlockAffinity node-1-10-1-0-0-24": { state: "confirmed", node: "node-1", cidr: "10.1.0.0/24", deleted: false },
      "BlockAffinity node-1-fd00-1---122": { state: "confirmed", node: "node-1", cidr: "fd00:1::/122", deleted: false },
    });
  });

  it("are named where they cannot be read, and stay what they were", async () => {
    await server.put(`${ROOT}/bgppeers/a`, peer("a"));
    const { told } = follow([server.endpoint]);
    await following(told);
    await server.put(`${ROOT}/bgppeers/a`, "{broken");
    await waitFor(() => told.wrong.size > 0, { what: "the complaint" });
    expect([...told.wrong]).toEqual([[`${ROOT}/bgppeers/a`, "the value is no JSON object"]]);
    expect(told.names()).toEqual(["BGPPeer a"]);
    await server.delete(`${ROOT}/bgppeers/a`);
    await waitFor(() => told.names().length === 0, { what: "the deletion" });
    expect(told.wrong.size).toBe(0);
  });

  it("are read in pages where there are many, all at one revision", async () => {
    const names = Array.from({ length: 450 }, (_, n) => `p${n}`);
    for (let i = 0; i < names.length; i += 90) {
      await server.putAll(names.slice(i, i + 90).map((name) => [`${ROOT}/bgppeers/${name}`, peer(name)]));
    }
    const { told } = follow([server.endpoint]);
    await waitFor(() => told.isSynced, { what: "the list" });
    expect(told.names()).toEqual(names.map((name) => `BGPPeer ${name}`).sort());
  });

  it("say that a password in a Secret is out of reach", async () => {
    const { told, datastore } = follow([server.endpoint]);
    await following(told);
    datastore.wantSecrets("kube-system", ["bgp"]);
    expect(told.log).toEqual(["deleted Secret kube-system/bgp"]);
    expect(told.wrong.get("Secret kube-system/bgp")).toContain("Kubernetes API");
    datastore.wantSecrets("kube-system", []);
    expect(told.wrong.size).toBe(0);
  });

  it("take the status of a CalicoNodeStatus, also while others write it", async () => {
    const key = `${ROOT}/caliconodestatuses/s`;
    const stored = {
      apiVersion: "projectcalico.org/v3",
      kind: "CalicoNodeStatus",
      metadata: { name: "s" },
      spec: { node: "n" },
    };
    await server.put(key, stored);
    const { told, datastore } = follow([server.endpoint]);
    await following(told);
    await Promise.all([1, 2, 3].map((n) => datastore.writeNodeStatus("s", { n }, { [`a${n}`]: "x" })));
    const value = JSON.parse((await server.get(key)) ?? "");
    expect(value).toMatchObject({ ...stored, metadata: { name: "s", annotations: { a1: "x", a2: "x", a3: "x" } } });
    expect([1, 2, 3]).toContain(value.status.n);
    await expect(datastore.writeNodeStatus("missing", {}, {})).rejects.toThrow("there is no CalicoNodeStatus missing");
  });

  describe("every case of Calico's own tests that etcd can hold (skipped without ../shared/data)", () => {
    const cases = calicoCases().filter((one) => !one.kddOnly);
    it.skipIf(cases.length === 0).each(cases.map((one) => [one.case, one] as const))("%s", async (_name, one) => {
      const states: readonly CaseState[] = one.steps.length > 0 ? one.steps : [one];
      const { told } = follow([server.endpoint], one.node);
      await following(told);
      let before = new Map<string, unknown>();
      for (const state of states) {
        const wanted = etcdForm(one, state);
        for (const key of before.keys()) if (!wanted.has(key)) await server.delete(key);
        await server.putAll(wanted);
        before = wanted;
        const expected = shownOf(etcdObjects(one, state));
        await waitFor(() => JSON.stringify(shownOf([...told.objects.values()])) === JSON.stringify(expected), {
          what: "the state of the case",
          timeout: 3000,
        }).catch(() => undefined);
        expect(shownOf([...told.objects.values()])).toEqual(expected);
        expect([...told.wrong]).toEqual([]);
      }
    });
  });
});

/** What a case says of each object: etcd adds to metadata, and a block is named by its key. */
function shownOf(objects: readonly { readonly [key: string]: unknown; kind: string; metadata: { name: string } }[]) {
  const shown = objects.map(({ kind, metadata, spec }) => ({ kind, name: metadata.name, labels: metadata, spec }));
  return shown
    .map(({ labels, ...rest }) => ({ ...rest, labels: (labels as { labels?: object }).labels ?? {} }))
    .sort((a, b) => `${a.kind}/${a.name}`.localeCompare(`${b.kind}/${b.name}`));
}
