/** A kernel that is not there: remembers what it is asked, and says what a test tells it to say. */

import { FAMILIES, type Family, familyName } from "../../src/bgp/model/family.ts";
import type { Clock } from "../../src/bgp/model/ports.ts";
import { formatPrefix, type Prefix } from "../../src/bgp/model/prefix.ts";
import type { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import type { Fib, FibCounters, FibEvents, FibTarget, KernelEntry, KernelRoute, Link } from "../../src/fib/fib.ts";

interface Entry {
  readonly prefix: Prefix;
  wanted: FibTarget | undefined;
  present: FibTarget | undefined;
}

/** Writes at once, acknowledges soon. What one is closed with another can be opened with: `routes` outlives it, as in a kernel. */
export class MemoryFib implements Fib {
  readonly #clock: Clock;
  readonly #events: FibEvents;
  readonly #entries = new Map<string, Entry>();
  readonly #links = new Map<number, Link>();
  readonly #counts = { add: 0, replace: 0, delete: 0 };
  #settling = false;
  #closed = false;
  /** What was asked for while nothing is written. */
  #waiting: (() => void)[] | undefined;

  /** `left`: routes of an earlier run. */
  constructor(clock: Clock, events: FibEvents, left: ReadonlyMap<Prefix, FibTarget> = new Map()) {
    this.#clock = clock;
    this.#events = events;
    for (const [prefix, present] of left) {
      this.#entries.set(formatPrefix(prefix), { prefix, wanted: undefined, present });
    }
    clock.soon(() => {
      if (!this.#closed) events.ready();
    });
  }

  /** What stands in the kernel, by prefix. */
  get routes(): ReadonlyMap<Prefix, FibTarget> {
    const present = new Map<Prefix, FibTarget>();
    for (const entry of this.#entries.values())
      if (entry.present !== undefined) present.set(entry.prefix, entry.present);
    return present;
  }

  /** The route to exactly that prefix, as text. */
  route(prefix: string): FibTarget | undefined {
    return this.#entries.get(prefix)?.present;
  }

  /** The kernel tells of a link. */
  link(link: Link): void {
    this.#links.set(link.index, link);
    this.#events.linkChanged(link);
  }

  /** The kernel tells of a route of somebody else. */
  learn(route: KernelRoute): void {
    this.#events.routeChanged(route.prefix, route.source, route);
  }

  forget(prefix: Prefix, source: "kernel" | "connected"): void {
    this.#events.routeChanged(prefix, source, undefined);
  }

  /** What is learnt is for the test to say. */
  setLearning(): void {}

  set(prefixes: PrefixBatch, target: FibTarget): void {
    this.#each(prefixes, (prefix, key) => {
      const entry = this.#entries.get(key);
      if (entry === undefined) this.#entries.set(key, { prefix, wanted: target, present: target });
      else {
        entry.wanted = target;
        entry.present = target;
      }
      this.#counts[entry === undefined ? "add" : "replace"]++;
    });
  }

  unset(prefixes: PrefixBatch): void {
    this.#each(prefixes, (_prefix, key) => {
      if (this.#entries.get(key)?.wanted !== undefined) this.#delete(key);
    });
  }

  hold(): void {
    this.#waiting ??= [];
  }

  release(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const write of waiting) write();
    this.#settle();
  }

  /** Now, or when it is released. */
  #each(prefixes: PrefixBatch, write: (prefix: Prefix, key: string) => void): void {
    for (let i = 0; i < prefixes.count; i++) {
      const prefix = prefixes.prefixAt(i);
      const run = () => write(prefix, formatPrefix(prefix));
      if (this.#waiting === undefined) run();
      else this.#waiting.push(run);
    }
    this.#settle();
  }

  expectRoutes(): void {}

  resynchronised(): void {
    for (const [key, entry] of this.#entries) if (entry.wanted === undefined) this.#delete(key);
    this.#settle();
  }

  *entries(family: Family): Generator<KernelEntry> {
    for (const { prefix, wanted, present } of this.#entries.values()) {
      if (prefix.family !== family) continue;
      yield { prefix, wanted, present, state: wanted === undefined ? "stale" : "ok", reason: undefined };
    }
  }

  links(): Iterable<Link> {
    return this.#links.values();
  }

  counters(): FibCounters {
    const routes = { ipv4: 0, ipv6: 0 };
    for (const family of FAMILIES) {
      for (const entry of this.#entries.values()) if (entry.prefix.family === family) routes[familyName(family)]++;
    }
    const ops = ["add", "replace", "delete"] as const;
    const unwritten = { ipv4: 0, ipv6: 0 };
    return { routes, unwritten, operations: ops.map((op) => ({ op, result: "ok", count: this.#counts[op] })) };
  }

  async cleanup(): Promise<number> {
    const count = this.#entries.size;
    for (const key of [...this.#entries.keys()]) this.#delete(key);
    this.#settle();
    return count;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #delete(key: string): void {
    if (this.#entries.delete(key)) this.#counts.delete++;
  }

  #settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    this.#clock.soon(() => {
      this.#settling = false;
      if (!this.#closed) this.#events.settled();
    });
  }
}
