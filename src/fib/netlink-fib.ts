/** The kernel's forwarding table through rtnetlink: puts together what reads, what writes and what remembers. */

import { UsageError } from "../bgp/model/errors.ts";
import { FAMILIES, Family } from "../bgp/model/family.ts";
import type { Clock, Logger, Timer } from "../bgp/model/ports.ts";
import type { PrefixBatch } from "../bgp/model/prefix-batch.ts";
import { Capability, hasCapability } from "../sys/capabilities.ts";
import type { Fib, FibCounters, FibEvents, FibTarget, KernelEntry, Link } from "./fib.ts";
import { ForeignRoutes } from "./foreign-routes.ts";
import { KernelMirror } from "./kernel-mirror.ts";
import { LearnRules } from "./learn-rules.ts";
import { Links } from "./links.ts";
import { type NotificationHandler, NotificationSocket } from "./netlink/notifications.ts";
import { type RequestPort, RequestSocket } from "./netlink/socket.ts";
import { OperationCounters } from "./operation-counters.ts";
import type { FibOptions } from "./options.ts";
import { type Loss, lossOfAddress, lossOfInterface, lossOfRemoved, Presence } from "./presence.ts";
import { Reconciler } from "./reconciler.ts";
import { RefusalLog } from "./refusal-log.ts";
import { TargetTable } from "./target-table.ts";
import { Writer } from "./writer.ts";

const SEND_BUFFER = 1 << 20;
/** Room for an error message to every request of a batch. */
const RECEIVE_BUFFER = 8 << 20;

interface FamilyParts {
  readonly reconciler: Reconciler;
  readonly presence: Presence;
  readonly foreign: ForeignRoutes;
}

/** Throws UsageError without the capability to write routes; `events.ready` follows when the tables have been read. */
export function openFib(options: FibOptions, clock: Clock, log: Logger, events: FibEvents): Fib {
  if (!hasCapability(Capability.NetAdmin)) {
    throw new UsageError(
      "kernel routes need CAP_NET_ADMIN: run as root, or give the process the capability " +
        "(systemd: AmbientCapabilities=CAP_NET_ADMIN; containers: NET_ADMIN), or set kernel.enabled to false",
    );
  }
  const requests = new RequestSocket(SEND_BUFFER, RECEIVE_BUFFER);
  const dumps = new RequestSocket(SEND_BUFFER, RECEIVE_BUFFER);
  const ports: KernelPorts = {
    requests,
    dumps,
    listen: (handler) => {
      const notifications = new NotificationSocket(requests.port, options.table, clock, handler);
      return () => {
        notifications.close();
        requests.close();
        dumps.close();
      };
    },
  };
  return new NetlinkFib(ports, options, clock, log, events);
}

/** Where netlink messages go and come from. */
export interface KernelPorts {
  readonly requests: RequestPort;
  readonly dumps: RequestPort;
  /** Notifications from now on; what is returned closes everything. */
  listen(handler: NotificationHandler): () => void;
}

/** Over whatever speaks rtnetlink; the kernel's own is `openFib`'s. */
export class NetlinkFib implements Fib {
  readonly #events: FibEvents;
  readonly #log: Logger;
  readonly #counters = new OperationCounters();
  readonly #refusals: RefusalLog;
  readonly #links: Links;
  readonly #rules: LearnRules;
  readonly #families: Readonly<Record<Family, FamilyParts>>;
  readonly #closePorts: () => void;
  readonly #mirror: KernelMirror;
  readonly #writer: Writer;
  readonly #whenReady: (() => void)[] = [];
  readonly #whenIdle: (() => void)[] = [];
  readonly #clock: Clock;
  readonly #pruneAfter: number;
  #prune: Timer | undefined;
  #ready = false;
  #closed = false;

  constructor(ports: KernelPorts, options: FibOptions, clock: Clock, log: Logger, events: FibEvents) {
    this.#events = events;
    this.#clock = clock;
    this.#pruneAfter = options.pruneAfterMilliseconds;
    this.#log = log;
    this.#refusals = new RefusalLog(clock, log);
    this.#links = new Links(options.excludeInterfaces, events, {
      interfaceLost: (index, only) => {
        const isEnabled = (other: number) => this.#links.link(other)?.enabled === true;
        for (const family of only === undefined ? FAMILIES : [only]) {
          this.#lost(family, (target) => lossOfInterface(target, index, isEnabled));
        }
      },
      interfaceRemoved: (index) => {
        for (const family of FAMILIES) this.#lost(family, (target) => lossOfRemoved(family, target, index));
      },
      addressLost: (address) => this.#lost(address.family, (target) => lossOfAddress(target, address)),
      gained: () => this.#writer.retrySoon(),
      changed: (index) => {
        for (const family of FAMILIES) this.#families[family].foreign.reconsider(index);
      },
    });
    const rules = new LearnRules(options.learn, (index) => this.#links.link(index));
    this.#rules = rules;
    const parts = (family: Family): FamilyParts => {
      const targets = new TargetTable(family, options);
      const foreign = new ForeignRoutes(family, rules, (prefix, route) => events.routeChanged(prefix, "kernel", route));
      const reconciler = new Reconciler(family, targets, foreign, this.#counters, this.#refusals);
      return { reconciler, foreign, presence: new Presence(reconciler, targets, clock) };
    };
    this.#families = { [Family.Ipv4]: parts(Family.Ipv4), [Family.Ipv6]: parts(Family.Ipv6) };
    const reconcilers = FAMILIES.map((family) => this.#families[family].reconciler);
    this.#writer = new Writer(ports.requests, clock, log, reconcilers, {
      idle: () => this.#idle(),
      resynchronise: () => this.#mirror.lookAgain(),
    });
    this.#mirror = new KernelMirror(options, ports.dumps, clock, log, this.#links, this.#families, {
      reading: (start) => this.#writer.pause(start),
      read: (first) => {
        if (first) this.#becomeReady(options);
        this.#writer.resume();
        this.#writer.retrySoon();
      },
      routesChanged: () => {
        this.#writer.wake();
        this.#writer.retryLater();
      },
    });
    // Listening before reading: nothing that happens meanwhile is missed.
    this.#closePorts = ports.listen(this.#mirror);
    this.#mirror.read();
  }

  set(prefixes: PrefixBatch, target: FibTarget): void {
    this.#families[prefixes.family].reconciler.want(prefixes, target);
    this.#writer.wake();
  }

  unset(prefixes: PrefixBatch): void {
    this.#families[prefixes.family].reconciler.unwant(prefixes);
    this.#writer.wake();
  }

  setLearning(learn: FibOptions["learn"], excludeInterfaces: readonly string[]): void {
    this.#rules.set(learn);
    for (const family of FAMILIES) this.#families[family].foreign.reconsiderAll();
    this.#links.exclude(excludeInterfaces);
  }

  expectRoutes(): void {
    if (!this.#ready) this.#whenReady.push(() => this.expectRoutes());
    else if (!this.#closed) {
      this.#prune ??= this.#clock.after(this.#pruneAfter, () => this.#pruneStale("waited long enough"));
    }
  }

  hold(): void {
    this.#writer.hold();
  }

  release(): void {
    this.#writer.release();
  }

  resynchronised(): void {
    if (this.#ready) this.#pruneStale("sessions have resynchronised");
    else this.#whenReady.push(() => this.#pruneStale("sessions have resynchronised"));
  }

  *entries(family: Family): Generator<KernelEntry> {
    const { reconciler } = this.#families[family];
    for (let id = 0; id < reconciler.table.end; id++) {
      const entry = reconciler.table.isLive(id) ? reconciler.entry(id) : undefined;
      if (entry !== undefined) yield entry;
    }
  }

  links(): Iterable<Link> {
    return this.#links.all();
  }

  counters(): FibCounters {
    return {
      routes: {
        ipv4: this.#families[Family.Ipv4].reconciler.table.presentCount,
        ipv6: this.#families[Family.Ipv6].reconciler.table.presentCount,
      },
      unwritten: {
        ipv4: this.#families[Family.Ipv4].reconciler.unwritten,
        ipv6: this.#families[Family.Ipv6].reconciler.unwritten,
      },
      operations: this.#counters.snapshot(),
    };
  }

  async cleanup(): Promise<number> {
    if (this.#closed) return 0;
    if (!this.#ready) await new Promise<void>((resolve) => this.#whenReady.push(resolve));
    const before = this.#deletions();
    await Promise.all(
      FAMILIES.map((family) => new Promise<void>((resolve) => this.#families[family].presence.abandon(resolve))),
    );
    await new Promise<void>((resolve) => {
      this.#whenIdle.push(resolve);
      this.#writer.wake();
    });
    return this.#deletions() - before;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#prune?.cancel();
    this.#mirror.close();
    this.#writer.close();
    this.#closePorts();
    for (const resolve of [...this.#whenReady.splice(0), ...this.#whenIdle.splice(0)]) resolve();
  }

  #becomeReady(options: FibOptions): void {
    this.#ready = true;
    const { ipv4, ipv6 } = this.counters().routes;
    this.#log.info({ ipv4, ipv6, table: options.table }, "kernel ready: routes of an earlier run");
    this.#events.ready();
    for (const run of this.#whenReady.splice(0)) run();
  }

  #pruneStale(reason: string): void {
    this.#prune?.cancel();
    for (const family of FAMILIES) {
      this.#families[family].presence.prune((count) => {
        if (count > 0) this.#log.info({ count, reason }, "pruning kernel routes of an earlier run");
        this.#writer.wake();
      });
    }
  }

  #idle(): void {
    this.#refusals.flush();
    this.#events.settled();
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #lost(family: Family, lossOf: (target: FibTarget) => Loss): void {
    const { presence, foreign } = this.#families[family];
    foreign.dropDead(
      (target) => lossOf(target) === "gone",
      (prefix) => presence.vacated(prefix),
    );
    presence.lost(lossOf, () => this.#writer.wake());
  }

  #deletions(): number {
    const rows = this.#counters.snapshot().filter((row) => row.op === "delete" && row.result === "ok");
    return rows.reduce((sum, row) => sum + row.count, 0);
  }
}
