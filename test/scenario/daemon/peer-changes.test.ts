import { describe, expect, it } from "vitest";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import type { Config, PeerConfig } from "../../../src/config/model.ts";
import { MemoryDaemon } from "../../harness/memory-daemon.ts";
import { MemoryNetwork } from "../../harness/memory-transport.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";
import { configOf } from "../../unit/config/fixtures.ts";
import { address } from "../../unit/rib/sample.ts";

const HUB = "10.0.0.1";
const SPOKES = ["10.0.0.2", "10.0.0.3"];
const speaker = (at: string, more: string) =>
  configOf(`asNumber: 64512\nrouterId: ${at}\nlisten: {addresses: ["${at}"]}\nkernel: {enabled: false}\n${more}`);
const spoke = (at: string) =>
  speaker(
    at,
    `peers: [{name: hub, address: ${HUB}}]\noriginate: [{prefix: 10.${at.slice(-1)}.0.0/16, blackhole: true}]`,
  );
const hub = (keys: readonly string[], more = "") =>
  speaker(HUB, `peers: [${SPOKES.map((to, i) => `{address: ${to}, ${keys[i] ?? ""}}`).join(", ")}]\n${more}`);

async function world(start: Config) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const made = new Map<string, MemoryDaemon>();
  for (const [at, config] of [[HUB, start] as const, ...SPOKES.map((to) => [to, spoke(to)] as const)]) {
    const one = new MemoryDaemon(address(at), network, clock, config);
    await one.daemon.start();
    made.set(at, one);
  }
  clock.advanceSeconds(20);
  const of = (at: string) => made.get(at) as MemoryDaemon;
  const ends = (at: string) =>
    of(at).log.lines.filter(({ fields }) => (fields as { from?: string }).from === "Established");
  return { clock, network, of, ends, center: of(HUB) };
}

describe("what a session outlives", () => {
  it("another name, and who connects: the routes, the log and the view have the new one", async () => {
    const { clock, center, ends, of } = await world(hub(["name: Mesh_2, passive: true", "name: Mesh_3"]));
    const before = center.daemon.ids.find("Mesh_2");
    const lines = await center.daemon.apply(hub(["name: Node_2", "name: Mesh_3"]));
    expect(lines).toEqual(["peer Node_2: updated (name Mesh_2 -> Node_2; passive true -> false)"]);
    clock.advanceSeconds(5);
    expect(center.sessions()).toEqual(["Mesh_3 Established", "Node_2 Established"]);
    expect([center.daemon.ids.find("Node_2"), center.daemon.ids.find("Mesh_2")]).toEqual([before, undefined]);
    expect(center.routes().sort()).toEqual(["10.2.0.0/16 from Node_2", "10.3.0.0/16 from Mesh_3"]);
    expect(center.log.lines).toContainEqual({
      level: "info",
      event: "peer renamed",
      fields: { peer: "Node_2", was: "Mesh_2" },
    });
    expect([HUB, ...SPOKES].flatMap(ends)).toEqual([]);
    // It connects now that it is not passive: the spoke will not.
    of("10.0.0.2").daemon.speaker.disable(1 as PeerId, undefined);
    clock.advanceSeconds(70);
    of("10.0.0.2").daemon.speaker.enable(1 as PeerId);
    clock.advanceSeconds(70);
    expect(center.sessions()).toContain("Node_2 Established");
  });

  it("two that change names", async () => {
    const { clock, center, ends } = await world(hub(["name: a", "name: b"]));
    await center.daemon.apply(hub(["name: b", "name: a"]));
    clock.advanceSeconds(5);
    expect(center.routes().sort()).toEqual(["10.2.0.0/16 from b", "10.3.0.0/16 from a"]);
    expect(ends(HUB)).toEqual([]);
  });

  it("becoming a client of a reflector, and no longer being one (RFC 4456 §8)", async () => {
    const { clock, center, of, ends } = await world(hub(["name: a", "name: b"]));
    const heard = () =>
      of("10.0.0.3")
        .routes()
        .filter((line) => line.startsWith("10.2."));
    expect(heard()).toEqual([]);
    const lines = await center.daemon.apply(
      hub(["name: a, routeReflectorClient: true, clusterId: 1.0.0.1", "name: b"]),
    );
    expect(lines).toEqual([
      "peer a: refreshed out (routeReflectorClient false -> true; clusterId 10.0.0.1 -> 1.0.0.1)",
    ]);
    clock.advanceSeconds(5);
    expect(heard()).toEqual(["10.2.0.0/16 from hub"]);
    await center.daemon.apply(hub(["name: a", "name: b"]));
    clock.advanceSeconds(5);
    expect(heard()).toEqual([]);
    expect([HUB, ...SPOKES].flatMap(ends)).toEqual([]);
  });

  it("a change of somebody else, which does not touch it", async () => {
    const start = hub(["name: a", "name: b"]);
    const { center } = await world(start);
    const of = (name: string) => center.daemon.compiledPeer(center.daemon.ids.find(name) as PeerId);
    const before = [of("a"), of("b")];
    const peers = start.peers.map((peer) => (peer.name === "a" ? { ...peer, nextHop: "self" as const } : peer));
    expect(await center.daemon.apply({ ...start, peers })).toEqual(["peer a: refreshed out (nextHop auto -> self)"]);
    expect([of("a") === before[0], of("b") === before[1]]).toEqual([false, true]);
  });

  it("another keepalive interval", async () => {
    const { clock, center, ends } = await world(hub(["name: a", "name: b"]));
    const sent = () =>
      center.daemon.speaker.peer(center.daemon.ids.find("a") as PeerId)?.messages.sent["keepalive"] ?? 0;
    await center.daemon.apply(hub(["name: a, timers: {keepalive: 2s}", "name: b"]));
    const before = sent();
    clock.advanceSeconds(20);
    expect(sent() - before).toBeGreaterThanOrEqual(9);
    expect(center.daemon.speaker.peer(center.daemon.ids.find("a") as PeerId)?.negotiated?.keepaliveSeconds).toBe(2);
    expect(ends(HUB)).toEqual([]);
  });

  it("another password on both sides", async () => {
    const { clock, center, of, ends } = await world(hub(["name: a", "name: b"]));
    await center.daemon.apply(hub(["name: a, password: one", "name: b"]));
    clock.advanceSeconds(2);
    await of("10.0.0.2").daemon.apply(
      speaker(
        "10.0.0.2",
        `peers: [{name: hub, address: ${HUB}, password: one}]\noriginate: [{prefix: 10.9.0.0/16, blackhole: true}]`,
      ),
    );
    clock.advanceSeconds(10);
    expect(center.routes()).toContain("10.9.0.0/16 from a");
    expect([HUB, ...SPOKES].flatMap(ends)).toEqual([]);
  });
});

describe("what it does not", () => {
  it("another router id: each ends once", async () => {
    const { clock, center, ends } = await world(hub(["name: a", "name: b"]));
    const { daemon } = center;
    const next = { ...daemon.config, routerId: 0x01010101 as Config["routerId"] };
    await daemon.apply(next);
    clock.advanceSeconds(70);
    expect(center.sessions()).toEqual(["a Established", "b Established"]);
    expect(ends(HUB).length).toBe(2);
    expect(ends("10.0.0.2").length).toBe(1);
  });

  it("a password for which the peer begins anew: its routes stay meanwhile", async () => {
    const { clock, center, of, ends } = await world(hub(["name: a, gracefulRestart: {time: 60s}", "name: b"]));
    await center.daemon.apply(hub(["name: a, gracefulRestart: {time: 60s}, password: one", "name: b"]));
    // In memory who has no key is connected to as well: the same as if it had the new one for new connections only.
    clock.advanceSeconds(6);
    expect(ends(HUB).map(({ fields }) => (fields as { reason: string }).reason)).toEqual([
      "the peer has begun anew for the new password",
    ]);
    expect(center.routes()).toContain("10.2.0.0/16 from a");
    clock.advanceSeconds(60);
    expect(center.sessions()).toContain("a Established");
    expect(of("10.0.0.2").sessions()).toEqual(["hub Established"]);
  });
});

describe("two peers with one address, as Calico's mesh and a BGPPeer make them", () => {
  const twice = (config: Config, names: readonly string[]): Config => {
    const [first, ...rest] = config.peers as [PeerConfig, ...PeerConfig[]];
    return { ...config, peers: [...names.map((name) => ({ ...first, name })), ...rest] };
  };

  it("one has the session, the other says what it waits for, and takes over without a break", async () => {
    const both = twice(hub(["name: Mesh_2", "name: b"]), ["Mesh_2", "Node_2"]);
    const { clock, center, ends } = await world(both);
    expect(center.sessions()).toEqual(["Mesh_2 Established", "Node_2 Idle", "b Established"]);
    clock.advanceSeconds(300);
    expect([HUB, ...SPOKES].flatMap(ends)).toEqual([]);
    const { daemon } = center;
    expect(daemon.speaker.peer(daemon.ids.find("Node_2") as PeerId)?.lastError).toBe(
      "waits for the peer Mesh_2, which has the same address",
    );
    await daemon.apply({ ...both, peers: both.peers.filter(({ name }) => name !== "Mesh_2") });
    clock.advanceSeconds(5);
    expect(center.sessions()).toEqual(["Node_2 Established", "b Established"]);
    expect(center.routes().sort()).toEqual(["10.2.0.0/16 from Node_2", "10.3.0.0/16 from b"]);
    expect([HUB, ...SPOKES].flatMap(ends)).toEqual([]);
  });
});
