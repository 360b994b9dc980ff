/** The kernel's side of the daemon: routes go from the tables to the FIB, routes of others and links come back. */

import { UsageError } from "../bgp/model/errors.ts";
import type { Clock, Logger } from "../bgp/model/ports.ts";
import type { PrefixBatch } from "../bgp/model/prefix-batch.ts";
import type { Fib, FibEvents, KernelRoute, Link } from "../fib/fib.ts";
import type { FibOptions } from "../fib/options.ts";
import type { ForwardingSink, ForwardingTarget } from "../rib/forwarding.ts";
import type { Rib } from "../rib/rib.ts";
import type { KernelPath } from "../rib/route-lookup.ts";
import type { Links } from "./links.ts";

export type OpenFib = (options: FibOptions, clock: Clock, logger: Logger, events: FibEvents) => Fib;

/** A kernel that does not answer must not keep the daemon from serving. */
const READY_BOUND_MILLISECONDS = 10_000;

export class KernelSide implements ForwardingSink {
  readonly #open: OpenFib;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #links: Links;
  readonly #settled: (milliseconds: number) => void;
  #fib: Fib | undefined;
  #isReady = false;
  #whenReady: () => void = () => {};
  #changedAt: number | undefined;
  /** Why routes are not written, in words; undefined while they are. */
  reason: string | undefined = "kernel.enabled is false";
  rib: Rib | undefined;
  /** It was up; as it was then. */
  linkLost: ((link: Link) => void) | undefined;

  constructor(parts: {
    open: OpenFib;
    clock: Clock;
    logger: Logger;
    links: Links;
    /** The kernel has acknowledged everything; how long the oldest of it took. */
    settled: (milliseconds: number) => void;
  }) {
    this.#open = parts.open;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#links = parts.links;
    this.#settled = parts.settled;
  }

  get fib(): Fib | undefined {
    return this.#fib;
  }

  /** The first dump is in, or there is nothing to wait for. */
  get isReady(): boolean {
    return this.#isReady || this.#fib === undefined;
  }

  /** Without the permission to write routes the daemon goes on as a pure reflector, and says so. */
  start(options: FibOptions): void {
    try {
      this.#fib = this.#open(options, this.#clock, this.#logger, this.#events());
      this.reason = undefined;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.reason = error.message;
      this.#logger.warn({ reason: error.message }, "no routes are written: running as a pure reflector");
    }
  }

  /** Other rules for what comes from there. */
  setLearning({ learn, excludeInterfaces }: Pick<FibOptions, "learn" | "excludeInterfaces">): void {
    this.#fib?.setLearning(learn, excludeInterfaces);
  }

  /** So that sessions do not bring routes before it is known what their next hops resolve over. */
  async untilReady(): Promise<void> {
    if (this.isReady) return;
    await new Promise<void>((resolve) => {
      const bound = this.#clock.after(READY_BOUND_MILLISECONDS, resolve);
      this.#whenReady = () => {
        // A timer that is left would keep a process that was asked to stop.
        bound.cancel();
        resolve();
      };
    });
  }

  /** Sessions begin: routes of an earlier run wait for theirs, and no longer than is configured. */
  expectRoutes(): void {
    this.#fib?.expectRoutes();
  }

  /** Routes of an earlier run carry the traffic: nothing is written before `release`. */
  hold(): void {
    const { ipv4, ipv6 } = this.#fib?.counters().routes ?? { ipv4: 0, ipv6: 0 };
    if (ipv4 + ipv6 > 0) this.#fib?.hold();
  }

  release(): void {
    this.#fib?.release();
  }

  /** The tables are complete: routes of an earlier run that nobody wants may go. */
  resynchronised(): void {
    this.#fib?.resynchronised();
  }

  set(prefixes: PrefixBatch, target: ForwardingTarget): void {
    this.#changedAt ??= this.#clock.now();
    this.#fib?.set(prefixes, target);
  }

  unset(prefixes: PrefixBatch): void {
    this.#changedAt ??= this.#clock.now();
    this.#fib?.unset(prefixes);
  }

  async stop(): Promise<void> {
    await this.#fib?.close();
    this.#fib = undefined;
  }

  #events(): FibEvents {
    return {
      routeChanged: (prefix, source, route) => {
        this.rib?.kernelRoute(
          prefix,
          source,
          route === undefined ? undefined : kernelPath(route),
          route?.learnt ?? false,
        );
      },
      linkChanged: (link) => {
        const before = this.#links.set(link);
        this.rib?.linkChanged(link.index);
        if (before?.up === true && !link.up) this.linkLost?.(before);
      },
      ready: () => {
        this.#isReady = true;
        this.#whenReady();
      },
      settled: () => {
        if (this.#changedAt === undefined) return;
        this.#settled(this.#clock.now() - this.#changedAt);
        this.#changedAt = undefined;
      },
    };
  }
}

function kernelPath({ source, metric, protocol, target }: KernelRoute): KernelPath {
  const known = source === "kernel" ? { metric, protocol } : {};
  if (target.kind !== "unicast") return { kind: target.kind, hops: [], ...known };
  return {
    kind: "forward",
    ...known,
    hops: target.nextHops.map((hop) => ({ gateway: hop.gateway, interface: hop.interface })),
  };
}
