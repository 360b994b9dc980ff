import { describe, expect, it } from "vitest";
import { Bird } from "../harness/daemons/bird.ts";
import { isInstalled, makeDaemon, peerDaemons, versionOf } from "../harness/daemons/catalogue.ts";
import type { Speaker, SpeakerSpec } from "../harness/daemons/speaker.ts";
import { Starling } from "../harness/daemons/starling.ts";
import type { LabNode } from "../harness/lab-node.ts";
import { canMakeNetworks, Lab } from "../harness/netns.ts";
import { waitFor } from "../harness/wait-for.ts";

const left = "10.0.0.1";
const right = "10.0.0.2";

async function established(speaker: Speaker): Promise<void> {
  await waitFor(async () => (await speaker.sessions()).every((session) => session.established), {
    what: `all sessions of ${speaker.daemon}`,
    timeout: 30_000,
  });
}

const routeOf = async (speaker: Speaker, prefix: string) =>
  (await speaker.routes(prefix.includes(":") ? "ipv6" : "ipv4")).find((route) => route.prefix === prefix);

const drivers = [...peerDaemons.filter(isInstalled), "starling"] as const;

const make = (name: (typeof drivers)[number], node: LabNode, spec: SpeakerSpec): Speaker =>
  name === "starling" ? new Starling(node, spec) : makeDaemon(name, node, spec);

describe.skipIf(!canMakeNetworks() || !isInstalled("bird"))("the drivers of the daemons, each against bird", () => {
  it.each(peerDaemons.filter(isInstalled))("%s tells its version", (name) => {
    expect(versionOf(name)).toMatch(/^\d+\.\d+/);
  });

  describe.each(drivers)("%s", (name) => {
    it("exchanges routes over an external session", async () => {
      await using lab = await Lab.create(`ext-${name}`);
      const [a, b] = await lab.nodes("a", "b");
      await lab.link(a, b, {
        addresses: [
          [`${left}/24`, "fd00::1/64"],
          [`${right}/24`, "fd00::2/64"],
        ],
      });
      const bird = new Bird(a, {
        asNumber: 65001,
        routerId: left,
        peers: [{ address: right, localAddress: left, asNumber: 65002, families: ["ipv4", "ipv6"] }],
        routes: [
          { prefix: "192.0.2.0/24", communities: ["65001:1", "65535:65281"], largeCommunities: ["1:2:3"], med: 7 },
          { prefix: "2001:db8:1::/48", nextHop: "fd00::1" },
        ],
      });
      const other = make(name, b, {
        asNumber: 65002,
        routerId: right,
        listen: [right],
        peers: [{ address: left, localAddress: right, asNumber: 65001, families: ["ipv4", "ipv6"] }],
        routes: [{ prefix: "203.0.113.0/24", communities: ["65002:7"], largeCommunities: ["4:5:6"], med: 9 }],
      });
      await bird.start();
      await other.start();
      await established(bird);
      await established(other);

      const toBird = await waitFor(() => routeOf(bird, "203.0.113.0/24"), { what: `a route of ${name}` });
      expect(toBird).toEqual({
        prefix: "203.0.113.0/24",
        best: true,
        peer: right,
        pathId: undefined,
        nextHop: right,
        asPath: "65002",
        origin: "igp",
        med: 9,
        localPref: 100,
        communities: ["65002:7"],
        extendedCommunities: [],
        largeCommunities: ["4:5:6"],
        originatorId: undefined,
        clusterList: [],
      });

      const fromBird = await waitFor(() => routeOf(other, "192.0.2.0/24"), { what: "a route of bird" });
      expect(fromBird).toMatchObject({
        best: true,
        peer: left,
        nextHop: left,
        asPath: "65001",
        origin: "igp",
        med: 7,
        communities: ["65001:1", "65535:65281"],
        largeCommunities: ["1:2:3"],
      });
      expect(await waitFor(() => routeOf(other, "2001:db8:1::/48"), { what: "an IPv6 route of bird" })).toMatchObject({
        peer: left,
        nextHop: "fd00::1",
      });

      await other.announce({ prefix: "198.51.100.0/24" });
      await waitFor(() => routeOf(bird, "198.51.100.0/24"), { what: "the announced route" });
      await other.withdraw("198.51.100.0/24");
      await waitFor(async () => (await routeOf(bird, "198.51.100.0/24")) === undefined, { what: "its withdrawal" });
      await bird.announce({ prefix: "198.51.101.0/24" });
      await waitFor(() => routeOf(other, "198.51.101.0/24"), { what: "bird's announced route" });
      await bird.withdraw("198.51.101.0/24");
      await waitFor(async () => (await routeOf(other, "198.51.101.0/24")) === undefined, { what: "bird's withdrawal" });

      await other.kill();
      await waitFor(async () => (await bird.sessions()).every((session) => !session.established), {
        what: "bird to notice",
      });
      await other.start();
      await established(bird);
      await other.stop();
    });

    it("holds an internal session with a password, add-path and a graceful restart", async () => {
      await using lab = await Lab.create(`int-${name}`);
      const [a, b] = await lab.nodes("a", "b");
      await lab.link(a, b, { addresses: [[`${left}/24`], [`${right}/24`]] });
      const common = {
        asNumber: 65001,
        password: "secret",
        addPath: "both",
        gracefulRestart: 60,
        holdTime: 30,
      } as const;
      const bird = new Bird(a, {
        asNumber: 65001,
        routerId: left,
        peers: [{ ...common, address: right, localAddress: left, routeReflectorClient: true }],
        routes: [{ prefix: "192.0.2.0/24", nextHop: "10.0.0.77", localPref: 200, asPath: [5, 6] }],
      });
      const other = make(name, b, {
        asNumber: 65001,
        routerId: right,
        listen: [right],
        peers: [{ ...common, address: left, localAddress: right }],
        routes: [{ prefix: "203.0.113.0/24", nextHop: "10.0.0.88", localPref: 300 }],
      });
      await other.start();
      await bird.start();
      await established(other);
      expect(await waitFor(() => routeOf(bird, "203.0.113.0/24"), { what: `a route of ${name}` })).toMatchObject({
        nextHop: "10.0.0.88",
        localPref: 300,
        asPath: "",
      });
      expect(await waitFor(() => routeOf(other, "192.0.2.0/24"), { what: "a route of bird" })).toMatchObject({
        nextHop: "10.0.0.77",
        localPref: 200,
        asPath: "5 6",
        pathId: ["bird", "gobgp"].includes(name) ? undefined : expect.any(Number),
      });
    });
  });
});
