/**
 * One family's desired routes against the actual ones. What differs waits in a queue; `fill` turns the queue into requests, `apply`
 * takes the kernel's answers. Routes are replaced in place, never deleted first; only a change of metric, which names another route
 * to the kernel, adds the new one and then deletes the old one.
 */

import { Family } from "../bgp/model/family.ts";
import type { PrefixBatch } from "../bgp/model/prefix-batch.ts";
import { IdColumn, IdSet } from "../columns/id-columns.ts";
import { IdQueue } from "../columns/id-queue.ts";
import { Errno, errnoName } from "../sys/errno.ts";
import type { FibTarget, KernelEntry } from "./fib.ts";
import type { ForeignRoutes } from "./foreign-routes.ts";
import type { OperationCounters } from "./operation-counters.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { Operation, type RequestBatch } from "./request-batch.ts";
import { RouteFlag, RouteTable } from "./route-table.ts";
import type { TargetTable } from "./target-table.ts";

/** The kernel was busy: the same request may pass in a moment. */
const TRANSIENT: ReadonlySet<number> = new Set([Errno.EINTR, Errno.EAGAIN, Errno.ENOMEM, Errno.ENOBUFS, Errno.EBUSY]);

export class Reconciler {
  readonly table: RouteTable;
  readonly #targets: TargetTable;
  readonly #foreign: ForeignRoutes;
  readonly #counters: OperationCounters;
  readonly #refusals: RefusalLog;
  readonly #queue = new IdQueue();
  readonly #parked = new IdSet();
  #blocked = 0;
  /** Why a route is parked: a place in #reasonTexts. */
  readonly #reasons = new IdColumn();
  readonly #reasonTexts: string[] = [""];
  readonly #reasonNumbers = new Map<string, number>();
  /** Routes of an earlier run that nobody wants are deleted from now on. */
  #pruning = false;
  /** Somebody holds the place of a route of ours, and it is not yet known who: the family must be dumped. */
  unexplained = false;
  /** Something is parked that may pass in a moment, without anything else changing. */
  transient = false;

  constructor(
    family: Family,
    targets: TargetTable,
    foreign: ForeignRoutes,
    counters: OperationCounters,
    refusals: RefusalLog,
  ) {
    this.table = new RouteTable(family, targets);
    this.#targets = targets;
    this.#foreign = foreign;
    this.#counters = counters;
    this.#refusals = refusals;
  }

  get queued(): number {
    return this.#queue.count;
  }

  get parked(): number {
    return this.#parked.count;
  }

  /** Wanted, and not there as wanted: the kernel refused it, or a foreign route has its place. Those on their way do not count. */
  get unwritten(): number {
    return this.#parked.count + this.#blocked;
  }

  want(prefixes: PrefixBatch, target: FibTarget): void {
    const { table } = this;
    const targetId = this.#targets.intern(target);
    table.look(prefixes);
    for (let i = 0; i < prefixes.count; i++) {
      const id = table.findOrAddAt(prefixes, i);
      if (table.wanted(id) === targetId) continue;
      table.setWanted(id, targetId);
      table.lower(id, RouteFlag.Stale);
      this.enqueue(id);
    }
  }

  unwant(prefixes: PrefixBatch): void {
    const { table } = this;
    table.look(prefixes);
    for (let i = 0; i < prefixes.count; i++) {
      const id = table.findAt(prefixes, i);
      if (id < 0 || table.wanted(id) === 0) continue;
      table.setWanted(id, 0);
      this.enqueue(id);
    }
  }

  enqueue(id: number): void {
    if (this.table.has(id, RouteFlag.Queued)) return;
    this.table.raise(id, RouteFlag.Queued);
    this.#queue.push(id);
  }

  /** From now on unwanted routes go; call `enqueue` for those that are there already. */
  prune(): void {
    this.#pruning = true;
  }

  /**
   * Requests for what is queued, until the batch is full, or until a route's turn comes whose last request has not been answered:
   * what there is to do for it depends on the answer. Looks at no more than `budget` entries.
   */
  fill(batch: RequestBatch, budget: number): void {
    for (let looked = 0; looked < budget; looked++) {
      const id = this.#queue.peek();
      if (id < 0 || this.table.has(id, RouteFlag.UnderWay) || !this.#request(id, batch)) return;
      this.#queue.shift();
      this.table.lower(id, RouteFlag.Queued);
      this.table.tidy(id);
    }
  }

  /** The answers to what `fill` put into the batch. */
  apply(batch: RequestBatch): void {
    this.#takeBack(batch);
    for (let i = 0; i < batch.count; i++) {
      const id = batch.ids[i] ?? 0;
      const operation = (batch.operations[i] ?? 0) as Operation;
      const errno = batch.errnos[i] ?? 0;
      this.#counters.count(operation, errno);
      if (errno === 0 || (operation === Operation.Delete && errno === Errno.ESRCH)) {
        this.#succeeded(id, operation, batch.targets[i] ?? 0);
      } else {
        if (batch.doubts[i] === 1) this.table.raise(id, RouteFlag.Uncertain);
        this.#failed(id, errno, batch.texts.get(i));
      }
      this.#targets.release(batch.targets[i] ?? 0);
    }
  }

  /** None of it was done: all of it waits again. */
  putBack(batch: RequestBatch): void {
    this.#takeBack(batch);
    for (let i = 0; i < batch.count; i++) {
      const id = batch.ids[i] ?? 0;
      if (batch.doubts[i] === 1) this.table.raise(id, RouteFlag.Uncertain);
      this.enqueue(id);
      this.#targets.release(batch.targets[i] ?? 0);
    }
  }

  /** Nobody knows what of it was done. */
  doubt(batch: RequestBatch): void {
    this.unexplained = true;
    this.#takeBack(batch);
    for (let i = 0; i < batch.count; i++) {
      const id = batch.ids[i] ?? 0;
      this.table.raise(id, RouteFlag.Uncertain);
      this.enqueue(id);
      this.#targets.release(batch.targets[i] ?? 0);
    }
  }

  retryParked(): void {
    this.transient = false;
    for (let id = this.#parked.next(0, this.table.end); id >= 0; id = this.#parked.next(id + 1, this.table.end)) {
      this.enqueue(id);
    }
  }

  entry(id: number): KernelEntry | undefined {
    const { table } = this;
    const wanted = table.wanted(id);
    const present = table.has(id, RouteFlag.Uncertain) ? 0 : table.present(id);
    if (wanted === 0 && present === 0) return undefined;
    const prefix = table.prefix(id);
    const foreign = table.has(id, RouteFlag.Blocked) ? this.#blocker(id, wanted) : undefined;
    const others = table.others(id) !== undefined;
    return {
      prefix,
      wanted: this.#targets.target(wanted),
      present: this.#targets.target(present) ?? foreign?.target,
      state:
        wanted === 0
          ? "stale"
          : present === 0
            ? foreign === undefined
              ? "missing"
              : "different"
            : this.#targets.satisfies(present, wanted) && !others
              ? "ok"
              : "different",
      reason:
        foreign === undefined
          ? this.#reasonTexts[this.#reasons.get(id)] || undefined
          : `a route of protocol ${foreign.protocol} has the same prefix and metric`,
    };
  }

  /** Puts the request for the next step of `id` into the batch. False if it does not fit. */
  #request(id: number, batch: RequestBatch): boolean {
    const { table } = this;
    const wanted = table.wanted(id);
    if (table.has(id, RouteFlag.Blocked)) this.#blocked -= 1;
    table.lower(id, RouteFlag.Blocked);
    if (wanted === 0) {
      this.#unpark(id);
      const present = table.present(id) || (table.others(id)?.[0] ?? 0);
      if (present === 0 || (table.has(id, RouteFlag.Stale) && !this.#pruning)) return true;
      return this.#add(id, Operation.Delete, present, batch);
    }
    const metric = this.#targets.metric(wanted);
    table.preferMetric(id, metric);
    const present = table.present(id);
    const uncertain = table.has(id, RouteFlag.Uncertain);
    if (uncertain || present === 0 || !this.#targets.satisfies(present, wanted)) {
      if (this.#blocker(id, wanted) === undefined) {
        return this.#add(id, present === 0 && !uncertain ? Operation.Add : Operation.Replace, wanted, batch);
      }
      // The prefix is not without a route: those of ours with another metric are not needed until the place is free.
      table.raise(id, RouteFlag.Blocked);
      this.#blocked += 1;
    }
    this.#unpark(id);
    const other = table.others(id)?.[0];
    return other === undefined || this.#add(id, Operation.Delete, other, batch);
  }

  #add(id: number, operation: Operation, targetId: number, batch: RequestBatch): boolean {
    const { table } = this;
    const encoded = this.#targets.encoded(targetId);
    if (encoded === undefined) return true;
    const index = batch.count;
    if (!batch.add(table, id, operation, targetId, encoded)) return false;
    // What happens from here on, somebody else's deletion for one, raises doubts anew: this request may come before or after it.
    batch.doubts[index] = table.has(id, RouteFlag.Uncertain) ? 1 : 0;
    table.lower(id, RouteFlag.Uncertain);
    table.raise(id, RouteFlag.UnderWay);
    this.#targets.use(targetId);
    return true;
  }

  #takeBack(batch: RequestBatch): void {
    for (let i = 0; i < batch.count; i++) this.table.lower(batch.ids[i] ?? 0, RouteFlag.UnderWay);
  }

  #blocker(id: number, wanted: number) {
    const { table } = this;
    const metric = this.#targets.metric(wanted);
    return this.#foreign.blocking(table.w0(id), table.w1(id), table.w2(id), table.w3(id), table.length(id), metric);
  }

  #succeeded(id: number, operation: Operation, targetId: number): void {
    const { table } = this;
    if (operation !== Operation.Delete) {
      table.setPresent(id, targetId);
      this.#unpark(id);
      if (table.others(id) !== undefined || table.wanted(id) !== targetId) this.enqueue(id);
      return;
    }
    if (table.wanted(id) === 0 && table.has(id, RouteFlag.Uncertain)) {
      // Somebody wrote it meanwhile: deleted once more, it is gone for certain.
      this.enqueue(id);
      return;
    }
    const metric = this.#targets.metric(targetId);
    table.removePresent(id, metric);
    if (table.wanted(id) === 0) {
      if (table.present(id) !== 0) this.enqueue(id);
      else table.tidy(id);
      return;
    }
    // IPv4 takes metric 0 in a deletion for "any": had somebody deleted the old route already, this took the new one.
    if (metric === 0 && table.family === Family.Ipv4) table.raise(id, RouteFlag.Uncertain);
    if (table.others(id) !== undefined || table.has(id, RouteFlag.Uncertain)) this.enqueue(id);
  }

  #failed(id: number, errno: number, text: string | undefined): void {
    const { table } = this;
    const reason = text === undefined ? errnoName(errno) : `${errnoName(errno)}: ${text}`;
    if (errno === Errno.EEXIST) this.unexplained = true;
    table.raise(id, RouteFlag.Parked);
    const known = this.#reasons.get(id);
    const number = this.#reasonNumber(reason);
    this.#parked.add(id);
    this.#reasons.set(id, number);
    if (TRANSIENT.has(errno)) this.transient = true;
    else if (known !== number) this.#refusals.note(table.prefix(id), reason);
  }

  #reasonNumber(text: string): number {
    let number = this.#reasonNumbers.get(text);
    if (number === undefined) {
      number = this.#reasonTexts.push(text) - 1;
      this.#reasonNumbers.set(text, number);
    }
    return number;
  }

  #unpark(id: number): void {
    if (!this.#parked.delete(id)) return;
    this.table.lower(id, RouteFlag.Parked);
    this.#reasons.set(id, 0);
  }
}
