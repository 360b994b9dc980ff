import { describe, expect, it } from "vitest";
import { diffConfig } from "../../../src/config/diff.ts";
import { configOf } from "./fixtures.ts";

const policies = "policies: {p: [{then: reject}], q: []}";

function peerDiff(before: string, after: string, policiesBefore = policies, policiesAfter = policies) {
  const of = (keys: string, more: string) => configOf(`asNumber: 64512\npeers: [{name: a, ${keys}}]\n${more}`);
  return diffConfig(of(before, policiesBefore), of(after, policiesAfter));
}

const external = "address: 10.0.0.2, asNumber: 65001";

describe("what a reload does to one peer", () => {
  it.each([
    ["nothing", "", "", []],
    ["the same in other words", "timers: {hold: 120s}", "timers: {hold: 2m}", []],
    ["its address", "", "address: 10.0.0.3", ["peer a: restarted (address 10.0.0.2 -> 10.0.0.3)"]],
    ["its AS", "", "asNumber: 65002", ["peer a: restarted (asNumber 65001 -> 65002)"]],
    ["local AS", "", "localAsNumber: 64999", ["peer a: restarted (localAsNumber 64512 -> 64999)"]],
    ["hold time", "", "timers: {hold: 30s}", ["peer a: restarted (timers.hold 90s -> 30s)"]],
    ["keepalive interval", "", "timers: {keepalive: 5s}", ["peer a: updated (timers.keepalive none -> 5s)"]],
    ["who connects", "", "passive: true", ["peer a: updated (passive false -> true)"]],
    ["where to connect", "", "port: 1790", ["peer a: restarted (port 179 -> 1790)"]],
    ["where it would connect", "passive: true", "passive: true, port: 1790", ["peer a: updated (port 179 -> 1790)"]],
    [
      "our address",
      "localAddress: 10.0.0.1",
      "localAddress: 10.0.0.9",
      ["peer a: restarted (localAddress 10.0.0.1 -> 10.0.0.9)"],
    ],
    ["any address of ours", "localAddress: 10.0.0.1", "", ["peer a: updated (localAddress 10.0.0.1 -> none)"]],
    ["retry timer", "", "timers: {connectRetry: 1s}", ["peer a: updated (timers.connectRetry 5s -> 1s)"]],
    ["add-path", "", "families: {ipv4: {addPath: both}}", ["peer a: restarted (families.ipv4.addPath off -> both)"]],
    [
      "a second family",
      "",
      "families: {ipv4: , ipv6: }",
      [expect.stringMatching(/^peer a: restarted \(families.ipv6 none -> /)],
    ],
    [
      "a limit",
      "families: {ipv4: {maxPrefixes: {limit: 5}}}",
      "families: {ipv4: {maxPrefixes: {limit: 6}}}",
      ["peer a: updated (families.ipv4.maxPrefixes.limit 5 -> 6)"],
    ],
    ["a password", "", "password: geheim", ["peer a: updated (passwordSet none -> true)"]],
    ["another password", "password: geheim", "password: anders", ["peer a: updated (the password changed)"]],
    [
      "graceful restart",
      "",
      "gracefulRestart: false",
      ['peer a: restarted (gracefulRestart {"time":"2m","longLived":"0s"} -> false)'],
    ],
    ["import", "import: [p]", "import: [p, q]", ['peer a: refreshed in (import ["p"] -> ["p","q"])']],
    ["export", "", "export: [p]", ['peer a: refreshed out (export [] -> ["p"])']],
    ["next hop", "", "nextHop: self", ["peer a: refreshed out (nextHop auto -> self)"]],
    [
      "allowLocalAs and asOverride",
      "",
      "allowLocalAs: 1, asOverride: true",
      ["peer a: refreshed in and refreshed out (allowLocalAs 0 -> 1; asOverride false -> true)"],
    ],
    [
      "import beside the port",
      "",
      "import: [p], port: 1790",
      ['peer a: restarted (port 179 -> 1790; import [] -> ["p"])'],
    ],
    ["enabled", "", "enabled: false", ["peer a: updated (enabled true -> false)"]],
    [
      "multihop to ttlSecurity",
      "",
      "ttlSecurity: 1",
      ["peer a: restarted (multihop 1 -> none; ttlSecurity none -> 1)"],
    ],
  ])("%s", (_name, before, after, want) => {
    const base = (keys: string) =>
      keys.includes("address:")
        ? `asNumber: 65001, ${keys}`
        : keys.includes("asNumber: 65002")
          ? `address: 10.0.0.2, ${keys}`
          : `${external}, ${keys}`;
    expect(peerDiff(base(before), base(after)).lines).toEqual(want);
  });

  it("never says a password", () => {
    const { lines } = peerDiff(`${external}, password: geheim`, `${external}, password: anders`);
    expect(lines.join()).not.toMatch(/geheim|anders/);
  });

  it("tells the daemon what to do", () => {
    expect(peerDiff(external, `${external}, import: [p]`).changed).toMatchObject([
      { restart: false, refreshIn: true, refreshOut: false },
    ]);
    expect(peerDiff(external, `${external}, import: [p], port: 1790`).changed).toMatchObject([
      { restart: true, refreshIn: false, refreshOut: false },
    ]);
  });

  it("a policy that changes refreshes those who use it, in the direction in which they do", () => {
    const changed = "policies: {p: [{then: accept}], q: []}";
    const on = (keys: string) => peerDiff(`${external}, ${keys}`, `${external}, ${keys}`, policies, changed).lines;
    expect(on("import: [q, p]")).toContain("peer a: refreshed in (import policy p changed)");
    expect(on("export: [p]")).toContain("peer a: refreshed out (export policy p changed)");
    expect(on("import: [q]").filter((line) => line.startsWith("peer"))).toEqual([]);
  });
});

describe("what a reload does to the rest", () => {
  const of = (more: string) => configOf(`asNumber: 64512\npeers: [{name: a, address: 10.0.0.2}]\n${more}`);
  const diff = (before: string, after: string) => diffConfig(of(before), of(after));

  it("nothing, if nothing differs", () => {
    expect(diff("", "")).toEqual({
      added: [],
      removed: [],
      changed: [],
      speaker: false,
      listen: false,
      originate: false,
      aggregates: false,
      tables: false,
      learning: false,
      kernel: false,
      http: false,
      control: false,
      log: false,
      lines: [],
    });
  });

  it("peers that come and go", () => {
    const before = configOf("asNumber: 1\npeers: [{name: a, address: 10.0.0.2}, {name: b, address: 10.0.0.3}]");
    const after = configOf("asNumber: 1\npeers: [{name: c, address: 10.0.0.4}, {name: b, address: 10.0.0.3}]");
    const { added, removed, changed, lines } = diffConfig(before, after);
    expect([added.map(({ name }) => name), removed.map(({ name }) => name), changed]).toEqual([["c"], ["a"], []]);
    expect(lines).toEqual(["peer a: removed", "peer c: added"]);
  });

  it("a peer is the same under another name, and so are two that change theirs", () => {
    const of = (...peers: string[]) => configOf(`asNumber: 1\npeers: [${peers.join(", ")}]`);
    const lines = (before: string[], after: string[]) => diffConfig(of(...before), of(...after)).lines;
    const a = "{name: Mesh_2, address: 10.0.0.2, passive: true}";
    expect(lines([a], ["{name: Node_2, address: 10.0.0.2, routeReflectorClient: true}"])).toEqual([
      "peer Node_2: refreshed out (name Mesh_2 -> Node_2; passive true -> false; routeReflectorClient false -> true)",
    ]);
    expect(lines([a], ["{name: Node_2, address: 10.0.0.2, port: 1790}"])).toEqual([
      "peer Node_2: restarted (name Mesh_2 -> Node_2; port 179 -> 1790; passive true -> false)",
    ]);
    expect(
      lines(
        ["{name: a, address: 10.0.0.2}", "{name: b, address: 10.0.0.3}"],
        ["{name: b, address: 10.0.0.2}", "{name: a, address: 10.0.0.3}"],
      ),
    ).toEqual(["peer a: updated (name b -> a)", "peer b: updated (name a -> b)"]);
    // Two speakers of one address, as Calico may have them: the port tells.
    const one = of("{address: 10.0.0.2}");
    const at = (name: string, port: number) => one.peers.map((peer) => ({ ...peer, name, port }));
    expect(diffConfig({ ...one, peers: [...at("x", 1), ...at("y", 2)] }, { ...one, peers: at("z", 2) }).lines).toEqual([
      "peer x: removed",
      "peer z: updated (name y -> z)",
    ]);
    // A range is known by its name: those who came from it bear it.
    expect(lines(["{name: r, range: 10.0.0.0/24}"], ["{name: s, range: 10.0.0.0/24}"])).toEqual([
      "peer r: removed",
      "peer s: added",
    ]);
  });

  it("the same objects cost nothing, but for what they rest on", () => {
    const before = configOf(
      `asNumber: 1\npeers: [{name: a, address: 10.0.0.2, import: [p]}, {name: b, address: 10.0.0.3}]\n${policies}`,
    );
    const { policies: other } = configOf("asNumber: 1\npolicies: {p: [{then: accept}], q: []}");
    expect(diffConfig(before, { ...before, peers: [...before.peers] }).lines).toEqual([]);
    expect(
      diffConfig(before, { ...before, policies: other }).changed.map(({ peer, reasons }) => [peer.name, reasons]),
    ).toEqual([["a", ["import policy p changed"]]]);
    expect(diffConfig(before, { ...before, routerId: 7 as never }).changed.map(({ restart }) => restart)).toEqual([
      true,
      true,
    ]);
  });

  it.each([
    ["listen: {port: 1790}", ["listen"], ["listen.port 179 -> 1790"]],
    ["originate: [{prefix: 10.0.0.0/8}]", ["originate"], ["originate added: 10.0.0.0/8"]],
    ["aggregates: [{prefix: 10.0.0.0/8}]", ["aggregates"], ["aggregates added: 10.0.0.0/8"]],
    ["kernel: {learn: {interfaces: [eth0]}}", ["learning"], ['kernel.learn.interfaces ["cali*"] -> ["eth0"]']],
    ["kernel: {maxPaths: 2}", ["tables"], ["kernel.maxPaths 16 -> 2"]],
    ["kernel: {table: 100}", ["kernel"], ["kernel.table main -> 100"]],
    ["http: false", ["http"], ['http {"address":"127.0.0.1","port":9179} -> false']],
    ["control: {socket: /x}", ["control"], ["control.socket none -> /x"]],
    ["log: {level: debug}", ["log"], ["log.level info -> debug"]],
    ["policies: {p: []}", [], ["policies.p none -> []"]],
  ])("%s", (after, keys, lines) => {
    const result = diff("", after);
    const set = Object.entries(result).flatMap(([key, value]) => (value === true ? [key] : []));
    expect([set, result.lines, result.changed]).toEqual([keys, lines, []]);
  });

  it("originated routes, told by prefix", () => {
    const before = "originate: [{prefix: 10.1.0.0/16}, {prefix: 10.2.0.0/16}]";
    const after = `originate: [{prefix: 10.2.0.0/16, blackhole: true}, ${[3, 4, 5, 6, 7, 8].map((i) => `{prefix: 10.${i}.0.0/16}`).join(", ")}]`;
    expect(diff(before, after).lines).toEqual([
      "originate removed: 10.1.0.0/16",
      "originate added: 10.3.0.0/16, 10.4.0.0/16, 10.5.0.0/16, 10.6.0.0/16, 10.7.0.0/16 and 1 more",
      "originate changed: 10.2.0.0/16",
    ]);
  });

  it("another router id restarts every session, another cluster id those that have it", () => {
    const router = diff(
      "routerId: 1.1.1.1\nrouteReflector: {clusterId: 9.9.9.9}",
      "routerId: 2.2.2.2\nrouteReflector: {clusterId: 9.9.9.9}",
    );
    expect(router.speaker).toBe(true);
    expect(router.lines).toEqual(["routerId 1.1.1.1 -> 2.2.2.2", "peer a: restarted (the router id changed)"]);
    expect(diff("", "routeReflector: {clusterId: 9.9.9.9}").lines).toEqual([
      "routeReflector.clusterId 10.0.0.1 -> 9.9.9.9",
      "peer a: refreshed out (clusterId 10.0.0.1 -> 9.9.9.9)",
    ]);
  });

  it("another AS of our own makes the peer another one", () => {
    const before = configOf("asNumber: 1\npeers: [{name: a, address: 10.0.0.2, asNumber: 2}]");
    const after = configOf("asNumber: 2\npeers: [{name: a, address: 10.0.0.2, asNumber: 2}]");
    const { speaker, changed } = diffConfig(before, after);
    expect([speaker, changed[0]?.restart, changed[0]?.reasons]).toEqual([
      true,
      true,
      ["localAsNumber 1 -> 2", "multihop 1 -> 64"],
    ]);
  });
});
