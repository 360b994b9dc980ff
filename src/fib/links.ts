/** Interfaces, their addresses, and the connected prefixes that come of them, kept up to date from notifications. */

import { formatAddress, type IpAddress, sameAddress } from "../bgp/model/address.ts";
import { Family } from "../bgp/model/family.ts";
import { formatPrefix, type Prefix, prefixOf } from "../bgp/model/prefix.ts";
import type { FibEvents, KernelRoute, Link } from "./fib.ts";
import { nameMatcher } from "./glob.ts";
import { scopeOf } from "./learn-rules.ts";
import { RouteProtocol } from "./netlink/constants.ts";
import type { AddressMessage, LinkMessage } from "./netlink/link-message.ts";

interface State {
  link: LinkMessage;
  readonly addresses: Map<string, AddressMessage>;
  /** Connected prefixes by text. */
  connected: Map<string, KernelRoute>;
  told: Link | undefined;
}

/** What the kernel does with routes when a link or an address goes, without telling every one of them. */
export interface LinkHooks {
  /** Disabled, or (IPv4) without any address left: routes that have no other way are gone. `family` undefined: both. */
  interfaceLost(index: number, family: Family | undefined): void;
  /** Removed: routes that had one of their next hops over it are gone. */
  interfaceRemoved(index: number): void;
  /** Routes that preferred it as their source are gone (IPv4) or have lost it (IPv6). */
  addressLost(address: IpAddress): void;
  /** Something came up or got an address: what was refused may be possible now. */
  gained(): void;
  /** Name or state differ from before. */
  changed(index: number): void;
}

export class Links {
  readonly #events: FibEvents;
  readonly #hooks: LinkHooks;
  #isExcluded: (name: string) => boolean;
  readonly #states = new Map<number, State>();
  /** Of each connected prefix the interfaces that have it, the lowest index first. */
  readonly #connected = new Map<string, number[]>();
  /** During a dump: what it has not shown yet. */
  #unseenLinks: Set<number> | undefined;
  #unseenAddresses: Set<string> | undefined;

  constructor(excludeInterfaces: readonly string[], events: FibEvents, hooks: LinkHooks) {
    this.#isExcluded = nameMatcher(excludeInterfaces);
    this.#events = events;
    this.#hooks = hooks;
  }

  /** Other interfaces whose prefixes are not told. */
  exclude(interfaces: readonly string[]): void {
    this.#isExcluded = nameMatcher(interfaces);
    for (const state of this.#states.values()) this.#settle(state);
  }

  *all(): Generator<Link> {
    for (const state of this.#states.values()) if (state.told !== undefined) yield state.told;
  }

  link(index: number): LinkMessage | undefined {
    return this.#states.get(index)?.link;
  }

  beginLinkDump(): void {
    this.#unseenLinks = new Set(this.#states.keys());
  }

  endLinkDump(): void {
    for (const index of this.#unseenLinks ?? []) this.linkRemoved(index);
    this.#unseenLinks = undefined;
  }

  beginAddressDump(): void {
    this.#unseenAddresses = new Set();
    for (const [index, state] of this.#states) {
      for (const key of state.addresses.keys()) this.#unseenAddresses.add(`${index} ${key}`);
    }
  }

  endAddressDump(): void {
    const unseen = this.#unseenAddresses ?? new Set();
    this.#unseenAddresses = undefined;
    for (const [index, state] of this.#states) {
      for (const [key, address] of state.addresses) if (unseen.has(`${index} ${key}`)) this.addressRemoved(address);
    }
  }

  linkChanged(link: LinkMessage): void {
    this.#unseenLinks?.delete(link.index);
    const state = this.#states.get(link.index);
    if (state === undefined) {
      const created: State = { link, addresses: new Map(), connected: new Map(), told: undefined };
      this.#states.set(link.index, created);
      this.#settle(created);
      this.#hooks.changed(link.index);
      this.#hooks.gained();
      return;
    }
    const before = state.link;
    if (before.name === link.name && before.enabled === link.enabled && before.up === link.up) return;
    state.link = link;
    this.#settle(state);
    if (before.enabled && !link.enabled) this.#hooks.interfaceLost(link.index, undefined);
    this.#hooks.changed(link.index);
    if ((!before.enabled && link.enabled) || (!before.up && link.up)) this.#hooks.gained();
  }

  linkRemoved(index: number): void {
    const state = this.#states.get(index);
    if (state === undefined) return;
    state.link = { ...state.link, enabled: false, up: false };
    state.addresses.clear();
    this.#settle(state);
    this.#states.delete(index);
    this.#hooks.interfaceRemoved(index);
    this.#hooks.changed(index);
  }

  addressChanged(address: AddressMessage): void {
    const key = keyOf(address);
    this.#unseenAddresses?.delete(`${address.interface} ${key}`);
    const state = this.#states.get(address.interface);
    if (state === undefined) return;
    const before = state.addresses.get(key);
    if (before !== undefined && before.usable === address.usable) return;
    state.addresses.set(key, address);
    this.#settle(state);
    this.#hooks.gained();
  }

  addressRemoved(address: AddressMessage): void {
    const state = this.#states.get(address.interface);
    if (state?.addresses.delete(keyOf(address)) !== true) return;
    this.#settle(state);
    const family = address.address.family;
    if (!this.#has(address.address)) this.#hooks.addressLost(address.address);
    // The kernel switches IPv4 off on an interface that loses its last address, and flushes its routes (fib_disable_ip).
    const left = [...state.addresses.values()].some((a) => a.address.family === family);
    if (family === Family.Ipv4 && !left) this.#hooks.interfaceLost(address.interface, family);
  }

  #has(address: IpAddress): boolean {
    for (const { addresses } of this.#states.values()) {
      for (const held of addresses.values()) if (sameAddress(held.address, address)) return true;
    }
    return false;
  }

  /** Tells what differs from what was told. */
  #settle(state: State): void {
    const { link } = state;
    const usable = [...state.addresses.values()].filter((a) => a.usable);
    const now: Link = {
      index: link.index,
      name: link.name,
      up: link.up,
      addresses: usable.map(({ address, length }) => ({ address, length })),
    };
    if (state.told === undefined || !sameLink(state.told, now)) {
      state.told = now;
      this.#events.linkChanged(now);
    }
    const before = state.connected;
    state.connected = new Map();
    if (link.up && !this.#isExcluded(link.name)) {
      for (const address of usable) {
        const prefix = prefixOf(address.network, address.length);
        if (scopeOf(prefix) === "global") state.connected.set(formatPrefix(prefix), connectedRoute(prefix, link));
      }
    }
    for (const [text, route] of before) if (!state.connected.has(text)) this.#disconnect(text, route, link.index);
    for (const [text, route] of state.connected) {
      const known = before.get(text);
      if (known === undefined) this.#connect(text, route, link.index);
      else if (known.interfaceName !== link.name && this.#connected.get(text)?.[0] === link.index) this.#tell(route);
    }
  }

  #connect(text: string, route: KernelRoute, index: number): void {
    const holders = this.#connected.get(text) ?? [];
    holders.push(index);
    holders.sort((a, b) => a - b);
    this.#connected.set(text, holders);
    if (holders[0] === index) this.#tell(route);
  }

  #disconnect(text: string, route: KernelRoute, index: number): void {
    const holders = this.#connected.get(text) ?? [];
    const at = holders.indexOf(index);
    holders.splice(at, at < 0 ? 0 : 1);
    const next = holders[0];
    if (next === undefined) {
      this.#connected.delete(text);
      this.#events.routeChanged(route.prefix, "connected", undefined);
    } else if (at === 0) {
      const other = this.#states.get(next)?.connected.get(text);
      if (other !== undefined) this.#tell(other);
    }
  }

  #tell(route: KernelRoute): void {
    this.#events.routeChanged(route.prefix, "connected", route);
  }
}

function connectedRoute(prefix: Prefix, link: LinkMessage): KernelRoute {
  return {
    prefix,
    source: "connected",
    protocol: RouteProtocol.Kernel,
    metric: 0,
    target: {
      kind: "unicast",
      nextHops: [{ gateway: undefined, interface: link.index, onlink: false, weight: 1 }],
      preferredSource: undefined,
      metric: undefined,
    },
    interfaceName: link.name,
    learnt: true,
  };
}

function sameLink(a: Link, b: Link): boolean {
  return (
    a.name === b.name &&
    a.up === b.up &&
    a.addresses.length === b.addresses.length &&
    a.addresses.every((x, i) => {
      const y = b.addresses[i];
      return y !== undefined && x.length === y.length && sameAddress(x.address, y.address);
    })
  );
}

/** The kernel knows an address by itself, its network and its length. */
function keyOf(a: AddressMessage): string {
  return `${formatAddress(a.address)} ${formatAddress(a.network)}/${a.length}`;
}
