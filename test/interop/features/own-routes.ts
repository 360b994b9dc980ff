/** What a speaker that is no router shows with routes of its own making: ExaBGP. */

import { expect } from "vitest";
import { Exabgp } from "../../harness/daemons/exabgp.ts";
import { DaemonError, type Speaker } from "../../harness/daemons/speaker.ts";
import { Starling } from "../../harness/daemons/starling.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { here, makePair, pathsOf, routeFrom, starlingAs, there } from "./pair.ts";

function asExabgp(speaker: Speaker): Exabgp {
  if (speaker instanceof Exabgp) return speaker;
  throw new DaemonError("these features are ExaBGP's");
}

const addPath: Feature = {
  name: "add-path (RFC 7911): several paths of its own, each replaced and withdrawn by its identifier",
  async test(daemon, context) {
    const thirdAs = 65003;
    await using pair = await makePair(daemon, "ownpaths", context, {
      session: { addPath: "both" },
      starling: { routes: [{ prefix: "192.0.2.0/24" }] },
      starlingPeers: [{ asNumber: thirdAs, address: "10.1.0.3", localAddress: "10.1.0.1" }],
    });
    const { starling, other } = pair;
    const x = await pair.lab.node("x");
    await pair.lab.link(pair.starlingNode, x, { addresses: [["10.1.0.1/24"], ["10.1.0.3/24"]] });
    const third = new Starling(x, {
      asNumber: thirdAs,
      routerId: "10.1.0.3",
      peers: [{ asNumber: starlingAs, address: "10.1.0.1", localAddress: "10.1.0.3" }],
      routes: [{ prefix: "192.0.2.0/24" }],
    });
    await Promise.all([pair.establish(), third.start()]);

    const exabgp = asExabgp(other);
    const path = (id: number, more = "") =>
      `route 203.0.113.0/24 path-information 0.0.0.${id} next-hop ${there}${more}`;
    const seen = async () =>
      (await pathsOf(starling, "203.0.113.0/24")).map(({ pathId, med }) => `${pathId} ${med}`).sort();
    const becomes = async (...want: string[]) => {
      await waitFor(async () => `${await seen()}` === `${want}`, {
        what: `the paths ${want} instead of ${await seen()}`,
      });
    };
    for (const id of [1, 2, 3]) exabgp.command(`announce ${path(id, ` med ${id}`)}`);
    await becomes("1 1", "2 2", "3 3");
    exabgp.command(`announce ${path(2, " med 20")}`);
    await becomes("1 1", "2 20", "3 3");
    exabgp.command(`withdraw ${path(1)}`);
    await becomes("2 20", "3 3");

    // And the other way: both of starling's, told apart by their identifiers.
    const received = await waitFor(
      async () => {
        const paths = await pathsOf(exabgp, "192.0.2.0/24");
        return paths.length === 2 && paths;
      },
      { what: "both of starling's paths" },
    );
    expect(received.map((one) => one.asPath).sort()).toEqual(["65001", "65001 65003"]);
    expect(new Set(received.map((one) => one.pathId)).size).toBe(2);
    await third.withdraw("192.0.2.0/24");
    await waitFor(async () => (await pathsOf(exabgp, "192.0.2.0/24")).length === 1, { what: "one path to go" });
    expect(await pathsOf(exabgp, "192.0.2.0/24")).toMatchObject([{ asPath: "65001" }]);
  },
};

/** 1500 communities need 6000 octets. */
const many = Array.from({ length: 1500 }, (_, index) => `65010:${index}`);

const extendedMessages: Feature = {
  name: "extended messages (RFC 8654): own routes of more than 4096 octets, both ways",
  async test(daemon, context) {
    const large = (prefix: string) => ({ prefix, communities: many });
    await using pair = await makePair(daemon, "ownlarge", context, {
      session: { extendedMessages: true },
      starling: { routes: [large("192.0.2.0/24")] },
      other: { routes: [large("203.0.113.0/24")] },
    });
    await pair.establish();
    expect((await pair.view()).negotiated?.extendedMessages).toBe(true);
    expect((await routeFrom(pair.starling, "203.0.113.0/24", there)).communities).toEqual(many);
    expect((await routeFrom(pair.other, "192.0.2.0/24", here)).communities).toEqual(many);
  },
};

const wideAs = 4_200_000_001;

const oldSpeaker: Feature = {
  name: "an old speaker (RFC 6793): it is sent AS_TRANS and AS4_PATH, and its own are put together again",
  async test(daemon, context) {
    await using pair = await makePair(daemon, "ownold", context, {
      starling: { asNumber: wideAs, routes: [{ prefix: "192.0.2.0/24" }] },
      // AS_TRANS is what starling's OPEN says to it.
      otherPeer: { asNumber: 23_456, fourOctetAs: false },
    });
    await pair.establish();
    expect((await pair.view()).negotiated?.fourOctetAs).toBe(false);
    // On the wire it is 65002 23456 65010 23456, with the numbers that do not fit in AS4_PATH.
    const asPath = "65002 4200000009 65010 70000";
    asExabgp(pair.other).command(`announce route 198.51.100.0/24 next-hop ${there} as-path [ ${asPath} ]`);
    expect((await routeFrom(pair.starling, "198.51.100.0/24", there)).asPath).toBe(asPath);
    // ExaBGP puts starling's path together itself.
    expect((await routeFrom(pair.other, "192.0.2.0/24", here)).asPath).toBe(`${wideAs}`);
  },
};

export const ownRouteFeatures: readonly Feature[] = [addPath, extendedMessages, oldSpeaker];
