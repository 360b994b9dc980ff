/** Route reflection (RFC 4456) in both roles, and in a ring. */

import { expect } from "vitest";
import { Bird } from "../../harness/daemons/bird.ts";
import type { PeerSpec } from "../../harness/daemons/speaker.ts";
import { Starling } from "../../harness/daemons/starling.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import { waitFor } from "../../harness/wait-for.ts";
import {
  establishedWith,
  gone,
  here,
  makePair,
  pathsOf,
  peerView,
  routeFrom,
  starlingAs,
  staysFor,
  there,
} from "./pair.ts";

const asNumber = starlingAs;
const internal = (address: string, localAddress: string, more: Partial<PeerSpec> = {}): PeerSpec => ({
  address,
  localAddress,
  asNumber,
  ...more,
});

const client = { routeReflectorClient: true };

const reflectsToClients: Feature = {
  name: "starling reflects: clients, non-clients, ORIGINATOR_ID and CLUSTER_LIST",
  async test(daemon, context) {
    await using pair = await makePair(daemon, "reflect", context, {
      internal: true,
      starlingPeer: client,
      starling: { clusterId: "1.1.1.1" },
      starlingPeers: [internal("10.1.0.3", "10.1.0.1", client), internal("10.2.0.4", "10.2.0.1")],
      other: { routes: [{ prefix: "203.0.113.0/24", localPref: 150, med: 5 }] },
    });
    const { lab, other, starlingNode } = pair;
    const [x, n] = await lab.nodes("x", "n");
    await lab.link(starlingNode, x, { addresses: [["10.1.0.1/24"], ["10.1.0.3/24"]] });
    await lab.link(starlingNode, n, { addresses: [["10.2.0.1/24"], ["10.2.0.4/24"]] });
    // Next hops that are reflected unchanged lie behind starling's node.
    await pair.otherNode.ip("route", "add", "10.0.0.0/8", "via", here);
    const birds = [
      new Bird(x, {
        asNumber,
        routerId: "10.1.0.3",
        peers: [internal("10.1.0.1", "10.1.0.3")],
        routes: [{ prefix: "192.0.2.0/24", communities: ["65001:3"] }],
      }),
      new Bird(n, {
        asNumber,
        routerId: "10.2.0.4",
        peers: [internal("10.2.0.1", "10.2.0.4")],
        routes: [{ prefix: "198.51.100.0/24" }],
      }),
    ] as const;
    await Promise.all([pair.establish(), ...birds.map((bird) => bird.start())]);
    const [client2, nonClient] = birds;

    const reflected = { clusterList: ["1.1.1.1"], asPath: "" };
    // From a client to a client and to a non-client.
    const fromOther = { ...reflected, originatorId: there, nextHop: there, localPref: 150, med: 5 };
    expect(await routeFrom(client2, "203.0.113.0/24", "10.1.0.1")).toMatchObject(fromOther);
    expect(await routeFrom(nonClient, "203.0.113.0/24", "10.2.0.1")).toMatchObject(fromOther);
    // To the client under test, from another client and from a non-client.
    expect(await routeFrom(other, "192.0.2.0/24", here)).toMatchObject({
      ...reflected,
      originatorId: "10.1.0.3",
      nextHop: "10.1.0.3",
      communities: ["65001:3"],
      best: true,
    });
    expect(await routeFrom(other, "198.51.100.0/24", here)).toMatchObject({
      ...reflected,
      originatorId: "10.2.0.4",
      nextHop: "10.2.0.4",
    });
    // Nobody is told of his own route.
    expect((await pathsOf(other, "203.0.113.0/24")).filter((path) => path.peer !== undefined)).toEqual([]);
    await other.withdraw("203.0.113.0/24");
    await gone(client2, "203.0.113.0/24");
    await gone(nonClient, "203.0.113.0/24");
  },
};

const reflectsBetweenNonClients: Feature = {
  name: "starling does not reflect between non-clients",
  async test(daemon, context) {
    await using pair = await makePair(daemon, "nonclients", context, {
      internal: true,
      starlingPeers: [internal("10.1.0.3", "10.1.0.1"), internal("10.2.0.4", "10.2.0.1", client)],
      other: { routes: [{ prefix: "203.0.113.0/24" }] },
    });
    const { lab, starlingNode } = pair;
    const [x, y] = await lab.nodes("x", "y");
    await lab.link(starlingNode, x, { addresses: [["10.1.0.1/24"], ["10.1.0.3/24"]] });
    await lab.link(starlingNode, y, { addresses: [["10.2.0.1/24"], ["10.2.0.4/24"]] });
    const nonClient = new Bird(x, {
      asNumber,
      routerId: "10.1.0.3",
      peers: [internal("10.1.0.1", "10.1.0.3")],
      routes: [{ prefix: "192.0.2.0/24" }],
    });
    const clientBird = new Bird(y, { asNumber, routerId: "10.2.0.4", peers: [internal("10.2.0.1", "10.2.0.4")] });
    await Promise.all([pair.establish(), nonClient.start(), clientBird.start()]);
    // The client has both: whatever could go between the non-clients would have gone by then.
    await routeFrom(clientBird, "203.0.113.0/24", "10.2.0.1");
    await routeFrom(clientBird, "192.0.2.0/24", "10.2.0.1");
    await routeFrom(pair.starling, "192.0.2.0/24", "10.1.0.3");
    expect(await pathsOf(pair.other, "192.0.2.0/24")).toEqual([]);
    expect(await pathsOf(nonClient, "203.0.113.0/24")).toEqual([]);
  },
};

const noRouter = { exabgp: "it is no router: what it receives it does not pass on" };

const isReflectedTo: Feature = {
  name: "starling is a client: what was reflected to it, and its own route is not taken back",
  unsupported: noRouter,
  async test(daemon, context) {
    await using pair = await makePair(daemon, "client", context, {
      internal: true,
      otherPeer: client,
      other: { clusterId: "2.2.2.2" },
      otherPeers: [internal("10.1.0.3", "10.1.0.2", client)],
      starling: { routes: [{ prefix: "192.0.2.0/24" }] },
    });
    const { lab, starling, otherNode } = pair;
    const x = await lab.node("x");
    await lab.link(otherNode, x, { addresses: [["10.1.0.2/24"], ["10.1.0.3/24"]] });
    const bird = new Bird(x, {
      asNumber,
      routerId: "10.1.0.3",
      peers: [internal("10.1.0.2", "10.1.0.3")],
      routes: [{ prefix: "198.51.100.0/24" }],
    });
    await Promise.all([pair.establish(), bird.start()]);
    expect(await routeFrom(starling, "198.51.100.0/24", there)).toMatchObject({
      originatorId: "10.1.0.3",
      clusterList: ["2.2.2.2"],
      nextHop: "10.1.0.3",
      best: true,
    });
    expect(await routeFrom(bird, "192.0.2.0/24", "10.1.0.2")).toMatchObject({
      originatorId: here,
      clusterList: ["2.2.2.2"],
    });
    const [own, ...others] = (await pathsOf(starling, "192.0.2.0/24")).filter((path) => path.best);
    expect(own).toMatchObject({ peer: undefined });
    expect(others).toEqual([]);
    expect((await pair.view()).families["ipv4"]).toMatchObject({ accepted: 1 });
  },
};

const reflectorRing: Feature = {
  name: "reflectors in a ring: the loop is cut by CLUSTER_LIST, and a withdrawal ends",
  unsupported: noRouter,
  async test(daemon, context) {
    await using pair = await makePair(daemon, "ring", context, {
      internal: true,
      session: client,
      starling: { clusterId: "1.1.1.1" },
      other: { clusterId: "2.2.2.2" },
      starlingPeers: [internal("10.1.0.3", "10.1.0.1", client), internal("10.3.0.4", "10.3.0.1", client)],
      otherPeers: [internal("10.2.0.3", "10.2.0.2", client)],
    });
    const { lab, starling, other, starlingNode, otherNode } = pair;
    const [third, source] = await lab.nodes("e", "c");
    await lab.link(starlingNode, third, { addresses: [["10.1.0.1/24"], ["10.1.0.3/24"]] });
    await lab.link(otherNode, third, { addresses: [["10.2.0.2/24"], ["10.2.0.3/24"]] });
    await lab.link(starlingNode, source, { addresses: [["10.3.0.1/24"], ["10.3.0.4/24"]] });
    await otherNode.ip("route", "add", "10.3.0.0/24", "via", here);
    // It prefers what comes the long way round, so that it tells starling of starling's own reflection.
    const detour = new Starling(
      third,
      {
        asNumber,
        routerId: "10.1.0.3",
        clusterId: "3.3.3.3",
        peers: [internal("10.1.0.1", "10.1.0.3", client), internal("10.2.0.2", "10.2.0.3", client)],
      },
      {
        peers: { "10.2.0.2": { import: ["prefer"] } },
        file: { policies: { prefer: [{ set: { localPref: 200 } }] } },
      },
    );
    const bird = new Bird(source, {
      asNumber,
      routerId: "10.3.0.4",
      peers: [internal("10.3.0.1", "10.3.0.4")],
      routes: [{ prefix: "192.0.2.0/24" }],
    });
    await Promise.all([pair.establish(), detour.start(), bird.start()]);
    await establishedWith(detour, "10.1.0.1");
    await establishedWith(detour, "10.2.0.2");
    const long = { originatorId: "10.3.0.4", clusterList: ["2.2.2.2", "1.1.1.1"], best: true };
    await waitFor(
      async () => (await pathsOf(detour, "192.0.2.0/24")).some((path) => path.best && path.peer === "10.2.0.2"),
      {
        what: "the long way to be the best one",
      },
    );
    expect(await routeFrom(detour, "192.0.2.0/24", "10.2.0.2")).toMatchObject(long);
    // Starling hears it, and takes nothing of it: with its local preference it would win.
    await waitFor(async () => (await peerView(starling, "10.1.0.3")).families["ipv4"]?.received === 1, {
      what: "the route to come back to starling",
    });
    const best = async () =>
      (await pathsOf(starling, "192.0.2.0/24")).filter((path) => path.best).map((path) => path.peer);
    await staysFor(1000, best, ["10.3.0.4"]);
    expect((await peerView(starling, "10.1.0.3")).families["ipv4"]).toMatchObject({ received: 1, accepted: 0 });

    await bird.withdraw("192.0.2.0/24");
    await Promise.all([starling, other, detour].map((speaker) => gone(speaker, "192.0.2.0/24")));
    const counts = async () => (await peerView(starling, there)).messages.received["update"];
    // Nothing goes round any more.
    await staysFor(1000, counts, await counts());
  },
};

export const reflectionFeatures: readonly Feature[] = [
  reflectsToClients,
  reflectsBetweenNonClients,
  isReflectedTo,
  reflectorRing,
];
