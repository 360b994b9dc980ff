/** What is known of this machine's interfaces: from the kernel's notifications where they are heard, from the operating system otherwise. */

import { networkInterfaces } from "node:os";
import { type IpAddress, isLinkLocal, parseAddress, sameAddress } from "../bgp/model/address.ts";
import { Family } from "../bgp/model/family.ts";
import type { Clock, SessionFacts } from "../bgp/model/ports.ts";
import { prefixContains, prefixOf } from "../bgp/model/prefix.ts";
import type { Link } from "../fib/fib.ts";
import type { Surroundings } from "../rib/surroundings.ts";
import { systemClock } from "./clock.ts";

/** Interfaces come and go with pods, each with a new index; of those that are down and bare so many are remembered. */
const BARE = 1024;
/** What the operating system said this lately is not asked again for each of a thousand sessions that come at once. */
const RECENT_MILLISECONDS = 500;

export class Links implements Surroundings {
  readonly #byIndex = new Map<number, Link>();
  /** Down and without an address, perhaps gone; the oldest first. */
  readonly #bare = new Set<number>();
  /** All addresses, by a mix of their words: asked for with each new set of attributes. Gathered anew when one came or went. */
  #own: ReadonlyMap<number, readonly IpAddress[]> | undefined;
  /** Without the kernel's side: read when it is asked for, which is for each session. */
  readonly #fallback: () => Iterable<Link>;
  readonly #clock: Pick<Clock, "now">;
  #read: readonly Link[] = [];
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(fallback: () => Iterable<Link> = systemLinks, clock: Pick<Clock, "now"> = systemClock) {
    this.#fallback = fallback;
    this.#clock = clock;
  }

  /** Returns what was known of it before. */
  set(link: Link): Link | undefined {
    const before = this.#byIndex.get(link.index);
    this.#byIndex.set(link.index, link);
    if (!sameAddresses(before, link)) this.#own = undefined;
    this.#bare.delete(link.index);
    if (!link.up && link.addresses.length === 0) this.#bare.add(link.index);
    const [oldest] = this.#bare;
    if (this.#bare.size > BARE && oldest !== undefined) {
      this.#bare.delete(oldest);
      this.#byIndex.delete(oldest);
    }
    return before;
  }

  interfaceName(index: number): string | undefined {
    return this.#byIndex.get(index)?.name;
  }

  interfaceIndex(name: string): number {
    for (const link of this.#byIndex.values()) if (link.name === name && link.up) return link.index;
    return 0;
  }

  /** For people. */
  all(): Iterable<Link> {
    return this.#byIndex.size > 0 ? this.#byIndex.values() : this.#fallback();
  }

  isLinkUp(index: number): boolean {
    return this.#byIndex.get(index)?.up ?? this.#byIndex.size === 0;
  }

  /** Only where routes are written does a next hop of our own make a route unusable: a pure reflector forwards nothing. */
  isOwnAddress(address: IpAddress): boolean {
    this.#own ??= this.#gatherOwn();
    return this.#own.get(address.w0 ^ address.w3)?.some((own) => sameAddress(own, address)) ?? false;
  }

  sessionInterface(facts: SessionFacts): number {
    return this.#linkOf(facts)?.index ?? 0;
  }

  localAddress(facts: SessionFacts, family: Family): IpAddress | undefined {
    return this.#linkOf(facts)?.addresses.find((a) => a.address.family === family && isUsable(a.address))?.address;
  }

  /** The link-local address of the link, if the peer is on it: what RFC 2545 §3 wants beside the global next hop. */
  linkLocal(localAddress: IpAddress, remoteAddress: IpAddress): IpAddress | undefined {
    const link = this.#linkWith(localAddress);
    if (link === undefined || !isOnLink(link, remoteAddress)) return undefined;
    return link.addresses.find((a) => isLinkLocal(a.address))?.address;
  }

  #gatherOwn(): ReadonlyMap<number, readonly IpAddress[]> {
    const own = new Map<number, IpAddress[]>();
    for (const link of this.#byIndex.values()) {
      for (const { address } of link.addresses) {
        const key = address.w0 ^ address.w3;
        own.set(key, [...(own.get(key) ?? []), address]);
      }
    }
    return own;
  }

  #linkOf(facts: SessionFacts): Link | undefined {
    return this.#linkWith(facts.localAddress);
  }

  #linkWith(address: IpAddress): Link | undefined {
    if (this.#byIndex.size > 0) return linkWith(this.#byIndex.values(), address);
    const now = this.#clock.now();
    const known = now - this.#readAt < RECENT_MILLISECONDS ? linkWith(this.#read, address) : undefined;
    if (known !== undefined) return known;
    this.#read = [...this.#fallback()];
    this.#readAt = now;
    return linkWith(this.#read, address);
  }
}

function linkWith(links: Iterable<Link>, address: IpAddress): Link | undefined {
  for (const link of links) if (link.addresses.some((a) => sameAddress(a.address, address))) return link;
  return undefined;
}

function sameAddresses(before: Link | undefined, link: Link): boolean {
  const old = before?.addresses ?? [];
  return (
    old.length === link.addresses.length &&
    old.every((a, i) => sameAddress(a.address, (link.addresses[i] as (typeof old)[number]).address))
  );
}

function isOnLink(link: Link, address: IpAddress): boolean {
  return link.addresses.some((a) => prefixContains(prefixOf(a.address, a.length), address, a.length));
}

/** Means something to others: not link-local, not loopback. */
function isUsable(address: IpAddress): boolean {
  const { family, w0, w1, w2, w3 } = address;
  const isLoopback = family === Family.Ipv4 ? w0 >>> 24 === 127 : (w0 | w1 | w2) === 0 && w3 === 1;
  return !isLoopback && !isLinkLocal(address);
}

/** Indices are not to be had this way: they are only asked for where the kernel's side tells them. */
function* systemLinks(): Generator<Link> {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const parsed = (addresses ?? []).flatMap(({ address, cidr }) => {
      const ip = parseAddress(address);
      return ip === undefined ? [] : [{ address: ip, length: Number(cidr?.split("/")[1] ?? 0) }];
    });
    yield { index: 0, name, up: true, addresses: parsed };
  }
}
