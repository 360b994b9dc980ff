/** Resources as nobody should write them: right ones of every kind with fields overwritten, renamed and added. */

import fc from "fast-check";
import { calico, node, type Options, type Written } from "./cluster-of.ts";

const NAMES = [
  "node-1",
  "a",
  "__proto__",
  "constructor",
  "toString",
  "default",
  "node.node-1",
  "two\nlines",
  "\u001b[31mred\u0007",
  '<b>"&\\',
  "ü\u202e\ud800",
  "n".repeat(300),
];
const TEXTS = [
  ...["10.0.0.1", "10.0.0.1/24", "10.0.0.2:0", "10.0.0.2:65535", "10.0.0.2:65536", "0.0.0.0", "255.255.255.255"],
  ...["127.0.0.1", "224.0.0.1", "0.0.0.0/0", "::/0", "::", "::1", "fd00:0:0::0001", "FD00::1/64", "[fd00::2]:179"],
  ...["::ffff:10.0.0.1", "::ffff:10.0.0.0/104", "fe80::1", "fe80::1%eth0", "10.1.2.3/8", "10.0.0.0/33", "1.2.3", "/"],
  ...["65000:1", "65536:1", "1:2:3", "4294967295:4294967295:4294967295", "0.0", "65535.65535", "65536.1", "1.10"],
  ...["all()", "has(a)", "!".repeat(900), "(".repeat(500), "a in {", "a == 'b' || !has(__proto__)", "x".repeat(5000)],
  ...["Accept", "Reject", "In", "NotIn", "Equal", "NotEqual", "RemotePeers", "iBGP", "*", "***?*.[", "120s", "1e9h"],
  ...["Always", "CrossSubnet", "Enabled", "Disabled", "Self", "None", "NodeIP", "confirmed", "pendingDeletion"],
  ...[
    "IPv4",
    "IPv6",
    "ClusterIP",
    "LoadBalancer",
    "Cluster",
    "Local",
    "true",
    "v3.31.0",
    "AAAA",
    "c2VjcmV0",
    "{}",
    "\0",
  ],
];
const NUMBERS = [0, 1, -1, 1.5, 32, 33, 129, 65000, 65536, 4294967295, 4294967296, 2147483646, 1e308, -0];

const anything = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...TEXTS) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(...NUMBERS) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(...NAMES) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      null,
      true,
      false,
      [],
      {},
      [[]],
      [null],
      JSON.parse('{"__proto__": {"cidr": "10.0.0.0/8"}, "toString": 1, "valueOf": 2, "length": -1, "toJSON": 3}'),
      Array.from({ length: 600 }, (_, i) => i),
      Array.from({ length: 500 }, () => 4294967295),
    ),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);

const external = { peerIP: "192.0.2.1", asNumber: 65000 };
const rule = {
  action: "Accept",
  cidr: "10.0.0.0/8",
  matchOperator: "In",
  prefixLength: { min: 9, max: 32 },
  source: "RemotePeers",
  interface: "eth*",
  peerType: "eBGP",
  communities: { values: ["65000:1"] },
  asPathPrefix: [65000, 65001],
  priority: 100,
  operations: [
    { addCommunity: { value: "65000:1:2" } },
    { prependASPath: { prefix: [65000] } },
    { setPriority: { value: 512 } },
  ],
};
const rule6 = { ...rule, cidr: "fd00::/8" };
export const kubernetes = (apiVersion: string, kind: string, name: string, more: Written): Written => {
  const { metadata, ...rest } = { metadata: {}, ...more };
  return { apiVersion, kind, metadata: { namespace: "default", ...(metadata as Written), name }, ...rest };
};
/** Right, and with every field that counts. */
export const SEEDS: readonly Written[] = [
  node("node-1", { ipv4Address: "10.0.0.1/24", ipv6Address: "fd00::1/64", asNumber: "64512" }, { rack: "1" }),
  node("node-2", { ipv4Address: "10.0.0.2/24", ipv6Address: "fd00::2/64", routeReflectorClusterID: "244.0.0.1" }),
  calico("Node", "node-3", {
    bgp: { ipv4Address: "10.0.1.3/24", asNumber: 64513 },
    wireguard: { interfaceIPv4Address: "10.9.0.3", interfaceIPv6Address: "fd09::3" },
  }),
  calico("BGPConfiguration", "default", {
    asNumber: 64512,
    bindMode: "NodeIP",
    communities: [{ name: "constructor", value: "65000:7" }],
    ignoredInterfaces: ["eth9", "*"],
    ipv4NormalRoutePriority: 1024,
    ipv6NormalRoutePriority: 1024,
    listenPort: 1179,
    logSeverityScreen: "Debug",
    nodeMeshMaxRestartTime: "90s",
    nodeMeshPassword: { secretKeyRef: { name: "mesh", key: "password" } },
    nodeToNodeMeshEnabled: true,
    prefixAdvertisements: [{ cidr: "10.244.0.0/16", communities: ["constructor", "65000:1"] }],
    programClusterRoutes: "Enabled",
    serviceClusterIPs: [{ cidr: "10.96.0.0/12" }, { cidr: "fd96::/112" }],
    serviceExternalIPs: [{ cidr: "203.0.113.7/32" }],
    serviceLoadBalancerAggregation: "Disabled",
    serviceLoadBalancerIPs: [{ cidr: "203.0.113.0/24" }],
  }),
  calico("BGPConfiguration", "node.node-1", { listenPort: 179, ignoredInterfaces: ["x"], logSeverityScreen: "Info" }),
  calico("BGPPeer", "global", {
    ...external,
    filters: ["filter"],
    keepOriginalNextHop: true,
    keepaliveTime: "10s",
    localASNumber: "65010",
    maxRestartTime: "60s",
    nextHopMode: "Self",
    numAllowedLocalASNumbers: 1,
    password: { secretKeyRef: { name: "mesh", key: "password" } },
    reachableBy: "10.0.0.254",
    sourceAddress: "None",
    ttlSecurity: 1,
  }),
  calico("BGPPeer", "some", { nodeSelector: "has(rack)", peerSelector: "!has(rack)", reversePeering: "Auto" }),
  calico("BGPPeer", "six", { node: "node-1", peerIP: "[fd00::9]:1179", asNumber: 65000, filters: ["filter", "f2"] }),
  calico("BGPPeer", "workloads", { localWorkloadSelector: "all()", asNumber: 65020 }),
  calico("BGPFilter", "filter", { importV4: [rule], exportV4: [rule], importV6: [rule6], exportV6: [rule6] }),
  calico("IPPool", "pool", { cidr: "10.244.0.0/16", ipipMode: "CrossSubnet", disableBGPExport: false }),
  calico("IPPool", "pool-6", { cidr: "fd10::/48", vxlanMode: "Always" }),
  calico("BlockAffinity", "block", {
    cidr: "10.244.1.0/26",
    node: "node-1",
    state: "confirmed",
    deleted: false,
    type: "host",
  }),
  calico("FelixConfiguration", "default", { programClusterRoutes: "Enabled" }),
  calico("ClusterInformation", "default", { calicoVersion: "v3.32.1" }),
  {
    ...calico("EndpointStatus", "w"),
    spec: { bgpPeerName: "workloads", ipv4Nets: ["10.65.0.2/32"], ipv6Nets: ["fd65::2/128"] },
  },
  kubernetes("v1", "Service", "web", {
    spec: {
      type: "LoadBalancer",
      clusterIPs: ["10.96.0.10", "fd96::10"],
      externalIPs: ["203.0.113.7"],
      externalTrafficPolicy: "Local",
      ipFamilies: ["IPv4", "IPv6"],
    },
    status: { loadBalancer: { ingress: [{ ip: "203.0.113.9" }] } },
  }),
  kubernetes("discovery.k8s.io/v1", "EndpointSlice", "web-1", {
    metadata: { labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    endpoints: [{ nodeName: "node-1", conditions: { ready: true } }],
  }),
  kubernetes("v1", "Secret", "mesh", {
    metadata: { namespace: "kube-system" },
    data: { password: "c2VjcmV0" },
    stringData: { other: "x" },
  }),
  kubernetes("v1", "Node", "node-4", {
    metadata: {
      labels: { rack: "2" },
      annotations: {
        "projectcalico.org/IPv4Address": "10.0.0.4/24",
        "projectcalico.org/ASNumber": "64514",
        "projectcalico.org/labels": '{"a": "b"}',
      },
    },
    spec: { podCIDRs: ["10.245.4.0/24"] },
  }),
];

type Path = readonly (string | number)[];

/** Every place of a value below the top. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return path.length === 0 ? [] : [path];
  const inner = Object.entries(value).flatMap(([key, one]) =>
    pathsOf(one, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length === 0 ? inner : [path, ...inner];
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((one, i) => (i === key ? replaced(one, rest, by) : one));
  const fields = Object.entries(value as object);
  return Object.fromEntries(
    fields.map(([name, one]) => (name === key ? [name, replaced(one, rest, by)] : [name, one])),
  );
}

/** A resource with a few of its fields overwritten, or another name, or fields that there are none of. */
export const hostile = fc
  .record({
    seed: fc.constantFrom(...SEEDS),
    changes: fc.array(fc.tuple(fc.nat(), anything), { maxLength: 3 }),
    name: fc.option(fc.constantFrom(...NAMES), { freq: 3 }),
    extra: fc.option(fc.tuple(fc.constantFrom(...NAMES), anything), { freq: 2 }),
  })
  .map(({ seed, changes, name, extra }): Written => {
    let value: Written = seed;
    for (const [at, by] of changes) {
      // Of Felix's files the program itself makes the objects.
      const kept = seed["kind"] === "EndpointStatus" ? ["metadata", "kind", "apiVersion"] : ["kind", "apiVersion"];
      const paths = pathsOf(value).filter(([first]) => !kept.includes(String(first)));
      value = replaced(value, paths[at % paths.length] ?? ["spec"], by) as Written;
    }
    if (extra !== null) value = { ...value, spec: Object.fromEntries([...Object.entries(value["spec"] ?? {}), extra]) };
    const { metadata } = value;
    const isNamed = name !== null && typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
    return isNamed ? { ...value, metadata: { ...metadata, name } } : value;
  });

export const hostileOptions: fc.Arbitrary<Partial<Options>> = fc.record({
  release: fc.constantFrom("3.31", "3.32", "3.33", "auto"),
  role: fc.constantFrom("node", "route-reflector"),
  nodeName: fc.constantFrom("node-1", "__proto__", "node-2"),
  usePodCidr: fc.boolean(),
});
