/** What routes carry: communities, several paths, large attributes, four-octet AS numbers. */

import { expect } from "vitest";
import { Bird } from "../../harness/daemons/bird.ts";
import type { RouteSpec, SeenRoute } from "../../harness/daemons/speaker.ts";
import { Starling } from "../../harness/daemons/starling.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { establishedWith, gone, here, makePair, otherAs, pathsOf, routeFrom, starlingAs, there } from "./pair.ts";

const thirdAs = 65003;

const communities = {
  communities: ["65003:1", "65535:65281", "65003:65535"],
  extendedCommunities: ["rt:65003:4000000000", "ro:10.0.0.9:5", "rt:4200000001:6"],
  largeCommunities: ["65003:1:2", "4200000001:4294967295:0"],
};

const sorted = (route: SeenRoute) => ({
  communities: [...route.communities].sort(),
  extendedCommunities: [...(route.extendedCommunities ?? [])].sort(),
  largeCommunities: [...route.largeCommunities].sort(),
});

const wanted = (more: Partial<typeof communities> = {}) =>
  Object.fromEntries(
    Object.entries(communities).map(([kind, list]) => [
      kind,
      [...list, ...(more[kind as keyof typeof communities] ?? [])].sort(),
    ]),
  );

const communitiesUnchanged: Feature = {
  name: "communities (standard, extended, large) pass unchanged, both ways",
  async test(daemon, context) {
    const third = { asNumber: starlingAs, address: "10.1.0.3", localAddress: "10.1.0.1", routeReflectorClient: true };
    await using pair = await makePair(daemon, "communities", context, {
      internal: true,
      session: { routeReflectorClient: true },
      starlingPeers: [third],
      other: { routes: [{ prefix: "203.0.113.0/24", ...communities }] },
    });
    const x = await pair.lab.node("x");
    await pair.lab.link(pair.starlingNode, x, { addresses: [["10.1.0.1/24"], ["10.1.0.3/24"]] });
    const bird = new Bird(x, {
      asNumber: starlingAs,
      routerId: "10.1.0.3",
      peers: [{ asNumber: starlingAs, address: "10.1.0.1", localAddress: "10.1.0.3" }],
      routes: [{ prefix: "192.0.2.0/24", ...communities }],
    });
    await Promise.all([pair.establish(), bird.start()]);
    expect(sorted(await routeFrom(pair.starling, "203.0.113.0/24", there))).toEqual(wanted());
    expect(sorted(await routeFrom(bird, "203.0.113.0/24", "10.1.0.1"))).toEqual(wanted());
    expect(sorted(await routeFrom(pair.other, "192.0.2.0/24", here))).toEqual(wanted());
  },
};

const communitiesByPolicy: Feature = {
  name: "communities added and removed by policy, on import and on export",
  async test(daemon, context) {
    const added = {
      communities: ["65001:99"],
      extendedCommunities: ["rt:65001:99"],
      largeCommunities: ["65001:99:1"],
    };
    const set = { communities: { add: Object.values(added).flat(), remove: ["65002:1"] } };
    // Without no-export, which would end its way at starling.
    const sent = { ...communities, communities: ["65002:1", "65002:2"] };
    await using pair = await makePair(daemon, "policy", context, {
      starling: { routes: [{ prefix: "192.0.2.0/24", ...sent }] },
      other: { routes: [{ prefix: "203.0.113.0/24", ...sent }] },
      extras: {
        peers: { [there]: { import: ["tag"], export: ["tag"] } },
        file: { policies: { tag: [{ set }] } },
      },
    });
    await pair.establish();
    const want = {
      communities: ["65001:99", "65002:2"],
      extendedCommunities: [...sent.extendedCommunities, ...added.extendedCommunities].sort(),
      largeCommunities: [...sent.largeCommunities, ...added.largeCommunities].sort(),
    };
    expect(sorted(await routeFrom(pair.starling, "203.0.113.0/24", there))).toEqual(want);
    expect(sorted(await routeFrom(pair.other, "192.0.2.0/24", here))).toEqual(want);
  },
};

const noRouter = "it is no router: what it receives it does not pass on";

const addPath: Feature = {
  name: "add-path (RFC 7911), both directions",
  unsupported: { exabgp: noRouter },
  async test(daemon, context) {
    await using pair = await makePair(daemon, "addpath", context, {
      session: { addPath: "both" },
      starling: { routes: [{ prefix: "192.0.2.0/24" }] },
      other: { routes: [{ prefix: "203.0.113.0/24" }] },
      starlingPeers: [{ asNumber: thirdAs, address: "10.1.0.3", localAddress: "10.1.0.1" }],
      otherPeers: [{ asNumber: thirdAs, address: "10.2.0.3", localAddress: "10.2.0.2" }],
    });
    const { lab, starling, other } = pair;
    const x = await lab.node("x");
    await lab.link(pair.starlingNode, x, { addresses: [["10.1.0.1/24"], ["10.1.0.3/24"]] });
    await lab.link(pair.otherNode, x, { addresses: [["10.2.0.2/24"], ["10.2.0.3/24"]] });
    const bird = new Bird(x, {
      asNumber: thirdAs,
      routerId: "10.1.0.3",
      peers: [
        { asNumber: starlingAs, address: "10.1.0.1", localAddress: "10.1.0.3" },
        { asNumber: otherAs, address: "10.2.0.2", localAddress: "10.2.0.3" },
      ],
      routes: [
        { prefix: "192.0.2.0/24", communities: ["65003:1"] },
        { prefix: "203.0.113.0/24", communities: ["65003:2"] },
      ],
    });
    await Promise.all([pair.establish(), bird.start()]);
    // FRR sends everything back, which a loop of AS numbers keeps out.
    const pathsFrom = async (speaker: typeof other, prefix: string, peer: string) =>
      (await pathsOf(speaker, prefix)).filter(
        (path) => path.peer === peer && !(speaker === starling && path.asPath.includes(`${starlingAs}`)),
      );
    const received = await waitFor(
      async () => {
        const paths = await pathsFrom(starling, "203.0.113.0/24", there);
        return paths.length === 2 && paths;
      },
      { what: "both paths of the other daemon" },
    );
    expect(received.map((path) => path.asPath).sort()).toEqual(["65002", "65002 65003"]);
    expect(new Set(received.map((path) => path.pathId)).size).toBe(2);
    const sent = await waitFor(
      async () => {
        const paths = await pathsFrom(other, "192.0.2.0/24", here);
        return paths.length === 2 && paths;
      },
      { what: "both paths of starling" },
    );
    expect(sent.map((path) => path.asPath).sort()).toEqual(["65001", "65001 65003"]);
    expect(sent.find((path) => path.asPath === "65001 65003")?.communities).toEqual(["65003:1"]);

    // One path goes, by its identifier alone; the other stays.
    await bird.withdraw("203.0.113.0/24");
    await bird.withdraw("192.0.2.0/24");
    const left = (speaker: typeof other, prefix: string, peer: string) =>
      waitFor(
        async () => {
          const paths = await pathsFrom(speaker, prefix, peer);
          return paths.length === 1 && paths[0]?.asPath;
        },
        { what: `one path of ${prefix} at ${speaker.daemon}` },
      );
    expect(await left(starling, "203.0.113.0/24", there)).toBe("65002");
    expect(await left(other, "192.0.2.0/24", here)).toBe("65001");
    expect((await pair.view()).transitions).toBe(1);
  },
};

/** 1500 communities need 6000 octets. */
const many = Array.from({ length: 1500 }, (_, index) => `65010:${index}`);

const noCapability = "it does not have the capability";

const extendedMessages: Feature = {
  name: "extended messages (RFC 8654): an UPDATE of more than 4096 octets, both ways",
  unsupported: { gobgp: noCapability, openbgpd: noCapability, exabgp: noRouter },
  async test(daemon, context) {
    const large = (prefix: string): RouteSpec => ({ prefix, communities: many });
    const session = { extendedMessages: true };
    await using pair = await makePair(daemon, "extmsg", context, {
      session,
      starling: { routes: [large("192.0.2.0/24")] },
      otherPeers: [{ asNumber: thirdAs, address: "10.2.0.3", localAddress: "10.2.0.2", ...session }],
    });
    // Another starling hands the other daemon what its own configuration has no room for.
    const x = await pair.lab.node("x");
    await pair.lab.link(pair.otherNode, x, { addresses: [["10.2.0.2/24"], ["10.2.0.3/24"]] });
    const source = new Starling(x, {
      asNumber: thirdAs,
      routerId: "10.2.0.3",
      peers: [{ asNumber: otherAs, address: "10.2.0.2", localAddress: "10.2.0.3", ...session }],
      routes: [large("198.51.100.0/24")],
    });
    await Promise.all([pair.establish(), source.start()]);
    expect((await pair.view()).negotiated?.extendedMessages).toBe(true);
    const arrived = await routeFrom(pair.starling, "198.51.100.0/24", there);
    expect(arrived).toMatchObject({ asPath: "65002 65003", communities: many });
    // BIRD shows no more of them than fit its line.
    expect((await routeFrom(pair.other, "192.0.2.0/24", here)).communities.length).toBeGreaterThan(40);
    expect((await routeFrom(source, "192.0.2.0/24", "10.2.0.2")).communities).toEqual(many);
  },
};

const tooLarge: Feature = {
  name: "a route too large for a message of 4096 octets stays away, and its session up",
  unsupported: { frr: "extended messages cannot be switched off" },
  async test(daemon, context) {
    await using pair = await makePair(daemon, "toolarge", context, {
      starling: { routes: [{ prefix: "192.0.2.0/24" }] },
    });
    await pair.establish();
    await routeFrom(pair.other, "192.0.2.0/24", here);
    // It was small before: what the other has of it must go.
    await pair.starling.announce({ prefix: "192.0.2.0/24", communities: many });
    await gone(pair.other, "192.0.2.0/24");
    await pair.starling.announce({ prefix: "198.51.100.0/24" });
    await routeFrom(pair.other, "198.51.100.0/24", here);
    expect(await pair.view()).toMatchObject({ state: "Established", transitions: 1 });
  },
};

const wideAs = 4_200_000_001;
const otherWideAs = 4_200_000_003;

const oldSpeaker: Feature = {
  name: "four-octet AS numbers through an old speaker: AS_TRANS and AS4_PATH (RFC 6793)",
  unsupported: {
    frr: "cannot be made an old speaker: `dont-capability-negotiate` makes it write two octets, but it drops AS4_PATH",
    gobgp: "cannot be made an old speaker",
    exabgp: noRouter,
  },
  async test(daemon, context) {
    await using pair = await makePair(daemon, "oldas", context, {
      starling: { asNumber: wideAs, routes: [{ prefix: "192.0.2.0/24" }] },
      otherPeer: { asNumber: wideAs, fourOctetAs: false },
      otherPeers: [{ asNumber: otherWideAs, address: "10.2.0.3", localAddress: "10.2.0.2", fourOctetAs: false }],
    });
    const x = await pair.lab.node("x");
    await pair.lab.link(pair.otherNode, x, { addresses: [["10.2.0.2/24"], ["10.2.0.3/24"]] });
    const far = new Starling(x, {
      asNumber: otherWideAs,
      routerId: "10.2.0.3",
      peers: [{ asNumber: otherAs, address: "10.2.0.2", localAddress: "10.2.0.3" }],
      routes: [{ prefix: "198.51.100.0/24" }],
    });
    await Promise.all([pair.establish(), far.start()]);
    await establishedWith(far, "10.2.0.2");
    expect((await pair.view()).negotiated?.fourOctetAs).toBe(false);
    expect(await routeFrom(far, "192.0.2.0/24", "10.2.0.2")).toMatchObject({ asPath: `${otherAs} ${wideAs}` });
    expect(await routeFrom(pair.starling, "198.51.100.0/24", there)).toMatchObject({
      asPath: `${otherAs} ${otherWideAs}`,
    });
  },
};

const newSpeaker: Feature = {
  name: "four-octet AS numbers of both sides",
  async test(daemon, context) {
    // OpenBGPD originates with its own number only.
    const asPath = daemon === "openbgpd" ? [otherWideAs] : [otherWideAs, 70_000];
    await using pair = await makePair(daemon, "wideas", context, {
      starling: { asNumber: wideAs, routes: [{ prefix: "192.0.2.0/24" }] },
      other: { asNumber: otherWideAs, routes: [{ prefix: "203.0.113.0/24", asPath }] },
    });
    await pair.establish();
    expect(await routeFrom(pair.other, "192.0.2.0/24", here)).toMatchObject({ asPath: `${wideAs}` });
    expect(await routeFrom(pair.starling, "203.0.113.0/24", there)).toMatchObject({
      asPath: [otherWideAs, ...asPath].join(" "),
    });
  },
};

export const routeFeatures: readonly Feature[] = [
  communitiesUnchanged,
  communitiesByPolicy,
  addPath,
  extendedMessages,
  tooLarge,
  newSpeaker,
  oldSpeaker,
];
