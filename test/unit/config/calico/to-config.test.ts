import { describe, expect, it } from "vitest";
import { formatAddress } from "../../../../src/bgp/model/address.ts";
import { routerId } from "../../../../src/bgp/model/ids.ts";
import { formatPrefix } from "../../../../src/bgp/model/prefix.ts";
import type { CalicoModel } from "../../../../src/config/calico/model.ts";
import { givenByCalico, ToConfig } from "../../../../src/config/calico/to-config.ts";
import { calicoPeer, EMPTY_FAMILY, modelOf } from "./models.ts";
import { type RouteWords, verdictOf } from "./policy-route.ts";

const ID = routerId(0x0a000001);

function run<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

const convert = (model: CalicoModel, toConfig = new ToConfig()) => run(toConfig.convertInSteps(model, "node", ID));
const lp = (localPref: number): RouteWords => ({ attributes: { localPref } });
const NORMAL = 2_147_483_647 - 1024;

describe("what every peer is sent", () => {
  const { policies } = convert(
    modelOf({
      exportRejects: [
        { prefix: "10.9.0.0/16", peers: "all", reason: "disableBGPExport" },
        { interface: "tunl0", peers: "internal", reason: "tunnelRoute" },
        { interface: "bpf*.cali", peers: "all", reason: "bpfLocalRoute" },
      ],
      communities: [
        { prefix: "10.1.0.0/16", communities: ["65000:1", "65000:1:2"] },
        { prefix: "10.1.1.0/24", communities: ["65000:2"] },
      ],
      aggregates: [
        { prefix: "10.1.1.0/26", state: "confirmed", escapeBelowMetric: 1024 },
        { prefix: "10.2.0.1/32", state: "implicit", escapeBelowMetric: 1024 },
      ],
      exportAccepts: [
        { prefix: "172.16.0.0/16", reason: "service" },
        { prefix: "10.0.0.0/8", reason: "pool" },
      ],
    }),
  );
  const policy = policies["calico/export/ipv4"]?.policy;

  it.each<[string, string, RouteWords, string]>([
    ["a pool's route", "10.3.0.0/26", {}, "accept"],
    ["a service's route", "172.16.5.5/32", {}, "accept"],
    ["anything else", "192.0.2.0/24", {}, "reject"],
    ["a pool that is not exported", "10.9.1.0/24", {}, "reject"],
    ["a route over a tunnel to an internal peer", "10.3.0.0/26", { interface: "tunl0" }, "reject"],
    ["and to an external one", "10.3.0.0/26", { interface: "tunl0", internal: false }, "accept"],
    ["a route over bpfin.cali to anybody", "10.3.0.0/26", { interface: "bpfin.cali", internal: false }, "reject"],
    ["communities of every prefix that holds it", "10.1.1.64/26", lp(NORMAL), "accept 65000:1 65000:2 65000:1:2"],
    ["a block of this node", "10.1.1.0/26", lp(NORMAL), "accept 65000:1 65000:2 65000:1:2"],
    ["a workload within it", "10.1.1.5/32", lp(NORMAL), "reject 65000:1 65000:2 65000:1:2"],
    ["a workload that moves", "10.1.1.5/32", lp(NORMAL + 512), "accept 65000:1 65000:2 65000:1:2"],
    ["a block of one address", "10.2.0.1/32", lp(NORMAL), "accept"],
  ])("%s", (_name, prefix, words, want) => {
    expect(verdictOf(policy === undefined ? [] : [policy], prefix, words)).toBe(want);
  });

  it("before 3.32 nothing leaves a block", () => {
    const before = convert(
      modelOf({ aggregates: [{ prefix: "10.1.1.0/26", state: "confirmed", escapeBelowMetric: null }] }),
    );
    const terms = before.policies["calico/export/ipv4"]?.policy.terms ?? [];
    expect(terms.map(({ then }) => then)).toEqual(["accept", "reject", "reject"]);
  });
});

describe("rules for the kernel", () => {
  it("metrics, tunnels, what Felix writes, and each family's own end", () => {
    const { kernelRules } = convert(
      modelOf({
        kernelRules: [
          { prefix: "172.16.0.0/16", action: "reject", reason: "service" },
          {
            action: "setBGPMetric",
            default: 1024,
            fromLocalPref: 2_147_483_647,
            elevatedBelow: 1024,
            elevatedPreference: 200,
          },
          { nextHop: "10.0.0.9", action: "reject", reason: "wireguard" },
          { prefix: "10.1.0.0/16", action: "accept", reason: "pool", tunnel: "tunl0" },
          { prefix: "10.2.0.0/16", action: "accept", reason: "pool", tunnel: "tunl0", unlessNextHopIn: "10.0.0.0/24" },
          { prefix: "10.3.0.0/16", action: "reject", reason: "felix" },
          { action: "accept", reason: "default" },
        ],
      }),
    );
    const lines = kernelRules.map(({ match, set, then }) =>
      [
        match.prefixes?.map((range) => formatPrefix(range.prefix)).join(","),
        match.origin === undefined ? [] : match.origin.join(","),
        (match.nextHops ?? []).map((address) => `via ${formatAddress(address)}`),
        match.nextHopOutside === undefined ? [] : `outside ${formatPrefix(match.nextHopOutside)}`,
        set?.metric ?? [],
        set?.device ?? [],
        then,
      ]
        .flat()
        .join(" "),
    );
    expect(lines).toEqual([
      "127.0.0.0/8,224.0.0.0/4,fe80::/10,ff00::/8,::1/128 reject",
      "172.16.0.0/16 reject",
      "0.0.0.0/0 peer fromLocalPref next",
      "0.0.0.0/0 peer via 10.0.0.9 reject",
      "10.1.0.0/16 peer tunl0 accept",
      "10.1.0.0/16 accept",
      "10.2.0.0/16 peer outside 10.0.0.0/24 tunl0 accept",
      "10.2.0.0/16 accept",
      "10.3.0.0/16 reject",
      "0.0.0.0/0 accept",
    ]);
  });

  it("priorities since 3.32", () => {
    expect(convert(modelOf({}, { release: "3.31" })).priorities).toBeUndefined();
    const ipv6 = { ...EMPTY_FAMILY, normalRoutePriority: 80 };
    expect(convert(modelOf({ normalRoutePriority: 5000 }, { ipv6 })).priorities).toEqual({
      base: 2_147_483_647,
      normal: { 1: 5000, 2: 80 },
      elevatedPreference: 200,
    });
  });
});

describe("peers", () => {
  it("are as Calico's BIRD has them", () => {
    const [peer] = convert(
      modelOf({ peers: [calicoPeer("10.0.0.2", { keepaliveTime: 7, gracefulRestartTime: 33 })] }),
    ).peers;
    expect(peer).toMatchObject({
      name: "Mesh_10_0_0_2",
      port: 179,
      ttl: 64,
      ttlSecurity: undefined,
      nextHop: "auto",
      timers: { holdMilliseconds: 240_000, keepaliveMilliseconds: 7000 },
      gracefulRestart: { timeSeconds: 33, longLivedSeconds: 0 },
      families: [{ addPath: "both" }],
      capabilities: "bird",
      export: ["calico/export/ipv4"],
      import: [],
      source: "calico:Node/10.0.0.2",
    });
  });

  it("use the filters that have rules in their direction", () => {
    const { peers, policies } = convert(
      modelOf({
        peers: [calicoPeer("10.0.0.2", { importFilters: ["in", "gone"], exportFilters: ["in", "out"] })],
        filters: [
          { name: "in", import: [{ action: "Accept" }] },
          { name: "out", export: [{ action: "Reject" }] },
        ],
      }),
    );
    expect(peers[0]).toMatchObject({
      import: ["calico:in/import/ipv4"],
      export: ["calico:out/export/ipv4", "calico/export/ipv4"],
    });
    for (const name of [...(peers[0]?.import ?? []), ...(peers[0]?.export ?? [])])
      expect(policies).toHaveProperty([name]);
  });

  it("one that cannot be costs that one alone, and says why without its password", () => {
    const secret = "x".repeat(81);
    const { peers, problems } = convert(
      modelOf({ peers: [calicoPeer("10.0.0.2", { password: secret, passwordSet: true }), calicoPeer("10.0.0.3")] }),
    );
    expect(peers.map(({ name }) => name)).toEqual(["Mesh_10_0_0_3"]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain("Mesh_10_0_0_2 is left out: the password cannot be used");
    expect(JSON.stringify(problems)).not.toContain(secret);
  });

  it("of two with one address that somebody wrote goes before the mesh", () => {
    const { peers, problems } = convert(
      modelOf({
        peers: [
          calicoPeer("10.0.0.2"),
          calicoPeer("10.0.0.2", { name: "Node_10_0_0_2", source: "calico:BGPPeer/p" }),
          calicoPeer("10.0.0.2", { name: "Node_10_0_0_2_port_180", port: 180, source: "calico:BGPPeer/q" }),
        ],
      }),
    );
    expect(peers.map(({ name }) => name)).toEqual(["Node_10_0_0_2", "Node_10_0_0_2_port_180"]);
    expect(problems).toEqual([expect.objectContaining({ resource: "Node/10.0.0.2" })]);
  });
});

describe("from model to model", () => {
  it("what did not change is the same object", () => {
    const toConfig = new ToConfig();
    const [a, b] = [calicoPeer("10.0.0.2"), calicoPeer("10.0.0.3", { importFilters: ["f"] })];
    const filters = [{ name: "f", import: [{ action: "Accept" as const }] }];
    const parts = { peers: [a, b], filters, blackholes: ["10.1.1.0/26"] };
    const before = convert(modelOf(parts), toConfig);
    const changed = { ...parts, peers: [a, calicoPeer("10.0.0.3", { importFilters: ["f"], passive: true })] };
    const after = convert(modelOf({ ...changed, blackholes: ["10.1.1.0/26", "10.1.2.0/26"] }), toConfig);
    expect(after.peers[0]).toBe(before.peers[0]);
    expect(after.peers[1]).not.toBe(before.peers[1]);
    expect(after.originate[0]).toBe(before.originate[0]);
    for (const [name, policy] of Object.entries(before.policies)) expect(after.policies[name]).toBe(policy);
    const again = convert(modelOf({ ...changed, filters: [{ name: "f", import: [{ action: "Reject" }] }] }), toConfig);
    expect(again.policies["calico:f/import/ipv4"]).not.toBe(before.policies["calico:f/import/ipv4"]);
    expect(again.policies["calico/export/ipv4"]).toBe(before.policies["calico/export/ipv4"]);
  });
});

describe("routes of the node's own", () => {
  const parts = {
    blackholes: ["10.1.1.0/26"],
    serviceRoutes: ["172.16.0.0/16", "10.1.1.0/26"],
    staticRoutes: [{ prefix: "192.0.2.1/32", via: "10.0.0.254" }],
  };

  it("blocks, services and ways to peers, each prefix once", () => {
    const shown = convert(modelOf(parts)).originate.map(
      ({ prefix, blackhole, nextHop, source }) =>
        `${formatPrefix(prefix)} ${blackhole ? "blackhole" : formatAddress(nextHop ?? prefix)} ${source}`,
    );
    expect(shown).toEqual([
      "10.1.1.0/26 blackhole calico:BlockAffinity",
      "172.16.0.0/16 blackhole calico:Service",
      "192.0.2.1/32 10.0.0.254 calico:BGPPeer",
    ]);
  });

  it("none on a route reflector, which leaves the kernel alone", () => {
    expect(run(new ToConfig().convertInSteps(modelOf(parts), "route-reflector", ID)).originate).toEqual([]);
    expect(givenByCalico(modelOf(parts), undefined, "route-reflector").kernel.enabled).toBe(false);
  });
});

describe("what holds where the file says nothing", () => {
  it("AS, router id, cluster id and where to listen come from the node", () => {
    const client = calicoPeer("10.0.0.2", { routeReflectorClient: true, clusterId: "244.0.0.1" });
    const parts = { peers: [client], localAsNumber: 64999, ignoredInterfaces: ["dummy*"] };
    const given = givenByCalico(modelOf(parts), "244.0.0.1", "node");
    expect(given).toMatchObject({ asNumber: 64999, routerId: 0x0a000001, clusterId: 0xf4000001 });
    expect(given.listen.addresses.map(formatAddress)).toEqual(["0.0.0.0"]);
    expect(given.kernel.alwaysExcluded).toEqual(["cali*", "kube-ipvs*", "dummy*"]);
  });

  it("on the node's address alone, where Calico says so", () => {
    const listen = { port: 1179, address: "10.0.0.1" };
    const { listen: where } = givenByCalico(modelOf({ peers: [calicoPeer("10.0.0.2")], listen }), undefined, "node");
    expect(where.addresses.map(formatAddress)).toEqual(["10.0.0.1"]);
    expect(where.port).toBe(1179);
  });
});
