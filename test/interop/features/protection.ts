/** What keeps others out, and too much: TCP MD5 (RFC 2385), GTSM (RFC 5082), maximum prefixes, and the words at the end of a session. */

import { expect } from "vitest";
import { Bird } from "../../harness/daemons/bird.ts";
import { makeDaemon } from "../../harness/daemons/catalogue.ts";
import { Starling } from "../../harness/daemons/starling.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import { Lab } from "../../harness/netns.ts";
import { waitFor } from "../../harness/wait-for.ts";
import {
  establishedWith,
  here,
  isEstablished,
  makePair,
  need,
  otherAs,
  peerView,
  routeFrom,
  starlingAs,
  staysFor,
  there,
} from "./pair.ts";

const password: Feature = {
  name: "TCP MD5: right password; changed live on both sides, which touches that session alone",
  async test(daemon, context) {
    await using pair = await makePair(daemon, "md5", context, {
      session: { password: "first-secret" },
      starling: { routes: [{ prefix: "192.0.2.0/24" }] },
      starlingPeers: [{ address: "10.1.0.3", localAddress: "10.1.0.1", asNumber: 65003 }],
    });
    const { lab, starling, other } = pair;
    const x = await lab.node("x");
    await lab.link(pair.starlingNode, x, { addresses: [["10.1.0.1/24"], ["10.1.0.3/24"]] });
    const bystander = new Bird(x, {
      asNumber: 65003,
      routerId: "10.1.0.3",
      peers: [{ address: "10.1.0.1", localAddress: "10.1.0.3", asNumber: starlingAs }],
    });
    await Promise.all([pair.establish(), bystander.start()]);
    await establishedWith(starling, "10.1.0.3");
    await routeFrom(other, "192.0.2.0/24", here);

    const session = { password: "second-secret" };
    const toOther = { address: there, localAddress: here, asNumber: otherAs, ...session };
    const toBystander = { address: "10.1.0.3", localAddress: "10.1.0.1", asNumber: 65003 };
    const report = await starling.reload({ peers: [toOther, toBystander] });
    expect(report).toMatch(/10\.0\.0\.2/);
    expect(report).not.toMatch(/10\.1\.0\.3/);
    await need(
      other,
      "reconfigure",
    )({
      peers: [{ address: here, localAddress: there, asNumber: starlingAs, ...session }],
    });
    // Other daemons begin anew for another password: then the session is the second one.
    await starling.announce({ prefix: "192.0.3.0/24" });
    await waitFor(async () => (await other.routes("ipv4")).some(({ prefix }) => prefix === "192.0.3.0/24"), {
      what: "a new route, by the new password",
      timeout: 40_000,
    });
    expect((await pair.view()).state).toBe("Established");
    await routeFrom(other, "192.0.2.0/24", here);
    expect(await peerView(starling, "10.1.0.3")).toMatchObject({ transitions: 1, state: "Established" });
  },
};

const wrongPassword: Feature = {
  name: "TCP MD5: wrong or missing password: no session, and `show peers` says what may be wrong",
  async test(daemon, context) {
    await using pair = await makePair(daemon, "badmd5", context, {
      starlingPeer: { password: "right" },
      otherPeer: { password: "wrong" },
      starlingPeers: [{ address: "10.0.1.2", localAddress: "10.0.1.1", asNumber: otherAs, password: "right" }],
      otherPeers: [{ address: "10.0.1.1", localAddress: "10.0.1.2", asNumber: starlingAs }],
    });
    await pair.starlingNode.ip("address", "add", "10.0.1.1/24", "dev", pair.interfaces[0]);
    await pair.otherNode.ip("address", "add", "10.0.1.2/24", "dev", pair.interfaces[1]);
    await pair.start();
    for (const address of [there, "10.0.1.2"]) {
      const { lastError } = await waitFor(
        async () => {
          const view = await peerView(pair.starling, address);
          return view.lastError !== null && /password/.test(view.lastError) && view;
        },
        { what: `a word about the password of ${address}`, timeout: 20_000 },
      );
      expect(lastError).toMatch(/no answer/);
    }
    await staysFor(1000, async () => (await pair.starling.peers()).map((peer) => peer.transitions), [0, 0]);
    expect((await pair.other.sessions()).some((session) => session.established)).toBe(false);
  },
};

const gtsm: Feature = {
  name: "GTSM (RFC 5082): a neighbour is heard, one beyond a router is not",
  async test(daemon, context) {
    await using pair = await makePair(daemon, "gtsm", context, {
      session: { ttlSecurity: 1 },
      starling: { routes: [{ prefix: "192.0.2.0/24" }] },
    });
    await pair.establish();
    await routeFrom(pair.other, "192.0.2.0/24", here);

    // The same, with a router between the two, which takes one off.
    await using lab = await Lab.create(`gtsm-far-${daemon}`, context);
    const [s, router, d] = await lab.nodes("s", "r", "d");
    await lab.link(s, router, { addresses: [["10.1.0.1/24"], ["10.1.0.9/24"]] });
    await lab.link(router, d, { addresses: [["10.2.0.9/24"], ["10.2.0.2/24"]] });
    await s.ip("route", "add", "10.2.0.0/24", "via", "10.1.0.9");
    await d.ip("route", "add", "10.1.0.0/24", "via", "10.2.0.9");
    const session = { ttlSecurity: 1 };
    const starling = new Starling(s, {
      asNumber: starlingAs,
      routerId: "10.1.0.1",
      peers: [{ address: "10.2.0.2", localAddress: "10.1.0.1", asNumber: otherAs, ...session }],
    });
    const make = (hops: number) =>
      makeDaemon(daemon, d, {
        asNumber: otherAs,
        routerId: "10.2.0.2",
        peers: [{ address: "10.1.0.1", localAddress: "10.2.0.2", asNumber: starlingAs, ttlSecurity: hops }],
      });
    // The other would take it; starling must not.
    const other = make(2);
    await Promise.all([starling.start(), other.start()]);
    await staysFor(4000, async () => (await peerView(starling, "10.2.0.2")).transitions, 0);
    expect(await isEstablished(other, "10.1.0.1")).toBe(false);
    // Both allow two hops: the way is fine, the rule alone was in the way.
    await starling.reload({
      peers: [{ address: "10.2.0.2", localAddress: "10.1.0.1", asNumber: otherAs, ttlSecurity: 2 }],
    });
    await establishedWith(starling, "10.2.0.2");
    await establishedWith(other, "10.1.0.1");
  },
};

const shutdownTexts: Feature = {
  name: "shutdown communication (RFC 9003), sent and shown by either side",
  unsupported: {
    exabgp: "it breaks off over a text that it receives (a TypeError), and has no words of its own to send",
  },
  differs: { gobgp: "its text goes with an administrative reset; `disable` loses it" },
  async test(daemon, context) {
    await using pair = await makePair(daemon, "texts", context);
    const { starling, other } = pair;
    await pair.establish();
    await starling.command("peer", there, "disable", "--message", "new cable, back at noon");
    await waitFor(async () => !(await isEstablished(other, here)), { what: "the other side to see it end" });
    expect(await need(other, "lastError")(here)).toMatch(/new cable, back at noon/);
    expect(await pair.view()).toMatchObject({ enabled: false, state: "Idle" });

    await starling.command("peer", there, "enable");
    await pair.established();
    await starling.command("peer", there, "reset", "--message", "one more time");
    if (daemon === "openbgpd") {
      // After a reset it waits for half a minute, unless its operator is impatient.
      await waitFor(async () => !(await isEstablished(other, here)), { what: "the other side to see the reset" });
      await need(other, "operate")(here, "enable");
    }
    await waitFor(async () => (await pair.view()).transitions === 3, { what: "a third session", timeout: 30_000 });
    await pair.established();
    await need(other, "operate")(here, "disable", "tired, good night");
    const { lastError } = await waitFor(
      async () => {
        const view = await pair.view();
        return view.state !== "Established" && view;
      },
      { what: "the session to end" },
    );
    expect(lastError).toMatch(daemon === "gobgp" ? /administrative reset/i : /administrative shutdown/i);
    expect(lastError).toMatch(/tired, good night/);

    // After a reset it waits for half a minute, which nothing changes.
    if (daemon === "gobgp") return;
    await need(other, "operate")(here, "enable");
    await pair.established();
  },
};

const limit = 3;
const actions = ["warn", "discard", "restart", "shutdown"] as const;

const maximumPrefixes: Feature = {
  name: "maximum prefixes: warn, discard, restart, shutdown, as the other side sees it",
  async test(daemon, context) {
    await using lab = await Lab.create(`limits-${daemon}`, context);
    const [s, d] = await lab.nodes("s", "d");
    const ends = actions.map((_, index) => [`10.0.${index}.1`, `10.0.${index}.2`] as const);
    await lab.link(s, d, {
      addresses: [ends.map(([address]) => `${address}/24`), ends.map(([, address]) => `${address}/24`)],
    });
    const starling = new Starling(
      s,
      {
        asNumber: starlingAs,
        routerId: here,
        peers: ends.map(([localAddress, address]) => ({ localAddress, address, asNumber: otherAs })),
      },
      {
        peers: Object.fromEntries(
          ends.map(([, address], index) => {
            const maxPrefixes = { limit, action: actions[index], restartAfter: "3s" };
            return [address, { families: { ipv4: { maxPrefixes } } }];
          }),
        ),
      },
    );
    const other = makeDaemon(daemon, d, {
      asNumber: otherAs,
      routerId: there,
      peers: ends.map(([address, localAddress]) => ({ localAddress, address, asNumber: starlingAs })),
      routes: Array.from({ length: limit }, (_, index) => ({ prefix: `203.0.${index}.0/24` })),
    });
    await Promise.all([starling.start(), other.start()]);
    const views = () => Promise.all(ends.map(([, address]) => peerView(starling, address)));
    await waitFor(async () => (await views()).every((view) => view.families["ipv4"]?.accepted === limit), {
      what: "what is within the limit, from all four",
      timeout: 30_000,
    });

    await other.announce({ prefix: "203.0.100.0/24" });
    await waitFor(async () => (await views())[3]?.state === "Idle" && (await views())[2]?.transitions === 1, {
      what: "the sessions to end that shall",
    });
    const [warn, discard, restart, shutdown] = await views();
    expect(warn).toMatchObject({ state: "Established", transitions: 1 });
    expect(warn?.families["ipv4"]).toMatchObject({ received: limit + 1, accepted: limit + 1, limit });
    expect(discard).toMatchObject({ state: "Established", transitions: 1 });
    expect(discard?.families["ipv4"]).toMatchObject({ accepted: limit, limit });
    for (const view of [restart, shutdown]) {
      expect(view?.state).not.toBe("Established");
      expect(view?.lastError).toMatch(/maximum number of prefixes/i);
    }
    for (const [address] of ends.slice(2)) {
      await waitFor(async () => /max.*prefix/i.test(await need(other, "lastError")(address)), {
        what: `${daemon} to say why ${address} ended it`,
      });
    }

    await other.withdraw("203.0.100.0/24");
    await waitFor(async () => (await views())[2]?.state === "Established", {
      what: "the session that comes again by itself",
      timeout: 20_000,
    });
    expect((await views()).map((view) => [view.state === "Established", view.transitions])).toEqual([
      [true, 1],
      [true, 1],
      [true, 2],
      [false, 1],
    ]);
    await starling.command("peer", "10.0.3.2", "enable");
    await establishedWith(starling, "10.0.3.2");
    await waitFor(async () => (await views()).every((view) => view.families["ipv4"]?.accepted === limit), {
      what: "all to be within their limits again",
    });
  },
};

export const protectionFeatures: readonly Feature[] = [password, wrongPassword, gtsm, shutdownTexts, maximumPrefixes];
