import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { PeerId } from "../../src/bgp/model/ids.ts";
import { address } from "../harness/peer-options.ts";
import { SocketSpeaker } from "../harness/socket-speaker.ts";
import { waitFor } from "../harness/wait-for.ts";

const A = "127.0.0.1";
const B = "127.0.0.2";
const C = "127.0.0.3";
const PORT = 17_900 + (process.pid % 1000);
/** Long enough for a SYN to be repeated once. */
const REFUSED = 2500;
const TAKEN_UP = 5500;

const running: SocketSpeaker[] = [];

async function speaker(
  at: string,
  ...peers: ((s: SocketSpeaker) => Parameters<SocketSpeaker["speaker"]["addPeer"]>[0])[]
) {
  const made = new SocketSpeaker(at, PORT);
  running.push(made);
  for (const peer of peers) made.speaker.addPeer(peer(made));
  expect((await made.speaker.start()).failures).toEqual([]);
  return made;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((s) => s.speaker.stop({ cease: false })));
});

describe("TCP MD5, RFC 2385", () => {
  it.each<[string, string | undefined, string | undefined, boolean]>([
    ["the same key", "secret", "secret", true],
    ["different keys", "secret", "other", false],
    ["a key on one side", "secret", undefined, false],
    ["none", undefined, undefined, true],
  ])("%s", async (_name, left, right, expected) => {
    const a = await speaker(A, (s) => s.options(B, { password: left }));
    await speaker(B, (s) => s.options(A, { password: right }));
    expect(await a.establishes(expected ? 5000 : REFUSED)).toBe(expected);
  });

  it.each(["active", "passive"])("one side %s", async (side) => {
    const a = await speaker(A, (s) => s.options(B, { password: "secret", passive: side === "passive" }));
    await speaker(B, (s) => s.options(A, { password: "secret", passive: side === "active" }));
    expect(await a.establishes(5000)).toBe(true);
  });

  it("a changed key takes effect at once, and for that peer alone", async () => {
    const a = await speaker(
      A,
      (s) => s.options(B, { password: "old" }),
      (s) => s.options(C, { id: 2 as PeerId, password: "mine" }),
    );
    const b = await speaker(B, (s) => s.options(A, { password: "old" }));
    const c = await speaker(C, (s) => s.options(A, { password: "mine" }));
    expect([await a.establishes(5000), await a.establishes(5000, 2)]).toEqual([true, true]);
    // Nothing tells but a restart: whoever begins anew must have the new key.
    for (const [left, right] of [
      ["new", "old"],
      ["new", "new"],
      [undefined, "new"],
      [undefined, undefined],
    ] as const) {
      a.speaker.updatePeer(a.options(B, { password: left, enabled: false }));
      b.speaker.updatePeer(b.options(A, { password: right, enabled: false }));
      await a.leaves();
      a.speaker.updatePeer(a.options(B, { password: left }));
      b.speaker.updatePeer(b.options(A, { password: right }));
      expect(await a.establishes(left === right ? 8000 : REFUSED)).toBe(left === right);
    }
    expect(c.rib.lines).toEqual(["up 1"]);
  });

  it.each<[string, string | undefined, string | undefined]>([
    ["changes", "old", "new"],
    ["comes", undefined, "new"],
    ["goes", "old", undefined],
  ])("a key that %s does not end the session, whichever side is first", async (_what, before, after) => {
    const a = await speaker(A, (s) => s.options(B, { password: before }));
    const b = await speaker(B, (s) => s.options(A, { password: before }));
    expect([await a.establishes(5000), await b.establishes(5000)]).toEqual([true, true]);
    for (const [first, second, password] of [
      ["a", "b", after],
      ["b", "a", before],
    ] as const) {
      const change = {
        a: () => a.speaker.updatePeer(a.options(B, { password })),
        b: () => b.speaker.updatePeer(b.options(A, { password })),
      };
      expect(change[first]()).toEqual({ kind: "unchanged" });
      await sleep(500);
      expect(change[second]()).toEqual({ kind: "unchanged" });
      const heard = b.rib.lines.length;
      a.speaker.requestRefresh(1 as PeerId);
      await waitFor(() => b.rib.lines.length > heard, { what: "the refresh to arrive" });
      // Longer than a side waits for the other.
      await sleep(TAKEN_UP);
      expect([a.state(), b.state()]).toEqual(["Established", "Established"]);
    }
    expect([a, b].map((s) => s.rib.lines.filter((line) => /^(up|down)/.test(line)))).toEqual([["up 1"], ["up 1"]]);
  });

  it("a peer that takes up the new key later is waited for, and heard with the old one meanwhile", async () => {
    const a = await speaker(A, (s) => s.options(B, { password: "old" }));
    const b = await speaker(B, (s) => s.options(A, { password: "old" }));
    expect([await a.establishes(5000), await b.establishes(5000)]).toEqual([true, true]);
    a.speaker.updatePeer(a.options(B, { password: "new" }));
    // It tries several times, and goes on with the old key in between: routes are heard.
    expect(await a.leaves(9000)).toBe(false);
    b.speaker.requestRefresh(1 as PeerId);
    await waitFor(() => a.rib.lines.some((line) => line.includes("refresh")), { what: "the refresh to arrive" });
    expect(await a.leaves(3000)).toBe(false);
    b.speaker.updatePeer(b.options(A, { password: "new" }));
    a.speaker.requestRefresh(1 as PeerId);
    await waitFor(() => b.rib.lines.some((line) => line.includes("refresh")), { what: "the refresh to arrive" });
    expect([a, b].map((s) => s.rib.lines.filter((line) => /^(up|down)/.test(line)))).toEqual([["up 1"], ["up 1"]]);
  });

  it.each([
    ["that waits to be connected to, and restarts gracefully", true, { timeSeconds: 120, longLivedSeconds: 0 }],
    ["that waits to be connected to", true, undefined],
    ["that connects", false, undefined],
  ])("a peer %s and begins anew for the new key is met again by it", async (_what, isWaiting, gracefulRestart) => {
    const a = await speaker(A, (s) => s.options(B, { password: "old", passive: !isWaiting, gracefulRestart }));
    const b = await speaker(B, (s) => s.options(A, { password: "old", passive: isWaiting, gracefulRestart }));
    expect([await a.establishes(5000), await b.establishes(5000)]).toEqual([true, true]);
    a.speaker.updatePeer(a.options(B, { password: "new", passive: !isWaiting, gracefulRestart }));
    // Its last words bear the old key.
    b.speaker.updatePeer(b.options(A, { password: "new", passive: isWaiting, gracefulRestart }), true);
    await waitFor(() => a.rib.lines.filter((line) => line === "up 1").length === 2, {
      what: "another session",
      timeout: 20_000,
    });
    expect([await a.establishes(5000), await b.establishes(5000)]).toEqual([true, true]);
  });

  it("two thousand peers have theirs, more than a socket has room for, and one among them that has none is heard", async () => {
    const a = await speaker(A);
    const at = (i: number) => `127.2.${i >> 8}.${i & 255}`;
    for (let i = 1; i <= 2000; i++) {
      const password = i === 777 ? undefined : "secret";
      a.speaker.addPeer(a.options(at(i), { id: i as PeerId, password, passive: true }));
    }
    await sleep(200);
    const connects = async (i: number, password: string | undefined) => {
      const peer = await speaker(at(i), (s) => s.options(A, { password }));
      return await peer.establishes(REFUSED);
    };
    expect([await connects(5, "secret"), await connects(1999, "secret"), await connects(777, undefined)]).toEqual([
      true,
      true,
      true,
    ]);
    expect([await connects(6, "wrong"), await connects(776, undefined)]).toEqual([false, false]);
    expect(a.log.lines.filter(({ event }) => event.startsWith("cannot set"))).toEqual([]);
  });

  it("a range has one key", async () => {
    const a = new SocketSpeaker(A, PORT);
    running.push(a);
    const remote = { kind: "range", prefix: { ...address("127.0.0.0"), length: 8 }, limit: 5 } as const;
    a.speaker.addPeer(a.options(B, { remote, password: "secret" }));
    await a.speaker.start();
    const b = await speaker(B, (s) => s.options(A, { password: "wrong" }));
    expect(await b.establishes(REFUSED)).toBe(false);
  });
});

describe("GTSM, RFC 5082", () => {
  it.each<[string, number, number | undefined, boolean]>([
    ["255 from one hop away", 255, 1, true],
    ["64 is from too far", 64, 1, false],
    ["64 within 200 hops", 64, 200, true],
    ["no check", 1, undefined, true],
  ])("%s", async (_name, ttl, ttlSecurityHops, expected) => {
    const a = await speaker(A, (s) => s.options(B, { ttl: 255, ttlSecurityHops }));
    const b = await speaker(B, (s) => s.options(A, { ttl }));
    const [atA, atB] = await Promise.all([
      a.establishes(expected ? 5000 : REFUSED),
      b.establishes(expected ? 5000 : REFUSED),
    ]);
    expect([atA, atB]).toEqual([expected, expected]);
  });
});

describe("listening", () => {
  it("says what to do when the port is taken, and connects all the same", async () => {
    await speaker(A);
    const other = new SocketSpeaker(A, PORT);
    running.push(other);
    const { listening, failures } = await other.speaker.start();
    expect(listening).toEqual([]);
    expect(failures.map((f) => [f.code, f.message])).toEqual([
      ["EADDRINUSE", `${A} port ${PORT} is in use by another program: stop that one, or choose another port`],
    ]);
  });

  it("takes IPv4 and IPv6 on one port", async () => {
    const both = new SocketSpeaker("0.0.0.0", PORT);
    running.push(both);
    await both.speaker.start();
    const { failures } = await both.speaker.listen([
      { address: address("0.0.0.0"), port: PORT },
      { address: address("::"), port: PORT },
    ]);
    expect(failures).toEqual([]);
  });

  it("strangers cost nothing that stays", async () => {
    const a = await speaker(A, (s) => s.options(B));
    const knock = () =>
      new Promise<void>((resolve) => {
        const socket = connect({ host: A, port: PORT, localAddress: "127.0.0.77" });
        socket.on("error", () => {});
        socket.on("close", () => resolve());
      });
    const knocks = async (count: number) => {
      for (let i = 0; i < count; i += 50) await Promise.all(Array.from({ length: 50 }, knock));
    };
    await knocks(2000);
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    await knocks(10_000);
    globalThis.gc?.();
    const grown = (process.memoryUsage().rss - before) / 1e6;
    expect(grown).toBeLessThan(40);
    expect(a.log.lines.filter((l) => l.event === "connection from a stranger refused").length).toBeLessThan(5);
    const b = await speaker(B, (s) => s.options(A));
    expect(await b.establishes(5000)).toBe(true);
  });
});

describe("closing", () => {
  it("a NOTIFICATION arrives before the connection is gone", async () => {
    const a = await speaker(A, (s) => s.options(B));
    const b = await speaker(B, (s) => s.options(A));
    expect(await a.establishes(5000)).toBe(true);
    expect(await b.establishes(5000)).toBe(true);
    a.speaker.disable(1 as PeerId, "maintenance");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(b.speaker.peer(1 as PeerId)?.lastError).toBe(
      "received NOTIFICATION: Cease: hard reset: Cease: administrative shutdown: maintenance",
    );
  });
});
