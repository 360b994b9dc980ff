/** A Fib against the real kernel, with its events written down and things to wait for. */

import { parseAddress } from "../../../src/bgp/model/address.ts";
import type { Family } from "../../../src/bgp/model/family.ts";
import type { Logger } from "../../../src/bgp/model/ports.ts";
import { formatPrefix, parsePrefix } from "../../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../../src/bgp/model/prefix-batch.ts";
import type { Fib, FibNextHop, FibTarget, KernelRoute, Link } from "../../../src/fib/fib.ts";
import { openFib } from "../../../src/fib/netlink-fib.ts";
import type { FibOptions } from "../../../src/fib/options.ts";
import { systemClock } from "../../harness/system-clock.ts";

export const DEFAULTS: FibOptions = {
  table: 254,
  protocol: 12,
  metric: undefined,
  preferredSources: [],
  learn: { protocols: [], interfaces: [] },
  excludeInterfaces: [],
  pruneAfterMilliseconds: 240_000,
};

export interface Probe {
  readonly fib: Fib;
  /** By prefix; connected and kernel apart. */
  readonly kernel: Map<string, KernelRoute>;
  readonly connected: Map<string, KernelRoute>;
  readonly links: Map<string, Link>;
  readonly log: { readonly level: string; readonly fields: object; readonly event: string }[];
  readonly seen: { settled: number; ready: number; routeChanges: number };
  set(prefixes: string | readonly string[], target: FibTarget): void;
  unset(prefixes: string | readonly string[]): void;
  /** All that was asked so far is answered. */
  settled(): Promise<void>;
}

/** Returns when the fib is ready. */
export async function probe(options: Partial<FibOptions> = {}): Promise<Probe> {
  const kernel = new Map<string, KernelRoute>();
  const connected = new Map<string, KernelRoute>();
  const links = new Map<string, Link>();
  const log: { level: string; fields: object; event: string }[] = [];
  const seen = { settled: 0, ready: 0, routeChanges: 0 };
  const level =
    (name: string) =>
    (fields: object, event: string): void => {
      log.push({ level: name, fields, event });
    };
  const logger: Logger = { debug: level("debug"), info: level("info"), warn: level("warn"), error: level("error") };
  const fib = openFib({ ...DEFAULTS, ...options }, systemClock, logger, {
    routeChanged: (prefix, source, route) => {
      seen.routeChanges++;
      const map = source === "kernel" ? kernel : connected;
      if (route === undefined) map.delete(formatPrefix(prefix));
      else map.set(formatPrefix(prefix), route);
    },
    linkChanged: (link) => {
      links.set(link.name, link);
    },
    ready: () => {
      seen.ready++;
    },
    settled: () => {
      seen.settled++;
    },
  });
  await until(() => seen.ready > 0);
  return {
    fib,
    kernel,
    connected,
    links,
    log,
    seen,
    set: (prefixes, target) => fib.set(batch(prefixes), target),
    unset: (prefixes) => fib.unset(batch(prefixes)),
    settled: async () => {
      const before = seen.settled;
      await until(() => seen.settled > before);
    },
  };
}

/** Waits for a condition; an error that says so after `patience` milliseconds. Returns how long it took. */
export async function until(condition: () => boolean, patience = 10_000): Promise<number> {
  const started = performance.now();
  while (!condition()) {
    if (performance.now() - started > patience) throw new Error(`waited ${patience} ms for: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return performance.now() - started;
}

export function batch(prefixes: string | readonly string[]): PrefixBatch {
  const list = (typeof prefixes === "string" ? [prefixes] : prefixes).map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === undefined) throw new RangeError(text);
    return prefix;
  });
  const out = new PrefixBatch((list[0]?.family ?? 1) as Family, Math.max(1, list.length));
  for (const prefix of list) out.add(prefix);
  return out;
}

export function hop(gateway: string | undefined, interfaceIndex = 0, more: Partial<FibNextHop> = {}): FibNextHop {
  return {
    gateway: gateway === undefined ? undefined : parseAddress(gateway),
    interface: interfaceIndex,
    onlink: false,
    weight: 1,
    ...more,
  };
}

export function unicast(nextHops: FibNextHop | readonly FibNextHop[], more: Partial<FibTarget> = {}): FibTarget {
  const hops = "weight" in nextHops ? [nextHops] : nextHops;
  return { kind: "unicast", nextHops: hops, preferredSource: undefined, metric: undefined, ...more };
}

export const BLACKHOLE: FibTarget = { kind: "blackhole", nextHops: [], preferredSource: undefined, metric: undefined };
export const UNREACHABLE: FibTarget = { ...BLACKHOLE, kind: "unreachable" };
