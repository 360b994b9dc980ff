/** What the kernel says, and what it does without saying, about the routes of ours that it has: one family's. */

import { type IpAddress, sameAddress } from "../bgp/model/address.ts";
import { Family } from "../bgp/model/family.ts";
import type { Clock } from "../bgp/model/ports.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import type { FibTarget } from "./fib.ts";
import type { RouteMessage } from "./netlink/route-message.ts";
import type { Reconciler } from "./reconciler.ts";
import { RouteFlag, type RouteTable } from "./route-table.ts";
import { sweep } from "./sweep.ts";
import type { TargetTable } from "./target-table.ts";

/** The kernel has dropped the route, may have dropped or changed it, or has left it alone. */
export type Loss = "gone" | "doubtful" | "kept";

export class Presence {
  readonly #reconciler: Reconciler;
  readonly #table: RouteTable;
  readonly #targets: TargetTable;
  readonly #clock: Clock;
  #generation = 0;
  #pruning = false;

  constructor(reconciler: Reconciler, targets: TargetTable, clock: Clock) {
    this.#reconciler = reconciler;
    this.#table = reconciler.table;
    this.#targets = targets;
    this.#clock = clock;
  }

  beginDump(): void {
    // 0 is what new records carry.
    this.#generation = (this.#generation % 0xff) + 1;
  }

  /** A dump shows a route with our protocol. */
  dumped(message: RouteMessage, target: FibTarget): void {
    const id = this.#table.findOrAdd(message.w0, message.w1, message.w2, message.w3, message.length);
    const targetId = this.#targets.internPresent(target);
    this.#table.refreshPresent(id, targetId, this.#generation);
    this.#targets.discard(targetId);
    this.#table.lower(id, RouteFlag.Uncertain);
    this.#judge(id);
  }

  /** What the dump has not shown is not there. */
  endDump(done: () => void): void {
    const table = this.#table;
    const visit = (id: number) => {
      if (table.generation(id) === this.#generation) return;
      table.setPresent(id, 0);
      table.dropOthers(id);
      table.lower(id, RouteFlag.Uncertain);
      if (table.wanted(id) === 0) table.tidy(id);
      else this.#reconciler.enqueue(id);
    };
    sweep(this.#clock, table, visit, done);
  }

  /** Somebody else wrote a route with our protocol. */
  written(message: RouteMessage, target: FibTarget): void {
    const id = this.#table.findOrAdd(message.w0, message.w1, message.w2, message.w3, message.length);
    this.#table.setGeneration(id, this.#generation);
    const targetId = this.#targets.internPresent(target);
    this.#table.addPresent(id, targetId);
    this.#targets.discard(targetId);
    this.#table.lower(id, RouteFlag.Uncertain);
    if (!this.#crossed(id)) this.#judge(id);
  }

  /** Somebody else deleted a route with our protocol, or the kernel did. `target` may be one leg of several (IPv6). */
  deleted(message: RouteMessage, target: FibTarget): void {
    const table = this.#table;
    const id = table.findRoute(message);
    if (id < 0) return;
    const present = table.presentWith(id, message.metric);
    const targetId = this.#targets.internPresent(target);
    if (present !== 0 && this.#targets.satisfies(targetId, present)) table.removePresent(id, message.metric);
    else table.raise(id, RouteFlag.Uncertain);
    this.#targets.discard(targetId);
    if (this.#crossed(id)) return;
    if (table.wanted(id) !== 0 || table.present(id) !== 0) this.#reconciler.enqueue(id);
    else table.tidy(id);
  }

  /**
   * Somebody else's route has the prefix and metric of one of ours, which it `replaced` or joined. True if that is not certain: ours
   * may as well have been written over it, before this was heard.
   */
  contested(message: RouteMessage, replaced: boolean): boolean {
    const table = this.#table;
    const id = table.findRoute(message);
    if (id < 0) return false;
    const isOurs = table.presentWith(id, message.metric) !== 0;
    if (replaced) table.removePresent(id, message.metric);
    const isCrossed = this.#crossed(id);
    this.#reconciler.enqueue(id);
    return isOurs || isCrossed;
  }

  /** A foreign route of the prefix is gone: the place may be free for ours. */
  vacated(prefix: Prefix): void {
    const id = this.#table.find(prefix.w0, prefix.w1, prefix.w2, prefix.w3, prefix.length);
    if (id >= 0) this.#reconciler.enqueue(id);
  }

  /** For what the kernel does silently when a link or an address goes. True if any route is touched. */
  lost(lossOf: (target: FibTarget) => Loss, done: () => void): boolean {
    const losses = new Map<number, Loss>();
    for (const [id, target] of this.#targets.all()) {
      const loss = lossOf(target);
      if (loss !== "kept") losses.set(id, loss);
    }
    if (losses.size === 0) return false;
    const table = this.#table;
    const visit = (id: number) => {
      const loss = losses.get(table.present(id));
      if (loss === undefined) return;
      table.raise(id, RouteFlag.Uncertain);
      if (loss === "gone") table.setPresent(id, 0);
      if (table.wanted(id) !== 0) this.#reconciler.enqueue(id);
      else if (loss === "gone") {
        table.lower(id, RouteFlag.Uncertain);
        table.tidy(id);
      }
    };
    sweep(this.#clock, table, visit, done);
    return true;
  }

  /** Unwanted routes of an earlier run go, and from now on whatever appears with our protocol and is not wanted. */
  prune(done: (count: number) => void): void {
    if (this.#pruning) return;
    this.#pruning = true;
    this.#reconciler.prune();
    let count = 0;
    const visit = (id: number) => {
      if (!this.#table.has(id, RouteFlag.Stale)) return;
      count++;
      this.#reconciler.enqueue(id);
    };
    sweep(this.#clock, this.#table, visit, () => done(count));
  }

  /** Wants nothing any more, not even what an earlier run left. */
  abandon(done: () => void): void {
    this.#pruning = true;
    this.#reconciler.prune();
    const visit = (id: number) => {
      this.#table.setWanted(id, 0);
      this.#reconciler.enqueue(id);
    };
    sweep(this.#clock, this.#table, visit, done);
  }

  /** True if a request of ours is under way: whether it came before or after, nobody knows. So it is made again. */
  #crossed(id: number): boolean {
    if (!this.#table.has(id, RouteFlag.UnderWay)) return false;
    this.#table.raise(id, RouteFlag.Uncertain);
    this.#reconciler.enqueue(id);
    return true;
  }

  /** After the kernel told what is there: keep, correct, or leave for pruning. */
  #judge(id: number): void {
    const table = this.#table;
    const wanted = table.wanted(id);
    if (wanted === 0) {
      if (!table.has(id, RouteFlag.Queued)) table.raise(id, RouteFlag.Stale);
      if (this.#pruning) this.#reconciler.enqueue(id);
      return;
    }
    if (!this.#targets.satisfies(table.present(id), wanted) || table.others(id) !== undefined) {
      this.#reconciler.enqueue(id);
    }
  }
}

/** What becomes of a route when `index` loses all its routes. `isEnabled`: of the other interfaces. */
export function lossOfInterface(target: FibTarget, index: number, isEnabled: (index: number) => boolean): Loss {
  if (target.kind !== "unicast") return "kept";
  let doubtful = false;
  for (const hop of target.nextHops) {
    // The kernel chose the interface by the gateway: which, is not known.
    if (hop.interface === 0) doubtful = true;
    // A route with one next hop alive stays, and the kernel revives the others.
    else if (hop.interface !== index && isEnabled(hop.interface)) return "kept";
  }
  return doubtful ? "doubtful" : "gone";
}

/**
 * With an interface that is removed, and not just switched off, go all IPv4 routes that know it, those with other next hops too
 * (fib_sync_down_dev); an IPv6 route loses that next hop alone.
 */
export function lossOfRemoved(family: Family, target: FibTarget, index: number): Loss {
  if (target.kind !== "unicast") return "kept";
  const over = target.nextHops.filter((hop) => hop.interface === index).length;
  if (over > 0) return family === Family.Ipv4 || over === target.nextHops.length ? "gone" : "doubtful";
  return target.nextHops.some((hop) => hop.interface === 0) ? "doubtful" : "kept";
}

/** IPv4 routes that preferred the address are flushed; IPv6 ones lose the preference. */
export function lossOfAddress(target: FibTarget, address: IpAddress): Loss {
  const source = target.preferredSource;
  if (source === undefined || !sameAddress(source, address)) return "kept";
  return address.family === Family.Ipv4 ? "gone" : "doubtful";
}
