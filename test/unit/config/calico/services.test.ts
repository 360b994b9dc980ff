/** Which service addresses a node advertises: the table of rules, one case a row, and what happens as things come and go. */

import { describe, expect, it } from "vitest";
import { calico, clusterOf, node, type Options, type Written } from "./cluster-of.ts";

const HERE = "node-1";
const ELSEWHERE = "node-2";
const EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers";

const ALL_RANGES: Written = {
  serviceClusterIPs: [{ cidr: "10.96.0.0/12" }],
  serviceExternalIPs: [{ cidr: "198.51.100.0/24" }],
  serviceLoadBalancerIPs: [{ cidr: "80.15.0.0/24" }],
};
const RANGES_ADVERTISED = ["10.96.0.0/12", "198.51.100.0/24", "80.15.0.0/24"];

function service(spec: Written, ingress: readonly string[] = [], name = "web"): Written {
  const clusterIP = "10.96.0.10";
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "shop" },
    spec: { type: "ClusterIP", clusterIP, clusterIPs: [clusterIP], ipFamilies: ["IPv4"], ...spec },
    status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } },
  };
}

function slice(endpoints: readonly Written[], addressType = "IPv4", name = "web-1", serviceName = "web"): Written {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace: "shop", labels: { "kubernetes.io/service-name": serviceName } },
    addressType,
    endpoints,
  };
}

const endpoint = (nodeName: string, conditions?: Written): Written => ({
  addresses: ["10.65.0.2"],
  nodeName,
  ...(conditions === undefined ? {} : { conditions }),
});

interface Situation {
  readonly spec?: Written;
  readonly ingress?: readonly string[];
  readonly slices?: readonly Written[];
  readonly ranges?: Written;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Partial<Options>;
}

/** What beyond the ranges themselves is advertised. */
function advertised({ spec = {}, ingress = [], slices = [], ranges, labels, options }: Situation): readonly string[] {
  const configuration = calico("BGPConfiguration", "default", ranges ?? ALL_RANGES);
  const own = node(HERE, { ipv4Address: "10.0.0.1/24", ipv6Address: "fd00::1/64" }, labels);
  const { ipv4, ipv6 } = clusterOf(own, configuration, service(spec, ingress), ...slices).model(options);
  return [...ipv4.serviceRoutes, ...ipv6.serviceRoutes].filter((prefix) => /\/(32|128)$/.test(prefix));
}

const local = { externalTrafficPolicy: "Local", type: "LoadBalancer" };
const cluster = { externalTrafficPolicy: "Cluster", type: "LoadBalancer" };
const dual = { clusterIPs: ["10.96.0.10", "fd00:96::10"], ipFamilies: ["IPv4", "IPv6"] };
const notAggregated = { ...ALL_RANGES, serviceLoadBalancerAggregation: "Disabled" };
const singles = {
  serviceExternalIPs: [{ cidr: "198.51.100.7/32" }],
  serviceLoadBalancerIPs: [{ cidr: "80.15.0.9/32" }],
};
const CLUSTER_IP = ["10.96.0.10/32"];

const cases: readonly (readonly [string, Situation, readonly string[]])[] = [
  // Policy Local: with an endpoint here.
  ["Local, endpoint here", { spec: local, slices: [slice([endpoint(HERE)])] }, CLUSTER_IP],
  ["Local, endpoint elsewhere", { spec: local, slices: [slice([endpoint(ELSEWHERE)])] }, []],
  ["Local, no endpoints", { spec: local, slices: [slice([])] }, []],
  ["Local, no slice at all", { spec: local }, []],
  [
    "Local, the second slice has it",
    { spec: local, slices: [slice([endpoint(ELSEWHERE)]), slice([endpoint(HERE)], "IPv4", "web-2")] },
    CLUSTER_IP,
  ],
  ["Local, NodePort", { spec: { ...local, type: "NodePort" }, slices: [slice([endpoint(HERE)])] }, CLUSTER_IP],
  ["Local, a slice of another service", { spec: local, slices: [slice([endpoint(HERE)], "IPv4", "x", "other")] }, []],
  [
    "Local, Kubernetes' own name of this node",
    { spec: local, slices: [slice([endpoint("ip-10-0-0-1")])], options: { kubernetesNodeName: "ip-10-0-0-1" } },
    CLUSTER_IP,
  ],
  // Readiness, since 3.33.
  ["Local, ready here", { spec: local, slices: [slice([endpoint(HERE, { ready: true })])] }, CLUSTER_IP],
  ["Local, nothing said of ready", { spec: local, slices: [slice([endpoint(HERE, { serving: true })])] }, CLUSTER_IP],
  ["Local, not ready here", { spec: local, slices: [slice([endpoint(HERE, { ready: false })])] }, []],
  [
    "Local, serving while it terminates",
    { spec: local, slices: [slice([endpoint(HERE, { ready: false, serving: true, terminating: true })])] },
    [],
  ],
  [
    "Local, not ready here, ready elsewhere",
    { spec: local, slices: [slice([endpoint(HERE, { ready: false }), endpoint(ELSEWHERE)])] },
    [],
  ],
  [
    "3.32: not ready counts",
    { spec: local, slices: [slice([endpoint(HERE, { ready: false })])], options: { release: "3.32" } },
    CLUSTER_IP,
  ],
  [
    "3.31: not ready counts",
    { spec: local, slices: [slice([endpoint(HERE, { ready: false })])], options: { release: "3.31" } },
    CLUSTER_IP,
  ],
  // Families.
  ["Local, slice of the wrong family", { spec: local, slices: [slice([endpoint(HERE)], "IPv6")] }, []],
  [
    "Local, dual stack, slice of one family",
    { spec: { ...local, ...dual }, slices: [slice([endpoint(HERE)], "IPv6")] },
    ["10.96.0.10/32", "fd00:96::10/128"],
  ],
  [
    "families left out: those of its addresses",
    { spec: { ...local, ipFamilies: undefined }, slices: [slice([endpoint(HERE)])] },
    CLUSTER_IP,
  ],
  ["FQDN slices count for nobody", { spec: local, slices: [slice([endpoint(HERE)], "FQDN")] }, []],
  // Policy Cluster: the range is enough.
  ["Cluster, aggregated", { spec: cluster, slices: [slice([endpoint(HERE)])] }, []],
  ["no policy, aggregated", { slices: [slice([endpoint(HERE)])] }, []],
  [
    "Cluster, not aggregated, endpoint elsewhere",
    { spec: cluster, ranges: notAggregated, slices: [slice([endpoint(ELSEWHERE)])] },
    CLUSTER_IP,
  ],
  [
    "Cluster, not aggregated, none ready",
    { spec: cluster, ranges: notAggregated, slices: [slice([endpoint(HERE, { ready: false })])] },
    [],
  ],
  ["Cluster, not aggregated, no endpoints", { spec: cluster, ranges: notAggregated }, []],
  [
    "Local, not aggregated, endpoint elsewhere",
    { spec: local, ranges: notAggregated, slices: [slice([endpoint(ELSEWHERE)])] },
    [],
  ],
  // Addresses of the service beside its cluster IPs.
  [
    "external IPs within the ranges",
    { spec: { ...local, externalIPs: ["198.51.100.7", "203.0.113.1"] }, slices: [slice([endpoint(HERE)])] },
    ["10.96.0.10/32", "198.51.100.7/32"],
  ],
  [
    "ingress within the ranges",
    { spec: local, ingress: ["80.15.0.9", "80.16.0.1"], slices: [slice([endpoint(HERE)])] },
    ["10.96.0.10/32", "80.15.0.9/32"],
  ],
  ["ingress by host name", { spec: local, ingress: [""], slices: [slice([endpoint(HERE)])] }, CLUSTER_IP],
  [
    "cluster IPs of every range, once one is configured",
    { spec: { ...local, clusterIPs: ["172.30.0.1"] }, slices: [slice([endpoint(HERE)])] },
    ["172.30.0.1/32"],
  ],
  [
    "no range of cluster IPs",
    {
      spec: local,
      ingress: ["80.15.0.9"],
      ranges: { serviceLoadBalancerIPs: ALL_RANGES["serviceLoadBalancerIPs"] },
      slices: [slice([endpoint(HERE)])],
    },
    ["80.15.0.9/32"],
  ],
  ["no ranges at all", { spec: local, ranges: {}, slices: [slice([endpoint(HERE)])] }, []],
  [
    "CALICO_ADVERTISE_CLUSTER_IPS counts as a range",
    { spec: local, ranges: {}, slices: [slice([endpoint(HERE)])], options: { advertiseClusterIps: "10.96.0.0/12" } },
    CLUSTER_IP,
  ],
  // Single addresses as ranges.
  [
    "Cluster, single ingress address, no endpoints",
    { spec: cluster, ingress: ["80.15.0.9"], ranges: singles },
    ["80.15.0.9/32"],
  ],
  [
    "Cluster, single address asked for, given another",
    { spec: { ...cluster, loadBalancerIP: "80.15.0.9" }, ranges: singles },
    [],
  ],
  [
    "Cluster, single external IP, no endpoints",
    { spec: { ...cluster, type: "ClusterIP", externalIPs: ["198.51.100.7"] }, ranges: singles },
    ["198.51.100.7/32"],
  ],
  [
    "policy left out, single external IP",
    { spec: { externalIPs: ["198.51.100.7"] }, ranges: singles },
    ["198.51.100.7/32"],
  ],
  [
    "Local, single ingress address, endpoint elsewhere",
    { spec: local, ingress: ["80.15.0.9"], ranges: singles, slices: [slice([endpoint(ELSEWHERE)])] },
    [],
  ],
  [
    "Local, single ingress address, endpoint here",
    { spec: local, ingress: ["80.15.0.9"], ranges: singles, slices: [slice([endpoint(HERE)])] },
    ["80.15.0.9/32"],
  ],
  ["Cluster, another single address", { spec: cluster, ingress: ["80.15.0.10"], ranges: singles }, []],
  // Services without addresses, nodes that stay out.
  ["headless", { spec: { ...local, clusterIP: "None", clusterIPs: ["None"] }, slices: [slice([endpoint(HERE)])] }, []],
  ["ExternalName", { spec: { ...local, type: "ExternalName" }, slices: [slice([endpoint(HERE)])] }, []],
  ["no cluster IP yet", { spec: { ...local, clusterIP: "", clusterIPs: [] }, slices: [slice([endpoint(HERE)])] }, []],
  [
    "an address that is none",
    { spec: { ...local, clusterIPs: ["10.96.0.10", "nonsense"] }, slices: [slice([endpoint(HERE)])] },
    CLUSTER_IP,
  ],
  ["node excluded", { spec: local, labels: { [EXCLUDE]: "true" }, slices: [slice([endpoint(HERE)])] }, []],
  [
    "node with kubeadm's empty label",
    { spec: local, labels: { [EXCLUDE]: "" }, slices: [slice([endpoint(HERE)])] },
    CLUSTER_IP,
  ],
  ["pure reflector", { spec: local, options: { role: "route-reflector" }, slices: [slice([endpoint(HERE)])] }, []],
];

describe("advertised service addresses", () => {
  it.each(cases)("%s", (_name, situation, expected) => {
    expect(advertised(situation)).toEqual(expected);
  });
});

describe("ranges of services", () => {
  const model = (ranges: Written, labels: Readonly<Record<string, string>> = {}, ...more: readonly Written[]) =>
    clusterOf(
      node(HERE, { ipv4Address: "10.0.0.1/24" }, labels),
      calico("BGPConfiguration", "default", ranges),
      ...more,
    ).model().ipv4;
  const rejects = ({ kernelRules }: ReturnType<typeof model>) =>
    kernelRules.flatMap((rule) => ("prefix" in rule && rule.reason === "service" ? [rule.prefix] : []));

  it("are advertised and kept out of the kernel, sorted as text", () => {
    const ipv4 = model(ALL_RANGES);
    expect(ipv4.serviceRoutes).toEqual(RANGES_ADVERTISED);
    expect(ipv4.exportAccepts).toEqual(RANGES_ADVERTISED.map((prefix) => ({ prefix, reason: "service" })));
    expect(rejects(ipv4)).toEqual(RANGES_ADVERTISED);
  });

  it("of load balancers are not, where they are not aggregated", () => {
    expect(model(notAggregated).serviceRoutes).toEqual(["10.96.0.0/12", "198.51.100.0/24"]);
  });

  it("of an excluded node are not advertised, and still kept out of the kernel", () => {
    const ipv4 = model(ALL_RANGES, { [EXCLUDE]: "true" });
    expect(ipv4.serviceRoutes).toEqual([]);
    expect(ipv4.exportAccepts).toEqual([]);
    expect(rejects(ipv4)).toEqual(RANGES_ADVERTISED);
  });

  it("do not keep single addresses from being reached on the node: those are kept out of the kernel one by one", () => {
    const ipv4 = model(singles, {}, service(cluster, ["80.15.0.9"]));
    expect(ipv4.serviceRoutes).toEqual(["80.15.0.9/32"]);
    expect(rejects(ipv4)).toEqual(["80.15.0.9/32"]);
  });

  it("are passed on by a reflector, those of external addresses since 3.33", () => {
    const reflector = node(
      HERE,
      { ipv4Address: "10.0.0.1/24", routeReflectorClusterID: "244.0.0.1" },
      { [EXCLUDE]: "true" },
    );
    const accepts = (options: Partial<Options>) =>
      clusterOf(reflector, calico("BGPConfiguration", "default", ALL_RANGES))
        .model(options)
        .ipv4.exportAccepts.map(({ prefix }) => prefix);
    expect(accepts({})).toEqual(["80.15.0.0/24", "198.51.100.0/24"]);
    expect(accepts({ release: "3.32" })).toEqual(["80.15.0.0/24"]);
    expect(accepts({ role: "route-reflector" })).toEqual(["10.96.0.0/12", "80.15.0.0/24", "198.51.100.0/24"]);
  });
});

describe("services that come and go", () => {
  const base = [node(HERE, { ipv4Address: "10.0.0.1/24" }), calico("BGPConfiguration", "default", ALL_RANGES)];
  const own = (world: ReturnType<typeof clusterOf>) =>
    world.model().ipv4.serviceRoutes.filter((prefix) => prefix.endsWith("/32"));
  const spec = { ...local, externalIPs: ["198.51.100.7"] };
  const first = [service(spec), slice([endpoint(HERE)])];
  const second = [
    service({ ...spec, clusterIP: "10.96.0.11", clusterIPs: ["10.96.0.11"] }, [], "shop"),
    slice([endpoint(HERE)], "IPv4", "shop-1", "shop"),
  ];

  it("share an external address until the last of them is gone", () => {
    const world = clusterOf(...base, ...first, ...second);
    expect(own(world)).toEqual(["10.96.0.10/32", "10.96.0.11/32", "198.51.100.7/32"]);
    expect(own(world.become([...base, ...second]))).toEqual(["10.96.0.11/32", "198.51.100.7/32"]);
    expect(own(world.become(base))).toEqual([]);
  });

  it("are withdrawn with their last slice, and come back with it", () => {
    const world = clusterOf(...base, ...first);
    expect(own(world.become([...base, service(spec)]))).toEqual([]);
    expect(own(world.become([...base, ...first]))).toEqual(["10.96.0.10/32", "198.51.100.7/32"]);
  });

  it("may come after their slices, whose service may change", () => {
    const world = clusterOf(...base, slice([endpoint(HERE)]));
    expect(own(world)).toEqual([]);
    expect(own(world.become([...base, slice([endpoint(HERE)]), service(spec)]))).toHaveLength(2);
    expect(own(world.become([...base, slice([endpoint(HERE)], "IPv4", "web-1", "other"), service(spec)]))).toEqual([]);
  });

  it("follow the node's label and the ranges", () => {
    const world = clusterOf(...base, ...first);
    const excluded = node(HERE, { ipv4Address: "10.0.0.1/24" }, { [EXCLUDE]: "true" });
    expect(own(world.become([excluded, ...base.slice(1), ...first]))).toEqual([]);
    expect(own(world.become([...base.slice(0, 1), ...first]))).toEqual([]);
    expect(own(world.become([...base, ...first]))).toHaveLength(2);
  });
});
