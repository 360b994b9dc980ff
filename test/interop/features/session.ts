/** How sessions come up: what was negotiated, both types of peer, both families over either. */

import { hostname } from "node:os";
import { expect } from "vitest";
import type { PeerDaemon } from "../../harness/daemons/catalogue.ts";
import type { RouteSpec, SeenNegotiation } from "../../harness/daemons/speaker.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import { gone, here, here6, makePair, need, routeFrom, there, there6 } from "./pair.ts";

/** What a daemon does not have, so that nobody expects it to be negotiated. */
const lacking: Readonly<Partial<Record<PeerDaemon, readonly (keyof SeenNegotiation)[]>>> = {
  gobgp: ["enhancedRouteRefresh", "extendedMessages"],
  openbgpd: ["extendedMessages", "extendedNextHop", "longLived"],
  exabgp: ["longLived"],
};

/** They know one address of their own, the session's; what it is in the other family they must be told. */
const knowOneAddress: readonly PeerDaemon[] = ["gobgp", "openbgpd", "exabgp"];

const everyCapability: Feature = {
  name: "every capability, and both sides agree on what was negotiated",
  differs: {
    gobgp: "has no enhanced route refresh and no extended messages",
    openbgpd: "has no extended messages, no extended next hop and no long-lived graceful restart",
    exabgp: "has no long-lived graceful restart",
  },
  async test(daemon, context) {
    const families = ["ipv4", "ipv6"] as const;
    await using pair = await makePair(daemon, "capabilities", context, {
      // FRR offers RFC 8950 over IPv6 only.
      overIpv6: true,
      session: {
        families,
        addPath: "both",
        gracefulRestart: 77,
        longLived: 600,
        extendedMessages: true,
        extendedNextHop: true,
        holdTime: 30,
      },
    });
    await pair.establish();
    const { negotiated } = await pair.view();
    const seen = await need(pair.other, "negotiated")(pair.here);
    expect(negotiated).toMatchObject({ holdTime: 30, keepaliveTime: 10, families });
    const modes = (family: string) => negotiated?.addPath[family] ?? "off";
    const ours = {
      families: negotiated?.families,
      holdTime: negotiated?.holdTime,
      fourOctetAs: negotiated?.fourOctetAs,
      routeRefresh: negotiated?.routeRefresh,
      enhancedRouteRefresh: negotiated?.enhancedRouteRefresh,
      extendedMessages: negotiated?.extendedMessages,
      extendedNextHop: negotiated?.extendedNextHop,
      gracefulRestart: negotiated?.gracefulRestart !== null,
      longLived: negotiated?.longLivedGracefulRestart,
      // What starling receives is what the other sends.
      addPath: {
        receive: families.filter((family) => ["send", "both"].includes(modes(family))),
        send: families.filter((family) => ["receive", "both"].includes(modes(family))),
      },
      restartTime: 77,
      hostName: hostname(),
    };
    expect(ours).toMatchObject(seen);
    const all: SeenNegotiation = {
      ...{ fourOctetAs: true, routeRefresh: true, enhancedRouteRefresh: true, extendedMessages: true },
      ...{ extendedNextHop: true, gracefulRestart: true, longLived: true },
      addPath: { receive: families, send: families },
    };
    const has = (name: string) => !lacking[daemon]?.some((other) => other === name);
    expect(ours).toMatchObject(Object.fromEntries(Object.entries(all).filter(([name]) => has(name))));
  },
};

/** Both ways, new and withdrawn while the session is up. */
function exchange(
  name: string,
  lab: string,
  options: Parameters<typeof makePair>[3],
  unsupported: Feature["unsupported"] = {},
): Feature {
  // A loopback's address is what it names as its own in the family that an external session does not have.
  const onlyInternal = (daemon: PeerDaemon) => daemon === "openbgpd" && (options?.session?.families?.length ?? 1) > 1;
  return {
    name,
    unsupported,
    ...(onlyInternal("openbgpd") ? { differs: { openbgpd: "over an internal session" } } : {}),
    async test(daemon, context) {
      const ownRoutes: readonly RouteSpec[] = [{ prefix: "192.0.2.0/24" }, { prefix: "2001:db8:1::/48" }];
      const own = (prefix: string): RouteSpec => {
        const isOther = prefix.includes(":") !== (options?.overIpv6 === true);
        return {
          prefix,
          ...(isOther && knowOneAddress.includes(daemon) ? { nextHop: hop(prefix, there, there6) } : {}),
        };
      };
      const hop = (prefix: string, v4: string, v6: string) =>
        prefix.includes(":") || (options?.overIpv6 && options.session?.extendedNextHop) ? v6 : v4;
      const otherRoutes = ["203.0.113.0/24", "2001:db8:2::/48"].map(own);
      const families = options?.session?.families ?? ["ipv4"];
      const spoken = (route: RouteSpec) => families.includes(route.prefix.includes(":") ? "ipv6" : "ipv4");
      const internal = options?.internal === true || onlyInternal(daemon);
      await using pair = await makePair(daemon, lab, context, {
        ...options,
        internal,
        starling: { routes: ownRoutes.filter(spoken) },
        other: { routes: otherRoutes.filter(spoken) },
      });
      await pair.establish();
      const { starling, other } = pair;
      for (const { prefix } of ownRoutes.filter(spoken)) {
        const seen = await routeFrom(other, prefix, pair.here);
        expect(seen).toMatchObject({ asPath: internal ? "" : "65001", origin: "igp", best: true });
        expect(seen.nextHop).toBe(hop(prefix, here, here6));
      }
      for (const { prefix } of otherRoutes.filter(spoken)) {
        const seen = await routeFrom(starling, prefix, pair.there);
        expect(seen).toMatchObject({ asPath: internal ? "" : "65002", origin: "igp", best: true });
        expect(seen.nextHop).toBe(hop(prefix, there, there6));
      }
      expect((await pair.view()).type).toBe(internal ? "internal" : "external");
      const late = families.includes("ipv4") ? "198.51.100.0/24" : "2001:db8:3::/48";
      await other.announce(own(late));
      await routeFrom(starling, late, pair.there);
      await other.withdraw(late);
      await gone(starling, late);
      await starling.announce({ prefix: late });
      await routeFrom(other, late, pair.here);
      await starling.withdraw(late);
      await gone(other, late);
    },
  };
}

export const sessionFeatures: readonly Feature[] = [
  everyCapability,
  exchange("external session, IPv4", "ext4", {}),
  exchange("internal session, IPv4", "int4", { internal: true }),
  exchange("external session over IPv6, IPv6", "ext6", { overIpv6: true, session: { families: ["ipv6"] } }),
  exchange("internal session over IPv6, IPv6", "int6", {
    internal: true,
    overIpv6: true,
    session: { families: ["ipv6"] },
  }),
  exchange("IPv6 routes over an IPv4 session", "v6over4", { session: { families: ["ipv4", "ipv6"] } }),
  exchange(
    "IPv4 routes over an IPv6 session, with IPv6 next hops (RFC 8950)",
    "v4over6",
    { overIpv6: true, session: { families: ["ipv4", "ipv6"], extendedNextHop: true } },
    { openbgpd: "it does not have the capability" },
  ),
  exchange("IPv4 routes over an IPv6 session, with IPv4 next hops", "v4hops", {
    overIpv6: true,
    session: { families: ["ipv4", "ipv6"] },
  }),
];
