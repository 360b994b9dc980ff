/**
 * The next hops in use, each resolved once for all paths that have it (RFC 4271 §9.1.2.1) and again when a route or a link that
 * it rests on changes. No timers: whoever changes a route or a link says so, and takes the next hops that fare differently.
 */

import { type IpAddress, ipv4, isLinkLocal, isUnspecified, sameAddress } from "../bgp/model/address.ts";
import type { Brand } from "../bgp/model/brand.ts";
import { Family } from "../bgp/model/family.ts";
import type { PrefixTable } from "../columns/prefix-table.ts";
import type { ResolvedHop } from "./forwarding.ts";
import { NextHopDependencies } from "./next-hop-dependencies.ts";
import {
  ASSUMED,
  type Resolution,
  type RouteLookup,
  resolveNextHop,
  resolveOnLink,
  sameResolution,
  UNREACHABLE,
} from "./next-hop-resolver.ts";

/** 0 is "none": the next hop of what this speaker originates and drops. */
export type NextHopId = Brand<number, "NextHopId">;

const NONE = 0 as NextHopId;

/** Routes whose next hops rest on each other's best paths may have no outcome: so often may one change before all is at rest. */
const RESTLESS = 32;

interface Pair {
  readonly nextHop: IpAddress;
  readonly linkLocal: IpAddress | undefined;
}

interface Entry {
  references: number;
  readonly key: string | number;
  readonly nextHop: IpAddress;
  /** What to use on the session's own link when the global address does not lead anywhere. */
  readonly linkLocal: IpAddress | undefined;
  resolution: Resolution;
  /** How the link-local address fares on the interfaces that were asked for. */
  onLink: Map<number, Resolution> | undefined;
  /** How often it has changed since all was at rest. */
  changes: number;
}

export class NextHopTable {
  readonly #lookup: RouteLookup | undefined;
  readonly #entries: (Entry | undefined)[] = [undefined];
  readonly #free: number[] = [];
  /** A plain IPv4 next hop by its word, others by text. */
  readonly #ids = new Map<string | number, number>();
  /** Acquired last, should it still be there: one set after the other names the same, and the text of an IPv6 address is dear. */
  #last = NONE;
  #lastPair: Pair = { nextHop: ipv4(0), linkLocal: undefined };
  readonly #dependencies = new NextHopDependencies();
  readonly #dirty = new Set<number>();
  /** Those that changed since all was at rest, and of them those that change for ever: unreachable until `tryAgain`. */
  readonly #changed = new Set<number>();
  readonly #restless = new Set<number>();

  /** Without `lookup`, nothing is known of this machine's routes, and every next hop counts as reachable. */
  constructor(lookup: RouteLookup | undefined) {
    this.#lookup = lookup;
  }

  /** Next hops in use. */
  get count(): number {
    return this.#ids.size;
  }

  /** The id of the pair, resolved, with one reference more for the caller to release. */
  acquire(nextHop: IpAddress, linkLocal: IpAddress | undefined): NextHopId {
    if (isUnspecified(nextHop) && linkLocal === undefined) return NONE;
    const last = this.#entries[this.#last];
    if (last !== undefined && isSame(this.#lastPair, nextHop, linkLocal)) {
      last.references++;
      return this.#last;
    }
    this.#last = this.#acquire(nextHop, linkLocal);
    this.#lastPair = { nextHop, linkLocal };
    return this.#last;
  }

  #acquire(nextHop: IpAddress, linkLocal: IpAddress | undefined): NextHopId {
    const key = keyOf(nextHop, linkLocal);
    const known = this.#ids.get(key);
    const entry = known === undefined ? undefined : this.#entries[known];
    if (known !== undefined && entry !== undefined) {
      entry.references++;
      return known as NextHopId;
    }
    const id = this.#free.pop() ?? this.#entries.length;
    this.#entries[id] = {
      references: 1,
      key,
      nextHop,
      linkLocal: isLinkLocal(nextHop) ? nextHop : linkLocal,
      resolution: this.#resolve(id, nextHop),
      onLink: undefined,
      changes: 0,
    };
    this.#ids.set(key, id);
    return id as NextHopId;
  }

  release(id: number): void {
    const entry = this.#entries[id];
    if (entry === undefined || --entry.references > 0) return;
    this.#dependencies.forget(id);
    for (const set of [this.#dirty, this.#changed, this.#restless]) set.delete(id);
    this.#ids.delete(entry.key);
    this.#entries[id] = undefined;
    this.#free.push(id);
  }

  /** `interfaceIndex`: the link of the session that the path came by, 0 if it is not known; link-local next hops need it. */
  resolution(id: number, interfaceIndex = 0): Resolution {
    const entry = this.#entries[id];
    if (entry === undefined || this.#lookup === undefined) return ASSUMED;
    const { resolution, linkLocal } = entry;
    if (resolution.reachable || interfaceIndex === 0 || linkLocal === undefined) return resolution;
    entry.onLink ??= new Map();
    let onLink = entry.onLink.get(interfaceIndex);
    if (onLink === undefined) {
      onLink = resolveOnLink(linkLocal, interfaceIndex, this.#lookup);
      entry.onLink.set(interfaceIndex, onLink);
    }
    return onLink;
  }

  address(id: number): IpAddress | undefined {
    return this.#entries[id]?.nextHop;
  }

  /** Infinity when unreachable. */
  metric(id: number, interfaceIndex = 0): number {
    return this.resolution(id, interfaceIndex).metric;
  }

  isReachable(id: number, interfaceIndex = 0): boolean {
    return this.resolution(id, interfaceIndex).reachable;
  }

  resolved(id: number, interfaceIndex = 0): readonly ResolvedHop[] {
    return this.resolution(id, interfaceIndex).resolved;
  }

  /** The route to this prefix came, went or changed. Cheap when no next hop rests on it; call when `lookup` already sees the change. */
  prefixChanged(family: Family, w0: number, w1: number, w2: number, w3: number, length: number): void {
    if (this.#lookup !== undefined) this.#dependencies.affected(family, w0, w1, w2, w3, length, this.#dirty);
  }

  destinationChanged(p: PrefixTable, id: number): void {
    if (this.#lookup !== undefined) this.prefixChanged(p.family, p.w0(id), p.w1(id), p.w2(id), p.w3(id), p.length(id));
  }

  /** A link came up or went down. Routes over it need not have been told yet. */
  linkChanged(interfaceIndex: number): void {
    if (this.#lookup === undefined) return;
    this.#dependencies.affectedByLink(interfaceIndex, this.#dirty);
    for (const [id, entry] of this.#entries.entries()) if (entry?.onLink?.has(interfaceIndex)) this.#dirty.add(id);
  }

  /** Next hops wait to be resolved again. */
  get hasChanges(): boolean {
    return this.#dirty.size > 0;
  }

  /** Resolves again at most `limit` of those affected, and returns the ones that now fare differently. */
  takeChanged(limit = 1024): NextHopId[] {
    const changed: NextHopId[] = [];
    let left = limit;
    for (const id of this.#dirty) {
      if (left-- === 0) break;
      this.#dirty.delete(id);
      const entry = this.#entries[id];
      if (entry === undefined || !this.#renew(id, entry)) continue;
      changed.push(id as NextHopId);
      entry.changes++;
      this.#changed.add(id);
    }
    return changed;
  }

  /** All that depends on next hops has been decided. */
  rest(): void {
    for (const id of this.#changed) {
      const entry = this.#entries[id];
      if (entry !== undefined && !this.#restless.has(id)) entry.changes = 0;
    }
    this.#changed.clear();
  }

  /** There are next hops to `tryAgain`, some time later. */
  get isRestless(): boolean {
    return this.#restless.size > 0;
  }

  tryAgain(): void {
    for (const id of this.#restless) {
      const entry = this.#entries[id];
      if (entry !== undefined) entry.changes = 0;
      this.#dirty.add(id);
    }
    this.#restless.clear();
  }

  #renew(id: number, entry: Entry): boolean {
    if (entry.changes > RESTLESS) return false;
    if (entry.changes === RESTLESS) {
      this.#restless.add(id);
      entry.resolution = UNREACHABLE;
      entry.onLink = undefined;
      return true;
    }
    const before = entry.resolution;
    const onLink = entry.onLink;
    this.#dependencies.forget(id);
    entry.resolution = this.#resolve(id, entry.nextHop);
    entry.onLink = undefined;
    if (!sameResolution(before, entry.resolution)) return true;
    entry.resolution = before;
    let isChanged = false;
    for (const [index, resolution] of onLink ?? []) {
      if (!sameResolution(resolution, this.resolution(id, index))) isChanged = true;
    }
    return isChanged;
  }

  #resolve(id: number, nextHop: IpAddress): Resolution {
    if (this.#lookup === undefined) return ASSUMED;
    return resolveNextHop(nextHop, this.#lookup, {
      looked: (address, length) => this.#dependencies.restsOnAddress(id, address, length),
      asked: (interfaceIndex) => this.#dependencies.restsOnLink(id, interfaceIndex),
    });
  }
}

function isSame(pair: Pair, nextHop: IpAddress, linkLocal: IpAddress | undefined): boolean {
  if (!sameAddress(pair.nextHop, nextHop)) return false;
  if (linkLocal === undefined || pair.linkLocal === undefined) return linkLocal === pair.linkLocal;
  return sameAddress(pair.linkLocal, linkLocal);
}

function keyOf(nextHop: IpAddress, linkLocal: IpAddress | undefined): string | number {
  if (nextHop.family === Family.Ipv4 && linkLocal === undefined) return nextHop.w0;
  const key = `${nextHop.family}/${nextHop.w0},${nextHop.w1},${nextHop.w2},${nextHop.w3}`;
  return linkLocal === undefined ? key : `${key},${linkLocal.w0},${linkLocal.w1},${linkLocal.w2},${linkLocal.w3}`;
}
