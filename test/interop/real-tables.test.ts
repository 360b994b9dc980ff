import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { RouteView } from "../../src/control/views.ts";
import { type Feed, feedsOf } from "../harness/bgp-replayer.ts";
import { BirdCollector } from "../harness/daemons/bird-collector.ts";
import { isInstalled } from "../harness/daemons/catalogue.ts";
import { asCommunity, type FamilyName, familyOf, type SeenRoute } from "../harness/daemons/speaker.ts";
import { Starling } from "../harness/daemons/starling.ts";
import type { LabNode } from "../harness/lab-node.ts";
import { mrtFile, readWhole } from "../harness/mrt.ts";
import { replay } from "../harness/mrt-updates.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { waitFor } from "../harness/wait-for.ts";

/** birdc cuts long lists short; that no community is lost on the way, the scenario of the same name shows. */
const SHOWN_COMMUNITIES = 30;

/** No path of the tables holds it. */
const OUR_AS = 4_200_000_001;

const FILES: readonly (readonly [name: string, prefixes: number])[] = [
  ["routeviews.rib.20140523.0600.firstMB.mrt.gz", 9_072],
  ["routeviews6.rib.20151101.0600.firstMB.mrt.gz", 6_870],
  ["ris.rrc06.rib.20100701.0759.first100k.repacked.mrt.gz", 50_225],
  ["ripe-bgpdump.bview.20020722.2337.mrt.gz", 112_988],
];
const hasData = FILES.every(([name]) => mrtFile(name) !== undefined);
const possible = canMakeNetworks() && isInstalled("bird") && hasData;
const SUITE = `the best paths of real tables, beside bird${
  possible ? "" : ": skipped, there is no shared data, no bird, or no right to make network namespaces"
}`;

describe.skipIf(!possible)(SUITE, { timeout: 180_000 }, () => {
  it.each(FILES)(
    "%s: the same bytes over sessions of %i prefixes give the same best paths (RFC 4271 §9.1.2.2)",
    async (name, prefixes) => {
      const file = mrtFile(name) ?? name;
      const feeds = feedsOf(replay(readWhole(file)));
      await using lab = await Lab.create("tables");
      // Each as it decides by itself: no difference is known, so none is excused.
      const [starling, bird] = await Promise.all([starlingBest(lab, file, feeds), birdBest(lab, file, feeds)]);
      expect(bird.size).toBe(prefixes);
      expect(starling.size).toBe(prefixes);
      const differences = [...bird].filter(([prefix, best]) => starling.get(prefix) !== best);
      expect(
        differences.slice(0, 5).map(([prefix, best]) => ({ prefix, bird: best, starling: starling.get(prefix) })),
      ).toEqual([]);
      expect(differences).toHaveLength(0);
      // The tables are worth the comparison: paths of many peers are best for something.
      const peers = new Set([...bird.values()].map((best) => best.split("|", 1)[0]));
      expect(peers.size).toBeGreaterThan(feeds.length / 3);
    },
  );
});

interface Site {
  readonly speaker: LabNode;
  readonly feeder: LabNode;
}

/** A daemon's node, and one that owns the addresses of all peers. */
async function site(lab: Lab, name: string, feeds: readonly Feed[]): Promise<Site> {
  const [speaker, feeder] = await lab.nodes(name, `${name}-feed`);
  await lab.link(speaker, feeder, {
    addresses: [
      [`${LOCAL.ipv4.local}/30`, `${LOCAL.ipv6.local}/64`],
      [`${LOCAL.ipv4.gateway}/30`, `${LOCAL.ipv6.gateway}/64`],
    ],
  });
  await speaker.ip("route", "add", "default", "via", LOCAL.ipv4.gateway);
  await speaker.ip("-6", "route", "add", "default", "via", LOCAL.ipv6.gateway);
  await feeder.configure(
    "lo",
    feeds.map(({ address }) => `${address}/${address.includes(":") ? 128 : 32}`),
  );
  return { speaker, feeder };
}

const LOCAL = {
  ipv4: { local: "198.18.0.1", gateway: "198.18.0.2" },
  ipv6: { local: "fd00:18::1", gateway: "fd00:18::2" },
} as const;

/** Plays the table to the daemon until all of it is in. */
async function feed({ feeder }: Site, file: string, received: () => Promise<number>): Promise<void> {
  const program = fileURLToPath(new URL("../harness/replay-mrt.ts", import.meta.url));
  const command = [process.execPath, "--import", "tsx", program, file, LOCAL.ipv4.local, LOCAL.ipv6.local];
  const replayer = feeder.spawn(command, "replay-mrt");
  await waitFor(() => replayer.output().includes("sent\n") || !replayer.isRunning, {
    what: "the replayer to have sent everything",
    timeout: 90_000,
    interval: 200,
  });
  expect(replayer.output()).toBe("sent\n");
  let before = -1;
  await waitFor(
    async () => {
      const now = await received();
      const isSettled = now === before;
      before = now;
      return isSettled;
    },
    { what: "the daemon to have taken everything", timeout: 60_000, interval: 1000 },
  );
  expect(replayer.output()).toBe("sent\n");
}

async function starlingBest(lab: Lab, file: string, feeds: readonly Feed[]): Promise<Map<string, string>> {
  const place = await site(lab, "starling", feeds);
  const starling = new Starling(
    place.speaker,
    {
      asNumber: OUR_AS,
      routerId: LOCAL.ipv4.local,
      peers: feeds.map(({ address, asNumber }) => ({ address, asNumber, passive: true, multihop: 64, holdTime: 240 })),
    },
    {
      file: { policies: { nothing: [{ then: "reject" }] }, peerDefaults: { export: ["nothing"] } },
    },
  );
  await starling.start();
  await feed(place, file, async () => {
    const peers = await starling.peers();
    return peers.flatMap((p) => Object.values(p.families)).reduce((sum, f) => sum + f.received, 0);
  });
  const best = await bestOfStarling(starling);
  await starling.stop();
  return best;
}

/** Read line by line: most of a big table are paths that are not best. */
async function bestOfStarling(starling: Starling): Promise<Map<string, string>> {
  const best = new Map<string, string>();
  const executable = fileURLToPath(new URL("../../bin/starling.mjs", import.meta.url));
  const child = spawn(process.execPath, [executable, "--socket", starling.socket, "show", "routes", "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes('"best":true')) continue;
    const route = JSON.parse(line) as RouteView;
    best.set(route.prefix, describeRoute(route));
  }
  return best;
}

async function birdBest(lab: Lab, file: string, feeds: readonly Feed[]): Promise<Map<string, string>> {
  const place = await site(lab, "bird", feeds);
  const bird = new BirdCollector(place.speaker, {
    asNumber: OUR_AS,
    routerId: LOCAL.ipv4.local,
    addresses: LOCAL,
    peers: feeds,
  });
  await bird.start();
  await feed(place, file, () => bird.received());
  const families = new Set<FamilyName>(feeds.map(({ address }) => familyOf(address)));
  const best = new Map<string, string>();
  for (const family of families) {
    for (const route of await bird.best(family)) best.set(route.prefix, describeRoute(route));
  }
  await bird.stop();
  return best;
}

type Described = Pick<SeenRoute, "asPath" | "origin" | "communities"> & {
  readonly peer: string | null | undefined;
  readonly nextHop: string | null | undefined;
  readonly med: number | null | undefined;
};

/** Whose path it is, and what it says. */
function describeRoute({ peer, asPath, origin, nextHop, med, communities }: Described): string {
  const shown = communities.slice(0, SHOWN_COMMUNITIES);
  return [peer, asPath, origin, nextHop, med ?? 0, shown.map(asCommunity).join(" ")].join("|");
}
