import { describe, expect, it } from "vitest";
import { asn, type PeerId } from "../../../src/bgp/model/ids.ts";
import { type Prefix, parsePrefix } from "../../../src/bgp/model/prefix.ts";
import type { PeerOptions } from "../../../src/bgp/options.ts";
import { MemoryNetwork } from "../../harness/memory-transport.ts";
import { address, peerOptions } from "../../harness/peer-options.ts";
import { ScriptedPeer } from "../../harness/scripted-peer.ts";
import { TestSpeaker } from "../../harness/test-speaker.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

const A = "10.0.0.1";

function range(text: string, limit: number, more: Partial<PeerOptions> = {}): PeerOptions {
  const prefix = parsePrefix(text) as Prefix;
  return peerOptions({ name: text, remote: { kind: "range", prefix, limit }, ...more });
}

async function world(...ranges: PeerOptions[]) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const a = new TestSpeaker(A, network, clock);
  for (const options of ranges) a.speaker.addPeer(options);
  await a.start();
  const connect = async (at: string, more: Partial<PeerOptions> = {}) => {
    const speaker = new TestSpeaker(at, network, clock);
    await speaker.start({ to: A, ...more });
    clock.advanceSeconds(1);
    return speaker;
  };
  return { clock, network, a, connect };
}

const noRestart = { gracefulRestart: undefined };

describe("peer ranges", () => {
  it("make a peer of whoever connects, up to the limit, and forget it when its session ends", async () => {
    const { clock, network, a, connect } = await world(range("10.2.0.0/16", 2, noRestart));
    const first = await connect("10.2.0.1");
    const second = await connect("10.2.0.2");
    const third = await connect("10.2.0.3");
    expect([first.state(), second.state(), a.state(100), a.state(101)]).toEqual(Array(4).fill("Established"));
    expect(third.state()).not.toBe("Established");
    expect(a.log.lines.filter((line) => line.event === "connection refused").map((line) => line.fields)).toEqual([
      { peer: "10.2.0.0/16", address: "10.2.0.3", reason: "the range has as many peers as it may have", count: 1 },
    ]);
    network.cut(a.address, first.address);
    clock.advance(1);
    expect(a.gone).toEqual([100]);
    expect(a.state(100)).toBeUndefined();
    clock.advanceSeconds(60);
    // One of the two that wait has the free place now.
    expect([first.state(), third.state()].filter((s) => s === "Established")).toHaveLength(1);
    expect(a.gone.every((id) => id !== 101)).toBe(true);
  });

  it("keep a peer whose routes are kept, so that it comes back to them (RFC 4724 §4.2)", async () => {
    const { clock, network, a, connect } = await world(range("10.2.0.0/16", 2));
    const peer = await connect("10.2.0.1");
    clock.advanceSeconds(60);
    network.cut(a.address, peer.address);
    clock.advanceSeconds(10);
    expect(peer.state()).toBe("Established");
    expect([a.gone, a.state(100), a.rib.lines.slice(-3)]).toEqual([
      [],
      "Established",
      ["down 100 retain", "up 100", "100 end ipv4"],
    ]);
    await peer.speaker.stop({ cease: false });
    clock.advanceSeconds(119);
    expect(a.gone).toEqual([]);
    clock.advanceSeconds(3);
    expect(a.gone).toEqual([100]);
  });

  it("the most specific one counts", async () => {
    const { a, connect } = await world(
      range("10.0.0.0/8", 10),
      range("10.2.0.0/16", 10, { id: 2 as PeerId, holdTimeSeconds: 30 }),
    );
    await connect("10.2.0.1");
    await connect("10.3.0.1");
    expect([100, 101].map((id) => a.speaker.peer(id as PeerId)?.negotiated?.holdSeconds)).toEqual([30, 90]);
  });

  it.each<[string, PeerOptions["remoteAs"], number, boolean]>([
    ["internal", "internal", 65000, true],
    ["internal", "internal", 65001, false],
    ["external", "external", 65001, true],
    ["external", "external", 65000, false],
    ["a list", [asn(65001), asn(65002)], 65002, true],
    ["a list", [asn(65001), asn(65002)], 65003, false],
  ])("%s: %o takes AS %i: %o", async (_name, remoteAs, as, expected) => {
    const { connect } = await world(range("10.2.0.0/16", 2, { remoteAs }));
    const peer = await connect("10.2.0.1", { localAs: asn(as) });
    expect(peer.state() === "Established").toBe(expected);
  });

  it("that is taken away takes its peers along", async () => {
    const { clock, a, connect } = await world(range("10.2.0.0/16", 2));
    const peer = await connect("10.2.0.1");
    a.speaker.removePeer(1 as PeerId);
    clock.advanceSeconds(1);
    expect(a.gone).toEqual([100]);
    expect(peer.lastError()).toBe("received NOTIFICATION: Cease: hard reset: Cease: peer de-configured");
    clock.advanceSeconds(60);
    expect(peer.state()).not.toBe("Established");
  });

  it("that changes restarts its peers, one that merely allows more does not", async () => {
    const { clock, a, connect } = await world(range("10.2.0.0/16", 1));
    const peer = await connect("10.2.0.1");
    expect(a.speaker.updatePeer(range("10.2.0.0/16", 2))).toEqual({ kind: "unchanged" });
    expect((await connect("10.2.0.2")).state()).toBe("Established");
    expect(a.speaker.updatePeer(range("10.2.0.0/16", 2, { holdTimeSeconds: 30 }))).toEqual({
      kind: "restarted",
      reasons: ["hold time changed"],
    });
    clock.advanceSeconds(70);
    expect(peer.speaker.peer(1 as PeerId)?.negotiated?.holdSeconds).toBe(30);
  });

  it("say once in ten seconds how many connections came to no session, and nothing of each", async () => {
    const { clock, network, a } = await world(range("10.2.0.0/16", 50, noRestart));
    for (let i = 0; i < 30; i++) {
      const stranger = new ScriptedPeer();
      stranger.dial(network.host(address(`10.2.1.${i}`)), a.address);
      clock.advance(5);
      stranger.send("00".repeat(19));
      clock.advance(100);
    }
    clock.advanceSeconds(10);
    const said = a.log.lines.filter(({ level, event }) => level !== "debug" && event !== "session state");
    expect(said.map(({ event, fields }) => ({ event, ...fields }))).toMatchObject([
      { event: "connection from a range came to no session", count: 1 },
      { count: 29, reason: expect.stringContaining("marker") },
    ]);
    expect(a.log.lines.filter(({ level }) => level === "info")).toEqual([]);
  });

  it("has a peer of its own for whoever is configured by address", async () => {
    const { a, connect } = await world(range("10.2.0.0/16", 1));
    a.speaker.addPeer(peerOptions({ to: "10.2.0.9", id: 9 as PeerId }));
    await connect("10.2.0.9");
    expect([a.state(9), a.state(100)]).toEqual(["Established", undefined]);
  });
});
