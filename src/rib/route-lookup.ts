/** What next hops resolve over: what the kernel's side told, and beside it the best paths of the tables themselves. */

import { type IpAddress, isLinkLocal, sameAddress } from "../bgp/model/address.ts";
import { Family } from "../bgp/model/family.ts";
import type { PeerId } from "../bgp/model/ids.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import { PrefixTable } from "../columns/prefix-table.ts";
import type { AttributeTable } from "./attribute-table.ts";
import { Reason } from "./decision.ts";
import type { ResolvedHop } from "./forwarding.ts";
import type { LocRib } from "./loc-rib.ts";
import { longestMatch } from "./lpm.ts";
import type { CoveringRoute, RouteLookup } from "./next-hop-resolver.ts";
import type { PathStore } from "./path-store.ts";

/** A route of the kernel's or a connected prefix, as far as next hops resolve over it. */
export interface KernelPath {
  readonly kind: CoveringRoute["kind"];
  readonly hops: readonly ResolvedHop[];
  /** Metric of the kernel's route; connected prefixes have none. */
  readonly metric?: number;
  /** Who put it there (rtm_protocol); for people. */
  readonly protocol?: number;
}

interface Context {
  rib(family: Family): LocRib;
  attributes(): AttributeTable;
  /** The address of a next hop by its id. */
  nextHop(id: number): IpAddress | undefined;
  /** Interface of that peer's session, 0 if unknown: where its link-local next hops are. */
  sessionInterface(peer: PeerId): number;
  isLinkUp(interfaceIndex: number): boolean;
}

export class TableLookup implements RouteLookup {
  readonly #context: Context;
  readonly #tables = { [Family.Ipv4]: new PrefixTable(Family.Ipv4, 0), [Family.Ipv6]: new PrefixTable(Family.Ipv6, 0) };
  /** By prefix id: connected first, because the kernel prefers it too. */
  readonly #connected = { [Family.Ipv4]: new Map<number, KernelPath>(), [Family.Ipv6]: new Map<number, KernelPath>() };
  readonly #kernel = { [Family.Ipv4]: new Map<number, KernelPath>(), [Family.Ipv6]: new Map<number, KernelPath>() };

  constructor(context: Context) {
    this.#context = context;
  }

  set(prefix: Prefix, source: "kernel" | "connected", path: KernelPath | undefined): void {
    const { family, w0, w1, w2, w3, length } = prefix;
    const table = this.#tables[family];
    const paths = source === "connected" ? this.#connected[family] : this.#kernel[family];
    if (path !== undefined) {
      paths.set(table.findOrAdd(w0, w1, w2, w3, length), path);
      return;
    }
    const id = table.find(w0, w1, w2, w3, length);
    if (id < 0) return;
    paths.delete(id);
    if (!this.#connected[family].has(id) && !this.#kernel[family].has(id)) table.remove(id);
  }

  /** The way of such a route; undefined where there is none. */
  path(prefix: Prefix, source: "kernel" | "connected"): KernelPath | undefined {
    const { family, w0, w1, w2, w3, length } = prefix;
    const id = this.#tables[family].find(w0, w1, w2, w3, length);
    return id < 0 ? undefined : (source === "connected" ? this.#connected : this.#kernel)[family].get(id);
  }

  isLinkUp(interfaceIndex: number): boolean {
    return this.#context.isLinkUp(interfaceIndex);
  }

  longestMatch(address: IpAddress, maxLength: number, underWay: readonly IpAddress[]): CoveringRoute | undefined {
    const { family, w0, w1, w2, w3 } = address;
    const table = this.#tables[family];
    const kernelId = longestMatch(table, w0, w1, w2, w3, maxLength);
    const kernelLength = kernelId < 0 ? -1 : table.length(kernelId);
    const learnt = this.#learnt(address, maxLength, kernelLength, underWay);
    if (learnt !== undefined) return learnt;
    const path = this.#connected[family].get(kernelId) ?? this.#kernel[family].get(kernelId);
    return path === undefined ? undefined : { length: kernelLength, ...path };
  }

  /** The best path of the tables, where it is longer than what the kernel's side has. */
  #learnt(
    address: IpAddress,
    maxLength: number,
    longerThan: number,
    underWay: readonly IpAddress[],
  ): CoveringRoute | undefined {
    const { table } = this.#context.rib(address.family);
    for (let limit = maxLength; limit > longerThan; ) {
      const id = longestMatch(table.prefixes, address.w0, address.w1, address.w2, address.w3, limit);
      if (id < 0 || table.prefixes.length(id) <= longerThan) return undefined;
      const best = table.best(id);
      const route =
        best < 0 || this.#mayLeadBack(address.family, id, underWay)
          ? undefined
          : this.#route(address.family, best, table.prefixes.length(id));
      if (route !== undefined) return route;
      limit = table.prefixes.length(id) - 1;
    }
    return undefined;
  }

  /** One of the paths to this destination has such a next hop. */
  #mayLeadBack(family: Family, prefix: number, underWay: readonly IpAddress[]): boolean {
    const { table } = this.#context.rib(family);
    for (let path = table.first(prefix); path >= 0; path = table.paths.next(path)) {
      const accepted = table.paths.accepted(path);
      const nextHop = accepted === 0 ? undefined : this.#context.nextHop(this.#context.attributes().nextHop(accepted));
      if (nextHop !== undefined && underWay.some((address) => sameAddress(address, nextHop))) return true;
    }
    return false;
  }

  #route(family: Family, best: number, length: number): CoveringRoute | undefined {
    const { table } = this.#context.rib(family);
    const { paths } = table;
    const source = paths.source(best);
    if (source === "kernel" || source === "connected" || paths.accepted(best) === 0) return undefined;
    // It stands because of its contributors: if their next hops resolved over it, they would keep each other for ever.
    if (source === "aggregate") return undefined;
    if (paths.isBlackhole(best)) return { length, kind: "blackhole", hops: [] };
    const first = this.#hop(paths, best);
    if (first === undefined) return undefined;
    const hops = [first];
    // Packets to the next hop are shared among the paths that tied: so are those that go by way of it.
    for (let path = table.first(paths.prefix(best)); path >= 0; path = paths.next(path)) {
      if (paths.reason(path) !== Reason.Multipath || paths.isRemoved(path)) continue;
      const hop = this.#hop(paths, path);
      if (hop !== undefined) hops.push(hop);
    }
    return { length, kind: "forward", hops };
  }

  /** Where packets for this path go, as far as its own attributes say. */
  #hop(paths: PathStore, path: number): ResolvedHop | undefined {
    const attributes = this.#context.attributes();
    const accepted = paths.accepted(path);
    if (accepted === 0 || attributes.nextHop(accepted) === 0) return undefined;
    const { nextHop, linkLocalNextHop } = attributes.attributes(accepted);
    const local = isLinkLocal(nextHop) ? nextHop : linkLocalNextHop;
    const link = local === undefined ? 0 : this.#context.sessionInterface(paths.peer(path));
    return local !== undefined && link !== 0 ? { gateway: local, interface: link } : { gateway: nextHop, interface: 0 };
  }
}
