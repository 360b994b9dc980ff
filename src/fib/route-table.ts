/** Wanted beside present, for every prefix of one family that is either: typed columns, one record a prefix. */

import type { Family } from "../bgp/model/family.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import type { PrefixBatch } from "../bgp/model/prefix-batch.ts";
import { PrefixTable } from "../columns/prefix-table.ts";
import type { RouteMessage } from "./netlink/route-message.ts";
import type { TargetTable } from "./target-table.ts";

const WANTED = 0;
const PRESENT = 1;
const FLAGS = 2;
const WORDS = 3;
const GENERATION_SHIFT = 16;

export const RouteFlag = {
  /** In the queue of the reconciler, at most once. */
  Queued: 1,
  /** Of an earlier run, and nobody has wanted it yet. */
  Stale: 2,
  /** The kernel may have lost or changed it without a word: it is written again. */
  Uncertain: 4,
  /** The kernel refused it; tried again when something changes. */
  Parked: 8,
  /** Somebody else's route has its place. */
  Blocked: 16,
  /** In a request that the kernel has not answered yet. */
  UnderWay: 32,
} as const;

/**
 * `present` is the route of ours that the kernel has, and of several (with different metrics: a change of metric, or an earlier run
 * with another) the one with the wanted metric; the others are `others`. Records without anything to say are removed by `tidy`.
 */
export class RouteTable {
  readonly family: Family;
  readonly targets: TargetTable;
  readonly #prefixes: PrefixTable;
  readonly #others = new Map<number, number[]>();
  #present = 0;

  constructor(family: Family, targets: TargetTable) {
    this.family = family;
    this.targets = targets;
    this.#prefixes = new PrefixTable(family, WORDS);
  }

  /** Routes of ours in the kernel. */
  get presentCount(): number {
    return this.#present;
  }

  /** Every id lies below. */
  get end(): number {
    return this.#prefixes.end;
  }

  isLive(id: number): boolean {
    return this.#prefixes.isLive(id);
  }

  find(w0: number, w1: number, w2: number, w3: number, length: number): number {
    return this.#prefixes.find(w0, w1, w2, w3, length);
  }

  findOrAdd(w0: number, w1: number, w2: number, w3: number, length: number): number {
    return this.#prefixes.findOrAdd(w0, w1, w2, w3, length);
  }

  /** Before `findAt` and `findOrAddAt` for the entries of this batch (see PrefixTable). */
  look(batch: PrefixBatch): void {
    this.#prefixes.look(batch);
  }

  findAt(batch: PrefixBatch, i: number): number {
    return this.#prefixes.findAt(batch, i);
  }

  findOrAddAt(batch: PrefixBatch, i: number): number {
    return this.#prefixes.findOrAddAt(batch, i);
  }

  findRoute(route: RouteMessage): number {
    return this.#prefixes.find(route.w0, route.w1, route.w2, route.w3, route.length);
  }

  /** Reads the key of `id` for the encoder and for the foreign routes' table. */
  w0(id: number): number {
    return this.#prefixes.w0(id);
  }

  w1(id: number): number {
    return this.#prefixes.w1(id);
  }

  w2(id: number): number {
    return this.#prefixes.w2(id);
  }

  w3(id: number): number {
    return this.#prefixes.w3(id);
  }

  length(id: number): number {
    return this.#prefixes.length(id);
  }

  prefix(id: number): Prefix {
    return this.#prefixes.prefix(id);
  }

  /** A target's number; 0: nothing. */
  wanted(id: number): number {
    return this.#prefixes.get(id, WANTED);
  }

  present(id: number): number {
    return this.#prefixes.get(id, PRESENT);
  }

  others(id: number): readonly number[] | undefined {
    return this.#others.get(id);
  }

  setWanted(id: number, target: number): void {
    const before = this.wanted(id);
    if (target === before) return;
    this.targets.use(target);
    this.#prefixes.set(id, WANTED, target);
    this.targets.release(before);
  }

  setPresent(id: number, target: number): void {
    const before = this.present(id);
    if (target === before) return;
    this.targets.use(target);
    this.#prefixes.set(id, PRESENT, target);
    this.targets.release(before);
    if (before === 0) this.#present++;
    else if (target === 0) this.#present--;
  }

  /** The route of ours with that metric; 0 if there is none. */
  presentWith(id: number, metric: number): number {
    const present = this.present(id);
    if (present !== 0 && this.targets.metric(present) === metric) return present;
    return this.#others.get(id)?.find((other) => this.targets.metric(other) === metric) ?? 0;
  }

  /** A route of ours that the kernel told: in place of the one with its metric, or beside those with others. */
  addPresent(id: number, target: number): void {
    const same = this.presentWith(id, this.targets.metric(target));
    if (this.targets.satisfies(target, same)) return;
    const present = this.present(id);
    if (same === present) {
      this.setPresent(id, target);
      return;
    }
    const others = this.#others.get(id) ?? [];
    this.targets.use(target);
    if (same === 0) others.push(target);
    else this.targets.release(others.splice(others.indexOf(same), 1, target)[0] ?? 0);
    this.#others.set(id, others);
  }

  /** A dump tells a route of ours: what it has not told of this prefix since it began is not there any more. */
  refreshPresent(id: number, target: number, generation: number): void {
    if (this.generation(id) === generation) {
      this.addPresent(id, target);
      return;
    }
    this.setGeneration(id, generation);
    // It may be one of the others: it must not go with them.
    this.targets.use(target);
    this.dropOthers(id);
    if (!this.targets.satisfies(target, this.present(id))) this.setPresent(id, target);
    this.targets.release(target);
  }

  dropOthers(id: number): void {
    for (const other of this.#others.get(id) ?? []) this.targets.release(other);
    this.#others.delete(id);
  }

  /** The route of ours with that metric is gone. */
  removePresent(id: number, metric: number): void {
    if (this.present(id) !== 0 && this.targets.metric(this.present(id)) === metric) {
      const other = this.#takeOther(id, () => true);
      this.setPresent(id, other);
      this.targets.release(other);
      return;
    }
    this.targets.release(this.#takeOther(id, (other) => this.targets.metric(other) === metric));
  }

  /** Of several routes of ours, makes the one with the wanted metric `present`; with none such, nothing is. */
  preferMetric(id: number, metric: number): void {
    const present = this.present(id);
    if (present !== 0 && this.targets.metric(present) === metric) return;
    if (present === 0 && !this.#others.has(id)) return;
    const better = this.#takeOther(id, (other) => this.targets.metric(other) === metric);
    if (present !== 0) {
      const others = this.#others.get(id) ?? [];
      this.targets.use(present);
      others.push(present);
      this.#others.set(id, others);
    }
    this.setPresent(id, better);
    this.targets.release(better);
  }

  has(id: number, flag: number): boolean {
    return (this.#prefixes.get(id, FLAGS) & flag) !== 0;
  }

  raise(id: number, flag: number): void {
    this.#prefixes.set(id, FLAGS, this.#prefixes.get(id, FLAGS) | flag);
  }

  lower(id: number, flag: number): void {
    this.#prefixes.set(id, FLAGS, this.#prefixes.get(id, FLAGS) & ~flag);
  }

  /** Which dump has last shown the route; 0 to 255. */
  generation(id: number): number {
    return (this.#prefixes.get(id, FLAGS) >>> GENERATION_SHIFT) & 0xff;
  }

  setGeneration(id: number, generation: number): void {
    const flags = this.#prefixes.get(id, FLAGS) & ((1 << GENERATION_SHIFT) - 1);
    this.#prefixes.set(id, FLAGS, flags | (generation << GENERATION_SHIFT));
  }

  /** Removes the record if it is neither wanted nor present nor in anybody's hands. */
  tidy(id: number): void {
    if (this.wanted(id) !== 0 || this.present(id) !== 0 || this.#others.has(id)) return;
    if (this.has(id, RouteFlag.Queued | RouteFlag.Parked | RouteFlag.UnderWay)) return;
    this.#prefixes.remove(id);
  }

  /** Takes one out; its use goes over to the caller. 0 if there is none such. */
  #takeOther(id: number, fits: (target: number) => boolean): number {
    const others = this.#others.get(id);
    const at = others?.findIndex(fits) ?? -1;
    if (others === undefined || at < 0) return 0;
    const [taken = 0] = others.splice(at, 1);
    if (others.length === 0) this.#others.delete(id);
    return taken;
  }
}
