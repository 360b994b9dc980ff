/** Who has a session with whom, and what it is like: the rules beyond what Calico's own cases show. */

import { describe, expect, it } from "vitest";
import type { CalicoPeer } from "../../../../src/config/calico/model.ts";
import { calico, clusterOf, node, type Options, type Written } from "./cluster-of.ts";

const noMesh = calico("BGPConfiguration", "default", { nodeToNodeMeshEnabled: false });
const one = node("node-1", { ipv4Address: "10.0.0.10/24", ipv6Address: "fd00::10/64" }, { rack: "a" });
const two = node("node-2", { ipv4Address: "10.0.0.9/24", ipv6Address: "fd00::9/64" }, { rack: "b" });
const three = node("node-3", { ipv4Address: "10.0.0.30/24" }, { rack: "b" });

function peers(objects: readonly Written[], options: Partial<Options> = {}): readonly CalicoPeer[] {
  const { ipv4, ipv6 } = clusterOf(...objects).model(options);
  return [...ipv4.peers, ...ipv6.peers];
}

const names = (objects: readonly Written[], options: Partial<Options> = {}) =>
  peers(objects, options).map(({ name }) => name);

const bgpPeer = (name: string, spec: Written) => calico("BGPPeer", name, spec);

describe("the mesh", () => {
  it("has every node with an address of the family, sorted by name", () => {
    expect(names([one, two, three])).toEqual(["Mesh_10_0_0_30", "Mesh_10_0_0_9", "Mesh_fd00__9"]);
  });

  it("waits for the node whose address is larger as text, so that of each pair one dials", () => {
    const passive = (nodeName: string) =>
      peers([one, two, three], { nodeName }).map(({ name, passive }) => [name, passive]);
    expect(passive("node-1")).toEqual([
      ["Mesh_10_0_0_30", true],
      ["Mesh_10_0_0_9", true],
      ["Mesh_fd00__9", true],
    ]);
    expect(passive("node-2")).toEqual([
      ["Mesh_10_0_0_10", false],
      ["Mesh_10_0_0_30", false],
      ["Mesh_fd00__10", false],
    ]);
  });

  it("leaves reflectors out, which have none themselves", () => {
    const reflector = node("node-2", { ipv4Address: "10.0.0.9/24", routeReflectorClusterID: "244.0.0.1" });
    expect(names([one, reflector, three])).toEqual(["Mesh_10_0_0_30"]);
    expect(names([one, reflector, three], { nodeName: "node-2" })).toEqual([]);
  });

  it("takes the cluster's AS number for nodes without one, whatever this node's own is", () => {
    const own = node("node-1", { ipv4Address: "10.0.0.10/24", asNumber: 65001 });
    const configuration = calico("BGPConfiguration", "default", { asNumber: 65000 });
    expect(peers([own, two, configuration])[0]).toMatchObject({
      asNumber: 65000,
      localAsNumber: 65001,
      internal: false,
    });
  });

  it("has the other node's port, and restart time and password of the whole mesh", () => {
    const configuration = calico("BGPConfiguration", "default", {
      listenPort: 1790,
      nodeMeshMaxRestartTime: "1m30s",
      nodeMeshPassword: { secretKeyRef: { name: "mesh", key: "key" } },
    });
    const own = calico("BGPConfiguration", "node.node-2", { listenPort: 500 });
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "mesh", namespace: "kube-system" },
      stringData: { key: "s" },
    };
    expect(peers([one, two, three, configuration, own, secret])).toMatchObject([
      { name: "Mesh_10_0_0_30", port: 1790, gracefulRestartTime: 90, password: "s" },
      { name: "Mesh_10_0_0_9", port: 500, gracefulRestartTime: 90, password: "s" },
      { name: "Mesh_fd00__9", port: 500, gracefulRestartTime: 90, password: "s" },
    ]);
  });

  it("has one session with an address that two nodes claim", () => {
    const twin = node("node-0", { ipv4Address: "10.0.0.30/24" });
    expect(peers([one, three, twin]).map(({ name, source }) => [name, source])).toEqual([
      ["Mesh_10_0_0_30", "calico:Node/node-0"],
    ]);
  });
});

describe("BGPPeers by address", () => {
  it("are of all nodes, of one, or of those that are selected", () => {
    const external = { peerIP: "192.0.2.1", asNumber: 65000 };
    expect(names([noMesh, one, bgpPeer("tor", external)])).toEqual(["Global_192_0_2_1"]);
    expect(names([noMesh, one, bgpPeer("tor", { ...external, node: "node-1" })])).toEqual(["Node_192_0_2_1"]);
    expect(names([noMesh, one, two, bgpPeer("tor", { ...external, node: "node-2" })])).toEqual([]);
    expect(names([noMesh, one, bgpPeer("tor", { ...external, nodeSelector: "rack == 'a'" })])).toEqual([
      "Node_192_0_2_1",
    ]);
    expect(names([noMesh, one, bgpPeer("tor", { ...external, nodeSelector: "rack == 'b'" })])).toEqual([]);
  });

  it("name their port where it is written, or known of the node that is meant", () => {
    const port = calico("BGPConfiguration", "node.node-2", { listenPort: 500 });
    const to = (peerIP: string, asNumber: number) =>
      peers([noMesh, one, two, port, bgpPeer("a", { node: "node-1", peerIP, asNumber })]).map(({ name, port: n }) => [
        name,
        n,
      ]);
    expect(to("10.0.0.9", 64512)).toEqual([["Node_10_0_0_9_port_500", 500]]);
    // Another AS number: not that node.
    expect(to("10.0.0.9", 65000)).toEqual([["Node_10_0_0_9", 179]]);
    expect(to("10.0.0.9:1179", 64512)).toEqual([["Node_10_0_0_9_port_1179", 1179]]);
    expect(to("[fd00::99]:1179", 64512)).toEqual([["Node_fd00__99_port_1179", 1179]]);
    // Written in another way, and the same address.
    expect(to("FD00:0::9", 64512)).toEqual([["Node_fd00__9_port_500", 500]]);
  });

  it("for all nodes wait as the mesh does if a node is meant; those of some nodes never wait", () => {
    const to = (spec: Written) => peers([noMesh, one, two, bgpPeer("a", { asNumber: 64512, ...spec })])[0]?.passive;
    expect(to({ peerIP: "10.0.0.9" })).toBe(true);
    expect(to({ peerIP: "10.0.0.9", asNumber: 65000 })).toBe(true);
    expect(to({ peerIP: "10.0.0.99" })).toBe(false);
    expect(to({ peerIP: "10.0.0.9", node: "node-1" })).toBe(false);
  });

  it("have the node's AS number where none is written; nobody knows that of a stranger", () => {
    expect(peers([noMesh, one, two, bgpPeer("a", { peerIP: "10.0.0.9" })])).toMatchObject([{ asNumber: 64512 }]);
    const world = clusterOf(noMesh, one, bgpPeer("a", { peerIP: "192.0.2.1" }));
    expect(world.model().ipv4.peers).toEqual([]);
    expect(world.problems()).toContainEqual(expect.stringMatching(/^BGPPeer\/a spec.asNumber: is missing/));
  });

  it("in a family that the node has no address in are no sessions", () => {
    const only4 = node("node-1", { ipv4Address: "10.0.0.10/24" });
    expect(names([noMesh, only4, bgpPeer("a", { peerIP: "2001:db8::1", asNumber: 65000 })])).toEqual([]);
  });

  it("with reachableBy get a route to the peer by that gateway, on their own side alone", () => {
    const a = bgpPeer("a", { node: "node-1", peerIP: "10.0.0.9", asNumber: 64512, reachableBy: "10.0.0.1" });
    const staticRoutes = (nodeName: string) => clusterOf(noMesh, one, two, a).model({ nodeName }).ipv4.staticRoutes;
    expect(staticRoutes("node-1")).toEqual([{ prefix: "10.0.0.9/32", via: "10.0.0.1" }]);
    expect(staticRoutes("node-2")).toEqual([]);
  });
});

describe("what a session is like", () => {
  const session = (spec: Written, own: Written = one) =>
    peers([noMesh, own, two, bgpPeer("a", { node: "node-1", peerIP: "192.0.2.1", asNumber: 65000, ...spec })])[0];

  it.each([
    ["sourceAddress", {}, { localAddress: "10.0.0.10" }],
    ["sourceAddress None", { sourceAddress: "None" }, { localAddress: null }],
    ["keepaliveTime", { keepaliveTime: "7s" }, { keepaliveTime: 7 }],
    ["maxRestartTime, rounded", { maxRestartTime: "10.6s" }, { gracefulRestartTime: 11 }],
    ["ttlSecurity", { ttlSecurity: 2 }, { ttlSecurity: 2, multihop: true }],
    ["ttlSecurity 0", { ttlSecurity: 0 }, { ttlSecurity: null }],
    ["keepOriginalNextHop, external", { keepOriginalNextHop: true }, { nextHop: "keep" }],
    ["keepOriginalNextHop, internal", { keepOriginalNextHop: true, asNumber: 64512 }, { nextHop: null }],
    ["nextHopMode Keep, internal", { nextHopMode: "Keep", asNumber: 64512 }, { nextHop: "keep" }],
    ["nextHopMode Self", { nextHopMode: "Self" }, { nextHop: "self" }],
    [
      "nextHopMode Auto beside keepOriginalNextHop",
      { nextHopMode: "Auto", keepOriginalNextHop: true },
      { nextHop: null },
    ],
    ["localASNumber", { localASNumber: 65001 }, { localAsNumber: 65001, localAsOverride: true, internal: false }],
    ["localASNumber makes it internal", { localASNumber: 65000 }, { internal: true }],
    ["AS numbers as text", { asNumber: "1.10" }, { asNumber: 65546 }],
    ["numAllowedLocalASNumbers", { numAllowedLocalASNumbers: 2 }, { allowLocalAs: 2 }],
  ])("%s", (_name, spec, expected) => {
    expect(session(spec)).toMatchObject(expected);
  });

  it("with a reflector: internal peers of another cluster are clients", () => {
    const reflector = node("node-1", { ipv4Address: "10.0.0.10/24", routeReflectorClusterID: "244.0.0.1" });
    const peerOf = (clusterId: string | undefined) =>
      node(
        "node-2",
        { ipv4Address: "10.0.0.9/24", ...(clusterId === undefined ? {} : { routeReflectorClusterID: clusterId }) },
        { rack: "b" },
      );
    const a = bgpPeer("a", { nodeSelector: "!has(rack)", peerSelector: "has(rack)" });
    const clientOf = (clusterId?: string) => peers([noMesh, reflector, peerOf(clusterId), a])[0]?.routeReflectorClient;
    expect(clientOf()).toBe(true);
    expect(clientOf("244.0.0.2")).toBe(true);
    expect(clientOf("244.0.0.1")).toBe(false);
    expect(session({}, reflector)).toMatchObject({ routeReflectorClient: false, clusterId: null });
    // By address nobody knows its cluster id.
    expect(session({ asNumber: 64512 }, reflector)).toMatchObject({
      routeReflectorClient: true,
      clusterId: "244.0.0.1",
    });
  });
});

describe("BGPPeers by selector, and their other side", () => {
  const a = bgpPeer("a", {
    nodeSelector: "rack == 'a'",
    peerSelector: "rack == 'b'",
    ttlSecurity: 1,
    sourceAddress: "None",
  });

  it("have a session in each family with each node that is selected", () => {
    expect(names([noMesh, one, two, three, a])).toEqual(["Node_10_0_0_30", "Node_10_0_0_9", "Node_fd00__9"]);
  });

  it("are answered by those nodes, in the same way", () => {
    const answered = peers([noMesh, one, two, three, a], { nodeName: "node-2" });
    expect(answered.map(({ name }) => name)).toEqual(["Node_10_0_0_10", "Node_fd00__10"]);
    expect(answered).toMatchObject([{ ttlSecurity: 1, localAddress: null, passive: false }, { ttlSecurity: 1 }]);
  });

  it("are not answered with reversePeering Manual", () => {
    const manual = bgpPeer("a", { nodeSelector: "rack == 'a'", peerSelector: "rack == 'b'", reversePeering: "Manual" });
    expect(names([noMesh, one, two, manual])).toHaveLength(2);
    expect(names([noMesh, one, two, manual], { nodeName: "node-2" })).toEqual([]);
  });

  it("follow the ports of nodes, and do not pass on what is about this side alone", () => {
    const spec = { nodeSelector: "rack == 'a'", peerSelector: "rack == 'b'", numAllowedLocalASNumbers: 1 };
    const port = calico("BGPConfiguration", "node.node-3", { listenPort: 500 });
    const world = clusterOf(noMesh, one, three, bgpPeer("a", spec), port);
    const now = (nodeName: string) =>
      world.model({ nodeName }).ipv4.peers.map(({ name, allowLocalAs }) => [name, allowLocalAs]);
    expect(now("node-1")).toEqual([["Node_10_0_0_30_port_500", 1]]);
    world.become([noMesh, one, three, bgpPeer("a", spec)]);
    expect(now("node-1")).toEqual([["Node_10_0_0_30", 1]]);
    expect(now("node-3")).toEqual([["Node_10_0_0_10", 0]]);
  });

  it("by address are answered in that family, by the node that is meant", () => {
    const by = (spec: Written) =>
      names([noMesh, one, two, three, bgpPeer("a", { peerIP: "10.0.0.9", asNumber: 64512, ...spec })], {
        nodeName: "node-2",
      });
    expect(by({})).toEqual(["Node_10_0_0_10", "Node_10_0_0_30"]);
    expect(by({ node: "node-3" })).toEqual(["Node_10_0_0_30"]);
    expect(by({ node: "node-9" })).toEqual([]);
    expect(by({ asNumber: 65000 })).toEqual([]);
    expect(by({ peerIP: "10.0.0.9:1179" })).toEqual([]);
    expect(by({ peerIP: "10.0.0.9:179", node: "node-3" })).toEqual(["Node_10_0_0_30"]);
  });

  it("by address with localASNumber are answered with that AS number; by selector it does not count", () => {
    const byAddress = bgpPeer("a", { node: "node-1", peerIP: "10.0.0.9", asNumber: 64512, localASNumber: 65001 });
    expect(peers([noMesh, one, two, byAddress], { nodeName: "node-2" })[0]).toMatchObject({
      asNumber: 65001,
      localAsOverride: false,
    });
    const bySelector = bgpPeer("a", { node: "node-1", peerSelector: "rack == 'b'", localASNumber: 65001 });
    expect(peers([noMesh, one, two, bySelector])[0]).toMatchObject({ localAsNumber: 64512, localAsOverride: false });
    expect(peers([noMesh, one, two, bySelector], { nodeName: "node-2" })[0]).toMatchObject({ asNumber: 64512 });
  });

  it("for all nodes are Global; a node does not peer with itself", () => {
    const all = bgpPeer("a", { peerSelector: "all()" });
    expect(names([noMesh, one, three, all])).toEqual(["Global_10_0_0_30"]);
  });
});

describe("of several BGPPeers to one peer", () => {
  const to = (name: string, spec: Written) => bgpPeer(name, { peerIP: "192.0.2.1", asNumber: 65000, ...spec });

  it("one for all nodes wins over one for some, and else the first by name, whatever came first", () => {
    expect(names([noMesh, one, to("a", { node: "node-1" }), to("b", {})])).toEqual(["Global_192_0_2_1"]);
    const sources = (objects: readonly Written[]) => peers([noMesh, one, ...objects]).map(({ source }) => source);
    const [a, b] = [to("a", { node: "node-1", ttlSecurity: 1 }), to("b", { node: "node-1" })];
    expect(sources([a, b])).toEqual(["calico:BGPPeer/a"]);
    expect(sources([b, a])).toEqual(["calico:BGPPeer/a"]);
  });

  it("the others are a problem if they say something else", () => {
    const problems = (spec: Written) =>
      clusterOf(noMesh, one, to("a", { node: "node-1" }), to("b", { node: "node-1", ...spec })).problems();
    expect(problems({})).toEqual([]);
    expect(problems({ ttlSecurity: 1 })).toEqual([
      "BGPPeer/b : has no effect on Node_192_0_2_1, which BGPPeer/a gives first; remove one of them",
    ]);
  });

  it("with another port they are other peers", () => {
    expect(names([noMesh, one, to("a", {}), to("b", { peerIP: "192.0.2.1:1179" })])).toEqual([
      "Global_192_0_2_1",
      "Global_192_0_2_1_port_1179",
    ]);
  });
});
