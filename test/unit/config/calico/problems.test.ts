/** What is wrong with resources is told with the field and what is accepted, and costs no more than it must. */

import { describe, expect, it } from "vitest";
import type { CalicoProblem } from "../../../../src/config/calico/problem.ts";
import { calico, clusterOf, node, type Written } from "./cluster-of.ts";

const own = node("node-1", { ipv4Address: "10.0.0.1/24", ipv6Address: "fd00::1/64" });
const peer = (spec: Written, name = "a") => calico("BGPPeer", name, spec);
const filter = (rule: Written) => calico("BGPFilter", "f", { importV4: [rule] });
const REFUSED = "BGPPeer/a : has no effect until what is wrong is mended";
const external = { peerIP: "192.0.2.1", asNumber: 65000 };

describe("BGPPeer", () => {
  it.each<readonly [string, Written, readonly string[]]>([
    [
      "unknown field",
      { ...external, numAllowedLocalAS: 1 },
      ["BGPPeer/a spec.numAllowedLocalAS: unknown field, without effect (did you mean `numAllowedLocalASNumbers`?)"],
    ],
    [
      "Enterprise's field",
      { ...external, failureDetectionMode: "BFDIfDirectlyConnected" },
      ["BGPPeer/a spec.failureDetectionMode: is a field of Calico Enterprise, without effect here; leave it out"],
    ],
    [
      "wrong address",
      { ...external, peerIP: "192.0.2.256" },
      [
        'BGPPeer/a spec.peerIP: "192.0.2.256" is not accepted; accepted: 10.0.0.1, 10.0.0.1:1179, fd00::1 or [fd00::1]:1179',
        REFUSED,
      ],
    ],
    [
      "port out of range",
      { ...external, peerIP: "192.0.2.1:70000" },
      [expect.stringContaining("spec.peerIP"), REFUSED],
    ],
    [
      "AS number out of range",
      { ...external, asNumber: 4294967296 },
      [expect.stringContaining("spec.asNumber: `4294967296` is not accepted"), REFUSED],
    ],
    [
      "choice",
      { ...external, nextHopMode: "self" },
      [
        'BGPPeer/a spec.nextHopMode: "self" is not accepted (did you mean `Self`?); accepted: Auto, Self, Keep',
        REFUSED,
      ],
    ],
    [
      "duration",
      { ...external, maxRestartTime: "ten" },
      [
        expect.stringContaining('spec.maxRestartTime: "ten" is not accepted; accepted: a duration such as "120s"'),
        REFUSED,
      ],
    ],
    [
      "restart time too long",
      { ...external, maxRestartTime: "2h" },
      ["BGPPeer/a spec.maxRestartTime: 7200 s do not fit into the message; 4095 s are announced"],
    ],
    [
      "selector",
      { peerSelector: "has(rr" },
      [expect.stringContaining('spec.peerSelector: "has(rr": expected'), REFUSED],
    ],
    [
      "a list for a text",
      { peerSelector: [{ ip: "10.0.0.1" }] },
      [expect.stringContaining("spec.peerSelector: a list is not accepted"), REFUSED],
    ],
    [
      "no spec at all",
      {},
      ["BGPPeer/a spec: names no peer; accepted: peerIP, peerSelector or localWorkloadSelector", REFUSED],
    ],
    [
      "both node and nodeSelector",
      { ...external, node: "node-1", nodeSelector: "all()" },
      ["BGPPeer/a spec.nodeSelector: cannot stand beside spec.node; set one of them", REFUSED],
    ],
    [
      "both peerIP and peerSelector",
      { peerIP: "192.0.2.1", peerSelector: "all()" },
      ["BGPPeer/a spec.peerSelector: cannot stand beside spec.peerIP; set one of them", REFUSED],
    ],
    [
      "asNumber beside peerSelector",
      { asNumber: 65000, peerSelector: "all()" },
      [expect.stringContaining("spec.asNumber: cannot stand beside spec.peerSelector"), REFUSED],
    ],
    [
      "workloads without AS number",
      { localWorkloadSelector: "all()" },
      [expect.stringContaining("spec.asNumber: is missing"), REFUSED],
    ],
    [
      "reachableBy of the other family",
      { ...external, reachableBy: "fd00::9" },
      [expect.stringContaining("spec.reachableBy: is not of the family of spec.peerIP"), REFUSED],
    ],
    [
      "secret without key",
      { ...external, password: { secretKeyRef: { name: "s" } } },
      ["BGPPeer/a spec.password.secretKeyRef.key: is missing; accepted: a key of the Secret", REFUSED],
    ],
    [
      "no such filter",
      { ...external, filters: ["f"] },
      ['BGPPeer/a spec.filters[0]: there is no BGPFilter "f": routes pass as if it were not named'],
    ],
    [
      "no such node",
      { ...external, node: "node-9" },
      ['BGPPeer/a spec.node: there is no Node "node-9": nobody has this session'],
    ],
    [
      "selects no node",
      { ...external, nodeSelector: "has(x)" },
      ["BGPPeer/a spec.nodeSelector: selects no node: nobody has this session"],
    ],
    [
      "selects no peer",
      { peerSelector: "has(x)" },
      ["BGPPeer/a spec.peerSelector: selects no node: there is nobody to peer with"],
    ],
    [
      "no such Secret",
      { ...external, password: { secretKeyRef: { name: "s", key: "k" } } },
      [
        "BGPPeer/a spec.password: Secret kube-system/s is not there, or may not be read: the session runs without a password",
      ],
    ],
  ])("%s", (_name, spec, expected) => {
    expect(clusterOf(own, peer(spec)).problems()).toEqual(expected);
  });

  it("that is wrong leaves all others alone", () => {
    const world = clusterOf(own, peer({ peerIP: "nonsense" }), peer(external, "b"));
    expect(world.model().ipv4.peers.map(({ source }) => source)).toEqual(["calico:BGPPeer/b"]);
  });

  it("keeps what it was while a change of it is wrong", () => {
    const world = clusterOf(own, peer(external));
    const [before] = world.model().ipv4.peers;
    world.become([own, peer({ ...external, peerIP: "nonsense" })]);
    expect(world.model().ipv4.peers[0]).toBe(before);
    expect(world.problems()).toContain(
      "BGPPeer/a : the version before this one stays in force until what is wrong is mended",
    );
    world.become([own, peer({ ...external, asNumber: 65001 })]);
    expect(world.model().ipv4.peers[0]?.asNumber).toBe(65001);
    expect(world.problems()).toEqual([]);
    world.become([own, peer({ ...external, peerIP: "nonsense" })]);
    world.become([own]);
    expect(world.model().ipv4.peers).toEqual([]);
    expect(world.problems()).toEqual([]);
  });
});

describe("BGPFilter", () => {
  const NOTHING = "BGPFilter/f : has no effect until what is wrong is mended";

  it.each<readonly [string, Written, readonly unknown[]]>([
    ["no action", {}, ["BGPFilter/f spec.importV4[0].action: is missing; accepted: Accept, Reject", NOTHING]],
    ["old spelling", { action: "accept" }, [expect.stringContaining("(did you mean `Accept`?)"), NOTHING]],
    [
      "the other family",
      { action: "Accept", cidr: "fd00::/8", matchOperator: "In" },
      [expect.stringContaining("importV4[0].cidr"), NOTHING],
    ],
    [
      "address for a CIDR",
      { action: "Accept", cidr: "10.0.0.1", matchOperator: "In" },
      [expect.stringContaining("importV4[0].cidr"), NOTHING],
    ],
    [
      "cidr alone",
      { action: "Accept", cidr: "10.0.0.0/8" },
      [expect.stringContaining("matchOperator: is missing beside cidr"), NOTHING],
    ],
    [
      "operator alone",
      { action: "Accept", matchOperator: "In" },
      [expect.stringContaining("cidr: is missing beside matchOperator"), NOTHING],
    ],
    [
      "lengths as text",
      { action: "Accept", cidr: "10.0.0.0/8", matchOperator: "In", prefixLength: "24-28" },
      [expect.stringContaining('prefixLength: "24-28" is not accepted; accepted: a map of min, max'), NOTHING],
    ],
    [
      "length out of range",
      { action: "Accept", cidr: "10.0.0.0/8", matchOperator: "In", prefixLength: { max: 33 } },
      [
        expect.stringContaining("prefixLength.max: `33` is not accepted; accepted: a whole number from 0 to 32"),
        NOTHING,
      ],
    ],
    [
      "lengths beside Equal",
      { action: "Accept", cidr: "10.0.0.0/8", matchOperator: "Equal", prefixLength: { max: 24 } },
      [expect.stringContaining("beside matchOperator Equal the rule never matches, as with BIRD")],
    ],
    [
      "operations of a reject",
      { action: "Reject", operations: [{ setPriority: { value: 1 } }] },
      [expect.stringContaining("operations: cannot stand beside action Reject"), NOTHING],
    ],
    [
      "two operations in one",
      { action: "Accept", operations: [{ setPriority: { value: 1 }, addCommunity: { value: "1:1" } }] },
      [expect.stringContaining("operations[0]: is not one operation"), NOTHING],
    ],
    [
      "community out of range",
      { action: "Accept", communities: { values: ["65536:1"] } },
      [expect.stringContaining("communities.values[0]"), NOTHING],
    ],
    [
      "two communities",
      { action: "Accept", communities: { values: ["1:1", "2:2"] } },
      [expect.stringContaining("at most 1"), NOTHING],
    ],
    [
      "priority 0",
      { action: "Accept", priority: 0 },
      [expect.stringContaining("a whole number from 1 to 2147483646"), NOTHING],
    ],
    [
      "unknown field",
      { action: "Accept", prefixLenght: {} },
      [expect.stringContaining("(did you mean `prefixLength`?)")],
    ],
  ])("%s", (_name, rule, expected) => {
    expect(clusterOf(own, filter(rule)).problems()).toEqual(expected);
  });

  it("that is changed for the worse keeps filtering as it did", () => {
    const world = clusterOf(own, filter({ action: "Reject" }));
    world.become([own, filter({ action: "reject" })]);
    expect(world.model().ipv4.filters).toEqual([{ name: "f", import: [{ action: "Reject" }] }]);
  });
});

describe("other resources", () => {
  it.each<readonly [string, Written, readonly unknown[]]>([
    [
      "a range that is none",
      calico("BGPConfiguration", "default", { serviceClusterIPs: [{ cidr: "10.96.0.0/12" }, { cidr: "x" }] }),
      [
        expect.stringContaining("spec.serviceClusterIPs[1].cidr"),
        "BGPConfiguration/default : what is right of it counts, until what is wrong is mended",
      ],
    ],
    [
      "a name that concerns nobody",
      calico("BGPConfiguration", "defualt"),
      [expect.stringContaining("(did you mean `default`?)")],
    ],
    [
      "a field of the cluster for one node",
      calico("BGPConfiguration", "node.node-1", { asNumber: 65000 }),
      [expect.stringContaining("spec.asNumber: has no effect for one node")],
    ],
    [
      "a community that has no name",
      calico("BGPConfiguration", "default", { prefixAdvertisements: [{ cidr: "10.0.0.0/8", communities: ["x"] }] }),
      [
        'BGPConfiguration/default spec.prefixAdvertisements[0].communities[0]: "x" is not accepted; accepted: a community such as 65000:100, and spec.communities has no names',
      ],
    ],
    [
      "IPIP beside VXLAN",
      calico("IPPool", "p", { cidr: "10.0.0.0/8", ipipMode: "Always", vxlanMode: "Always" }),
      [expect.stringContaining("spec.vxlanMode: cannot stand beside ipipMode"), expect.anything()],
    ],
    [
      "IPIP for IPv6",
      calico("IPPool", "p", { cidr: "fd00::/8", ipipMode: "Always" }),
      [expect.stringContaining("IPIP carries IPv4 alone"), expect.anything()],
    ],
    [
      "a field that is no field",
      node("node-2", { ipv4Address: "10.0.0.2/24", routerID: "10.0.0.2" }),
      [expect.stringContaining("spec.bgp.routerID: unknown field")],
    ],
    [
      "an address without sense",
      node("node-2", { ipv4Address: "10.0.0.2/33" }),
      [expect.stringContaining("spec.bgp.ipv4Address"), expect.anything()],
    ],
    [
      "annotations",
      {
        apiVersion: "v1",
        kind: "Node",
        metadata: {
          name: "node-2",
          annotations: { "projectcalico.org/ASNumber": "x", "projectcalico.org/labels": "{" },
        },
      },
      [expect.stringContaining("projectcalico.org/ASNumber"), expect.stringContaining("projectcalico.org/labels")],
    ],
    [
      "a text for a flag",
      calico("BGPConfiguration", "default", { nodeToNodeMeshEnabled: "yes" }),
      [expect.stringContaining("accepted: true or false"), expect.anything()],
    ],
  ])("%s", (_name, object, expected) => {
    expect(clusterOf(own, object).problems()).toEqual(expected);
  });

  it("cost a BGPConfiguration no more than the field, and Kubernetes' Node no more than the annotation", () => {
    const configuration = calico("BGPConfiguration", "default", { asNumber: 65000, listenPort: "179" });
    expect(clusterOf(own, configuration).model().ipv4).toMatchObject({ localAsNumber: 65000, listen: { port: 179 } });
    const annotations = { "projectcalico.org/IPv4Address": "10.0.0.1/24", "projectcalico.org/IPv6Address": "x" };
    const kubernetes = { apiVersion: "v1", kind: "Node", metadata: { name: "node-1", annotations } };
    const { ipv4, ipv6 } = clusterOf(kubernetes).model();
    expect([ipv4.enabled, ipv6.enabled]).toEqual([true, false]);
  });

  it("of the environment are told of the node", () => {
    const problems = clusterOf(own).problems({ routerId: "x", advertiseClusterIps: "y" });
    expect(problems).toEqual([
      expect.stringContaining('CALICO_ROUTER_ID "x"'),
      expect.stringContaining('CALICO_ADVERTISE_CLUSTER_IPS "y"'),
    ]);
  });

  it("name the place that they are written in", () => {
    const [problem] = clusterOf(own, peer({ ...external, filters: ["f"] })).translate()
      .problems as readonly CalicoProblem[];
    expect(problem).toMatchObject({ origin: "test:calico/BGPPeer//a", severity: "warning" });
  });

  it("of one resource are told up to a number, however many there are", () => {
    const unknown = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`x${i}${"y".repeat(200)}`, 1]));
    const world = clusterOf(own, peer({ ...unknown, peerIP: "nonsense", asNumber: "nonsense" }));
    expect(world.problems().length).toBeLessThan(60);
    expect(world.problems().join("").length).toBeLessThan(100_000);
    expect(world.model().ipv4.peers).toEqual([]);
  });

  it("of thousands of resources with one fault are told some hundred times", () => {
    const many = Array.from({ length: 1000 }, (_, i) => peer({ ...external, filters: ["no-such"] }, `p-${i}`));
    const problems = clusterOf(own, ...many).problems();
    expect(problems.length).toBeGreaterThan(100);
    expect(problems.length).toBeLessThan(500);
  });

  it("that are anything at all do not get in the way", () => {
    for (const value of [null, 1, "x", [], [1], { x: 1 }, true]) {
      for (const kind of [
        "BGPConfiguration",
        "BGPPeer",
        "BGPFilter",
        "IPPool",
        "BlockAffinity",
        "Node",
        "ClusterInformation",
      ]) {
        const object = { ...calico(kind, "default"), spec: value, status: value };
        expect(clusterOf(own, object).model().ipv4.enabled).toBe(true);
      }
      for (const [kind, apiVersion] of [
        ["Service", "v1"],
        ["Secret", "v1"],
        ["Node", "v1"],
        ["EndpointSlice", "discovery.k8s.io/v1"],
      ]) {
        const labels = { "kubernetes.io/service-name": "x" };
        const object = {
          apiVersion,
          kind,
          metadata: { name: "x", labels },
          spec: value,
          status: value,
          data: value,
          endpoints: value,
        };
        expect(clusterOf(own, object).model().ipv4.enabled).toBe(true);
      }
    }
  });
});
