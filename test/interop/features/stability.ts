/** Sessions that stay, and that end when they should: collision, short hold times, links that fail. */

import { expect, type TestContext } from "vitest";
import { makeDaemon, type PeerDaemon } from "../../harness/daemons/catalogue.ts";
import type { SessionAction, Speaker } from "../../harness/daemons/speaker.ts";
import { Starling } from "../../harness/daemons/starling.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import type { LabNode } from "../../harness/lab-node.ts";
import { Lab } from "../../harness/netns.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { makePair, need, otherAs, pathsOf, routeFrom, starlingAs, there } from "./pair.ts";

const pairs = 5;
const rounds = 2;
const ends = Array.from({ length: pairs }, (_, index) => [`10.0.${index}.1`, `10.0.${index}.2`] as const);

/** Of the other daemon: higher than starling's, and lower. */
const identifiers = ["10.0.0.2", "9.0.0.2"] as const;

/** Starling and the other daemon with many sessions between them, each over a switch that can be told to let nothing through. */
async function collisionLab(daemon: PeerDaemon, routerId: string, context: TestContext) {
  const lab = await Lab.create(`collision${routerId}-${daemon}`, context);
  const [s, d, home] = await lab.nodes("s", "d", "switches");
  const gates: string[] = [];
  for (const [index, [address, peer]] of ends.entries()) {
    const name = `switch${index}`;
    await home.ip("link", "add", name, "type", "bridge");
    await home.ip("link", "set", name, "up");
    const [gate] = await lab.link(home, s, { addresses: [[], [`${address}/24`]] });
    const [port] = await lab.link(home, d, { addresses: [[], [`${peer}/24`]] });
    for (const member of [gate, port]) await home.ip("link", "set", "dev", member, "master", name);
    gates.push(gate);
  }
  const timers = { connectRetry: "2s", idleHold: "1s" };
  const starling = new Starling(
    s,
    {
      asNumber: starlingAs,
      routerId: "10.0.0.1",
      peers: ends.map(([localAddress, address]) => ({ localAddress, address, asNumber: otherAs })),
      routes: [{ prefix: "198.51.100.0/24" }],
    },
    { peers: Object.fromEntries(ends.map(([, address]) => [address, { timers }])) },
  );
  const other = makeDaemon(daemon, d, {
    asNumber: otherAs,
    routerId,
    peers: ends.map(([address, localAddress]) => ({ localAddress, address, asNumber: starlingAs })),
    routes: [{ prefix: "192.0.2.0/24" }],
  });
  const pass = (gate: string, state: "forwarding" | "disabled") =>
    home.exec(["bridge", "link", "set", "dev", gate, "state", { disabled: "0", forwarding: "3" }[state]]);
  return { lab, s, d, starling, other, gates, pass };
}

const connections = async (node: LabNode, state: string) =>
  (await node.exec(["ss", "-Htn", "state", state, "( sport = :179 or dport = :179 )"])).split("\n").filter(Boolean);

/** What came is still in the socket: the first column of `ss`. */
const isUnread = (line: string) => Number.parseInt(line, 10) > 0;

async function operateAll(speaker: Speaker, side: 0 | 1, action: SessionAction): Promise<void> {
  const operate = need(speaker, "operate");
  for (const end of ends) await operate(end[side], action);
}

const collision: Feature = {
  name: `collision: both connect at the same moment, ${pairs * rounds * identifiers.length} times, and one session comes of it each time`,
  differs: {
    frr: "now and then closes both connections, and the session comes up a second later",
    gobgp:
      "dials for a second only, so that not all connections meet; and now and then keeps its own open beside the session, where it neither reads nor writes",
  },
  timeout: 120_000,
  async test(daemon, context) {
    await Promise.all(identifiers.map((routerId) => collide(daemon, routerId, context)));
  },
};

async function collide(daemon: PeerDaemon, routerId: string, context: TestContext): Promise<void> {
  const { lab, s, d, starling, other, gates, pass } = await collisionLab(daemon, routerId, context);
  await using _lab = lab;
  for (const gate of gates) await pass(gate, "disabled");
  await Promise.all([starling.start(), other.start()]);
  for (let round = 1; round <= rounds; round++) {
    // Each side's first segment waits for the other's hardware address; when one is learnt, both set out.
    const closed = new Map(gates.map((gate, index) => [gate, ends[index] ?? ["", ""]]));
    await waitFor(
      async () => {
        const [ours = [], theirs = []] = await Promise.all([s, d].map((node) => connections(node, "syn-sent")));
        const isDialled = (list: readonly string[], address: string) =>
          list.some((line) => line.includes(` ${address}:179`));
        for (const [gate, [address, peer]] of closed) {
          if (!isDialled(ours, peer) || !isDialled(theirs, address)) continue;
          closed.delete(gate);
          await pass(gate, "forwarding");
        }
        return closed.size === 0;
      },
      { what: "all to be connecting", timeout: 60_000, interval: 10 },
    );
    const isUp = async () =>
      (await starling.sessions()).every((session) => session.established) &&
      (await other.sessions()).every((session) => session.established);
    await waitFor(isUp, { what: `all sessions of round ${round}`, timeout: 40_000 });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(await isUp()).toBe(true);
    // One connection for each pair, at either end, and no session that came and went.
    const forgotten = daemon === "gobgp" ? (await connections(d, "established")).filter(isUnread).length : 0;
    for (const node of [s, d]) expect(await connections(node, "established")).toHaveLength(pairs + forgotten);
    expect((await starling.peers()).map((peer) => peer.transitions)).toEqual(
      ends.map(([address]) => round + fumbles(other, address)),
    );
    await waitFor(async () => (await pathsOf(starling, "192.0.2.0/24")).length === pairs, { what: "all routes" });
    await waitFor(async () => (await pathsOf(other, "198.51.100.0/24")).length === pairs, {
      what: "all routes there",
    });
    if (round === rounds) break;
    await operateAll(starling, 1, "disable");
    await operateAll(other, 0, "disable");
    for (const gate of gates) await pass(gate, "disabled");
    for (const node of [s, d]) await node.ip("neighbor", "flush", "all");
    await Promise.all([operateAll(starling, 1, "enable"), operateAll(other, 0, "enable")]);
  }
  // Two OPENs for one session: both connections stood.
  const opens = (await starling.peers()).map((peer) => peer.messages.sent["open"] ?? 0);
  const collisions = opens.reduce((sum, count) => sum + count, 0) - pairs * rounds;
  expect(collisions).toBeGreaterThan(daemon === "gobgp" ? 0 : (pairs * rounds) / 2);
}

/**
 * FRR 8.4 moves a connection from one of its peers to another when a collision is over, and sometimes takes the OPEN of the one that it
 * closed for a message of the one that it kept: it then closes that too, with words that it uses for nothing else here.
 */
function fumbles(other: Speaker, address: string): number {
  if (other.daemon !== "frr") return 0;
  const lines = other.process.output().split("\n");
  return lines.filter((line) => line.includes(`${address}(`) && line.includes("Down No AFI/SAFI activated")).length;
}

const churnSeconds = 30;

const shortHoldTime: Feature = {
  name: `hold time 3 s: stable for ${churnSeconds} s while routes come and go`,
  timeout: 120_000,
  async test(daemon, context) {
    const routes = Array.from({ length: 1000 }, (_, index) => ({
      prefix: `10.${100 + (index >> 8)}.${index & 255}.0/24`,
    }));
    await using pair = await makePair(daemon, "hold3", context, {
      session: { holdTime: 3 },
      starling: { routes },
      other: { routes: routes.map(({ prefix }) => ({ prefix: prefix.replace("10.", "11.") })) },
    });
    await pair.establish();
    expect((await pair.view()).negotiated).toMatchObject({ holdTime: 3, keepaliveTime: 1 });
    const counted = { prefix: "10.100.0.0/24" };
    const end = performance.now() + churnSeconds * 1000;
    const before = (await pair.view()).messages;
    for (let turn = 0; performance.now() < end; turn++) {
      const late = { prefix: `203.0.${turn % 200}.0/24` };
      await pair.other.announce(late);
      await routeFrom(pair.starling, late.prefix, there);
      // Asked for its routes, ExaBGP breaks off (a TypeError).
      if (daemon !== "exabgp") await pair.starling.operate(there, "refreshIn");
      await pair.starling.operate(there, "refreshOut");
      await pair.other.withdraw(late.prefix);
      expect((await pair.view()).state).toBe("Established");
    }
    expect(await pair.view()).toMatchObject({ state: "Established", transitions: 1 });
    expect((await pair.other.sessions())[0]?.established).toBe(true);
    const after = (await pair.view()).messages;
    for (const direction of ["received", "sent"] as const) {
      expect(after[direction]["keepalive"] ?? 0).toBeGreaterThan(
        (before[direction]["keepalive"] ?? 0) + churnSeconds / 2,
      );
    }
    expect((await pathsOf(pair.other, counted.prefix)).length).toBe(1);
    await waitFor(async () => (await pair.view()).families["ipv4"]?.accepted === routes.length, {
      what: "the last one to go",
    });
  },
};

const linkLoss: Feature = {
  name: "a link that fails ends the session and takes its routes out of the kernel, and both come back with it",
  async test(daemon, context) {
    await using pair = await makePair(daemon, "linkloss", context, {
      session: { holdTime: 9 },
      starling: { kernel: true, routes: [{ prefix: "198.51.100.0/24" }] },
      other: { routes: [{ prefix: "192.0.2.0/24" }] },
    });
    await pair.establish();
    const inKernel = async () =>
      (await pair.starlingNode.routes("ipv4")).some(
        (route) => route.dst === "192.0.2.0/24" && !route.flags.includes("linkdown"),
      );
    await waitFor(inKernel, { what: "the route in the kernel" });
    await pair.otherNode.setLink(pair.interfaces[1], "down");
    await waitFor(async () => !(await inKernel()), { what: "the route to be out of use", timeout: 1000 });
    const ended = await waitFor(
      async () => {
        const view = await pair.view();
        return view.state !== "Established" && view;
      },
      { what: "the session to end, long before its hold time", timeout: 2000 },
    );
    expect(ended.lastError).toMatch(/the link d is down/);
    await waitFor(async () => (await pair.other.sessions()).every((session) => !session.established), {
      what: `${daemon} to notice`,
      timeout: 20_000,
    });
    await pair.otherNode.setLink(pair.interfaces[1], "up");
    await pair.established();
    await waitFor(inKernel, { what: "the route in the kernel again" });
    await routeFrom(pair.starling, "192.0.2.0/24", there);
  },
};

export const stabilityFeatures: readonly Feature[] = [collision, shortHoldTime, linkLoss];
