/** Routes of the tables as BIRD would have them. */

import { formatAddress, isUnspecified, parseAddress } from "../bgp/model/address.ts";
import { formatAsPath, SegmentType } from "../bgp/model/as-path.ts";
import { Origin, type PathAttributes } from "../bgp/model/attributes.ts";
import { formatExtendedCommunity } from "../bgp/model/community.ts";
import { Family } from "../bgp/model/family.ts";
import { formatRouterId, type PeerId } from "../bgp/model/ids.ts";
import { formatPrefix, parsePrefix } from "../bgp/model/prefix.ts";
import type { BirdAttributes, BirdRoute, BirdRouteQuery, BirdSelection } from "../control/bird/bird-view.ts";
import { DEFAULT_LOCAL_PREF } from "../rib/attribute-table.ts";
import type { RouteSource } from "../rib/policy/policy.ts";
import { type Route, type RouteQuery, routes } from "../rib/routes.ts";
import type { Daemon } from "./daemon.ts";

const ORIGINS = { [Origin.Igp]: "igp", [Origin.Egp]: "egp", [Origin.Incomplete]: "incomplete" } as const;
const KINDS = {
  peer: "BGP",
  kernel: "inherit",
  connected: "device",
  static: "static",
  calico: "static",
  aggregate: "static",
} as const;
/** BIRD's numbers for the same order. */
const PREFERENCES = { peer: 100, kernel: 10, connected: 240, static: 200, calico: 200, aggregate: 200 } as const;
const VIEWS = { export: "advertised", preexport: "advertisable", noexport: "withheld" } as const;

export interface BirdNames {
  interfaceName(index: number): string | undefined;
  /** Milliseconds since 1970. */
  now(): number;
}

/** The protocol that a route of this speaker's own comes from. */
export function protocolOf(source: RouteSource): string {
  return source === "kernel" ? "kernel1" : source === "connected" ? "direct1" : "static1";
}

/** All routes to a destination one after the other, the best one first. */
export function* birdRoutes(
  daemon: Daemon,
  query: BirdRouteQuery,
  names: BirdNames,
): Generator<BirdRoute | undefined, void> {
  const known = new Known(daemon, names);
  let same: Route[] = [];
  for (const route of routes(daemon.rib, ribQuery(daemon, query))) {
    if (route === undefined) {
      yield undefined;
      continue;
    }
    if (same[0] !== undefined && same[0].prefix !== route.prefix) {
      yield* birdRoutesOf(same, known);
      same = [];
    }
    if (isMeant(route, query, known)) same.push(route);
  }
  yield* birdRoutesOf(same, known);
}

function* birdRoutesOf(same: readonly Route[], known: Known): Generator<BirdRoute> {
  for (const route of same) if (route.best) yield birdRoute(route, known);
  for (const route of same) if (!route.best) yield birdRoute(route, known);
}

/** What many routes share, found out once for an answer. */
class Known {
  readonly names: BirdNames;
  readonly #daemon: Daemon;
  readonly #peers = new Map<PeerId, { readonly name: string; readonly address: string | undefined }>();
  readonly #hops = new WeakMap<Route["hops"], BirdRoute["hops"]>();

  constructor(daemon: Daemon, names: BirdNames) {
    this.#daemon = daemon;
    this.names = names;
  }

  peer(id: PeerId): { readonly name: string; readonly address: string | undefined } {
    let peer = this.#peers.get(id);
    if (peer === undefined) {
      const address = this.#daemon.speaker.peer(id)?.remoteAddress;
      const name = this.#daemon.ids.nameOf(id) ?? "unknown";
      peer = { name, address: address === undefined ? undefined : formatAddress(address) };
      this.#peers.set(id, peer);
    }
    return peer;
  }

  hops(hops: Route["hops"]): BirdRoute["hops"] {
    let known = this.#hops.get(hops);
    if (known === undefined) {
      known = hops.map((hop) => ({
        gateway: hop.gateway === undefined ? undefined : formatAddress(hop.gateway),
        interface: this.names.interfaceName(hop.interface),
      }));
      this.#hops.set(hops, known);
    }
    return known;
  }
}

function ribQuery(daemon: Daemon, { family, selection, prefix, address, protocol }: BirdRouteQuery): RouteQuery {
  const asked = viewOf(selection);
  const to = "to" in selection && asked !== "accepted" ? daemon.ids.find(selection.to) : undefined;
  return {
    family: family === "ipv4" ? Family.Ipv4 : Family.Ipv6,
    prefix: prefix === undefined ? undefined : parsePrefix(prefix),
    longer: false,
    address: address === undefined ? undefined : parseAddress(address),
    // With `export` and its kin the peer is the one that is told, and the source is looked at here.
    peer: to ?? (protocol === undefined ? undefined : daemon.ids.find(protocol)),
    view: asked,
    explicitView: true,
    source: undefined,
    matches: undefined,
  };
}

/** What goes to the kernel is known by its destination. */
function viewOf(selection: BirdSelection): RouteQuery["view"] {
  if (selection.kind === "filtered") return "filtered";
  return "to" in selection && !isOwn(selection.to) ? VIEWS[selection.kind] : "accepted";
}

function isMeant(route: Route, { selection, protocol, isPrimary }: BirdRouteQuery, known: Known): boolean {
  if (isPrimary && !route.best) return false;
  if (protocol !== undefined && nameOf(route, known) !== protocol) return false;
  if (!("to" in selection) || !isOwn(selection.to)) return true;
  // Nothing goes to static1, device1 and direct1.
  const isCandidate = selection.to === "kernel1" && route.best && !["kernel", "connected"].includes(route.source);
  if (selection.kind === "preexport") return isCandidate;
  return isCandidate && route.isForwarded === (selection.kind === "export");
}

function isOwn(protocol: string): boolean {
  return /^(static|kernel|device|direct)1$/.test(protocol);
}

function nameOf({ source, peer }: Route, known: Known): string {
  return source === "peer" ? known.peer(peer).name : protocolOf(source);
}

function birdRoute(route: Route, known: Known): BirdRoute {
  const { attributes, source } = route;
  const shown = route.advertised ?? attributes;
  const isBgp = source === "peer";
  return {
    prefix: formatPrefix(route.prefix),
    protocol: nameOf(route, known),
    kind: KINDS[source],
    destination: route.destination === "forward" ? "unicast" : route.destination,
    hops: hopsOf(route, known),
    since: known.names.now() - route.age,
    from: isBgp ? known.peer(route.peer).address : undefined,
    isBest: route.best,
    isStale: route.stale,
    preference: isBgp ? Math.max(route.preference, PREFERENCES.peer) : PREFERENCES[source],
    // BIRD knows the distance to a connected next hop alone.
    reach: !isBgp
      ? undefined
      : route.metric === 0
        ? "near"
        : route.metric === Number.POSITIVE_INFINITY
          ? "none"
          : "far",
    origin: ORIGINS[shown.origin],
    originAs: originAs(shown),
    kernel: route.kernel,
    attributes: () => {
      const all = birdAttributes(shown);
      if (route.advertised !== undefined) return all;
      if (!isBgp) return undefined;
      // An external peer's routes come without: BIRD shows what they count with.
      return { ...all, localPref: all.localPref ?? DEFAULT_LOCAL_PREF };
    },
  };
}

/** Without the machine's routes the next hop itself is all that is known. */
function hopsOf({ hops, destination, attributes }: Route, known: Known): BirdRoute["hops"] {
  if (destination !== "forward") return [];
  if (hops.length > 0) return known.hops(hops);
  const { nextHop } = attributes;
  return isUnspecified(nextHop) ? [] : [{ gateway: formatAddress(nextHop), interface: undefined }];
}

function originAs({ asPath }: PathAttributes): number | undefined {
  const last = asPath.at(-1);
  // A set has no last one.
  return last?.type === SegmentType.Sequence ? last.asns.at(-1) : undefined;
}

function birdAttributes(a: PathAttributes): BirdAttributes {
  return {
    origin: ORIGINS[a.origin],
    asPath: formatAsPath(a.asPath),
    nextHop: isUnspecified(a.nextHop) ? undefined : formatAddress(a.nextHop),
    linkLocalNextHop: a.linkLocalNextHop === undefined ? undefined : formatAddress(a.linkLocalNextHop),
    med: a.med,
    localPref: a.localPref,
    atomicAggregate: a.atomicAggregate,
    aggregator: a.aggregator && {
      asNumber: a.aggregator.asNumber,
      address: formatRouterId(a.aggregator.address),
    },
    communities: a.communities.map((word) => [word >>> 16, word & 0xffff] as const),
    extendedCommunities: a.extendedCommunities.map((c) => birdExtendedCommunity(formatExtendedCommunity(c))),
    originatorId: a.originatorId === undefined ? undefined : formatRouterId(a.originatorId),
    clusterList: a.clusterList.map(formatRouterId),
    largeCommunities: a.largeCommunities.map((c) => [c.global, c.local1, c.local2] as const),
    unknown: a.unknown.map(({ type, value }) => ({ type, value: Buffer.from(value).toString("hex") })),
  };
}

/** "rt:64512:5" is "(rt, 64512, 5)" in BIRD. */
function birdExtendedCommunity(text: string): string {
  return `(${text.split(":").join(", ")})`;
}
