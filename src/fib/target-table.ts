/** Targets by small numbers: equal ones share a number, and each is encoded once for as long as a route uses it. */

import { compareAddress, formatAddress, type IpAddress } from "../bgp/model/address.ts";
import { Family } from "../bgp/model/family.ts";
import type { FibNextHop, FibTarget } from "./fib.ts";
import { type EncodedTarget, encodeTarget } from "./netlink/target-codec.ts";
import type { FibOptions } from "./options.ts";
import { sameOptionalAddress } from "./same-target.ts";

/** What the kernel makes of an IPv6 route without a metric (IP6_RT_PRIO_USER). */
const IPV6_DEFAULT_METRIC = 1024;

interface Entry {
  readonly key: string;
  readonly target: FibTarget;
  readonly metric: number;
  readonly encoded: EncodedTarget;
  uses: number;
}

/** The number 0 stands for no target. Who stores a number calls `use`, and `release` when it is overwritten. */
export class TargetTable {
  readonly #family: Family;
  readonly #options: FibOptions;
  readonly #source: IpAddress | undefined;
  /** So that the same object stays one when it is given a source. */
  readonly #withSources = new WeakMap<FibTarget, FibTarget>();
  readonly #entries: (Entry | undefined)[] = [undefined];
  readonly #free: number[] = [];
  readonly #byKey = new Map<string, number>();
  /** The same object again, as callers are asked to give it, needs no key. */
  readonly #byObject = new WeakMap<FibTarget, number>();

  constructor(family: Family, options: FibOptions) {
    this.#family = family;
    this.#options = options;
    this.#source = options.preferredSources.find((address) => address.family === family);
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** The number of a target that we want; unused until `use`. */
  intern(given: FibTarget): number {
    const wanted = given.metric ?? this.#options.metric ?? 0;
    const target = given.kind === "unicast" ? this.#withSource(given) : given;
    return this.#find(target, wanted === 0 && this.#family === Family.Ipv6 ? IPV6_DEFAULT_METRIC : wanted);
  }

  /** The number of a target that the kernel told: its metric is its own. */
  internPresent(target: FibTarget): number {
    return this.#find(target, target.metric ?? 0);
  }

  #withSource(target: FibTarget): FibTarget {
    if (this.#source === undefined || target.preferredSource !== undefined) return target;
    const known = this.#withSources.get(target);
    if (known !== undefined) return known;
    const preferring = { ...target, preferredSource: this.#source };
    this.#withSources.set(target, preferring);
    return preferring;
  }

  use(id: number): void {
    const entry = this.#entries[id];
    if (entry !== undefined) entry.uses++;
  }

  release(id: number): void {
    const entry = this.#entries[id];
    if (entry === undefined) return;
    entry.uses--;
    this.discard(id);
  }

  /** Forgets a target that was interned and that nobody came to use. */
  discard(id: number): void {
    const entry = this.#entries[id];
    if (entry === undefined || entry.uses > 0) return;
    this.#byKey.delete(entry.key);
    this.#entries[id] = undefined;
    this.#free.push(id);
  }

  /** Undefined for 0. */
  target(id: number): FibTarget | undefined {
    return this.#entries[id]?.target;
  }

  encoded(id: number): EncodedTarget | undefined {
    return this.#entries[id]?.encoded;
  }

  /** As the kernel counts it. */
  metric(id: number): number {
    return this.#entries[id]?.metric ?? 0;
  }

  /** True if the kernel's route is what we want: a next hop without an interface is content with any. */
  satisfies(present: number, wanted: number): boolean {
    if (present === wanted) return true;
    const a = this.#entries[present];
    const b = this.#entries[wanted];
    if (a === undefined || b === undefined || a.metric !== b.metric || a.target.kind !== b.target.kind) return false;
    if (!sameOptionalAddress(a.target.preferredSource, b.target.preferredSource)) return false;
    const wantedHops = b.target.nextHops;
    return (
      a.target.nextHops.length === wantedHops.length &&
      a.target.nextHops.every((hop, i) => satisfiesHop(hop, wantedHops[i]))
    );
  }

  /** Every target in use, with its number. */
  *all(): Generator<readonly [number, FibTarget]> {
    for (const [id, entry] of this.#entries.entries()) if (entry !== undefined) yield [id, entry.target];
  }

  #find(given: FibTarget, metric: number): number {
    const remembered = this.#byObject.get(given) ?? 0;
    // Numbers are used again: what it stands for now must be the same.
    if (remembered !== 0 && this.#entries[remembered]?.target === given) return remembered;
    const id = this.#findByKey(given, metric);
    this.#byObject.set(given, id);
    return id;
  }

  #findByKey(given: FibTarget, metric: number): number {
    const target = canonical(given);
    const key = keyOf(target, metric);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const { table, protocol } = this.#options;
    const encoded = encodeTarget(this.#family, target, table, protocol, metric);
    const id = this.#free.pop() ?? this.#entries.length;
    this.#entries[id] = { key, target, metric, encoded, uses: 0 };
    this.#byKey.set(key, id);
    return id;
  }
}

/** Next hops in one order, since the kernel keeps none for IPv6; a weight means nothing to a single one. */
function canonical(target: FibTarget): FibTarget {
  const hops = target.nextHops;
  const [only] = hops;
  if (target.kind !== "unicast") return hops.length === 0 ? target : { ...target, nextHops: [] };
  if (hops.length === 1 && only !== undefined) {
    return only.weight === 1 ? target : { ...target, nextHops: [{ ...only, weight: 1 }] };
  }
  const inOrder = hops.every((hop, i) => i === 0 || compareHop(hops[i - 1] ?? hop, hop) <= 0);
  return inOrder ? target : { ...target, nextHops: [...hops].sort(compareHop) };
}

function compareHop(a: FibNextHop, b: FibNextHop): number {
  if (a.gateway === undefined || b.gateway === undefined) {
    const present = Number(a.gateway !== undefined) - Number(b.gateway !== undefined);
    return present || a.interface - b.interface;
  }
  return compareAddress(a.gateway, b.gateway) || a.interface - b.interface || a.weight - b.weight;
}

function satisfiesHop(present: FibNextHop, wanted: FibNextHop | undefined): boolean {
  return (
    wanted !== undefined &&
    (wanted.interface === 0 || wanted.interface === present.interface) &&
    wanted.onlink === present.onlink &&
    wanted.weight === present.weight &&
    sameOptionalAddress(wanted.gateway, present.gateway)
  );
}

function keyOf(target: FibTarget, metric: number): string {
  const hops = target.nextHops.map(
    (hop) =>
      `${hop.gateway === undefined ? "" : formatAddress(hop.gateway)}%${hop.interface}${hop.onlink ? "!" : ""}*${hop.weight}`,
  );
  const source = target.preferredSource === undefined ? "" : formatAddress(target.preferredSource);
  return `${target.kind} ${metric} ${source} ${hops.join(" ")}`;
}
