import { describe, expect, it } from "vitest";
import { formatPrefix } from "../../../src/bgp/model/prefix.ts";
import { formatDuration, parseDuration } from "../../../src/config/durations.ts";
import { hasHostBits } from "../../../src/config/scalars.ts";
import { configOf, peerOf, problemsOf } from "./fixtures.ts";

describe("durations", () => {
  it.each([
    ["90s", 90_000],
    ["300ms", 300],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["1.5s", 1500],
    ["7", 7000],
    ["0", 0],
    ["-1s", undefined],
    ["1d", undefined],
    ["s", undefined],
    ["", undefined],
  ])("%s", (text, want) => {
    expect(parseDuration(text)).toBe(want);
  });

  it.each([0, 1, 300, 1000, 1500, 60_000, 90_000, 120_000, 240_000, 3_600_000, 5_400_000])("writes %i ms", (ms) => {
    expect(parseDuration(formatDuration(ms))).toBe(ms);
  });

  it("counts a bare number as seconds", () => {
    expect(peerOf("address: 10.0.0.2, timers: {hold: 30}").timers.holdMilliseconds).toBe(30_000);
  });
});

describe("AS numbers, RFC 5396", () => {
  it.each([
    ["64512", 64512],
    ["4200000000", 4_200_000_000],
    ["1.10", 65546],
    ["0.64512", 64512],
    ['"64512"', 64512],
    ["65000.1", 4_259_840_001],
  ])("%s", (text, want) => {
    expect(configOf(`asNumber: ${text}`).asNumber).toBe(want);
  });

  it.each([
    ["0", "AS 0 is nobody's (RFC 7607)"],
    ["23456", "AS 23456 is reserved"],
    ["65535", "AS 65535 is reserved (RFC 7300)"],
    ["4294967295", "AS 4294967295 is reserved (RFC 7300)"],
    ["4294967296", "`4294967296` is not accepted"],
    ["1.65536", '"1.65536" is not accepted'],
    ["-1", "`-1` is not accepted"],
    ["true", "`true` is not accepted"],
    ["[1]", "a list is not accepted"],
    ["x", '"x" is not accepted'],
  ])("refuses %s", (text, want) => {
    const [problem] = problemsOf(`asNumber: ${text}`);
    expect(problem).toContain(`1:11: asNumber: ${want}`);
    expect(problem).toContain("accepted: an AS number from 1 to 4294967295, or asdot such as 1.10");
  });
});

describe("addresses and prefixes", () => {
  it.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["10.0.0.1/8", "10.0.0.0/8"],
    ["2001:DB8:0:0::/32", "2001:db8::/32"],
    ["192.0.2.7", "192.0.2.7/32"],
  ])("%s is %s", (text, want) => {
    const [route] = configOf(`asNumber: 1\noriginate: [{prefix: "${text}"}]`).originate;
    expect(route && formatPrefix(route.prefix)).toBe(want);
  });

  it.each([
    ["10.0.0.1/8", true],
    ["10.0.0.0/8", false],
    ["10.0.0.1/32", false],
    ["10.0.0.1", false],
    ["2001:db8::1/64", true],
    ["nonsense", false],
  ])("host bits of %s: %s", (text, want) => {
    expect(hasHostBits(text)).toBe(want);
  });

  it("warns of host bits in every place of a prefix", () => {
    const yaml = [
      "asNumber: 1",
      "peers: [{range: 10.0.0.1/16}]",
      "originate: [{prefix: 10.1.0.1/16}]",
      "aggregates: [{prefix: 10.2.0.1/16}]",
      'policies: {p: [{match: {prefixes: ["10.3.0.1/16 le 24", 10.4.0.0/16]}}]}',
    ].join("\n");
    expect(problemsOf(yaml)).toEqual([
      "2:17: warning: peers[0].range: 10.0.0.1/16 has host bits; taken as 10.0.0.0/16",
      "3:22: warning: originate[0].prefix: 10.1.0.1/16 has host bits; taken as 10.1.0.0/16",
      "4:23: warning: aggregates[0].prefix: 10.2.0.1/16 has host bits; taken as 10.2.0.0/16",
      "5:37: warning: policies.p[0].match.prefixes[0]: 10.3.0.1/16 has host bits; taken as 10.3.0.0/16",
    ]);
  });

  it.each(["0.0.0.0", "224.0.0.5", "255.255.255.255", '"::"', "ff02::1", "10.0.0.256", "10.0.0.1/24", "host.example"])(
    "refuses %s as a peer's address",
    (address) => {
      expect(problemsOf(`asNumber: 1\npeers: [{address: ${address}}]`)[0]).toContain(
        "is not accepted; accepted: the IPv4 or IPv6 address of one machine",
      );
    },
  );

  it("wants the interface of a link-local peer, RFC 4007 §6", () => {
    expect(peerOf("address: fe80::1%eth0").remote).toMatchObject({ kind: "address", interface: "eth0" });
    expect(peerOf("address: fe80::1%eth0").name).toBe("fe80::1%eth0");
    expect(problemsOf("asNumber: 1\npeers: [{address: fe80::1}]")[0]).toContain("link-local: name its interface");
    expect(problemsOf("asNumber: 1\npeers: [{address: 10.0.0.1%eth0}]")[0]).toContain("is not accepted");
  });
});

describe("words and numbers", () => {
  it.each([
    ["listen: {port: 0}", "listen.port: `0` is not accepted; accepted: a whole number from 1 to 65535"],
    ["listen: {port: 1.5}", 'listen.port: "1.5" is not accepted; accepted: a whole number from 1 to 65535'],
    ["listen: 179", "listen: `179` is not accepted; accepted: a mapping of keys"],
    ["peers: {}", "peers: not a list; accepted: a list"],
    ["policies: []", "policies: not a mapping; accepted: names, each with its value"],
    ["http: true", "http: `true` is not accepted; accepted: a mapping {address, port}, or false"],
    [
      "log: {level: warning}",
      'log.level: "warning" is not accepted (did you mean `warn`?); accepted: debug, info, warn',
    ],
    ["kernel: {enabled: 1}", "kernel.enabled: `1` is not accepted; accepted: true or false"],
    ["routerId: 0.0.0.0", 'routerId: "0.0.0.0" is not accepted; accepted: four octets'],
    ["routerId: 300", undefined],
    ["control: {socket: 5}", "control.socket: `5` is a number, not text: put it in quotes"],
    ["kernel: {preferredSources: [10.0.0.1, fd00::1]}", undefined],
    ["kernel: {preferredSources: [10.0.0.1, 10.0.0.2]}", "kernel.preferredSources[1]: is a second one of its family"],
    [
      "kernel: {preferredSources: [eth0]}",
      'kernel.preferredSources[0]: "eth0" is not accepted; accepted: an IPv4 or IPv6 address',
    ],
    ["kernel: {pruneAfter: soon}", 'kernel.pruneAfter: "soon" is not accepted; accepted: a duration such as 90s'],
  ])("%s", (yaml, want) => {
    const problems = problemsOf(`asNumber: 1\n${yaml}`);
    if (want === undefined) expect(problems).toEqual([]);
    else expect(problems[0]).toContain(want);
  });
});
