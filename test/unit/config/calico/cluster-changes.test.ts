/** What changes changes; everything else is the same object as before, and comes to the same as if it had been there from the start. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calico, clusterOf, node, OPTIONS, type Written } from "./cluster-of.ts";

const configuration = (spec: Written) => calico("BGPConfiguration", "default", spec);
const kubernetesNode = (name: string, annotations: Written, labels: Written = {}) => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, labels, annotations },
  spec: {},
});

describe("a change", () => {
  const many = Array.from({ length: 30 }, (_, i) =>
    node(`node-${i + 1}`, { ipv4Address: `10.0.0.${i + 1}/24`, ipv6Address: `fd00::${i + 1}/64` }),
  );

  it("of nothing gives the same model", () => {
    const world = clusterOf(...many);
    const before = world.model();
    expect(world.become(structuredClone(many)).model()).toBe(before);
  });

  it("of one node leaves all other peers, and the other family", () => {
    const world = clusterOf(...many);
    const before = world.model();
    world.become([
      ...many.slice(0, 9),
      node("node-10", { ipv4Address: "10.0.1.1/24", ipv6Address: "fd00::10/64" }),
      ...many.slice(10),
    ]);
    const after = world.model();
    const kept = after.ipv4.peers.filter((peer) => before.ipv4.peers.includes(peer));
    expect(kept).toHaveLength(28);
    expect(after.ipv4.peers.map(({ name }) => name)).toEqual(after.ipv4.peers.map(({ name }) => name).sort());
    expect(after.ipv4.filters).toBe(before.ipv4.filters);
    expect(after.ipv4.kernelRules).toBe(before.ipv4.kernelRules);
  });

  it("of the node's own address decides anew who waits for whom", () => {
    const as = (ipv4Address: string) => [
      node("node-1", { ipv4Address }),
      node("node-2", { ipv4Address: "10.0.0.5/24" }),
    ];
    const world = clusterOf(...as("10.0.0.1/24"));
    expect(world.model().ipv4.peers).toMatchObject([{ passive: true, localAddress: "10.0.0.1" }]);
    expect(world.become(as("10.0.0.9/24")).model().ipv4.peers).toMatchObject([
      { passive: false, localAddress: "10.0.0.9" },
    ]);
  });

  it("of labels that nobody asks for gives the same model", () => {
    const world = clusterOf(...many);
    const before = world.model();
    const labelled = many.map((one, i) =>
      i === 4 ? node("node-5", { ipv4Address: "10.0.0.5/24", ipv6Address: "fd00::5/64" }, { x: "y" }) : one,
    );
    expect(world.become(labelled).model()).toBe(before);
  });

  it("of what concerns the node alone leaves the peers that it does not concern", () => {
    const world = clusterOf(...many, configuration({}));
    const before = world.model();
    world.become([...many, configuration({ serviceClusterIPs: [{ cidr: "10.96.0.0/12" }] })]);
    const after = world.model();
    expect(after.ipv4.peers).toBe(before.ipv4.peers);
    expect(after.ipv6).toBe(before.ipv6);
    expect(after.ipv4.serviceRoutes).toEqual(["10.96.0.0/12"]);
  });

  it("of the options begins anew", () => {
    const world = clusterOf(...many);
    expect(world.model().nodeName).toBe("node-1");
    expect(world.model({ nodeName: "node-2" }).ipv4.peers[0]?.name).toBe("Mesh_10_0_0_1");
    expect(world.model({ routerId: "192.0.2.9" }).routerId).toBe("192.0.2.9");
  });

  it("to whatever it is, the cluster comes to what it would have come to at once", () => {
    const spec = fc.record({
      nodeToNodeMeshEnabled: fc.boolean(),
      listenPort: fc.constantFrom(179, 500),
      asNumber: fc.constantFrom(64512, 65000),
    });
    const bgp = (n: number) =>
      fc.record({
        ipv4Address: fc.constantFrom(`10.0.0.${n}/24`, "10.0.0.7/24"),
        asNumber: fc.constantFrom(undefined, 65001),
        routeReflectorClusterID: fc.constantFrom(undefined, undefined, "244.0.0.1"),
      });
    const one = (n: number) =>
      fc.tuple(bgp(n), fc.constantFrom("a", "b")).map(([own, rack]) => node(`node-${n}`, own, { rack }));
    const peer = fc.constantFrom<Written>(
      { peerSelector: "rack == 'a'" },
      { nodeSelector: "rack == 'b'", peerSelector: "rack == 'a'" },
      { peerIP: "10.0.0.2", asNumber: 64512 },
      { peerIP: "10.0.0.1", nodeSelector: "rack == 'b'", ttlSecurity: 1 },
      { node: "node-1", peerIP: "192.0.2.1", asNumber: 65000, filters: ["f"] },
    );
    const state = fc
      .record({
        common: spec,
        own: one(1),
        second: fc.option(one(2)),
        third: fc.option(one(3)),
        a: peer,
        b: fc.option(peer),
        hasFilter: fc.boolean(),
      })
      .map(({ common, own, second, third, a, b, hasFilter }): readonly Written[] => [
        configuration(common),
        own,
        ...[second, third].filter((other) => other !== null),
        calico("BGPPeer", "a", a),
        ...(b === null ? [] : [calico("BGPPeer", "b", b)]),
        ...(hasFilter ? [calico("BGPFilter", "f", { importV4: [{ action: "Reject" }] })] : []),
      ]);
    fc.assert(
      fc.property(fc.array(state, { minLength: 2, maxLength: 4 }), (states) => {
        const world = clusterOf();
        for (const objects of states) {
          world.become(objects);
          const fresh = clusterOf(...objects);
          expect(world.model()).toEqual(fresh.model());
          expect(world.problems().sort()).toEqual(fresh.problems().sort());
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("nodes", () => {
  const bgpOf = (...objects: readonly Written[]) => {
    const { routerId, ipv4, ipv6 } = clusterOf(...objects).model();
    return { routerId, asNumber: ipv4.localAsNumber, ipv4: ipv4.enabled, ipv6: ipv6.enabled };
  };
  const annotated = (more: Written = {}) =>
    kubernetesNode("node-1", {
      "projectcalico.org/IPv4Address": "10.0.0.1/24",
      "projectcalico.org/ASNumber": "65001",
      ...more,
    });

  it("are known by annotations alone", () => {
    expect(bgpOf(annotated())).toEqual({ routerId: "10.0.0.1", asNumber: 65001, ipv4: true, ipv6: false });
  });

  it("are Calico's own where both say something, and both together else", () => {
    const own = node("node-1", { ipv4Address: "10.0.0.9/24" });
    const both = bgpOf(own, annotated({ "projectcalico.org/IPv6Address": "fd00::1/64" }));
    expect(both).toEqual({ routerId: "10.0.0.9", asNumber: 65001, ipv4: true, ipv6: true });
  });

  it("have Calico's labels and Kubernetes' own, which win", () => {
    const labels = JSON.stringify({ rack: "1", zone: "calico" });
    const own = kubernetesNode(
      "node-1",
      { "projectcalico.org/IPv4Address": "10.0.0.1/24", "projectcalico.org/labels": labels },
      { zone: "kubernetes" },
    );
    const peer = calico("BGPPeer", "a", {
      nodeSelector: "rack == '1' && zone == 'kubernetes'",
      peerIP: "192.0.2.1",
      asNumber: 1,
    });
    expect(clusterOf(own, peer).model().ipv4.peers).toHaveLength(1);
  });

  it("that are not there yet are waited for", () => {
    const { model, waiting } = clusterOf().translate();
    expect(model).toBeUndefined();
    expect(waiting).toBe("there is no Node node-1 in the datastore yet");
  });

  it("are chosen by labels and address for a pure reflector", () => {
    const reflectors = [1, 2].map((n) =>
      node(`rr-${n}`, { ipv4Address: `10.0.0.${n}/24`, routeReflectorClusterID: "244.0.0.1" }, { reflector: "" }),
    );
    const peer = calico("BGPPeer", "a", { nodeSelector: "has(reflector)", peerSelector: "has(reflector)" });
    const world = clusterOf(...reflectors, node("node-3", { ipv4Address: "10.0.0.3/24" }), peer);
    const as = (address: string) =>
      world.translate({
        role: "route-reflector",
        nodeSelector: { text: "has(reflector)", addresses: ["127.0.0.1", address] },
      });
    expect(as("10.0.0.2").model).toMatchObject({ nodeName: "rr-2", ipv4: { peers: [{ name: "Node_10_0_0_1" }] } });
    expect(as("10.0.0.1").model?.nodeName).toBe("rr-1");
    expect(as("10.0.0.3").waiting).toBe("has(reflector) selects no Node with an address of this machine yet");
  });

  it("have a router id by their name without IPv4", () => {
    const ipv6 = node("kube-master", { ipv6Address: "fd00::1/64" });
    const world = clusterOf(ipv6);
    const options = { ...OPTIONS, nodeName: "kube-master" };
    expect(world.model(options).routerId).toBe("25.79.212.8");
    expect(world.problems(options)).toEqual([expect.stringContaining("has no IPv4 address to be its router id")]);
    expect(world.problems({ ...options, routerId: "hash" })).toEqual([]);
  });
});

describe("local workloads", () => {
  const own = node("node-1", { ipv4Address: "10.0.0.1/24", ipv6Address: "fd00::1/64" });
  const peer = calico("BGPPeer", "to-pods", {
    localWorkloadSelector: "bgp == 'yes'",
    asNumber: 65010,
    localASNumber: 65001,
    filters: ["f"],
    ttlSecurity: 1,
    sourceAddress: "UseNodeIP",
    password: { secretKeyRef: { name: "s", key: "k" } },
  });
  const filter = calico("BGPFilter", "f", { importV4: [{ action: "Accept" }] });
  const status = (name: string, spec: Written) =>
    calico("EndpointStatus", name, { ifaceName: "cali1", mac: "ee:ee:ee:ee:ee:ee", bgpPeerName: "to-pods", ...spec });

  it("have a session to the first address of each family, that waits for them", () => {
    const world = clusterOf(
      own,
      peer,
      filter,
      status("pod", { ipv4Nets: ["10.65.0.2/32", "10.65.0.3/32"], ipv6Nets: ["fd65::2/128"] }),
    );
    expect(world.model().ipv4.peers).toMatchObject([
      {
        name: "Local_Workload_10_65_0_2",
        port: 179,
        asNumber: 65010,
        localAsNumber: 65001,
        passive: true,
        localAddress: null,
        multihop: true,
        ttlSecurity: null,
        passwordSet: false,
        importFilters: ["f"],
        source: "calico:BGPPeer/to-pods",
      },
    ]);
    expect(world.model().ipv6.peers).toMatchObject([{ name: "Local_Workload_fd65__2", importFilters: [] }]);
    expect(world.translate().secrets.names).toEqual([]);
  });

  it("come and go", () => {
    const world = clusterOf(own, peer, filter);
    const names = () => world.model().ipv4.peers.map(({ name }) => name);
    expect(names()).toEqual([]);
    world.become([own, peer, filter, status("pod", { ipv4Nets: ["10.65.0.2/32"] })]);
    expect(names()).toEqual(["Local_Workload_10_65_0_2"]);
    world.become([own, peer, filter, status("pod", { ipv4Nets: ["10.65.0.3/32"] })]);
    expect(names()).toEqual(["Local_Workload_10_65_0_3"]);
    world.become([own, peer, filter]);
    expect(names()).toEqual([]);
  });

  it("that nobody peers with, or a peer that is not for them, have none", () => {
    const other = calico("BGPPeer", "to-pods", { peerIP: "192.0.2.1", asNumber: 65010 });
    expect(clusterOf(own, status("pod", { ipv4Nets: ["10.65.0.2/32"] })).model().ipv4.peers).toEqual([]);
    expect(clusterOf(own, other, status("pod", { ipv4Nets: ["10.65.0.2/32"] })).model().ipv4.peers).toHaveLength(1);
    expect(clusterOf(own, peer, status("pod", { ipv4Nets: ["nonsense"] })).problems()).toContainEqual(
      expect.stringMatching(/^EndpointStatus\/pod spec.ipv4Nets\[0\]: "nonsense" is not accepted/),
    );
  });
});

describe("names of filters", () => {
  it("are cut as BIRD's, and told from each other, where they are too long", () => {
    const own = node("node-1", { ipv4Address: "10.0.0.1/24" });
    const [short, long] = ["f".repeat(45), "f".repeat(46)];
    const filters = [short, long].map((name) => calico("BGPFilter", name, { importV4: [{ action: "Accept" }] }));
    const peer = calico("BGPPeer", "a", { peerIP: "192.0.2.1", asNumber: 65000, filters: [short, long] });
    const { ipv4 } = clusterOf(own, peer, ...filters).model();
    const names = [short, `${"f".repeat(28)}_B1555C39668D2D1B`];
    expect(ipv4.filters.map(({ name }) => name)).toEqual(names);
    expect(ipv4.peers[0]?.importFilters).toEqual(names);
  });
});
