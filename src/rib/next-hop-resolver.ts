/** How one next hop is reached: the recursive lookup of RFC 4271 §9.1.2.1 over connected, static, kernel and learnt routes. */

import { type IpAddress, isLinkLocal, isUnspecified, sameAddress } from "../bgp/model/address.ts";
import { addressBits } from "../bgp/model/family.ts";
import type { ResolvedHop } from "./forwarding.ts";

/** A usable route as the resolver sees it. */
export interface CoveringRoute {
  readonly length: number;
  readonly kind: "forward" | "blackhole" | "unreachable";
  /**
   * For `forward`, each way: no gateway is a connected subnet or a device; a gateway with an interface is the way itself; a
   * gateway with interface 0 (the next hop of a learnt route, or of a static one) has to be resolved in its turn.
   */
  readonly hops: readonly ResolvedHop[];
}

export interface RouteLookup {
  /**
   * The longest usable route that holds the address and is at most `maxLength` bits long. `underWay`: next hops that are being
   * resolved; a destination that might be reached by one of them is none to resolve it over.
   */
  longestMatch(address: IpAddress, maxLength: number, underWay: readonly IpAddress[]): CoveringRoute | undefined;
  isLinkUp(interfaceIndex: number): boolean;
}

export interface Resolution {
  readonly reachable: boolean;
  /** The decision process's interior cost (RFC 4271 §9.1.2.2 e): 0 on a connected subnet, 1 more for each gateway; Infinity unreachable. */
  readonly metric: number;
  /** The packets are meant to be dropped. */
  readonly blackhole: boolean;
  readonly resolved: readonly ResolvedHop[];
}

export const UNREACHABLE: Resolution = Object.freeze({
  reachable: false,
  metric: Number.POSITIVE_INFINITY,
  blackhole: false,
  resolved: [],
});
const BLACKHOLE: Resolution = Object.freeze({ reachable: true, metric: 1, blackhole: true, resolved: [] });

/** Where nothing is known of the machine's routes, every next hop counts as reachable. */
export const ASSUMED: Resolution = Object.freeze({ reachable: true, metric: 0, blackhole: false, resolved: [] });

/** How many next hops may lead to each other, and how many lookups one resolution may take in all: real tables need a handful. */
const DEPTH = 8;
const LOOKUPS = 256;

/** What a resolution rested on: it can only change when something of this does. */
export interface Footprint {
  /** Routes that hold `address` and are at least `length` bits long were looked at. */
  looked(address: IpAddress, length: number): void;
  asked(interfaceIndex: number): void;
}

/**
 * RFC: RFC 4271 §9.1.2.1 calls a route unresolvable that resolves, however indirectly, through itself.
 * Ours: such a route is passed over for the next shorter one, so that a peer may announce the prefix that its own address lies in,
 * and the outcome does not depend on which route came first. That it is not the best path, perhaps because its next hop cannot be
 * resolved, does not count: else it would become the best one and lose its next hop again, round and round.
 */
export function resolveNextHop(nextHop: IpAddress, lookup: RouteLookup, footprint: Footprint): Resolution {
  return new Walk(lookup, footprint).resolve(nextHop);
}

class Walk {
  readonly #lookup: RouteLookup;
  readonly #footprint: Footprint;
  readonly #underWay: IpAddress[] = [];
  #lookups = LOOKUPS;

  constructor(lookup: RouteLookup, footprint: Footprint) {
    this.#lookup = lookup;
    this.#footprint = footprint;
  }

  resolve(address: IpAddress): Resolution {
    if (isUnspecified(address) || isLinkLocal(address)) return UNREACHABLE;
    if (this.#underWay.length >= DEPTH || this.#underWay.some((a) => sameAddress(a, address))) return UNREACHABLE;
    this.#underWay.push(address);
    const resolution = this.#throughLongest(address);
    this.#underWay.pop();
    return resolution;
  }

  #throughLongest(address: IpAddress): Resolution {
    for (let maxLength = addressBits(address.family); maxLength >= 0 && this.#lookups > 0; ) {
      this.#lookups--;
      const route = this.#lookup.longestMatch(address, maxLength, this.#underWay);
      this.#footprint.looked(address, route?.length ?? 0);
      if (route === undefined || route.kind === "unreachable") return UNREACHABLE;
      if (route.kind === "blackhole") return BLACKHOLE;
      const resolution = this.#through(route.hops, address);
      if (resolution.reachable) return resolution;
      maxLength = route.length - 1;
    }
    return UNREACHABLE;
  }

  #through(hops: readonly ResolvedHop[], address: IpAddress): Resolution {
    const resolved: ResolvedHop[] = [];
    let metric = Number.POSITIVE_INFINITY;
    let isBlackhole = false;
    for (const hop of hops) {
      const way = this.#way(hop, address);
      if (!way.reachable) continue;
      if (way.blackhole) isBlackhole = true;
      metric = Math.min(metric, way.metric);
      for (const r of way.resolved) if (!resolved.some((other) => sameHop(r, other))) resolved.push(r);
    }
    if (resolved.length > 0) return { reachable: true, metric, blackhole: false, resolved };
    return isBlackhole ? BLACKHOLE : UNREACHABLE;
  }

  #way(hop: ResolvedHop, address: IpAddress): Resolution {
    const { gateway, interface: index } = hop;
    if (index === 0) {
      if (gateway === undefined) return UNREACHABLE;
      const further = this.resolve(gateway);
      return further.reachable ? { ...further, metric: further.metric + 1 } : UNREACHABLE;
    }
    this.#footprint.asked(index);
    if (!this.#lookup.isLinkUp(index)) return UNREACHABLE;
    return gateway === undefined
      ? { reachable: true, metric: 0, blackhole: false, resolved: [{ gateway: address, interface: index }] }
      : { reachable: true, metric: 1, blackhole: false, resolved: [hop] };
  }
}

/** RFC 4291 §2.5.6: a link-local next hop is where the session is. */
export function resolveOnLink(linkLocal: IpAddress, interfaceIndex: number, lookup: RouteLookup): Resolution {
  return lookup.isLinkUp(interfaceIndex)
    ? { reachable: true, metric: 0, blackhole: false, resolved: [{ gateway: linkLocal, interface: interfaceIndex }] }
    : UNREACHABLE;
}

export function sameResolution(a: Resolution, b: Resolution): boolean {
  return (
    a.reachable === b.reachable &&
    a.metric === b.metric &&
    a.blackhole === b.blackhole &&
    a.resolved.length === b.resolved.length &&
    a.resolved.every((hop, i) => sameHop(hop, b.resolved[i]))
  );
}

function sameHop(a: ResolvedHop, b: ResolvedHop | undefined): boolean {
  if (b === undefined || a.interface !== b.interface) return false;
  if (a.gateway === undefined || b.gateway === undefined) return a.gateway === b.gateway;
  return sameAddress(a.gateway, b.gateway);
}
