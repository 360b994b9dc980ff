import { describe, expect, it } from "vitest";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { AddPathMode } from "../../../src/bgp/model/capability.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import { type Compiled, type CompiledPeer, compile, compilePeer } from "../../../src/config/compile.ts";
import { configOf } from "./fixtures.ts";

function compiled(yaml: string): Compiled & { readonly peers: readonly CompiledPeer[] } {
  const config = configOf(yaml);
  const peers = config.peers.map((peer, index) => compilePeer(peer, config, (index + 1) as PeerId));
  return { ...compile(config, { hostName: "node-1", restarting: true }), peers };
}

describe("Config to the layers' options", () => {
  it("speaker and tables", () => {
    const { speaker, rib } = compiled(
      "asNumber: 64512\nrouterId: 10.0.0.9\nlisten: {addresses: [10.0.0.1], port: 1790}\nrouteReflector: {clusterId: 1.0.0.1}\nkernel: {enabled: false, maxPaths: 1}",
    );
    expect(speaker).toEqual({
      asNumber: 64512,
      routerId: 0x0a000009,
      hostName: "node-1",
      listen: [{ address: { family: 1, w0: 0x0a000001, w1: 0, w2: 0, w3: 0 }, port: 1790 }],
      restarting: true,
    });
    expect(rib).toEqual({
      asNumber: 64512,
      routerId: 0x0a000009,
      clusterId: 0x01000001,
      maxPaths: 1,
      alwaysCompareMed: false,
      resolveNextHops: false,
      priorities: undefined,
      kernelRules: [],
    });
  });

  it("a peer with everything", () => {
    const { peers } = compiled(`
asNumber: 64512
policies: {in: [], out: [{then: reject}]}
peers:
  - name: tor-a
    address: 10.0.0.254
    port: 1790
    asNumber: 65001
    localAsNumber: 64999
    localAddress: 10.0.0.1
    passive: true
    password: geheim
    ttlSecurity: 2
    nextHop: self
    families:
      ipv4: {addPath: both, maxPrefixes: {limit: 10, warnPercent: 50, action: restart, restartAfter: 5s}}
      ipv6: {addPath: receive, extendedNextHop: true, maxPrefixes: {limit: 20, action: discard}}
    timers: {hold: 9s, keepalive: 3s, connectRetry: 300ms, idleHold: 1s, advertisement: 1500ms}
    gracefulRestart: {time: 60s, longLived: 1h}
    allowLocalAs: 1
    removePrivateAs: true
    asOverride: true
    role: customer
    import: [in]
    export: [out, in]
    enabled: false
`);
    expect(peers).toHaveLength(1);
    expect(peers[0]?.session).toEqual({
      id: 1,
      name: "tor-a",
      remote: { kind: "address", address: { family: 1, w0: 0x0a0000fe, w1: 0, w2: 0, w3: 0 }, interface: undefined },
      port: 1790,
      remoteAs: [65001],
      localAs: 64999,
      localAddress: { family: 1, w0: 0x0a000001, w1: 0, w2: 0, w3: 0 },
      passive: true,
      enabled: false,
      password: "geheim",
      ttl: 255,
      ttlSecurityHops: 2,
      families: [
        {
          family: 1,
          addPath: AddPathMode.Both,
          extendedNextHop: true,
          maxPrefixes: { limit: 10, warnPercent: 50, action: "restart", restartSeconds: 5 },
        },
        {
          family: 2,
          addPath: AddPathMode.Receive,
          extendedNextHop: false,
          maxPrefixes: { limit: 20, warnPercent: 80, action: "discard", restartSeconds: 60 },
        },
      ],
      holdTimeSeconds: 9,
      keepaliveSeconds: 3,
      connectRetrySeconds: 0.3,
      idleHoldSeconds: 1,
      gracefulRestart: { timeSeconds: 60, longLivedSeconds: 3600 },
      role: 3,
      capabilities: { extendedMessages: true, hostName: true, restartNotification: true, longLivedAwareness: false },
      linkLocalNextHops: true,
    });
    expect(peers[0]?.rib).toEqual({
      id: 1,
      name: "tor-a",
      internal: false,
      localAs: 64999,
      peerAs: 65001,
      routeReflectorClient: false,
      clusterId: 0x0a000001,
      nextHop: "self",
      allowLocalAs: 1,
      realAsLoops: true,
      enforceFirstAs: true,
      removePrivateAs: true,
      asOverride: true,
      importPolicies: [{ name: "in", terms: [] }],
      exportPolicies: [expect.objectContaining({ name: "out" }), { name: "in", terms: [] }],
      policyAfterOwnAs: false,
      zeroMed: false,
      advertisementSeconds: 1.5,
      role: 3,
      maxPrefixes: [
        { family: 1, limit: 10, warnPercent: 50, discard: false },
        { family: 2, limit: 20, warnPercent: 80, discard: true },
      ],
    });
  });

  it.each([
    ["address: 10.0.0.2", [64512], 64512],
    ["address: 10.0.0.2, asNumber: external", "external", 0],
    ["range: 10.0.0.0/8, asNumber: [65001, 65002]", [65001, 65002], 0],
  ])("the AS of %s", (keys, remoteAs, peerAs) => {
    const [peer] = compiled(`asNumber: 64512\npeers: [{${keys}}]`).peers;
    expect([peer?.session.remoteAs, peer?.rib.peerAs]).toEqual([remoteAs, peerAs]);
  });

  it.each([
    ["provider", 0],
    ["rs-server", 1],
    ["rs-client", 2],
    ["customer", 3],
    ["peer", 4],
  ])("role %s, RFC 9234 §4.1", (role, want) => {
    const [peer] = compiled(`asNumber: 1\npeers: [{address: 10.0.0.2, asNumber: 2, role: ${role}}]`).peers;
    expect([peer?.session.role, peer?.rib.role]).toEqual([want, want]);
  });

  it("originated routes and aggregates", () => {
    const { originated, aggregates } = compiled(`
asNumber: 64512
originate:
  - {prefix: 10.244.1.0/24, blackhole: true, communities: [64512:10, "1:2:3", "rt:1:2", 64512:10], localPref: 50, med: 7}
  - {prefix: 192.0.2.0/24, nextHop: 10.0.0.7}
  - {prefix: "2001:db8::/48"}
aggregates: [{prefix: 10.244.0.0/16, summaryOnly: true}, {prefix: 10.245.0.0/16}]
`);
    expect(originated.map(({ kind }) => kind)).toEqual(["blackhole", "via", "advertiseOnly"]);
    expect(originated[0]?.attributes).toMatchObject({
      nextHop: { family: 1, w0: 0 },
      localPref: 50,
      med: 7,
      communities: [0xfc00000a],
      largeCommunities: [{ global: 1, local1: 2, local2: 3 }],
      extendedCommunities: [{ high: 0x00020001, low: 2 }],
    });
    expect(originated[1]?.attributes.nextHop).toEqual(originated[1]?.nextHop);
    expect(originated[2]?.attributes.nextHop).toEqual({ family: 2, w0: 0, w1: 0, w2: 0, w3: 0 });
    expect(aggregates.map(({ summaryOnly }) => summaryOnly)).toEqual([true, false]);
  });

  it("the kernel", () => {
    expect(compiled("asNumber: 1").fib).toEqual({
      table: 254,
      protocol: 12,
      metric: undefined,
      preferredSources: [],
      learn: { protocols: [3, 4], interfaces: ["cali*"] },
      excludeInterfaces: ["kube-ipvs*"],
      pruneAfterMilliseconds: 240_000,
    });
    const kernel =
      "{table: red, protocol: 77, metric: 50, preferredSources: [10.0.0.1], learn: {protocols: [static, static, 99], interfaces: []}, interfaces: {exclude: []}, pruneAfter: 1s}";
    expect(compiled(`asNumber: 1\nkernel: ${kernel}`).fib).toEqual({
      table: 100,
      protocol: 77,
      metric: 50,
      preferredSources: [ipv4(0x0a000001)],
      learn: { protocols: [4, 99], interfaces: [] },
      excludeInterfaces: [],
      pruneAfterMilliseconds: 1000,
    });
    expect(compiled("asNumber: 1\nkernel: {learn: {enabled: false}}").fib?.learn).toBeUndefined();
    expect(compiled("asNumber: 1\nkernel: {enabled: false}").fib).toBeUndefined();
  });
});
