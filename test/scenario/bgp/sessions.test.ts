import { describe, expect, it } from "vitest";
import { asn, type PeerId } from "../../../src/bgp/model/ids.ts";
import { CeaseSubcode } from "../../../src/bgp/model/messages.ts";
import type { PeerOptions, SpeakerOptions } from "../../../src/bgp/options.ts";
import { MemoryNetwork } from "../../harness/memory-transport.ts";
import { address, peerOptions } from "../../harness/peer-options.ts";
import { ScriptedPeer } from "../../harness/scripted-peer.ts";
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

const noRestart = { gracefulRestart: undefined };
const passive = { passive: true };

describe("two speakers, RFC 4271", () => {
  it("come up over one connection though both connect (§6.8), and stay", async () => {
    const { clock, a, b, network } = await pair();
    expect([a.state(), b.state()]).toEqual(["Established", "Established"]);
    expect(network.connections).toBe(1);
    // The higher identifier is B's, so its connection stays.
    expect(a.transitions.at(-2)).toContain("OpenConfirm");
    clock.advanceSeconds(3600);
    expect([a.state(), b.state()]).toEqual(["Established", "Established"]);
    expect(a.speaker.peer(P)?.transitions).toBe(1);
    expect([a.log.lines, b.log.lines].flat().filter((l) => l.level !== "info" && l.level !== "debug")).toEqual([]);
  });

  it.each<[string, Partial<PeerOptions>, Partial<PeerOptions>, string]>([
    ["A passive", passive, {}, "Established"],
    ["B passive", {}, passive, "Established"],
    ["both passive", passive, passive, "Active"],
  ])("%s", async (_name, toB, toA, state) => {
    const { a, b } = await pair(toB, toA);
    expect([a.state(), b.state()]).toEqual([state, state]);
  });

  describe("an OPEN on the connection that a collision will take away, RFC 4271 §6.8", () => {
    /** The peer has the higher identifier: the connection that it opened stays. It speaks first on the other. */
    async function collide() {
      const clock = new VirtualClock();
      const network = new MemoryNetwork(clock);
      const a = new TestSpeaker(A, network, clock);
      const transport = network.host(address(B));
      const [loses, stays] = [new ScriptedPeer(), new ScriptedPeer()];
      await loses.listen(transport, address(B));
      await a.start({ to: B });
      stays.dial(transport, address(A));
      clock.advance(10);
      loses.sendOpen();
      loses.sendKeepalive();
      clock.advance(500);
      expect(loses.heard).toEqual(["OPEN"]);
      expect(a.state()).toBe("OpenSent");
      return { clock, a, loses, stays };
    }

    it("waits for the other's", async () => {
      const { clock, a, loses, stays } = await collide();
      stays.sendOpen();
      stays.sendKeepalive();
      clock.advance(100);
      expect(loses.heard[1]).toContain("NOTIFICATION 6/7");
      expect(stays.heard.slice(0, 2)).toEqual(["OPEN", "KEEPALIVE"]);
      expect(a.state()).toBe("Established");
      expect(a.transitions.filter((line) => line.includes("Established"))).toHaveLength(1);
    });

    it("waits no longer when the other is gone", async () => {
      const { clock, a, loses, stays } = await collide();
      stays.connection?.close();
      clock.advance(100);
      expect(loses.heard.slice(0, 2)).toEqual(["OPEN", "KEEPALIVE"]);
      expect(a.state()).toBe("Established");
    });

    it("waits no longer than a second", async () => {
      const { clock, a, loses } = await collide();
      clock.advance(600);
      expect(loses.heard.slice(0, 2)).toEqual(["OPEN", "KEEPALIVE"]);
      expect(a.state()).toBe("Established");
    });
  });

  it.each<[string, Partial<PeerOptions>, RegExp]>([
    ["no password", {}, /no answer within 5 s: .*wants a TCP MD5 password$/],
    ["a password", { password: "secret" }, /its TCP MD5 password differs$/],
    ["GTSM", { ttlSecurityHops: 2 }, /more than 2 hops away/],
  ])("say what may be wrong when nobody answers: %s", async (_name, toB, words) => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork(clock);
    const a = new TestSpeaker(A, network, clock);
    network.silence(address(B));
    await a.start({ to: B, ...toB });
    clock.advanceSeconds(30);
    expect(a.state()).toBe("Connect");
    expect(a.speaker.peer(P)?.lastError).toMatch(words);
    expect(a.log.lines.filter((line) => line.level === "warn")).toHaveLength(1);
  });

  it("come up with equal identifiers and different AS numbers (RFC 6286 §2.3)", async () => {
    const more = { a: { routerId: 7 as SpeakerOptions["routerId"] }, b: { routerId: 7 as SpeakerOptions["routerId"] } };
    const { a, b, network } = await pair(
      { localAs: asn(65001), remoteAs: [asn(65002)] },
      { localAs: asn(65002), remoteAs: [asn(65001)] },
      more,
    );
    expect([a.state(), b.state()]).toEqual(["Established", "Established"]);
    expect(network.connections).toBe(1);
  });

  it("tell each other routes, and the end of them", async () => {
    const { clock, a, b } = await pair();
    a.announce(["10.1.0.0/16", "10.2.0.0/16"]);
    clock.advanceSeconds(1);
    expect(b.rib.lines).toEqual(["up 1", "1 end ipv4", "1 +10.1.0.0/16", "1 +10.2.0.0/16"]);
    expect(a.speaker.peer(P)?.messages.sent).toMatchObject({ open: 2, update: 2, notification: 1 });
    expect(b.speaker.peer(P)?.messages.received).toMatchObject({ update: 2, routeRefresh: 0 });
  });

  it("count a keepalive every third of the hold time, never late (§10)", async () => {
    const { clock, a, b } = await pair({ holdTimeSeconds: 9 }, { holdTimeSeconds: 30 });
    const before = b.speaker.peer(P)?.messages.received["keepalive"] ?? 0;
    clock.advanceSeconds(300);
    const count = (b.speaker.peer(P)?.messages.received["keepalive"] ?? 0) - before;
    // Jitter of a half makes 3 s of keepalive 2.625 s.
    expect(count).toBeGreaterThanOrEqual(113);
    expect(count).toBeLessThanOrEqual(115);
    expect(a.state()).toBe("Established");
  });

  it("refresh on request (RFC 2918, RFC 7313)", async () => {
    const { clock, a, b } = await pair();
    b.rib.onRefresh = (peer, _family, enhanced) => {
      b.outbox.refresh(peer, enhanced);
      b.announce(["10.9.0.0/16"], { kind: "joining", except: undefined });
      b.outbox.joined(peer);
      b.outbox.flush();
    };
    expect(a.speaker.requestRefresh(P)).toBe(true);
    clock.advanceSeconds(1);
    expect(b.rib.lines.at(-1)).toBe("1 refresh ipv4 enhanced");
    expect(a.rib.lines.slice(-3)).toEqual(["1 begin ipv4", "1 +10.9.0.0/16", "1 finish ipv4"]);
    expect(a.speaker.peer(P)?.messages).toMatchObject({ sent: { routeRefresh: 1 }, received: { routeRefresh: 2 } });
  });
});

describe("how sessions end", () => {
  const external: Partial<PeerOptions> = { localAs: asn(65001), remoteAs: [asn(65002)], ttl: 1 };
  const fromOther: Partial<PeerOptions> = { localAs: asn(65002), remoteAs: [asn(65001)], ttl: 1 };
  it.each<[string, Partial<PeerOptions>, Partial<PeerOptions>, string, boolean]>([
    ["external", external, fromOther, A, true],
    ["external with GTSM", { ...external, ttl: 255, ttlSecurityHops: 1 }, fromOther, A, true],
    ["external, further away", { ...external, ttl: 5 }, fromOther, A, false],
    ["external, on another link", external, fromOther, "10.9.9.9", false],
    ["internal", {}, {}, A, false],
  ])("a link goes down: %s", async (_name, toB, toA, own, ends) => {
    const { a } = await pair(toB, toA);
    a.speaker.linkDown("eth0", [address(own)]);
    expect(a.state() === "Established").toBe(!ends);
    if (ends) expect(a.lastError()).toBe("the link eth0 is down");
  });

  it("a machine vanishes: the hold timer, and its routes stay with notification support (RFC 8538 §4)", async () => {
    const { clock, network, a, b } = await pair();
    network.silence(b.address);
    clock.advanceSeconds(91);
    expect(a.state()).not.toBe("Established");
    expect(a.rib.ends).toEqual([{ kind: "retain", families: [{ family: 1, staleSeconds: 120, longLivedSeconds: 0 }] }]);
    expect(a.lastError()).toContain("nothing heard from the peer for 90 s (sent hold timer expired)");
    network.unsilence(b.address);
    clock.advanceSeconds(120);
    expect([a.state(), b.state()]).toEqual(["Established", "Established"]);
    expect(b.speaker.peer(P)?.transitions).toBe(2);
  });

  it("the connection breaks: the routes stay, and the session is back within seconds (RFC 4724 §4.2)", async () => {
    const { clock, network, a, b } = await pair();
    clock.advanceSeconds(60);
    network.cut(a.address, b.address);
    clock.advance(1);
    expect(a.lastError()).toBe("the peer reset the connection");
    clock.advanceSeconds(3);
    expect([a.state(), b.state()]).toEqual(["Established", "Established"]);
    expect(a.rib.lines.slice(-4)).toEqual(["1 end ipv4", "down 1 retain", "up 1", "1 end ipv4"]);
  });

  it("without graceful restart nothing stays", async () => {
    const { network, a, b, clock } = await pair(noRestart);
    network.cut(a.address, b.address);
    clock.advanceSeconds(1);
    expect([a.rib.ends, b.rib.ends]).toEqual([[{ kind: "flush" }], [{ kind: "flush" }]]);
  });

  it("keeps routes for the long-lived time, too (RFC 9494 §4.2)", async () => {
    const longLived = { gracefulRestart: { timeSeconds: 60, longLivedSeconds: 7200 } };
    const { network, a, b, clock } = await pair(longLived, {
      gracefulRestart: { timeSeconds: 30, longLivedSeconds: 3600 },
    });
    network.cut(a.address, b.address);
    clock.advanceSeconds(1);
    expect(a.rib.ends).toEqual([
      { kind: "retain", families: [{ family: 1, staleSeconds: 30, longLivedSeconds: 3600 }] },
    ]);
  });

  it.each<[string, (a: TestSpeaker) => void, string, string, string]>([
    [
      "disabled",
      (a) => a.speaker.disable(P, "maintenance until noon"),
      "received NOTIFICATION: Cease: hard reset: Cease: administrative shutdown: maintenance until noon",
      "disabled by the operator: maintenance until noon",
      "flush",
    ],
    [
      "reset",
      (a) => a.speaker.reset(P, undefined),
      "received NOTIFICATION: Cease: hard reset: Cease: administrative reset",
      "reset by the operator",
      "flush",
    ],
    [
      "removed",
      (a) => a.speaker.removePeer(P),
      "received NOTIFICATION: Cease: hard reset: Cease: peer de-configured",
      "",
      "flush",
    ],
    [
      "too many prefixes",
      (a) => a.speaker.cease(P, CeaseSubcode.MaximumPrefixes, "more than 5 ipv4 prefixes", 60),
      "received NOTIFICATION: Cease: hard reset: Cease: maximum number of prefixes reached",
      "maximum number of prefixes reached: more than 5 ipv4 prefixes",
      "flush",
    ],
    [
      "reconfigured",
      (a) => a.speaker.updatePeer(peerOptions({ to: B, holdTimeSeconds: 30 })),
      "received NOTIFICATION: Cease: other configuration change",
      "configuration changed",
      "retain",
    ],
    [
      "stopped without a word",
      (a) => void a.speaker.stop({ cease: false }),
      "the peer closed the connection",
      "stopped",
      "retain",
    ],
    [
      "stopped with a Cease",
      (a) => void a.speaker.stop({ cease: true, message: "bye" }),
      "received NOTIFICATION: Cease: hard reset: Cease: administrative shutdown: bye",
      "disabled by the operator: bye",
      "flush",
    ],
  ])("%s: both sides say why", async (_name, act, atB, atA, end) => {
    const { clock, a, b } = await pair();
    act(a);
    clock.advance(100);
    expect(b.lastError()).toBe(atB);
    expect(b.rib.ends.map((e) => e.kind)).toEqual([end]);
    if (atA !== "") expect(a.lastError()).toContain(atA);
  });
});

describe("a peer that restarts, RFC 4724", () => {
  /** Another process at the address of B; of the old one's connections nothing is left, not even a reset. */
  async function reborn(clock: VirtualClock, network: MemoryNetwork, old: TestSpeaker, toA: Partial<PeerOptions> = {}) {
    network.abandon(old.address);
    await old.speaker.stop({ cease: false });
    clock.advanceSeconds(20);
    const speaker = new TestSpeaker(B, network, clock, { restarting: true });
    await speaker.start({ to: A, ...toA });
    return speaker;
  }

  it("comes back behind our back: the old session goes without a word, its routes stay (§4.2)", async () => {
    const { clock, network, a, b } = await pair();
    const again = await reborn(clock, network, b);
    clock.advanceSeconds(1);
    expect([a.state(), again.state()]).toEqual(["Established", "Established"]);
    expect(a.rib.lines).toEqual(["up 1", "1 end ipv4", "down 1 retain", "up 1", "1 end ipv4"]);
    expect(a.rib.facts.get(P)?.forwardingPreserved).toEqual([1]);
    expect(network.connections).toBe(1);
  });

  it("without graceful restart the old session wins, until it is seen to be dead (§6.8)", async () => {
    const { clock, network, a, b } = await pair(noRestart, noRestart);
    const again = await reborn(clock, network, b, noRestart);
    clock.advance(50);
    expect(again.lastError()).toBe("received NOTIFICATION: Cease: connection collision resolution");
    expect(a.rib.lines).toEqual(["up 1", "1 end ipv4"]);
    clock.advanceSeconds(180);
    expect([a.state(), again.state()]).toEqual(["Established", "Established"]);
    expect(a.rib.lines.slice(-3)).toEqual(["down 1 flush", "up 1", "1 end ipv4"]);
  });

  it("is found out at once where its system answers the old connection with a reset", async () => {
    const { clock, network, a, b } = await pair(noRestart, noRestart);
    network.silence(b.address);
    await b.speaker.stop({ cease: false });
    clock.advanceSeconds(5);
    network.unsilence(b.address);
    const again = new TestSpeaker(B, network, clock);
    await again.start({ to: A, ...noRestart });
    clock.advanceSeconds(7);
    expect([a.state(), again.state()]).toEqual(["Established", "Established"]);
  });

  it("sets the R bit and the F bits until the restart is over (§3)", async () => {
    const { clock, a, b } = await pair({}, {}, { a: { restarting: true } });
    expect(b.rib.facts.get(P)?.forwardingPreserved).toEqual([1]);
    a.speaker.restartFinished();
    a.speaker.reset(P, undefined);
    clock.advanceSeconds(20);
    expect(b.rib.facts.get(P)?.forwardingPreserved).toEqual([]);
  });
});

describe("slow peers", () => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);

  it("one that does not read falls behind alone", async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork(clock);
    const a = new TestSpeaker(A, network, clock, { maxBacklog: 200_000 });
    const b = new TestSpeaker(B, network, clock);
    const c = new TestSpeaker("10.0.0.3", network, clock);
    await a.start({ to: B }, { to: "10.0.0.3", id: 2 as PeerId });
    await b.start({ to: A });
    await c.start({ to: A });
    clock.advanceSeconds(10);
    network.stall(b.address);
    for (let i = 0; i < 40; i++) {
      a.announce(many(4000));
      clock.advance(100);
    }
    expect(a.lagging).toEqual([1]);
    expect(c.rib.lines.filter((l) => l.startsWith("1 +"))).toHaveLength(160_000);
    expect(a.outbox.slowest).toBe(a.outbox.position);
  });

  it("one that never reads is given up after eight minutes, whatever it sends (RFC 9687)", async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork(clock);
    const a = new TestSpeaker(A, network, clock);
    await a.start({ to: B, passive: true });
    const raw = new ScriptedPeer();
    const host = { address: address(B), transport: network.host(address(B)) };
    raw.dial(host.transport, a.address);
    clock.advance(5);
    raw.sendOpen();
    raw.sendKeepalive();
    clock.advanceSeconds(1);
    expect(a.state()).toBe("Established");
    network.stall(host.address);
    a.announce(many(30_000));
    const seconds = (n: number) => {
      for (let i = 0; i < n; i += 10) {
        raw.sendKeepalive();
        clock.advanceSeconds(10);
      }
    };
    seconds(470);
    expect(a.state()).toBe("Established");
    seconds(40);
    expect(a.state()).not.toBe("Established");
    expect(a.lastError()).toBe("the peer takes nothing of what is sent (sent send hold timer expired)");
  });
});
