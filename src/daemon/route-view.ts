/** A route of the tables in the JSON that users see (docs/commands.md). */

import { formatAddress, isUnspecified, parseAddress } from "../bgp/model/address.ts";
import { formatAsPath } from "../bgp/model/as-path.ts";
import { Origin, type PathAttributes } from "../bgp/model/attributes.ts";
import {
  formatCommunity,
  formatExtendedCommunity,
  formatLargeCommunity,
  parseCommunity,
  parseExtendedCommunity,
  parseLargeCommunity,
} from "../bgp/model/community.ts";
import { familyName, familyOf } from "../bgp/model/family.ts";
import { formatRouterId, type PeerId } from "../bgp/model/ids.ts";
import { formatPrefix, parsePrefix } from "../bgp/model/prefix.ts";
import { type RouteFilter, type RouteView, UsageError } from "../control/views.ts";
import type { Route, RouteQuery } from "../rib/routes.ts";

const ORIGINS = { [Origin.Igp]: "igp", [Origin.Egp]: "egp", [Origin.Incomplete]: "incomplete" } as const;

export interface Names {
  peerName(id: PeerId): string | undefined;
  peerId(name: string): PeerId | undefined;
  interfaceName(index: number): string | undefined;
  /** Milliseconds since 1970. */
  now(): number;
}

type AttributesView = Pick<
  RouteView,
  | "origin"
  | "asPath"
  | "nextHop"
  | "linkLocalNextHop"
  | "med"
  | "localPref"
  | "communities"
  | "extendedCommunities"
  | "largeCommunities"
  | "originatorId"
  | "clusterList"
  | "atomicAggregate"
  | "aggregator"
  | "unknownAttributes"
>;

function attributesView(a: PathAttributes): AttributesView {
  return {
    origin: ORIGINS[a.origin],
    asPath: formatAsPath(a.asPath),
    nextHop: isUnspecified(a.nextHop) ? null : formatAddress(a.nextHop),
    linkLocalNextHop: a.linkLocalNextHop === undefined ? null : formatAddress(a.linkLocalNextHop),
    med: a.med ?? null,
    localPref: a.localPref ?? null,
    communities: a.communities.map(formatCommunity),
    extendedCommunities: a.extendedCommunities.map(formatExtendedCommunity),
    largeCommunities: a.largeCommunities.map(formatLargeCommunity),
    originatorId: a.originatorId === undefined ? null : formatRouterId(a.originatorId),
    clusterList: a.clusterList.map(formatRouterId),
    atomicAggregate: a.atomicAggregate,
    aggregator:
      a.aggregator === undefined
        ? null
        : { asNumber: a.aggregator.asNumber, address: formatRouterId(a.aggregator.address) },
    unknownAttributes: a.unknown.map((u) => ({
      type: u.type,
      flags: u.flags,
      value: Buffer.from(u.value).toString("hex"),
    })),
  };
}

export function routeView(route: Route, names: Names): RouteView {
  return {
    prefix: formatPrefix(route.prefix),
    family: familyName(route.prefix.family),
    peer: names.peerName(route.peer) ?? null,
    source: route.source,
    pathId: route.source === "peer" ? route.pathId : 0,
    best: route.best,
    reason: route.reason ?? null,
    stale: route.stale,
    ...attributesView(route.attributes),
    resolved: route.hops.map((hop) => ({
      gateway: hop.gateway === undefined ? null : formatAddress(hop.gateway),
      interface: names.interfaceName(hop.interface) ?? null,
    })),
    since: new Date(names.now() - route.age).toISOString(),
    ...(route.advertised === undefined ? {} : { advertised: attributesView(route.advertised) }),
  };
}

/** Throws UsageError for what cannot be asked. */
export function routeQuery(filter: RouteFilter, names: Names): RouteQuery {
  const { prefix, for: address, peer, view } = filter;
  const parsedPrefix = prefix === undefined ? undefined : parsePrefix(prefix);
  if (prefix !== undefined && parsedPrefix === undefined)
    throw new UsageError(`not a prefix: ${prefix}. Write it as 10.0.0.0/8 or 2001:db8::/32`);
  const parsedAddress = address === undefined ? undefined : parseAddress(address);
  if (address !== undefined && parsedAddress === undefined)
    throw new UsageError(`not an address: ${address}. Write it as 10.0.0.1 or 2001:db8::1`);
  const peerId = peer === undefined ? undefined : names.peerId(peer);
  if (peer !== undefined && peerId === undefined)
    throw new UsageError(`no peer is called ${peer}. \`starling show peers\` lists them`);
  if (view !== undefined && peer === undefined) throw new UsageError(`--${view} needs --peer NAME`);
  return {
    family: filter.family === undefined ? undefined : familyOf(filter.family),
    prefix: parsedPrefix,
    longer: filter.longer ?? false,
    address: parsedAddress,
    peer: peerId,
    view: view ?? "accepted",
    explicitView: view !== undefined,
    source: filter.origin,
    matches: filter.community === undefined ? undefined : communityMatcher(filter.community),
  };
}

function communityMatcher(text: string): (attributes: PathAttributes) => boolean {
  const standard = parseCommunity(text);
  if (standard !== undefined) return (a) => a.communities.includes(standard);
  const large = parseLargeCommunity(text);
  if (large !== undefined)
    return (a) =>
      a.largeCommunities.some(
        (c) => c.global === large.global && c.local1 === large.local1 && c.local2 === large.local2,
      );
  const extended = parseExtendedCommunity(text);
  if (extended !== undefined)
    return (a) => a.extendedCommunities.some((c) => c.high === extended.high && c.low === extended.low);
  throw new UsageError(
    `not a community: ${text}. Write it as 65000:1, 65000:1:2, rt:65000:1 or a name such as no-export`,
  );
}
