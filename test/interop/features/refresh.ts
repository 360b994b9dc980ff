/** Route refresh (RFC 2918) and enhanced route refresh (RFC 7313), asked for by either side. */

import { expect } from "vitest";
import type { PeerDaemon } from "../../harness/daemons/catalogue.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { makePair, need, type Pair, pathsOf, routeFrom } from "./pair.ts";

async function counts(pair: Pair) {
  const { received, sent } = (await pair.view()).messages;
  const both = (messages: typeof received) => ({
    updates: messages["update"] ?? 0,
    refreshes: messages["routeRefresh"] ?? 0,
  });
  return { received: both(received), sent: both(sent) };
}

async function refreshPair(daemon: PeerDaemon, name: string, context: Parameters<Feature["test"]>[1]) {
  const pair = await makePair(daemon, name, context, {
    // Without it FRR takes the request for one that came before its End-of-RIB, which it never sends, and is silent.
    session: { gracefulRestart: 60 },
    starling: { routes: [{ prefix: "192.0.2.0/24" }] },
    other: { routes: [{ prefix: "203.0.113.0/24" }] },
  });
  await pair.establish();
  await routeFrom(pair.starling, "203.0.113.0/24", pair.there);
  await routeFrom(pair.other, "192.0.2.0/24", pair.here);
  const enhanced = (await pair.view()).negotiated?.enhancedRouteRefresh === true;
  // BoRR and EoRR around what is sent again.
  return { pair, marks: enhanced ? 2 : 0 };
}

const starlingAsks: Feature = {
  name: "route refresh, starling asks",
  unsupported: {
    openbgpd: "it takes the family of the request for one that was not negotiated, BIRD's requests too",
    exabgp: "its session breaks off when it sends routes again to a peer with enhanced route refresh (a TypeError)",
  },
  differs: {
    frr: "ignores the request of a peer that knows enhanced route refresh but does not offer graceful restart",
  },
  async test(daemon, context) {
    const made = await refreshPair(daemon, "asks", context);
    await using pair = made.pair;
    const before = await counts(pair);
    await pair.starling.command("peer", pair.there, "refresh-in");
    await waitFor(
      async () => {
        const { received } = await counts(pair);
        return (
          received.updates > before.received.updates && received.refreshes === before.received.refreshes + made.marks
        );
      },
      { what: `${daemon} to send its routes again` },
    );
    const after = await counts(pair);
    expect(after.sent.refreshes).toBe(before.sent.refreshes + 1);
    expect(after.sent.updates).toBe(before.sent.updates);
    expect(await pathsOf(pair.starling, "203.0.113.0/24")).toHaveLength(1);
    expect(await pair.view()).toMatchObject({ state: "Established", transitions: 1 });
  },
};

const otherAsks: Feature = {
  name: "route refresh, starling is asked",
  unsupported: { gobgp: "it keeps all that it received and never asks" },
  async test(daemon, context) {
    const made = await refreshPair(daemon, "asked", context);
    await using pair = made.pair;
    const before = await counts(pair);
    await need(pair.other, "operate")(pair.here, "refreshIn");
    await waitFor(async () => (await counts(pair)).received.refreshes > before.received.refreshes, {
      what: "the request",
    });
    await waitFor(
      async () => {
        const { sent } = await counts(pair);
        return sent.updates > before.sent.updates && sent.refreshes === before.sent.refreshes + made.marks;
      },
      { what: "starling's routes to go out again" },
    );
    expect(await pathsOf(pair.other, "192.0.2.0/24")).toHaveLength(1);
    expect(await pair.view()).toMatchObject({ state: "Established", transitions: 1 });
  },
};

const starlingUnasked: Feature = {
  name: "routes sent again unasked, by starling",
  async test(daemon, context) {
    const made = await refreshPair(daemon, "unasked", context);
    await using pair = made.pair;
    const before = await counts(pair);
    await pair.starling.command("peer", pair.there, "refresh-out");
    await waitFor(async () => (await counts(pair)).sent.updates > before.sent.updates, { what: "starling's routes" });
    expect(await pathsOf(pair.other, "192.0.2.0/24")).toHaveLength(1);
    expect(await pair.view()).toMatchObject({ state: "Established", transitions: 1 });
  },
};

const otherUnasked: Feature = {
  name: "routes sent again unasked, by the other side",
  unsupported: {
    openbgpd: "it has no command for it",
    exabgp: "its session breaks off when it sends routes again to a peer with enhanced route refresh (a TypeError)",
  },
  async test(daemon, context) {
    const made = await refreshPair(daemon, "again", context);
    await using pair = made.pair;
    const before = await counts(pair);
    await need(pair.other, "operate")(pair.here, "refreshOut");
    await waitFor(async () => (await counts(pair)).received.updates > before.received.updates, {
      what: `the routes of ${daemon}`,
    });
    expect(await pathsOf(pair.starling, "203.0.113.0/24")).toHaveLength(1);
    expect(await pair.view()).toMatchObject({ state: "Established", transitions: 1 });
  },
};

export const refreshFeatures: readonly Feature[] = [starlingAsks, otherAsks, starlingUnasked, otherUnasked];
