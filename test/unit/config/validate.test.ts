import { describe, expect, it } from "vitest";
import { loadText } from "../../../src/config/load.ts";
import { machine, peerOf, problemsOf } from "./fixtures.ts";

const head = "asNumber: 64512\n";

describe("the file as a whole", () => {
  it.each([
    ["[1, 2]", "1:1: the file holds a list; accepted: a mapping of keys, such as asNumber: 64512"],
    ["hello", '1:1: the file holds "hello"; accepted: a mapping of keys, such as asNumber: 64512'],
    ["---\n", "1:1: the file holds nothing; accepted: a mapping of keys, such as asNumber: 64512"],
    ["peers: []", "1:1: asNumber: is missing; accepted: an AS number from 1 to 4294967295, or asdot such as 1.10"],
  ])("%j", (yaml, want) => {
    expect(problemsOf(yaml)).toEqual([want]);
  });

  it("is told all that is wrong, in the order of the file", () => {
    const yaml = "asNumber: 0\nlisten: {port: 0}\npeers: [{adress: 10.0.0.1, name: a}]\nkernel: {metrics: 5}\n";
    const { config, problems } = loadText(yaml, "f", machine);
    expect(config).toBeUndefined();
    expect(problems.map(({ line, path }) => [line, path])).toEqual([
      [1, "asNumber"],
      [2, "listen.port"],
      [3, "peers[0].adress"],
      [4, "kernel.metrics"],
    ]);
  });

  it("needs a router id where the machine has none to offer", () => {
    const nowhere = { ...machine, routerId: () => undefined };
    const { problems } = loadText(head, "f", nowhere);
    expect(problems[0]?.message).toContain("no interface has an IPv4 address to take it from");
    expect(loadText(`${head}routerId: 10.0.0.1`, "f", nowhere).problems).toEqual([]);
  });
});

describe("unknown keys", () => {
  it.each([
    ["asnumber: 1", "2:1: asnumber: unknown key (did you mean `asNumber`?)"],
    ["peer: []", "2:1: peer: unknown key (did you mean `peers`?)"],
    ["xyzzy: 1", "2:1: xyzzy: unknown key; accepted: asNumber, routerId, listen"],
    ["peers: [{address: 10.0.0.1, hold: 3s}]", "2:29: peers[0].hold: unknown key here; it belongs into `timers`"],
    ["peers: [{address: 10.0.0.1, timers: {holdTime: 3s}}]", "unknown key (did you mean `hold`?)"],
    ["peers: [{address: 10.0.0.1, timers: {hodl: 3s}}]", "peers[0].timers.hodl: unknown key (did you mean `hold`?)"],
    ["peerDefaults: {address: 10.0.0.1}", "it tells one peer from another and belongs into `peers`"],
    ["templates: {t: {localAS: 1}}", "templates.t.localAS: unknown key"],
    ["http: {adress: x}", "http.adress: unknown key (did you mean `address`?)"],
    ["policies: {p: [{math: {}}]}", "policies.p[0].math: unknown key (did you mean `match`?)"],
    [
      "calico: {datastore: {type: file, path: /x, pth: /x}}",
      "calico.datastore.pth: unknown key (did you mean `path`?)",
    ],
    ["calico: {datastore: {type: flie}}", "calico.datastore.type: no such datastore; accepted: a mapping with type"],
    ["calico: {release: 3.30}", 'calico.release: "3.30" is not accepted; accepted: auto'],
    ["constructor: 1", "2:1: constructor: unknown key"],
    ["bmp: []", "2:1: bmp: BMP is not in this version; leave the key out"],
    [
      "control: {birdSocket: true}",
      "control.birdSocket: `true` is not accepted; accepted: the path of a socket, or false",
    ],
    ["peers: [{address: 10.0.0.1, bfd: true}]", "2:29: peers[0].bfd: BFD is not in this version"],
    ["templates: {t: {bfd: true}}", "templates.t.bfd: BFD is not in this version"],
    ["peerDefaults: {bfd: {}}", "peerDefaults.bfd: BFD is not in this version"],
  ])("%s", (yaml, want) => {
    expect(problemsOf(head + yaml)[0]).toContain(want);
  });

  it("are no key written as null, which means the default", () => {
    expect(problemsOf(`${head}control: {socket: null}\npeers:\nkernel: {metric: null, learn: }\nhttp:`)).toEqual([]);
  });
});

describe("peers that contradict themselves", () => {
  it.each([
    ["name: a", "peers[0]: a peer needs `address`, `range` or `interface`"],
    ["address: 10.0.0.2, range: 10.0.0.0/8", "peers[0].range: excludes `address`"],
    ["address: 10.0.0.2, rangeLimit: 5", "peers[0].rangeLimit: goes with `range` only"],
    ["address: 10.0.0.2, asNumber: [65001, 65002]", "a list of AS numbers goes with `range` only"],
    ["range: 10.0.0.0/8, asNumber: [65001, 64512]", "mixes our own AS 64512 with others"],
    ["address: 10.0.0.2, asNumber: internl", 'peers[0].asNumber: "internl" is not accepted'],
    ["address: 10.0.0.2, multihop: 2, ttlSecurity: 1", "peers[0].ttlSecurity: excludes `multihop`"],
    ["address: 10.0.0.2, timers: {hold: 2s}", "peers[0].timers.hold: 2s is not accepted; accepted: 0, or at least 3s"],
    ["address: 10.0.0.2, timers: {hold: 2500ms}", '"2500ms" is not accepted; accepted: whole seconds'],
    [
      "address: 10.0.0.2, timers: {keepalive: 90s}",
      "peers[0].timers.keepalive: 90s is not accepted; accepted: more than 0",
    ],
    ["address: 10.0.0.2, timers: {hold: 0, keepalive: 3s}", "a hold time of 0 switches keepalives off"],
    ["address: 10.0.0.2, gracefulRestart: {time: 4096s}", "peers[0].gracefulRestart.time:"],
    ["address: 10.0.0.2, gracefulRestart: {longLived: 16777216s}", "peers[0].gracefulRestart.longLived:"],
    ["address: 10.0.0.2, gracefulRestart: true", "accepted: a mapping {time, longLived}, or false"],
    ["address: 10.0.0.2, asNumber: 65001, routeReflectorClient: true", "this peer is external; clients are internal"],
    ["address: 10.0.0.2, role: customer", "peers[0].role: this peer is internal; roles are for external peers"],
    ["address: 10.0.0.2, localAddress: '2001:db8::1'", "the session runs over IPv4; accepted: an IPv4 address"],
    ["address: '2001:db8::2', localAddress: 10.0.0.1", "the session runs over IPv6; accepted: an IPv6 address"],
    ["address: 10.0.0.2, families: {ipv4: false}", "peers[0].families: no family is left"],
    ["address: 10.0.0.2, families: {ipv4: {addPath: on}}", '"on" is not accepted'],
    ["address: 10.0.0.2, families: {ipv5: {}}", "peers[0].families.ipv5: unknown key (did you mean `ipv4`?)"],
    ["address: 10.0.0.2, families: {ipv4: {maxPrefixes: {}}}", "families.ipv4.maxPrefixes.limit: is missing; accepted"],
    [
      "address: 10.0.0.2, families: {ipv4: {maxPrefixes: {limit: 9, action: drop}}}",
      "warn, discard, restart, shutdown",
    ],
    ["address: 10.0.0.2, import: [nope]", 'peers[0].import[0]: no policy "nope"; there are no policies'],
    ["address: 10.0.0.2, import: nope", "peers[0].import: not a list"],
    ["address: 10.0.0.2, use: nope", 'peers[0].use: no template "nope"; there are no templates'],
    ["address: 10.0.0.2, password: 12345678", "peers[0].password: this value is not text: put it in quotes"],
    ["address: 10.0.0.2, password: ''", "peers[0].password: empty"],
    [`address: 10.0.0.2, password: ${"x".repeat(81)}`, "the password has 81 octets; accepted: at most 80"],
    [`address: 10.0.0.2, password: ${"ä".repeat(41)}`, "the password has 82 octets; accepted: at most 80"],
    ["address: 10.0.0.2, password: x, passwordEnv: TOR_KEY", "peers[0].passwordEnv: excludes `password`"],
    ["address: 10.0.0.2, passwordEnv: NOPE", "peers[0].passwordEnv: the environment variable NOPE is not set"],
    ["address: 10.0.0.2, passwordFile: nope", "peers[0].passwordFile: cannot read nope: there is no such file"],
    ["address: 10.0.0.2, passwordFile: empty.key", "peers[0].passwordFile: the password is empty"],
    ["address: 10.0.0.2, name: 'a b'", "peers[0].name: a name has neither blanks nor quotes"],
    ["interface: a-name-that-is-too-long", "peers[0].interface:"],
  ])("%s", (keys, want) => {
    const { config, problems } = loadText(`${head}peers: [{${keys}}]`, "f", machine);
    expect(problems.map(({ path, message }) => `${path}: ${message}`).join("\n")).toContain(want);
    expect(config?.peers ?? []).toEqual([]);
  });

  it("repeat no password in any message", () => {
    for (const keys of ["password: 12345678", `password: ${"12345678".repeat(20)}`, "password: [12345678]"]) {
      expect(problemsOf(`${head}peers: [{address: 10.0.0.2, ${keys}}]`).join()).not.toContain("12345678");
    }
  });
});

describe("peers that contradict each other", () => {
  it("share a name: neither is taken", () => {
    const yaml = `${head}peers: [{name: a, address: 10.0.0.2}, {name: a, address: 10.0.0.3}, {name: b, address: 10.0.0.4}]`;
    const { config, problems } = loadText(yaml, "f", machine);
    expect(problems).toMatchObject([
      { path: "peers[1].name", message: 'the name "a" is taken by peers[0]; names tell peers apart', peer: "a" },
    ]);
    expect(config?.peers.map(({ name }) => name)).toEqual(["b"]);
  });

  it.each([
    ["address: 10.0.0.2", "address: 10.0.0.2", '10.0.0.2 is the same address as that of "a"'],
    ["address: '2001:db8::2'", "address: '2001:DB8:0::2'", '2001:db8::2 is the same address as that of "a"'],
    ["range: 10.0.0.0/16", "range: 10.0.0.1/16", '10.0.0.0/16 is the same range as that of "a"; ranges within ranges'],
    ["interface: eth0", "interface: eth0", 'eth0 is the same interface as that of "a"'],
  ])("share their remote: %s", (one, other, want) => {
    const { config, problems } = loadText(`${head}peers: [{name: a, ${one}}, {name: b, ${other}}]`, "f", machine);
    expect(problems.find(({ severity }) => severity === "error")).toMatchObject({ peer: "b" });
    expect(problems.map(({ message }) => message).join()).toContain(want);
    expect(config?.peers.map(({ name }) => name)).toEqual(["a"]);
  });

  it("do not when one range lies within the other, or an address within a range", () => {
    const yaml = `${head}peers: [{range: 10.0.0.0/8}, {range: 10.1.0.0/16}, {address: 10.1.0.1}, {address: fe80::1%a}, {address: fe80::1%b}]`;
    expect(problemsOf(yaml)).toEqual([]);
  });
});

describe("one wrong peer", () => {
  it("costs that peer alone", () => {
    const yaml = `${head}peers: [{address: 10.0.0.2, adress: 1}, {address: 10.0.0.3, timers: {hold: 1}}, {address: 10.0.0.4}]`;
    const { config, problems } = loadText(yaml, "f", machine);
    expect(config?.peers.map(({ name }) => name)).toEqual(["10.0.0.4"]);
    expect(problems.map(({ peer }) => peer)).toEqual(["10.0.0.2", "10.0.0.3"]);
  });

  it("costs everything when nobody can tell which peer it is", () => {
    expect(loadText(`${head}peers: [{timers: {}}, {address: 10.0.0.4}]`, "f", machine).config).toBeUndefined();
    expect(loadText(`${head}peers: [3]`, "f", machine).config).toBeUndefined();
  });
});

describe("routes of this node's own, kernel, listeners", () => {
  it.each([
    [
      "originate: [{prefix: 10.0.0.0/8}, {prefix: 10.0.0.0/8}]",
      "originate[1].prefix: 10.0.0.0/8 stands in originate[0] already",
    ],
    ["originate: [{blackhole: true}]", "originate[0].prefix: is missing; accepted: a prefix"],
    [
      "originate: [{prefix: 10.0.0.0/8, blackhole: true, nextHop: 10.0.0.1}]",
      "originate[0].nextHop: excludes `blackhole`",
    ],
    ["originate: [{prefix: 10.0.0.0/8, nextHop: '2001:db8::1'}]", "is not of the prefix's family"],
    ["originate: [{prefix: 10.0.0.0/8, communities: ['1:*']}]", 'originate[0].communities[0]: "1:*" is not accepted'],
    ["aggregates: [{prefix: 10.0.0.0/33}]", 'aggregates[0].prefix: "10.0.0.0/33" is not accepted'],
    ["aggregates: [{prefix: 10.0.0.0/8}, {prefix: 10.0.0.0/8}]", "stands in aggregates[0] already"],
    ["listen: {addresses: ['0.0.0.0', '0.0.0.0']}", "listen.addresses[1]: stands here twice"],
    ["listen: {addresses: [ff02::1]}", "listen.addresses[0]: is a multicast address"],
    ["kernel: {table: mian}", 'kernel.table: no table "mian" (did you mean `main`?)'],
    ["kernel: {table: 0}", "kernel.table: no table 0; accepted: a number from 1"],
    ["kernel: {protocol: brid}", 'kernel.protocol: no protocol "brid" (did you mean `bird`?)'],
    ["kernel: {protocol: 256}", 'kernel.protocol: no protocol "256"'],
    ["kernel: {protocol: static}", "kernel.protocol: static marks other programs' routes"],
    [
      "kernel: {learn: {protocols: [boot, bird]}}",
      "kernel.learn.protocols[1]: bird marks the routes that starling writes",
    ],
    ["kernel: {maxPaths: 0}", "kernel.maxPaths: `0` is not accepted; accepted: a whole number from 1 to 256"],
  ])("%s", (yaml, want) => {
    const { config, problems } = loadText(head + yaml, "f", machine);
    expect(problems.map(({ path, message }) => `${path}: ${message}`).join("\n")).toContain(want);
    expect(config).toBeUndefined();
  });
});

describe("warnings", () => {
  it("recommend policies for external peers, where RFC 8212 would refuse all", () => {
    const lines = problemsOf(`${head}peers: [{address: 10.0.0.2, asNumber: 65001, import: [p]}]\npolicies: {p: []}`);
    expect(lines).toEqual([
      '2:9: warning: peers[0]: external peer "10.0.0.2" has no export policy: everything is sent to it, where RFC 8212 would have nothing; policies are recommended',
    ]);
  });

  it("tell of passwords that everybody can read", () => {
    const yaml = `${head}peers: [{address: 10.0.0.2, password: x}]\n`;
    expect(problemsOf(yaml, true)[0]).toContain("2:39: warning: peers[0].password: everybody on this machine can read");
    expect(problemsOf(yaml, false)).toEqual([]);
  });

  it("tell of keys that do nothing, and of unknown peers in log.peers", () => {
    const yaml = `${head}peers: [{name: tor, address: 10.0.0.2, asOverride: true}]\nlog: {peers: {tro: debug}}`;
    expect(problemsOf(yaml).join()).toContain("peers[0].asOverride: does nothing: this peer is internal");
    expect(problemsOf(yaml).join()).toContain('log.peers.tro: no peer is called "tro" (did you mean `tor`?)');
  });
});

describe("internal or external", () => {
  it.each([
    ["address: 10.0.0.2", true, 64, [64512]],
    ["address: 10.0.0.2, asNumber: internal", true, 64, [64512]],
    ["address: 10.0.0.2, asNumber: 64512", true, 64, [64512]],
    ["address: 10.0.0.2, asNumber: 65001", false, 1, [65001]],
    ["address: 10.0.0.2, asNumber: 65001, localAsNumber: 65001", true, 64, [65001]],
    ["address: 10.0.0.2, asNumber: 64512, localAsNumber: 64999", false, 1, [64512]],
    ["address: 10.0.0.2, asNumber: external, multihop: 3", false, 3, "external"],
    ["address: 10.0.0.2, ttlSecurity: 1", true, 255, [64512]],
    ["range: 10.0.0.0/8, asNumber: [65001, 65002, 65001]", false, 1, [65001, 65002]],
  ])("%s", (keys, internal, ttl, asNumber) => {
    expect(peerOf(keys)).toMatchObject({ internal, ttl, asNumber });
  });
});
