import { describe, expect, it } from "vitest";
import { embeddedDefault } from "../../../src/config/defaults.ts";
import { type JsonSchema, jsonSchema } from "../../../src/config/json-schema.ts";
import { loadText } from "../../../src/config/load.ts";
import { formatConfig, showConfig } from "../../../src/config/show.ts";
import { formatYaml } from "../../../src/config/yaml.ts";
import { configOf, machine } from "./fixtures.ts";

const full = `
asNumber: 4200000000
routerId: 10.0.0.9
listen: {addresses: ["::"], port: 1790}
routeReflector: {clusterId: 1.0.0.1}
peers:
  - name: tor-a
    address: 10.0.0.254
    asNumber: 65001
    localAsNumber: 64999
    localAddress: 10.0.0.1
    multihop: 3
    families: {ipv4: {addPath: off, maxPrefixes: {limit: 10, action: discard}}, ipv6: {extendedNextHop: true}}
    timers: {hold: 9s, keepalive: 2s, connectRetry: 300ms, advertisement: 1500ms}
    gracefulRestart: {time: 60s, longLived: 1h}
    role: rs-client
    import: [p]
  - {range: "2001:db8::/32", asNumber: [65001, 65002], ttlSecurity: 1, gracefulRestart: false, export: [p, q]}
  - {name: "1.5", interface: eth0, asNumber: external, timers: {hold: 0}}
  - {address: fe80::1%eth1, routeReflectorClient: true, clusterId: 9.9.9.9, enabled: false}
originate:
  - {prefix: 10.244.1.0/24, blackhole: true, communities: [64512:10, "1:2:3", "rt:1:2", no-export], med: 5}
  - {prefix: "2001:db8:1::/48", nextHop: "2001:db8::7", localPref: 0}
aggregates: [{prefix: 10.244.0.0/16, summaryOnly: true}]
policies:
  p:
    - {match: {prefixes: ["10.0.0.0/8 le 24"], asPath: "^65001 "}, set: {prependAs: [1.10]}, then: next}
    - {}
  q: []
kernel: {table: 100, protocol: 77, metric: 5, preferredSources: [10.0.0.1, "fd00::1"], learn: {protocols: [zebra, 200], interfaces: []}, maxPaths: 1, pruneAfter: 90s}
control: {socket: /x}
http: false
log: {level: debug, format: json, peers: {tor-a: error}}
`;

describe("config show for people", () => {
  it.each([
    ["everything", full],
    ["nothing but the AS number", "asNumber: 1"],
  ])("reading it back gives the same configuration: %s", (_name, yaml) => {
    const config = configOf(yaml);
    const again = configOf(formatConfig(config));
    // Matchers hold caches; the policies' definitions say whether they are the same.
    const plain = (value: object) => JSON.parse(JSON.stringify({ ...value, policies: undefined })) as unknown;
    expect(plain(again)).toEqual(plain(config));
    expect(Object.values(again.policies).map(({ definition }) => definition)).toEqual(
      Object.values(config.policies).map(({ definition }) => definition),
    );
  });
});

describe("config show --json", () => {
  it("has the contract's form", () => {
    const shown = showConfig(
      configOf(full.replace("timers: {hold: 9s", "password: geheim\n    timers: {hold: 9s")),
    ) as {
      peers: readonly object[];
    };
    expect(shown).toMatchObject({
      asNumber: 4200000000,
      routerId: "10.0.0.9",
      clusterId: "1.0.0.1",
      listen: { addresses: ["::"], port: 1790 },
      originate: [
        { prefix: "10.244.1.0/24", blackhole: true, nextHop: null, source: "config" },
        { prefix: "2001:db8:1::/48", blackhole: false, nextHop: "2001:db8::7", source: "config" },
      ],
      aggregates: ["10.244.0.0/16"],
      calico: null,
      problems: [],
    });
    expect(shown.peers.map((peer) => (peer as { name: string }).name)).toEqual([
      "1.5",
      "2001:db8::/32",
      "fe80::1%eth1",
      "tor-a",
    ]);
    expect(shown.peers[3]).toEqual({
      name: "tor-a",
      address: "10.0.0.254",
      range: null,
      interface: null,
      port: 179,
      asNumber: 65001,
      localAsNumber: 64999,
      localAddress: "10.0.0.1",
      passive: false,
      passwordSet: true,
      multihop: 3,
      ttlSecurity: null,
      routeReflectorClient: false,
      clusterId: "1.0.0.1",
      nextHop: "auto",
      families: {
        ipv4: {
          addPath: "off",
          extendedNextHop: true,
          maxPrefixes: { limit: 10, warnPercent: 80, action: "discard", restartAfter: "60s" },
        },
        ipv6: { addPath: "off", extendedNextHop: false, maxPrefixes: null },
      },
      timers: { hold: 9, keepalive: 2 },
      gracefulRestart: { time: 60 },
      allowLocalAs: 0,
      internal: false,
      import: ["p"],
      export: [],
      source: "config",
      longLived: 3600,
      removePrivateAs: false,
      asOverride: false,
      role: "rs-client",
      enabled: true,
    });
    expect(shown.peers[1]).toMatchObject({
      range: "2001:db8::/32",
      asNumber: [65001, 65002],
      multihop: null,
      gracefulRestart: null,
    });
  });

  it("shows no secret, however it is shown", () => {
    const config = configOf(
      "asNumber: 1\npeers: [{address: 10.0.0.2, password: geheim}, {address: 10.0.0.3, passwordFile: tor.key}]",
    );
    const texts = [JSON.stringify(showConfig(config)), formatConfig(config)];
    for (const text of texts) {
      expect(text).not.toMatch(/geheim|from a file|tor\.key/);
      expect(text).toContain("passwordSet");
    }
  });
});

describe("the embedded default", () => {
  it("is a reflector for near peers, without a kernel unless it is asked for", () => {
    const config = embeddedDefault({ port: 1790, kernel: false }, machine);
    expect(config).toMatchObject({
      asNumber: 64512,
      listen: { port: 1790 },
      kernel: { enabled: false },
      http: { port: 9179 },
    });
    expect(config.peers.map(({ name }) => name)).toEqual([
      "loopback",
      "loopback6",
      "private-10",
      "private-172",
      "private-192",
      "private6",
      "shared",
    ]);
    for (const peer of config.peers) {
      expect(peer).toMatchObject({ internal: true, passive: true, routeReflectorClient: true, source: "default" });
      expect(peer.families).toHaveLength(2);
    }
    expect(embeddedDefault({ port: 179, kernel: true }, machine).kernel.enabled).toBe(true);
  });

  it("starts on a machine without an IPv4 address too", () => {
    expect(embeddedDefault({ port: 179, kernel: false }, { ...machine, routerId: () => undefined }).routerId).toBe(
      0x7f000001,
    );
  });
});

describe("the JSON Schema", () => {
  const schema = jsonSchema();

  it("describes every key, and forbids unknown ones", () => {
    const undescribed: string[] = [];
    const visit = (node: JsonSchema, path: string) => {
      if (node.properties !== undefined && node.additionalProperties !== false) undescribed.push(`${path} is open`);
      for (const [key, inner] of Object.entries(node.properties ?? {})) {
        if (inner.description === undefined && inner.$ref === undefined) undescribed.push(`${path}.${key}`);
        visit(inner, `${path}.${key}`);
      }
      for (const inner of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) visit(inner, path);
      if (node.items !== undefined) visit(node.items, path);
    };
    visit(schema, "");
    for (const [name, node] of Object.entries(schema.$defs ?? {})) visit(node, name);
    expect(undescribed).toEqual([]);
    expect(schema).toMatchObject({ if: { not: { required: ["calico"] } }, then: { required: ["asNumber"] } });
  });

  it("names the defaults that hold: to write them all out changes nothing", () => {
    const defaultsOf = (node: JsonSchema): Record<string, unknown> =>
      Object.fromEntries(
        Object.entries(node.properties ?? {}).flatMap(([key, inner]) => {
          const below = defaultsOf(inner);
          if (inner.default !== undefined) return [[key, inner.default] as const];
          return Object.keys(below).length > 0 ? [[key, below] as const] : [];
        }),
      );
    const peer = defaultsOf(schema.$defs?.["peer"] ?? {});
    const family = defaultsOf(schema.$defs?.["family"] ?? {});
    delete peer["rangeLimit"]; // goes with ranges only
    expect(Object.keys(peer).length).toBeGreaterThan(10);
    const root: Record<string, unknown> = {
      ...defaultsOf(schema),
      asNumber: 64512,
      peers: [{ ...peer, address: "10.0.0.2", families: { ipv4: family } }],
    };
    const written = loadText(formatYaml(root), "f", machine);
    expect(written.problems).toEqual([]);
    expect(written.config).toEqual(configOf("asNumber: 64512\npeers: [{address: 10.0.0.2}]"));
  });
});
