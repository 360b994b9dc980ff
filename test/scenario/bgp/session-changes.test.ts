import { describe, expect, it } from "vitest";
import { asn, type PeerId } from "../../../src/bgp/model/ids.ts";
import { CeaseSubcode } from "../../../src/bgp/model/messages.ts";
import type { PeerOptions, SpeakerOptions } from "../../../src/bgp/options.ts";
import { MemoryNetwork } from "../../harness/memory-transport.ts";
import { peerOptions } from "../../harness/peer-options.ts";
import { TestSpeaker } from "../../harness/test-speaker.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const P = 1 as PeerId;

async function pair(
  toB: Partial<PeerOptions> = {},
  toA: Partial<PeerOptions> = {},
  more: { a?: Partial<SpeakerOptions> & { maxBacklog?: number }; b?: Partial<SpeakerOptions> } = {},
) {
  const clock = new VirtualClock();
  const network = new MemoryNetwork(clock);
  const a = new TestSpeaker(A, network, clock, more.a);
  const b = new TestSpeaker(B, network, clock, more.b);
  await a.start({ to: B, ...toB });
  await b.start({ to: A, ...toA });
  clock.advanceSeconds(10);
  return { clock, network, a, b };
}

describe("what operators and reloads do to a session", () => {
  it("after a disable the peer is down until it is enabled, and refuses", async () => {
    const { clock, a, b } = await pair();
    a.speaker.disable(P, "rack 4");
    clock.advanceSeconds(300);
    expect([a.state(), a.speaker.peer(P)?.enabled]).toEqual(["Idle", false]);
    expect(b.state()).not.toBe("Established");
    // RFC 9003: what the operator said stays in sight however often b tries since.
    expect(b.lastError()).toMatch(/^the peer .*; the last session ended: received NOTIFICATION: Cease: .*: rack 4$/);
    a.speaker.enable(P);
    clock.advanceSeconds(70);
    expect([a.state(), b.state()]).toEqual(["Established", "Established"]);
  });

  it("a disable outlives changes of other options, until the file itself says otherwise", async () => {
    const { clock, a, b } = await pair();
    a.speaker.disable(P, undefined);
    a.speaker.updatePeer(peerOptions({ to: B, connectRetrySeconds: 7 }));
    a.speaker.updatePeer(peerOptions({ to: B, holdTimeSeconds: 30 }));
    clock.advanceSeconds(300);
    expect([a.state(), a.speaker.peer(P)?.enabled]).toEqual(["Idle", false]);
    a.speaker.enable(P);
    clock.advanceSeconds(70);
    expect(a.state()).toBe("Established");
    expect(a.speaker.updatePeer(peerOptions({ to: B, holdTimeSeconds: 30, enabled: false }))).toEqual({
      kind: "unchanged",
    });
    clock.advanceSeconds(70);
    expect([a.state(), a.speaker.peer(P)?.enabled]).toEqual(["Idle", false]);
    expect(b.lastError()).toContain("Cease: administrative shutdown");
    a.speaker.updatePeer(peerOptions({ to: B, holdTimeSeconds: 30 }));
    clock.advanceSeconds(70);
    expect(a.state()).toBe("Established");
  });

  it("pauses that change are those of the attempts to come; the session stays", async () => {
    const { clock, a, b } = await pair();
    expect(a.speaker.updatePeer(peerOptions({ to: B, connectRetrySeconds: 60, idleHoldSeconds: 60 }))).toEqual({
      kind: "unchanged",
    });
    clock.advanceSeconds(1);
    expect([a.state(), b.state()]).toEqual(["Established", "Established"]);
  });

  it("after passing a limit it is down for as long as was asked (RFC 4486 §4)", async () => {
    const { clock, a } = await pair();
    a.speaker.cease(P, CeaseSubcode.MaximumPrefixes, "too many", 600);
    clock.advanceSeconds(595);
    expect(a.state()).toBe("Idle");
    clock.advanceSeconds(70);
    expect(a.state()).toBe("Established");
    a.speaker.cease(P, CeaseSubcode.MaximumPrefixes, "too many", undefined);
    clock.advanceSeconds(86_400);
    expect(a.state()).toBe("Idle");
    a.speaker.reset(P, undefined);
    clock.advanceSeconds(70);
    expect(a.state()).toBe("Established");
  });

  it("a change of one peer's options leaves the others alone, and one that is not seen outside changes nothing", async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork(clock);
    const a = new TestSpeaker(A, network, clock);
    const b = new TestSpeaker(B, network, clock);
    const c = new TestSpeaker("10.0.0.3", network, clock);
    const toC = { to: "10.0.0.3", id: 2 as PeerId };
    await a.start({ to: B }, toC);
    await b.start({ to: A });
    await c.start({ to: A });
    clock.advanceSeconds(10);
    const limited = peerOptions({ to: B, name: "b" });
    expect(a.speaker.updatePeer(limited)).toEqual({ kind: "unchanged" });
    expect(a.speaker.updatePeer({ ...limited, password: "x", holdTimeSeconds: 30 })).toEqual({
      kind: "restarted",
      reasons: ["hold time changed"],
    });
    clock.advanceSeconds(30);
    expect([a.state(1), a.state(2)]).toEqual(["Established", "Established"]);
    expect([b.rib.ends.length, c.rib.ends.length]).toEqual([1, 0]);
    expect(a.speaker.peer(P)?.negotiated?.holdSeconds).toBe(30);
  });

  it("a key that the peer takes up a minute later: the session goes on with the old one meanwhile", async () => {
    // Nobody connects, so that nobody can ask.
    const { clock, a, b } = await pair({ gracefulRestart: undefined }, { gracefulRestart: undefined });
    for (const [speaker, to] of [[a, B] as const, [b, A] as const])
      speaker.speaker.updatePeer(peerOptions({ to, gracefulRestart: undefined, passive: true }));
    a.speaker.updatePeer(peerOptions({ to: B, gracefulRestart: undefined, passive: true, password: "new" }));
    clock.advanceSeconds(15);
    const refreshes = () => b.rib.lines.filter((line) => line.includes("refresh")).length;
    for (let i = 1; i <= 4; i++) {
      a.speaker.requestRefresh(P);
      clock.advanceSeconds(10);
      expect(refreshes()).toBe(i);
    }
    b.speaker.updatePeer(peerOptions({ to: A, gracefulRestart: undefined, passive: true, password: "new" }));
    clock.advanceSeconds(6);
    a.speaker.requestRefresh(P);
    clock.advanceSeconds(1);
    expect(refreshes()).toBe(5);
    // And for good: longer than it would be tried for.
    clock.advanceSeconds(600);
    expect([a.state(), b.state(), a.rib.ends.length, b.rib.ends.length]).toEqual(["Established", "Established", 0, 0]);
  });

  it("another router id is another speaker", async () => {
    const { clock, a, b } = await pair();
    a.speaker.reconfigure({
      asNumber: asn(65000),
      routerId: 0x01010101 as SpeakerOptions["routerId"],
      hostName: "a",
      listen: [],
      restarting: false,
    });
    expect(a.speaker.updatePeer(peerOptions({ to: B }), true)).toEqual({ kind: "restarted", reasons: [] });
    clock.advanceSeconds(70);
    expect(b.rib.ends.length).toBe(1);
    expect(b.speaker.peer(P)).toMatchObject({ state: "Established", negotiated: { remoteRouterId: 0x01010101 } });
    expect(a.state()).toBe("Established");
  });
});
