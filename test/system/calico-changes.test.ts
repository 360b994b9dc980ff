/** A Calico node whose resources change while it runs: what its peer hears, and that the session stands. */

import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";
import { describe, expect, it } from "vitest";
import { fileName, writeResources } from "../harness/calico-folder.ts";
import { Starling } from "../harness/daemons/starling.ts";
import type { ApiObject } from "../harness/kubernetes-objects.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { waitFor } from "../harness/wait-for.ts";

const SECRET = "not to be seen anywhere";

function resource(kind: string, name: string, spec: object): ApiObject {
  return { apiVersion: "projectcalico.org/v3", kind, metadata: { name }, spec };
}

const node = (name: string, address: string, bgp: object = {}) =>
  resource("Node", name, { bgp: { ipv4Address: `${address}/24`, ...bgp } });

const BLOCK = "10.244.1.0/26";

const START = [
  node("node-1", "10.0.0.1"),
  node("node-2", "10.0.0.2"),
  resource("IPPool", "pods", { cidr: "10.244.0.0/16", ipipMode: "Never" }),
  resource("BGPConfiguration", "default", { nodeToNodeMeshEnabled: true }),
  resource("BlockAffinity", "node-1-10-244-1-0-26", {
    node: "node-1",
    cidr: BLOCK,
    state: "confirmed",
    deleted: "false",
  }),
];

/** The Calico node `a`, and a plain speaker `b` that plays node-2. */
async function pair(lab: Lab) {
  const [left, right] = await lab.nodes("left", "right");
  await lab.link(left, right, { addresses: [["10.0.0.1/24"], ["10.0.0.2/24"]] });
  await left.stub("extra0", "172.20.5.1/24");
  await left.ip("route", "add", "172.20.1.0/24", "via", "10.0.0.9", "proto", "static");
  const folder = writeResources(left.folder, { resources: START, kubernetes: [] });
  const put = (...objects: ApiObject[]) => {
    for (const object of objects) {
      // Whole at once, as those who write such files do it.
      const path = join(folder, fileName(object));
      writeFileSync(`${path}.tmp`, dump(object));
      renameSync(`${path}.tmp`, path);
    }
  };
  const remove = (kind: string, name: string) => rmSync(join(folder, `${kind.toLowerCase()}-${name}.yaml`));
  const calico = { nodeName: "node-1", release: "3.33", datastore: { type: "file", path: folder } };
  const plain = { asNumber: 64512, routerId: "10.0.0.1", peers: [] };
  // Those of the machine are another daemon's.
  const control = { socket: join(left.folder, "starling.sock"), birdSocket: false, bird6Socket: false };
  const a = new Starling(left, plain, { file: { calico, control, kernel: {}, originate: [] } });
  const peers = [{ address: "10.0.0.1", asNumber: 64512, gracefulRestart: 120 }];
  const b = new Starling(right, {
    asNumber: 64512,
    routerId: "10.0.0.2",
    peers,
    routes: [{ prefix: "10.244.2.0/26" }],
  });
  await Promise.all([a.start(), b.start()]);
  const heard = async () => (await b.routes("ipv4")).filter(({ peer }) => peer !== undefined).map((r) => r.prefix);
  const hears = (prefix: string, isThere = true) =>
    waitFor(async () => (await heard()).includes(prefix) === isThere, {
      what: `${prefix} ${isThere ? "at" : "away from"} the peer`,
    });
  await hears(BLOCK);
  return { a, b, left, folder, calico, control, put, remove, heard, hears, peers };
}

describe.skipIf(!canMakeNetworks())("a Calico node while its resources change", () => {
  it("pools, filters, interfaces: what the peer hears changes, its session does not", async (context) => {
    await using lab = await Lab.create("calico-changes", context);
    const { a, b, put, remove, heard, hears } = await pair(lab);
    const [route] = await b.routeViews(BLOCK);
    expect(route).toMatchObject({ localPref: 2_147_482_623, nextHop: "10.0.0.1", asPath: "" });
    expect(await heard()).not.toContain("172.20.1.0/24");

    put(resource("IPPool", "more", { cidr: "172.20.0.0/16", ipipMode: "Never" }));
    await hears("172.20.1.0/24");
    await hears("172.20.5.0/24");
    put(resource("BGPConfiguration", "default", { ignoredInterfaces: ["extra*"] }));
    await hears("172.20.5.0/24", false);
    expect(await heard()).toContain("172.20.1.0/24");

    // From the mesh to a peer that somebody wrote: another name for the same session.
    put(
      resource("BGPFilter", "f", { exportV4: [{ cidr: "172.20.0.0/16", matchOperator: "In", action: "Reject" }] }),
      resource("BGPPeer", "p", { node: "node-1", peerIP: "10.0.0.2", asNumber: 64512, filters: ["f"] }),
      resource("BGPConfiguration", "default", { nodeToNodeMeshEnabled: false }),
    );
    await hears("172.20.1.0/24", false);
    expect((await a.peers()).map(({ name }) => name)).toEqual(["Node_10_0_0_2"]);
    remove("BGPFilter", "f");
    await hears("172.20.1.0/24");
    remove("IPPool", "more");
    await hears("172.20.1.0/24", false);
    expect(await heard()).toEqual([BLOCK]);
    expect((await a.peers())[0]).toMatchObject({ state: "Established", transitions: 1 });
  });

  it("programClusterRoutes and priorities: the kernel's routes follow", async (context) => {
    await using lab = await Lab.create("calico-kernel", context);
    const { a, left, put } = await pair(lab);
    const remote = async () => (await left.routes("ipv4")).find(({ dst }) => dst === "10.244.2.0/26");
    await waitFor(async () => (await remote())?.protocol === "12", { what: "the peer's block in the kernel" });
    expect(await remote()).toMatchObject({ gateway: "10.0.0.2", metric: 2_147_483_547 });
    put(resource("BGPConfiguration", "default", { programClusterRoutes: "Disabled" }));
    await waitFor(async () => (await remote()) === undefined, { what: "Felix's routes to be left to Felix" });
    put(resource("BGPConfiguration", "default", { programClusterRoutes: "Enabled" }));
    await waitFor(async () => (await remote()) !== undefined, { what: "the block in the kernel again" });
    expect((await a.peers())[0]).toMatchObject({ state: "Established", transitions: 1 });
  });

  it("a password: it is in use on both sides, and nowhere to be read", async (context) => {
    await using lab = await Lab.create("calico-password", context);
    const { a, b, put, peers } = await pair(lab);
    const metadata = { name: "bgp", namespace: "kube-system" };
    put({ apiVersion: "v1", kind: "Secret", metadata, stringData: { mesh: SECRET } } as ApiObject);
    put(resource("BGPConfiguration", "default", { nodeMeshPassword: { secretKeyRef: { name: "bgp", key: "mesh" } } }));
    await b.reload({ peers: peers.map((peer) => ({ ...peer, password: SECRET })) });
    const shown = async () => JSON.parse(await a.command("config", "show", "--json", "-c", a.file));
    await waitFor(async () => (await shown()).peers[0].passwordSet === true, { what: "the password" });
    await b.operate("10.0.0.1", "disable");
    await waitFor(async () => (await a.peers())[0]?.state !== "Established", { what: "the session to end" });
    await b.operate("10.0.0.1", "enable");
    await waitFor(async () => (await a.peers())[0]?.state === "Established", { what: "a session with the password" });
    expect(await a.command("config", "show", "-c", a.file)).not.toContain(SECRET);
    expect(a.process.output()).not.toContain(SECRET);
  });

  it("the file read again: its own peers come and go beside those of the resources", async (context) => {
    await using lab = await Lab.create("calico-reload", context);
    const { a, calico, control, heard } = await pair(lab);
    const file = { calico, control, kernel: {}, originate: [] };
    const tor = { name: "tor", address: "10.0.0.9", asNumber: 65001, export: ["calico/export/ipv4"] };
    const said = await a.reload({}, { file: { ...file, peers: [tor] } });
    expect(said).toContain("peer tor: added");
    expect((await a.peers()).map(({ name }) => name)).toEqual(["Mesh_10_0_0_2", "tor"]);
    // A peer that is wrong stays as it was, and everything else takes effect.
    const wrong = { ...tor, timers: { hold: "1s" } };
    const failed = a.reload({}, { file: { ...file, peers: [wrong], log: { level: "debug" } } });
    await expect(failed).rejects.toThrow(/timers.hold.*1s is not accepted/s);
    expect((await a.peers()).map(({ name }) => name)).toEqual(["Mesh_10_0_0_2", "tor"]);
    expect(await a.reload({}, { file })).toContain("peer tor: removed");
    // Another role is for the next start, as a whole.
    const other = await a.reload({}, { file: { ...file, calico: { ...calico, role: "route-reflector" } } });
    expect(other.trim()).toBe("calico: another node, role or datastore takes effect when starling is started again");
    expect(await heard()).toEqual([BLOCK]);
    expect((await a.peers())[0]).toMatchObject({ state: "Established", transitions: 1 });
  });

  it("a datastore that goes away: the last state stands, and it says so", async (context) => {
    await using lab = await Lab.create("calico-outage", context);
    const { a, folder, heard } = await pair(lab);
    renameSync(folder, `${folder}.gone`);
    const state = async () => (await a.summary()).calico?.datastore;
    await waitFor(async () => (await state())?.current === false, { what: "the outage to be noticed" });
    expect((await state())?.reason).toContain(folder);
    expect(await heard()).toEqual([BLOCK]);
    expect(await a.command("show", "summary")).toContain("file not current");
    renameSync(`${folder}.gone`, folder);
    await waitFor(async () => (await state())?.current === true, { what: "the datastore to be current again" });
    expect((await a.peers())[0]).toMatchObject({ state: "Established", transitions: 1 });
  });
});
