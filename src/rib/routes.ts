/** The tables for people: paths one at a time, found by prefix, address, peer or community, while the tables go on changing. */

import type { IpAddress } from "../bgp/model/address.ts";
import type { PathAttributes } from "../bgp/model/attributes.ts";
import { FAMILIES, type Family } from "../bgp/model/family.ts";
import type { AttrsId, PeerId } from "../bgp/model/ids.ts";
import { type Prefix, prefixContains } from "../bgp/model/prefix.ts";
import type { PrefixTable } from "../columns/prefix-table.ts";
import { REASON_TEXT, Reason } from "./decision.ts";
import type { FamilyTable } from "./family-table.ts";
import type { ResolvedHop } from "./forwarding.ts";
import type { LocRib } from "./loc-rib.ts";
import { longestMatch } from "./lpm.ts";
import type { RouteSource } from "./policy/policy.ts";
import type { Rib } from "./rib.ts";
import type { ShownWay } from "./ways.ts";

export interface Route {
  readonly prefix: Prefix;
  readonly peer: PeerId;
  readonly source: RouteSource;
  /** Path Identifier as received, 0 without add-path. */
  readonly pathId: number;
  readonly best: boolean;
  /** Import rules let it in. */
  readonly isAccepted: boolean;
  /** Its destination has a route in the kernel that this speaker asked for. */
  readonly isForwarded: boolean;
  /** Among the sources of routes. */
  readonly preference: number;
  /** Distance of its next hop; Infinity where that is unreachable. */
  readonly metric: number;
  readonly stale: boolean;
  /** Why it is not the best path, in words; undefined if it is. */
  readonly reason: string | undefined;
  readonly attributes: PathAttributes;
  readonly destination: "forward" | "blackhole" | "unreachable";
  readonly hops: readonly ResolvedHop[];
  /** Of a route learnt from the kernel. */
  readonly kernel: ShownWay["kernel"];
  /** Milliseconds ago. */
  readonly age: number;
  /** What is sent to the peer that was asked about. */
  readonly advertised: PathAttributes | undefined;
}

export interface RouteQuery {
  readonly family: Family | undefined;
  readonly prefix: Prefix | undefined;
  /** With `prefix`: all that lies within. */
  readonly longer: boolean;
  /** The longest match for this address. */
  readonly address: IpAddress | undefined;
  readonly peer: PeerId | undefined;
  /** Filtered: refused by import rules. Advertisable: what the protocol would let go to the peer. Withheld: what export rules kept of that. */
  readonly view: "received" | "accepted" | "advertised" | "filtered" | "advertisable" | "withheld";
  /** The view was asked for; otherwise paths that were not accepted are shown too, as they were received. */
  readonly explicitView: boolean;
  readonly source: RouteSource | undefined;
  readonly matches: ((attributes: PathAttributes) => boolean) | undefined;
}

/** Small tables come sorted; a large one comes as it lies, because sorting a million keys would hold up the sessions. */
const SORTED_UP_TO = 16_384;

/** Yields undefined now and then where nothing matched for long, so that the caller can let others have their turn. */
export function* routes(rib: Rib, query: RouteQuery): Generator<Route | undefined, void> {
  for (const family of FAMILIES) {
    if (query.family !== undefined && query.family !== family) continue;
    if (query.prefix !== undefined && query.prefix.family !== family) continue;
    if (query.address !== undefined && query.address.family !== family) continue;
    const loc = rib.rib(family);
    let seen = 0;
    for (const prefix of candidates(loc.table, query)) {
      if (++seen % 1024 === 0) yield undefined;
      if (loc.table.prefixes.isLive(prefix)) yield* routesOf(rib, loc, prefix, query);
    }
  }
}

function* routesOf(rib: Rib, loc: LocRib, prefix: number, query: RouteQuery): Generator<Route, void> {
  const { table } = loc;
  const destination = table.prefixes.prefix(prefix);
  const chain: number[] = [];
  for (let path = table.first(prefix); path >= 0; path = table.paths.next(path)) chain.push(path);
  const { w0, w1, w2, w3, length } = destination;
  for (const path of chain) {
    // Whoever asked may have let others have their turn: the destination or the path may be gone, and the number another's.
    if (table.prefixes.find(w0, w1, w2, w3, length) !== prefix) return;
    if (!table.paths.isLive(path) || table.paths.prefix(path) !== prefix) continue;
    const best = table.best(prefix);
    const peer = table.paths.peer(path);
    const accepted = table.paths.accepted(path);
    let shown = query.view === "received" ? table.paths.received(path) : accepted;
    let advertised: AttrsId | undefined;
    if (query.view === "advertised" || query.view === "advertisable" || query.view === "withheld") {
      const told = query.peer === undefined ? undefined : toldOf(rib, loc, prefix, path, query.peer);
      advertised = told?.advertised;
      if (query.view === "advertised" ? advertised === undefined : told?.mayGo !== true) continue;
      if (query.view === "withheld" && advertised !== undefined) continue;
    } else if (query.peer !== undefined && peer !== query.peer) continue;
    if (query.view === "filtered" && (accepted !== 0 || table.paths.isRemoved(path))) continue;
    if (shown === 0) {
      if (query.view === "accepted" && query.explicitView) continue;
      shown = table.paths.received(path);
    }
    if (shown === 0) continue;
    const source = table.paths.source(path);
    if (query.source !== undefined && query.source !== source) continue;
    const attributes = rib.attributes.attributes(shown);
    if (query.matches !== undefined && !query.matches(attributes)) continue;
    yield {
      prefix: destination,
      peer,
      source,
      pathId: table.paths.identifier(path),
      best: path === best,
      isAccepted: accepted !== 0,
      isForwarded: table.target(prefix) !== 0,
      preference: loc.preference(path),
      metric: loc.metric(path),
      stale: loc.isStale(path),
      reason: path === best ? undefined : reasonOf(rib, path, table, destination),
      attributes,
      ...rib.wayOf(table.family, path),
      age: rib.ageOf(table.paths.since(path)),
      advertised: advertised === undefined ? undefined : rib.attributes.attributes(advertised),
    };
  }
}

/** What that peer is told of the path, and whether it would be if it were for the protocol alone. */
function toldOf(rib: Rib, loc: LocRib, prefix: number, path: number, to: PeerId) {
  const { family, paths } = loc.table;
  const peer = rib.peer(to);
  const group = peer?.family(family).group;
  if (group === undefined || paths.accepted(path) === 0) return undefined;
  const sendsAll = peer?.facts?.families.some((f) => f.family === family && f.addPathSend) ?? false;
  const isMeant = sendsAll ? loc.isUsable(path) : path === loc.table.best(prefix);
  const mayGo = isMeant && paths.peer(path) !== to && group.outbound.mayLeave(path);
  return { mayGo, advertised: group.advertisedPath(prefix, path, to) };
}

function reasonOf(rib: Rib, path: number, table: FamilyTable, destination: Prefix): string {
  const reason = table.paths.reason(path) as Reason;
  const received = table.paths.received(path);
  if (reason !== Reason.NotAccepted || received === 0) return REASON_TEXT[reason];
  const inbound = rib.peer(table.paths.peer(path))?.inbound;
  return inbound?.refusal(received, destination) ?? REASON_TEXT[reason];
}

function* candidates(table: FamilyTable, query: RouteQuery): Generator<number, void> {
  const { prefixes } = table;
  const { prefix, address } = query;
  if (address !== undefined) {
    const found = longestReachable(table, address);
    if (found >= 0) yield found;
  } else if (prefix !== undefined && !query.longer) {
    const found = prefixes.find(prefix.w0, prefix.w1, prefix.w2, prefix.w3, prefix.length);
    if (found >= 0) yield found;
  } else if (prefixes.count <= SORTED_UP_TO) yield* sorted(prefixes, prefix);
  else {
    for (let id = 0; id < prefixes.end; id++)
      if (prefixes.isLive(id) && (prefix === undefined || within(prefixes, id, prefix))) yield id;
  }
}

/** Destinations without a usable path, or remembered only because a withdrawal is still under way, hold no address. */
function longestReachable(table: FamilyTable, { w0, w1, w2, w3 }: IpAddress): number {
  for (let length = 128; length >= 0; ) {
    const found = longestMatch(table.prefixes, w0, w1, w2, w3, length);
    if (found < 0 || table.best(found) >= 0) return found;
    length = table.prefixes.length(found) - 1;
  }
  return -1;
}

function within(prefixes: PrefixTable, id: number, outer: Prefix): boolean {
  const inner = prefixes.prefix(id);
  return prefixContains(outer, inner, inner.length);
}

function sorted(prefixes: PrefixTable, outer: Prefix | undefined): number[] {
  const ids: number[] = [];
  for (let id = 0; id < prefixes.end; id++)
    if (prefixes.isLive(id) && (outer === undefined || within(prefixes, id, outer))) ids.push(id);
  const word = (id: number, w: 0 | 1 | 2 | 3) =>
    (w === 0 ? prefixes.w0(id) : w === 1 ? prefixes.w1(id) : w === 2 ? prefixes.w2(id) : prefixes.w3(id)) >>> 0;
  return ids.sort(
    (a, b) =>
      word(a, 0) - word(b, 0) ||
      word(a, 1) - word(b, 1) ||
      word(a, 2) - word(b, 2) ||
      word(a, 3) - word(b, 3) ||
      prefixes.length(a) - prefixes.length(b),
  );
}
