/** Peers that speak BGP and behave badly: they do not read, read or write an octet at a time, flood, and break off in the middle. */

import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AttackedDaemon, ownAs } from "../harness/attacked-daemon.ts";
import {
  KEEPALIVE,
  MessageKind,
  rawAttribute,
  rawAttributes,
  rawOpen,
  rawPrefixes,
  rawRouteRefresh,
  rawTable,
  rawUpdate,
  readUpdate,
} from "../harness/raw-bytes.ts";
import { RawTcpPeer } from "../harness/raw-tcp-peer.ts";
import { waitFor } from "../harness/wait-for.ts";

const MIB = 1024 * 1024;
const addresses = { feeder: "127.5.0.1", reader: "127.5.0.2", first: "127.5.0.3", second: "127.5.0.4" };
const TEN = 0x0a000000;
const attributes = rawAttributes("192.0.2.1", [], 100);

let daemon: AttackedDaemon;

beforeEach(async () => {
  const common = { asNumber: ownAs, passive: true, routeReflectorClient: true, timers: { idleHold: "100ms" } };
  const peers = Object.entries(addresses).map(([name, address]) => ({ name, address, ...common }));
  daemon = await AttackedDaemon.start("peers", { peers });
});

afterEach(async () => {
  await daemon[Symbol.asyncDispose]();
});

async function establish(name: keyof typeof addresses): Promise<RawTcpPeer> {
  const peer = await RawTcpPeer.establish({ port: daemon.port, localAddress: addresses[name], asNumber: ownAs });
  // A second KEEPALIVE says that the session is stable; it may end without being damped (RFC 4271 §8.1.1).
  peer.send(KEEPALIVE);
  peer.keepAlive();
  return peer;
}

/** Counts the routes that the peer has been told and that were not withdrawn since. */
function countRoutes(peer: RawTcpPeer): Set<string> {
  const known = new Set<string>();
  peer.onUpdate = (body) => {
    const { announced, withdrawn } = readUpdate(body);
    for (const prefix of withdrawn) known.delete(prefix);
    for (const prefix of announced) known.add(prefix);
  };
  return known;
}

/** Routes that no two share attributes, each some 300 octets long: `count` of them are far more than the kernel's buffers take. */
function heavyTable(count: number): Buffer[] {
  const path = Array.from({ length: 60 }, (_, i) => 4_200_000_000 + i);
  const common = rawAttributes("192.0.2.1", path, 100);
  const chunks: Buffer[] = [];
  for (let from = 0; from < count; from += 1000) {
    const updates = Array.from({ length: 1000 }, (_, i) => {
      const community = Buffer.alloc(4);
      community.writeUInt32BE(from + i + 65536);
      const nlri = Buffer.alloc(4);
      nlri.writeUInt32BE(((24 << 24) | ((TEN + ((from + i) << 8)) >>> 8)) >>> 0);
      return rawUpdate(Buffer.concat([common, rawAttribute(0xc0, 8, community)]), nlri);
    });
    chunks.push(Buffer.concat(updates));
  }
  return chunks;
}

describe("peers that do not take what they are sent", () => {
  it("100,000 routes for two that read nothing, or an octet at a time: the others get theirs, and memory is bounded", async () => {
    const COUNT = 100_000;
    const stuck = await establish("first");
    stuck.stopReading();
    const slow = await establish("second");
    slow.stopReading();
    const sipping = setInterval(() => slow.socket.read(1), 5);
    const reader = await establish("reader");
    const known = countRoutes(reader);
    const feeder = await establish("feeder");
    const started = performance.now();
    for (const chunk of heavyTable(COUNT)) {
      feeder.send(chunk);
      if (feeder.socket.writableLength > 4 * MIB) await feeder.flushed();
    }
    await waitFor(() => known.size >= COUNT, { what: "the reader to have all routes", timeout: 60_000 });
    const seconds = (performance.now() - started) / 1000;
    console.log(`${COUNT} routes of 300 octets to a reader beside two that do not read: ${seconds.toFixed(1)} s`);
    // The routes themselves, their attributes, and what the update group may hold back for those that are behind.
    console.log(await daemon.expectUnharmed(320));
    expect((await daemon.peer("first")).state).toBe("Established");
    clearInterval(sipping);
    // One that comes to its senses is brought up to date from the table, with what changed meanwhile.
    feeder.send(rawTable(1000, TEN, undefined));
    const late = countRoutes(stuck);
    stuck.socket.resume();
    await waitFor(() => late.size === COUNT - 1000 + 6, { what: "the stuck peer to catch up", timeout: 60_000 });
    expect(stuck.notification).toBeUndefined();
  });

  it("an octet at a time is as good as all at once", async () => {
    const peer = await RawTcpPeer.connect({ port: daemon.port, localAddress: addresses.first, asNumber: ownAs });
    const open = rawOpen({ asNumber: ownAs, routerId: addresses.first });
    await peer.trickle(
      Buffer.concat([open, KEEPALIVE, rawUpdate(attributes, rawPrefixes("203.0.113.0/24")), KEEPALIVE]),
    );
    await expect.poll(async () => (await daemon.peer("first")).families["ipv4"]?.accepted).toBe(1);
    console.log(await daemon.expectUnharmed(32));
  });
});

describe("floods", () => {
  it("200,000 routes, announced and withdrawn again and again", async () => {
    const peer = await establish("first");
    const up = rawTable(200_000, TEN, attributes);
    const down = rawTable(200_000, TEN, undefined);
    const started = performance.now();
    for (let i = 0; i < 5; i++) {
      peer.send(up, down);
      await peer.flushed();
    }
    peer.send(up);
    await waitFor(async () => (await daemon.peer("first")).families["ipv4"]?.accepted === 200_000, {
      what: "the last round to stand",
      timeout: 60_000,
    });
    const seconds = (performance.now() - started) / 1000;
    console.log(`2,200,000 changes in ${seconds.toFixed(1)} s; ${await daemon.expectUnharmed(256)}`);
    peer.reset();
    await expect.poll(async () => (await daemon.summary()).paths.ipv4, { timeout: 20_000 }).toBe(6);
    const ends = daemon.story("first").filter((line) => line.startsWith("Established -> Idle"));
    expect(ends).toEqual([expect.stringMatching(/: the peer (reset|closed) the connection$/)]);
  });

  it.each<[string, Buffer, number]>([
    ["KEEPALIVEs", KEEPALIVE, 1_000_000],
    ["ROUTE-REFRESHes", rawRouteRefresh(), 200_000],
    ["ROUTE-REFRESHes for a family that is not there", rawRouteRefresh(2, 1), 500_000],
    ["UPDATEs without anything", rawUpdate(Buffer.of(), Buffer.of()), 500_000],
    ["broken UPDATEs that RFC 7606 mends", rawUpdate(Buffer.of(0x40, 1, 1, 7), rawPrefixes("203.0.113.0/24")), 300_000],
  ])("%s", async (_name, message, count) => {
    const feeder = await establish("feeder");
    feeder.send(rawTable(20_000, TEN, attributes));
    const peer = await establish("first");
    const started = performance.now();
    const batch = Buffer.concat(Array.from({ length: 1000 }, () => message));
    for (let sent = 0; sent < count; sent += 1000) {
      peer.send(batch);
      if (peer.socket.writableLength > MIB) await peer.flushed();
    }
    const type = ["", "open", "update", "notification", "keepalive", "routeRefresh"][message[18] ?? 0] ?? "";
    const received = async () => (await daemon.peer("first")).messages.received[type] ?? 0;
    await waitFor(async () => (await received()) >= count, { what: "the daemon to have read it all", timeout: 60_000 });
    const seconds = (performance.now() - started) / 1000;
    console.log(`${count} in ${seconds.toFixed(1)} s; ${await daemon.expectUnharmed(128)}`);
    expect(peer.end).toBeUndefined();
    expect(daemon.log().length).toBeLessThan(60);
  });

  it("ROUTE-REFRESHes from one that does not read the answers", async () => {
    const feeder = await establish("feeder");
    feeder.send(rawTable(50_000, TEN, attributes));
    const peer = await establish("first");
    peer.stopReading();
    const batch = Buffer.concat(Array.from({ length: 1000 }, () => rawRouteRefresh()));
    for (let i = 0; i < 100; i++) {
      peer.send(batch);
      await sleep(10);
    }
    console.log(await daemon.expectUnharmed(128));
  });

  it("OPENs: the second ends the session", async () => {
    const open = rawOpen({ asNumber: ownAs, routerId: addresses.first });
    const peer = await RawTcpPeer.connect({ port: daemon.port, localAddress: addresses.first, asNumber: ownAs });
    peer.send(Buffer.concat(Array.from({ length: 100_000 }, () => open)));
    await peer.ended();
    expect(peer.messages.find(({ type }) => type === MessageKind.Notification)?.body.subarray(0, 2)).toEqual(
      Buffer.of(5, 2),
    );
    console.log(await daemon.expectUnharmed(32));
  });
});

describe("connections that break off", () => {
  it("in the middle of a message, with a RST: the routes go, and the peer may come again", async () => {
    const update = rawTable(1000, TEN, attributes);
    for (let i = 0; i < 100; i++) {
      const peer = await establish("first");
      peer.send(update, update.subarray(0, 19 + 40 * i));
      if (i % 2 === 0) await peer.flushed();
      peer.reset();
    }
    const ends = daemon.story("first").filter((line) => line.includes("-> Idle"));
    expect(ends.at(-1)).toMatch(/the peer (reset|closed) the connection$/);
    await expect.poll(async () => (await daemon.summary()).paths.ipv4).toBe(6);
    console.log(await daemon.expectUnharmed(64));
  });
});
