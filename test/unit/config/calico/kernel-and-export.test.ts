/** What of the pools, the blocks and the release comes into the rules for the kernel and for what is exported. */

import { describe, expect, it } from "vitest";
import type { CalicoFamily } from "../../../../src/config/calico/model.ts";
import { calico, clusterOf, node, type Options, type Written } from "./cluster-of.ts";

const own = node("node-1", { ipv4Address: "10.0.0.1/24", ipv6Address: "fd00::1/64" });
const pool = (cidr: string, spec: Written = {}) => calico("IPPool", cidr.replace(/\W/g, "-"), { cidr, ...spec });
const pools = [
  pool("10.65.0.0/16", { ipipMode: "Always" }),
  pool("10.66.0.0/16", { ipipMode: "CrossSubnet" }),
  pool("10.67.0.0/16"),
  pool("10.68.0.0/16", { vxlanMode: "CrossSubnet" }),
  pool("fd65::/64"),
  pool("fd66::/64", { vxlanMode: "Always" }),
];
const tunnelled = { action: "accept", reason: "pool", tunnel: "tunl0" };
const felix = { action: "reject", reason: "felix" };
const plain = { action: "accept", reason: "pool" };
const ipip = (written: boolean) =>
  written
    ? [
        { prefix: "10.65.0.0/16", ...tunnelled },
        { prefix: "10.66.0.0/16", ...tunnelled, unlessNextHopIn: "10.0.0.0/24" },
      ]
    : [
        { prefix: "10.65.0.0/16", ...felix },
        { prefix: "10.66.0.0/16", ...felix },
      ];
const noEncapsulation = (written: boolean) => [{ prefix: "10.67.0.0/16", ...(written ? plain : felix) }];
const vxlan = [{ prefix: "10.68.0.0/16", action: "reject", reason: "vxlan" }];

function model(spec: Written = {}, options: Partial<Options> = {}, objects: readonly Written[] = [own, ...pools]) {
  return clusterOf(...objects, calico("BGPConfiguration", "default", spec)).model(options);
}

const poolRules = ({ kernelRules }: CalicoFamily) =>
  kernelRules.filter((rule) => "prefix" in rule && rule.reason !== "service");
const tunnels = ({ exportRejects }: CalicoFamily) =>
  exportRejects.flatMap((one) => ("interface" in one && one.reason === "tunnelRoute" ? [one.interface] : []));

describe("routes of pools in the kernel", () => {
  it.each([
    ["unset in 3.33", undefined, "3.33", false, true],
    ["unset in 3.32", undefined, "3.32", true, true],
    ["unset in 3.31", undefined, "3.31", true, true],
    ["Enabled", "Enabled", "3.33", true, true],
    ["Disabled", "Disabled", "3.33", false, false],
    ["EnabledIPIPOnly", "EnabledIPIPOnly", "3.33", true, false],
    ["EnabledNoEncapOnly", "EnabledNoEncapOnly", "3.32", false, true],
  ] as const)("programClusterRoutes %s", (_name, programClusterRoutes, release, writesIpip, writesPlain) => {
    const { ipv4, ipv6 } = model({ programClusterRoutes }, { release });
    expect(poolRules(ipv4)).toEqual([...ipip(writesIpip), ...noEncapsulation(writesPlain), ...vxlan]);
    // Of IPv6 what is accepted is left to the end, which accepts all.
    expect(poolRules(ipv6)).toEqual([
      ...(writesPlain ? [] : [{ prefix: "fd65::/64", ...felix }]),
      { prefix: "fd66::/64", action: "reject", reason: "vxlan" },
    ]);
    const tunnel = writesIpip ? [] : ["tunl0"];
    expect(tunnels(ipv4)).toEqual(["*.cali", "*.calico", ...tunnel]);
    expect(tunnels(ipv6)).toEqual(["*.cali", "*.calico", ...tunnel]);
  });

  it("have no rules without an IPv4 address, and IPv6 has its own", () => {
    const { ipv4, ipv6 } = model({ programClusterRoutes: "Disabled" }, {}, [node("node-1", {}), ...pools]);
    expect(poolRules(ipv4)).toEqual([]);
    expect(poolRules(ipv6)).toHaveLength(2);
    expect(ipv4).toMatchObject({ enabled: false, localAsNumber: null, peers: [] });
  });

  it.each([
    [undefined, undefined, []],
    [undefined, "Enabled", ["Felix and BGP both write the routes of pools without encapsulation"]],
    [undefined, "Disabled", ["neither Felix nor BGP writes the routes of IPIP pools"]],
    ["Enabled", undefined, ["Felix and BGP both write the routes of IPIP pools"]],
    ["Enabled", "Disabled", []],
    ["Disabled", "Enabled", []],
  ])("programClusterRoutes %s, and %s of Felix", (bgp, felix, expected) => {
    const world = clusterOf(
      own,
      ...pools,
      calico("BGPConfiguration", "default", { programClusterRoutes: bgp }),
      calico("FelixConfiguration", "default", { programClusterRoutes: felix, bpfEnabled: true }),
    );
    const field = "FelixConfiguration/default spec.programClusterRoutes: ";
    expect(world.problems()).toEqual(expected.map((text) => expect.stringContaining(field + text)));
    expect(world.problems({ release: "3.32" })).toEqual([]);
  });

  it("in a subnet of one address are a problem for CrossSubnet", () => {
    const lonely = node("node-1", { ipv4Address: "10.0.0.1/32" });
    expect(clusterOf(lonely, ...pools).problems()).toEqual([
      expect.stringMatching(/^Node\/node-1 spec.bgp.ipv4Address: is in no subnet/),
    ]);
    expect(clusterOf(lonely).problems()).toEqual([]);
  });
});

describe("releases", () => {
  const metric = {
    action: "setBGPMetric",
    default: 5000,
    fromLocalPref: 2147483647,
    elevatedBelow: 5000,
    elevatedPreference: 200,
  };
  const wireguard = [
    calico("Node", "node-1", { bgp: { ipv4Address: "10.0.0.1/24" }, wireguard: { interfaceIPv4Address: "10.99.0.1" } }),
    calico("Node", "node-2", { bgp: { ipv4Address: "10.0.0.2/24" }, wireguard: { interfaceIPv4Address: "10.99.0.2" } }),
    calico("Node", "node-3", { bgp: { ipv4Address: "10.0.0.3/24" } }),
  ];

  it("since 3.32 tell priorities by LOCAL_PREF, in the family's own number", () => {
    const spec = { ipv4NormalRoutePriority: 5000 };
    const { ipv4, ipv6 } = model(spec);
    expect(ipv4.kernelRules[0]).toEqual(metric);
    expect(ipv4.normalRoutePriority).toBe(5000);
    expect(ipv6.normalRoutePriority).toBe(1024);
    expect(model(spec, { release: "3.32" }).ipv4.kernelRules[0]).toEqual(metric);
    expect(JSON.stringify(model(spec, { release: "3.31" }).ipv4.kernelRules)).not.toContain("setBGPMetric");
  });

  it("since 3.33 leave to Felix what goes through WireGuard", () => {
    const reject = { nextHop: "10.0.0.2", action: "reject", reason: "wireguard" };
    expect(model({}, {}, wireguard).ipv4.kernelRules).toContainEqual(reject);
    expect(model({}, { release: "3.32" }, wireguard).ipv4.kernelRules).not.toContainEqual(reject);
    expect(JSON.stringify(model({}, { nodeName: "node-3" }, wireguard).ipv4.kernelRules)).not.toContain("wireguard");
  });

  it("since 3.33 have two fields for the whole cluster alone", () => {
    const mine = calico("BGPConfiguration", "node.node-1", { bindMode: "NodeIP", ignoredInterfaces: ["eth9"] });
    const { ipv4, ipv6 } = model({}, { release: "3.32" }, [own, mine]);
    expect([ipv4.listen.address, ipv6.listen.address]).toEqual(["10.0.0.1", "fd00::1"]);
    expect(ipv4.ignoredInterfaces).toEqual(["eth9"]);
    expect(model({}, {}, [own, mine]).ipv4).toMatchObject({ listen: { address: null }, ignoredInterfaces: [] });
  });

  it.each([
    ["v3.30.1", "3.31"],
    ["v3.31.4", "3.31"],
    ["v3.32.0", "3.32"],
    ["3.33.2", "3.33"],
    ["v3.40.0", "3.33"],
    ["v4.0.0", "3.33"],
    ["master-1234", "3.33"],
  ])("are found by ClusterInformation: %s", (calicoVersion, release) => {
    const information = calico("ClusterInformation", "default", { calicoVersion });
    expect(model({}, { release: "auto" }, [own, information]).release).toBe(release);
    expect(model({}, { release: "3.32" }, [own, information]).release).toBe("3.32");
  });

  it("are the newest where nothing is said", () => {
    expect(model({}, { release: "auto" }).release).toBe("3.33");
  });
});

describe("blocks", () => {
  const block = (cidr: string, state: string, more: Written = {}) =>
    calico("BlockAffinity", `node-1-${cidr.replace(/\W/g, "-")}`, {
      cidr,
      state,
      node: "node-1",
      deleted: false,
      ...more,
    });
  const blocks = [
    block("10.65.2.0/26", "confirmed"),
    block("10.65.10.0/26", ""),
    block("10.65.3.0/26", "pending"),
    block("10.65.4.0/26", "pendingDeletion"),
    block("10.65.5.1/32", "confirmed"),
    block("10.65.6.0/26", "confirmed", { node: "node-2" }),
    block("10.65.7.0/26", "confirmed", { type: "virtual" }),
    block("10.65.8.0/26", "confirmed", { deleted: true }),
    block("fd65::/122", "confirmed"),
  ];

  it("are blackholes but for those of one address, and keep their routes at home unless they are being given back", () => {
    const { ipv4, ipv6 } = model({}, {}, [own, ...blocks]);
    expect(ipv4.blackholes).toEqual(["10.65.10.0/26", "10.65.2.0/26", "10.65.4.0/26"]);
    expect(ipv4.aggregates).toEqual([
      { prefix: "10.65.10.0/26", state: "implicit", escapeBelowMetric: 1024 },
      { prefix: "10.65.2.0/26", state: "confirmed", escapeBelowMetric: 1024 },
      { prefix: "10.65.5.1/32", state: "confirmed", escapeBelowMetric: 1024 },
    ]);
    expect(ipv4.pendingBlocks).toEqual(["10.65.4.0/26"]);
    expect(ipv6.blackholes).toEqual(["fd65::/122"]);
  });

  it("let no route escape before 3.32", () => {
    expect(model({}, { release: "3.31" }, [own, ...blocks]).ipv4.aggregates[0]?.escapeBelowMetric).toBeNull();
  });

  it("are the node's pod CIDRs with USE_POD_CIDR", () => {
    const kubernetes = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "node-1" },
      spec: { podCIDRs: ["10.244.3.0/24", "fd44::/64"] },
    };
    const { ipv4, ipv6 } = model({}, { usePodCidr: true }, [own, kubernetes, ...blocks]);
    expect(ipv4.blackholes).toEqual(["10.244.3.0/24"]);
    expect(ipv4.aggregates).toEqual([{ prefix: "10.244.3.0/24", state: "confirmed", escapeBelowMetric: 1024 }]);
    expect(ipv6.blackholes).toEqual(["fd44::/64"]);
  });

  it("and all other routes are none of a pure reflector's", () => {
    const { ipv4 } = model({}, { role: "route-reflector" }, [own, ...pools, ...blocks]);
    expect(ipv4).toMatchObject({
      blackholes: [],
      aggregates: [],
      serviceRoutes: [],
      staticRoutes: [],
      kernelRules: [],
    });
    expect(ipv4.exportAccepts.map(({ prefix }) => prefix)).toContain("10.65.0.0/16");
  });
});

describe("communities", () => {
  const spec = {
    communities: [{ name: "pods", value: "65000:100:1" }],
    prefixAdvertisements: [
      { cidr: "10.65.0.0/16", communities: ["pods", "65000:2", "65000:10", "65000:2"] },
      { cidr: "10.64.0.0/10", communities: ["65000:3"] },
      { cidr: "fd65::/64", communities: ["pods"] },
    ],
  };

  it("are gathered by prefix, each once, sorted as text", () => {
    const { ipv4, ipv6 } = model(spec);
    expect(ipv4.communities).toEqual([
      { prefix: "10.64.0.0/10", communities: ["65000:3"] },
      { prefix: "10.65.0.0/16", communities: ["65000:10", "65000:100:1", "65000:2"] },
    ]);
    expect(ipv6.communities).toEqual([{ prefix: "fd65::/64", communities: ["65000:100:1"] }]);
  });

  it("of the node take the place of all others, by names of either", () => {
    const mine = calico("BGPConfiguration", "node.node-1", {
      prefixAdvertisements: [{ cidr: "10.66.0.0/16", communities: ["pods"] }],
    });
    expect(model(spec, {}, [own, mine]).ipv4.communities).toEqual([
      { prefix: "10.66.0.0/16", communities: ["65000:100:1"] },
    ]);
  });
});
