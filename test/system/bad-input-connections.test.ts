/** Connections that are too many: two at once with one peer, ones that say nothing, and those of strangers by the ten thousand. */

import { readdirSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { AttackedDaemon, freePort, memoryOf, ownAs } from "../harness/attacked-daemon.ts";
import { KEEPALIVE, rawOpen } from "../harness/raw-bytes.ts";
import { RawTcpPeer } from "../harness/raw-tcp-peer.ts";
import { waitFor } from "../harness/wait-for.ts";

const peerAddress = "127.6.0.1";

let daemon: AttackedDaemon;

afterEach(async () => {
  await daemon[Symbol.asyncDispose]();
});

function descriptors(): number {
  return readdirSync(`/proc/${daemon.process.pid}/fd`).length;
}

describe("two connections at once, RFC 4271 §6.8", () => {
  /** The peer's own port, where the daemon connects to. */
  class Meeting {
    readonly #server: Server;
    #waiting: ((socket: Socket) => void) | undefined;

    constructor(port: number) {
      this.#server = createServer((socket) => {
        if (this.#waiting === undefined) socket.resetAndDestroy();
        else this.#waiting(socket);
        this.#waiting = undefined;
      });
      this.#server.listen(port, peerAddress);
    }

    /** Resolves with the next connection that the daemon makes; what comes otherwise is turned away. */
    next(): Promise<Socket> {
      return new Promise((resolve) => {
        this.#waiting = resolve;
      });
    }

    close(): void {
      this.#server.close();
    }
  }

  const orders = ["the daemon's first", "the peer's first", "both at the same instant"] as const;
  it.each<[string, string, "daemon" | "peer"]>([
    ["lower", "10.0.0.1", "daemon"],
    ["higher", "10.255.255.255", "peer"],
  ])("20 times with a %s identifier: one stays, and it is the right one", async (_name, routerId, winner) => {
    const port = await freePort();
    const meeting = new Meeting(port);
    const timers = { idleHold: "100ms", connectRetry: "100ms", hold: 9 };
    const peer = { name: "twice", address: peerAddress, port, asNumber: ownAs, localAddress: "127.0.0.1", timers };
    daemon = await AttackedDaemon.start("collision", { peers: [peer] });
    try {
      for (let round = 0; round < 20; round++) {
        const options = { port: daemon.port, localAddress: peerAddress, asNumber: ownAs, routerId };
        const theirs = new RawTcpPeer(options, await meeting.next());
        const ours = await RawTcpPeer.connect(options);
        const order = orders[round % 3];
        const [first, second] = order === "the peer's first" ? [ours, theirs] : [theirs, ours];
        first.sendOpen();
        if (order !== "both at the same instant") await sleep(20);
        second.sendOpen();
        const [kept, lost] = winner === "peer" ? [ours, theirs] : [theirs, ours];
        await lost.ended();
        expect(lost.notification, order).toMatchObject({ code: 6, subcode: 7 });
        kept.send(KEEPALIVE, KEEPALIVE);
        await waitFor(async () => (await daemon.peer("twice")).state === "Established", { what: "the session" });
        expect(kept.end).toBeUndefined();
        // Another one while it stands is turned away, and the session stands on.
        const third = await RawTcpPeer.connect(options);
        third.sendOpen();
        await third.ended();
        expect(third.notification).toMatchObject({ code: 6, subcode: 7 });
        expect((await daemon.peer("twice")).transitions).toBe(round + 1);
        kept.reset();
      }
      console.log(await daemon.expectUnharmed(32));
    } finally {
      meeting.close();
    }
  });
});

describe("BGP Identifiers", () => {
  it("our own from an internal peer is refused; the same from two peers is their business", async () => {
    const peers = ["127.6.0.1", "127.6.0.2"].map((address) => ({
      name: address,
      address,
      asNumber: ownAs,
      passive: true,
    }));
    daemon = await AttackedDaemon.start("identifiers", { peers });
    const of = (localAddress: string) => ({ port: daemon.port, localAddress, asNumber: ownAs });
    const mirror = await RawTcpPeer.connect({ ...of("127.6.0.1"), routerId: "10.255.0.1" });
    mirror.sendOpen();
    await mirror.ended();
    expect(mirror.notification).toMatchObject({ code: 2, subcode: 3 });
    expect((await daemon.peer("127.6.0.1")).lastError).toContain("the peer has our own BGP Identifier 10.255.0.1");
    const one = await RawTcpPeer.establish({ ...of("127.6.0.1"), routerId: "10.9.9.9" });
    const two = await RawTcpPeer.establish({ ...of("127.6.0.2"), routerId: "10.9.9.9" });
    await expect.poll(async () => (await daemon.summary()).peers.established).toBe(3);
    expect([one.end, two.end]).toEqual([undefined, undefined]);
    console.log(await daemon.expectUnharmed(16));
  });
});

describe("connections that say nothing", () => {
  it("of a configured peer: there is never more than one, and it does not keep the peer out", async () => {
    const peer = { name: "silent", address: peerAddress, asNumber: ownAs, passive: true };
    daemon = await AttackedDaemon.start("silent", { peers: [peer] });
    const before = descriptors();
    const silent: RawTcpPeer[] = [];
    for (let i = 0; i < 500; i++)
      silent.push(await RawTcpPeer.connect({ port: daemon.port, localAddress: peerAddress, asNumber: ownAs }));
    await waitFor(() => silent.filter((each) => each.end === undefined).length <= 1, {
      what: "all but one to be closed",
    });
    for (const each of silent.slice(0, -1)) expect(each.notification).toMatchObject({ code: 6, subcode: 7 });
    await expect.poll(descriptors).toBeLessThan(before + 5);
    const honest = await RawTcpPeer.connect({ port: daemon.port, localAddress: peerAddress, asNumber: ownAs });
    expect(await honest.open()).toBe(true);
    console.log(await daemon.expectUnharmed(32));
  });

  it("from a range: as many as the limit says, and no other peer is kept out", async () => {
    const limit = 200;
    const range = { name: "range", range: "127.7.0.0/16", rangeLimit: limit, asNumber: "external" };
    const peer = { name: "known", address: peerAddress, asNumber: ownAs, passive: true };
    daemon = await AttackedDaemon.start("range", { peers: [range, peer] });
    const before = descriptors();
    const { configured } = (await daemon.summary()).peers;
    const silent = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => {
        const localAddress = `127.7.${i >> 8}.${i & 0xff || 255}`;
        // One that is turned away may learn of it before it knows that it was connected.
        return RawTcpPeer.connect({ port: daemon.port, localAddress, asNumber: 65001 }).catch(() => undefined);
      }),
    );
    const standing = () => silent.filter((each) => each !== undefined && !each.hasEnded).length;
    await waitFor(() => standing() === limit, { what: "the rest to be refused" });
    expect(descriptors()).toBeLessThan(before + limit + 5);
    expect((await daemon.summary()).peers.configured).toBe(configured + limit);
    const refusals = daemon.log().filter((line) => line.msg === "connection refused");
    expect(refusals[0]?.reason).toBe("the range has as many peers as it may have");
    expect(refusals.length).toBeLessThan(5);
    const known = await RawTcpPeer.connect({ port: daemon.port, localAddress: peerAddress, asNumber: ownAs });
    expect(await known.open()).toBe(true);
    console.log(await daemon.expectUnharmed(48));
    for (const each of silent) each?.reset();
    await expect.poll(async () => (await daemon.summary()).peers.configured, { timeout: 10_000 }).toBe(configured);
  });
});

describe("100,000 connections", () => {
  const ATTEMPTS = 100_000;
  const AT_ONCE = 200;

  /** Connects again and again, from addresses of this /16; resolves with how often it was let in and never turned away. */
  async function storm(block: string, greeting: Buffer | undefined): Promise<number> {
    let stayed = 0;
    let started = 0;
    const attempt = (number: number) =>
      new Promise<void>((resolve) => {
        const localAddress = `127.${block}.${(number >> 8) & 0xff}.${number & 0xff || 255}`;
        const socket = connect({ port: daemon.port, host: "127.0.0.1", localAddress });
        const patience = setTimeout(() => {
          stayed++;
          socket.resetAndDestroy();
        }, 5000);
        if (greeting !== undefined) socket.write(greeting);
        socket.on("data", () => undefined);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          clearTimeout(patience);
          resolve();
        });
      });
    const lane = async () => {
      while (started < ATTEMPTS) await attempt(started++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    return stayed;
  }

  it.each<[string, string, object[], Buffer | undefined]>([
    ["of strangers that say nothing", "8", [], undefined],
    ["of strangers with an OPEN", "8", [], rawOpen({ asNumber: 65001, routerId: "1.1.1.1" })],
    [
      "from a range beyond its limit",
      "9",
      [{ name: "range", range: "127.9.0.0/16", rangeLimit: 1, asNumber: "external" }],
      undefined,
    ],
  ])("%s: a configured peer still gets in, and nothing is left of them", async (_name, block, ranges, greeting) => {
    const peer = { name: "known", address: peerAddress, asNumber: ownAs, passive: true };
    daemon = await AttackedDaemon.start("storm", { peers: [...ranges, peer] });
    const before = descriptors();
    const attackStarted = performance.now();
    let peak = 0;
    const sampler = setInterval(() => {
      peak = Math.max(peak, memoryOf(daemon.process.pid));
    }, 100);
    const attack = storm(block, greeting);
    const entries: number[] = [];
    let over = false;
    const knocking = (async () => {
      while (!over) {
        const knocked = performance.now();
        const known = await RawTcpPeer.connect({ port: daemon.port, localAddress: peerAddress, asNumber: ownAs });
        expect(await known.open()).toBe(true);
        entries.push(performance.now() - knocked);
        known.send(KEEPALIVE);
        known.close();
        await sleep(1500);
      }
    })();
    const stayed = await attack;
    over = true;
    await knocking;
    clearInterval(sampler);
    const seconds = (performance.now() - attackStarted) / 1000;
    expect(stayed).toBeLessThanOrEqual(ranges.length * AT_ONCE);
    expect(entries.length).toBeGreaterThan(1);
    expect(Math.max(...entries)).toBeLessThan(5000);
    await expect.poll(descriptors).toBeLessThan(before + 5);
    const strangers = daemon.log().filter(({ msg }) => msg.includes("stranger") || msg === "connection refused");
    expect(strangers.length).toBeGreaterThan(0);
    expect(daemon.log().length).toBeLessThan(100 + 10 * entries.length);
    console.log(
      `${ATTEMPTS} attempts in ${seconds.toFixed(1)} s, memory at most ${peak.toFixed(0)} MiB; ${entries.length} sessions meanwhile, the slowest after ${Math.max(...entries).toFixed(0)} ms; ${daemon.log().length} log lines; ${await daemon.expectUnharmed(96)}`,
    );
  });
});
