import { describe, expect, it } from "vitest";
import { configOf, peerOf, problemsOf } from "./fixtures.ts";

const peers = "peers: [{address: 10.0.0.2";

describe("peerDefaults and templates", () => {
  it("the peer's own key wins over the later template, that over the earlier, that over peerDefaults", () => {
    const yaml = [
      "asNumber: 64512",
      "peerDefaults: {port: 1, allowLocalAs: 1, passive: true, nextHop: self}",
      "templates: {low: {port: 2, allowLocalAs: 2, passive: false}, high: {port: 3, allowLocalAs: 3}}",
      "peers: [{address: 10.0.0.2, use: [low, high], port: 4}]",
    ].join("\n");
    expect(configOf(yaml).peers).toMatchObject([{ port: 4, allowLocalAs: 3, passive: false, nextHop: "self" }]);
  });

  it("templates and peerDefaults may stand on templates themselves", () => {
    const yaml = [
      "asNumber: 64512",
      "templates: {a: {port: 1, allowLocalAs: 1}, b: {use: a, port: 2}, c: {nextHop: keep}}",
      "peerDefaults: {use: c}",
      "peers: [{address: 10.0.0.2, use: b}]",
    ].join("\n");
    expect(configOf(yaml).peers).toMatchObject([{ port: 2, allowLocalAs: 1, nextHop: "keep" }]);
  });

  it("timers, families and gracefulRestart are inherited key by key, lists as a whole", () => {
    const yaml = [
      "asNumber: 64512",
      "policies: {p: [], q: []}",
      "peerDefaults:",
      "  timers: {hold: 30s, connectRetry: 1s}",
      "  families: {ipv4: {addPath: both, maxPrefixes: {limit: 10, action: restart}}}",
      "  gracefulRestart: {time: 60s, longLived: 5s}",
      "  import: [p, q]",
      "peers:",
      "  - address: 10.0.0.2",
      "    timers: {hold: 9s}",
      "    families: {ipv4: {maxPrefixes: {limit: 20}}, ipv6:}",
      "    gracefulRestart: {time: 7s}",
      "    import: [q]",
      "  - {address: 10.0.0.3, gracefulRestart: false, families: {ipv4: false, ipv6: {}}}",
    ].join("\n");
    const [one, two] = configOf(yaml).peers;
    expect(one).toMatchObject({
      timers: { holdMilliseconds: 9000, connectRetryMilliseconds: 1000 },
      families: [
        { family: 1, addPath: "both", maxPrefixes: { limit: 20, action: "restart", warnPercent: 80 } },
        { family: 2, addPath: "off", maxPrefixes: undefined },
      ],
      gracefulRestart: { timeSeconds: 7, longLivedSeconds: 5 },
      import: ["q"],
    });
    expect(two).toMatchObject({ families: [{ family: 2 }], gracefulRestart: undefined, import: ["p", "q"] });
  });

  it("null takes the default again", () => {
    const more = "peerDefaults: {port: 1790, password: inherited, timers: {hold: 9s}}";
    const peer = peerOf("address: 10.0.0.2, port: null, password: null, timers: null", more);
    expect(peer).toMatchObject({ port: 179, password: undefined, timers: { holdMilliseconds: 90_000 } });
  });

  it("one of several exclusive keys replaces whichever was inherited", () => {
    const more = "peerDefaults: {password: inherited, multihop: 3}";
    expect(peerOf("address: 10.0.0.2, passwordEnv: TOR_KEY, ttlSecurity: 2", more)).toMatchObject({
      password: "from the environment",
      ttl: 255,
      ttlSecurity: 2,
    });
  });

  it.each([
    ["use: tor}]\ntemplates: {tro: {}}", '2:34: peers[0].use: no template "tor" (did you mean `tro`?)'],
    ["use: [a, x]}]\ntemplates: {a: {}}", '2:38: peers[0].use[1]: no template "x"; accepted: a'],
    ["}]\ntemplates: {a: {use: a}}", "3:22: templates.a.use: templates use each other in a circle: a -> a"],
    ["}]\ntemplates: {a: {use: [b]}, b: {use: x}}", 'templates.b.use: no template "x"'],
    ["}]\npeerDefaults: {use: x}", '3:21: peerDefaults.use: no template "x"; there are no templates'],
    ["}]\npeerDefaults: {range: 10.0.0.0/8}", "it tells one peer from another and belongs into `peers`"],
  ])("%s", (rest, want) => {
    expect(problemsOf(`asNumber: 1\n${peers}, ${rest}`).join("\n")).toContain(want);
  });

  it("tells of a circle of templates once for each of its members, and once at all for who leads into it", () => {
    const yaml = "asNumber: 1\ntemplates: {a: {use: b}, b: {use: a}, c: {use: a}}\n";
    expect(problemsOf(yaml)).toEqual([
      "2:22: templates.a.use: templates use each other in a circle: b -> a -> b",
      "2:35: templates.b.use: templates use each other in a circle: a -> b -> a",
    ]);
  });
});

describe("defaults", () => {
  it("of a peer of which only the address is written", () => {
    expect(peerOf("address: 10.0.0.2")).toEqual({
      name: "10.0.0.2",
      remote: { kind: "address", address: { family: 1, w0: 0x0a000002, w1: 0, w2: 0, w3: 0 }, interface: undefined },
      port: 179,
      asNumber: [64512],
      localAsNumber: 64512,
      internal: true,
      localAddress: undefined,
      passive: false,
      enabled: true,
      password: undefined,
      ttl: 64,
      ttlSecurity: undefined,
      routeReflectorClient: false,
      clusterId: 0x0a000001,
      nextHop: "auto",
      families: [{ family: 1, addPath: "off", extendedNextHop: false, maxPrefixes: undefined }],
      timers: {
        holdMilliseconds: 90_000,
        keepaliveMilliseconds: undefined,
        connectRetryMilliseconds: 5000,
        idleHoldMilliseconds: 5000,
        advertisementMilliseconds: 0,
      },
      gracefulRestart: { timeSeconds: 120, longLivedSeconds: 0 },
      allowLocalAs: 0,
      removePrivateAs: false,
      asOverride: false,
      role: undefined,
      capabilities: "all",
      import: [],
      export: [],
      source: "config",
    });
  });

  it.each([
    ["address: '2001:db8::2'", [[2, false]]],
    ["range: 10.0.0.0/8", [[1, false]]],
    [
      "interface: eth0",
      [
        [1, true],
        [2, false],
      ],
    ],
    [
      "address: '2001:db8::2', families: {ipv4: {}, ipv6: {extendedNextHop: true}}",
      [
        [1, true],
        [2, false],
      ],
    ],
    [
      "address: '2001:db8::2', families: {ipv4: {extendedNextHop: false}, ipv6: {}}",
      [
        [1, false],
        [2, false],
      ],
    ],
  ])("families of a peer with %s", (keys, want) => {
    expect(peerOf(keys).families.map(({ family, extendedNextHop }) => [family, extendedNextHop])).toEqual(want);
  });

  it("a range waits for its peers, and carries its prefix as its name", () => {
    expect(peerOf("range: 10.0.0.1/8")).toMatchObject({ name: "10.0.0.0/8", passive: true, remote: { limit: 4096 } });
  });

  it("a hold time of 0 has no keepalives, RFC 4271 §4.4", () => {
    const timers = { holdMilliseconds: 0, keepaliveMilliseconds: undefined };
    expect(peerOf("address: 10.0.0.2, timers: {hold: 0}")).toMatchObject({ timers });
    expect(peerOf("address: 10.0.0.2, timers: {hold: 0, keepalive: 0}")).toMatchObject({ timers });
  });
});
