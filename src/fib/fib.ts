/** The kernel's forwarding table as the daemon sees it: what we want goes in, what others put there comes out. */

import type { IpAddress } from "../bgp/model/address.ts";
import type { Family } from "../bgp/model/family.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import type { PrefixBatch } from "../bgp/model/prefix-batch.ts";
import type { FibOptions } from "./options.ts";

export interface FibNextHop {
  readonly gateway: IpAddress | undefined;
  /** Interface index; 0 lets the kernel choose by the gateway. */
  readonly interface: number;
  /** The gateway need not be on the interface's subnet (RTNH_F_ONLINK). */
  readonly onlink: boolean;
  /** 1 to 256. */
  readonly weight: number;
}

/** Where packets go. Equal targets should be one object: the writer encodes a target once per batch. */
export interface FibTarget {
  readonly kind: "unicast" | "blackhole" | "unreachable";
  readonly nextHops: readonly FibNextHop[];
  readonly preferredSource: IpAddress | undefined;
  /** Overrides FibOptions.metric. */
  readonly metric: number | undefined;
}

/** A route that somebody else put into the kernel and that starling learns, or a connected prefix of an interface. */
export interface KernelRoute {
  readonly prefix: Prefix;
  readonly source: "kernel" | "connected";
  readonly protocol: number;
  readonly metric: number;
  readonly target: FibTarget;
  readonly interfaceName: string | undefined;
  /** FibOptions.learn asks for it; other routes of the table are told too, because next hops resolve over them. */
  readonly learnt: boolean;
}

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly addresses: readonly { readonly address: IpAddress; readonly length: number }[];
}

export interface FibEvents {
  /** A learnt or connected route appeared or changed (`route`), or went away (`undefined`). One per prefix and source: the one with the lowest metric. */
  routeChanged(prefix: Prefix, source: "kernel" | "connected", route: KernelRoute | undefined): void;
  linkChanged(link: Link): void;
  /** The first dump has been told in full, and what an earlier run left has been adopted. */
  ready(): void;
  /** The kernel acknowledged everything that was asked up to now. */
  settled(): void;
}

/** One difference between what is wanted and what is there; for `show kernel`. */
export interface KernelEntry {
  readonly prefix: Prefix;
  readonly wanted: FibTarget | undefined;
  readonly present: FibTarget | undefined;
  readonly state: "ok" | "missing" | "different" | "stale";
  /** Why it is not as wanted, where that is known: the kernel's refusal, or a foreign route in its place. */
  readonly reason: string | undefined;
}

export interface FibCounters {
  readonly routes: Readonly<Record<"ipv4" | "ipv6", number>>;
  /** Wanted routes that the kernel refused, or in whose place a foreign route stands. */
  readonly unwritten: Readonly<Record<"ipv4" | "ipv6", number>>;
  /** Finished operations by kind and result: "ok" or an errno name. */
  readonly operations: readonly {
    readonly op: "add" | "replace" | "delete";
    readonly result: string;
    readonly count: number;
  }[];
}

export interface Fib {
  /** Wants every prefix of the batch to go to `target`; the batch is only lent. Writing happens soon, in bounded slices. */
  set(prefixes: PrefixBatch, target: FibTarget): void;
  unset(prefixes: PrefixBatch): void;
  /** Other rules than FibOptions had: what they tell apart is told. */
  setLearning(learn: FibOptions["learn"], excludeInterfaces: readonly string[]): void;
  /** From now on routes are wanted: those of an earlier run stay for `pruneAfterMilliseconds` at most. Until then all of them stay. */
  expectRoutes(): void;
  /** What is wanted from now on is not written before `release`: what stands there is better than what is known yet. */
  hold(): void;
  release(): void;
  /** The tables are complete: routes of an earlier run that nobody wants may be pruned now. */
  resynchronised(): void;
  entries(family: Family): Iterable<KernelEntry>;
  links(): Iterable<Link>;
  counters(): FibCounters;
  /** Removes every route that starling owns. */
  cleanup(): Promise<number>;
  /** Leaves the routes in place. Idempotent. */
  close(): Promise<void>;
}
