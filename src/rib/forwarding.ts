/** From best paths to what the kernel should do: forwarding targets, each one object for all prefixes that share it. */

import type { IpAddress } from "../bgp/model/address.ts";
import { PrefixBatch } from "../bgp/model/prefix-batch.ts";
import type { AttributeTable } from "./attribute-table.ts";
import type { FamilyTable } from "./family-table.ts";

export interface ResolvedHop {
  readonly gateway: IpAddress | undefined;
  /** Interface index; 0 where only the gateway is known. */
  readonly interface: number;
}

export interface ForwardingTarget {
  readonly kind: "unicast" | "blackhole" | "unreachable";
  readonly nextHops: readonly (ResolvedHop & { readonly onlink: boolean; readonly weight: number })[];
  readonly preferredSource: IpAddress | undefined;
  readonly metric: number | undefined;
}

/** Who writes the routes; batches are only lent. */
export interface ForwardingSink {
  set(prefixes: PrefixBatch, target: ForwardingTarget): void;
  unset(prefixes: PrefixBatch): void;
}

/** How a next hop is reached; never altered, replaced by another object when it changes. */
export interface Way {
  readonly blackhole: boolean;
  readonly resolved: readonly ResolvedHop[];
}

/** How the next hop of this path is reached. */
export type ResolutionOf = (path: number) => Way;

const BLACKHOLE: ForwardingTarget = { kind: "blackhole", nextHops: [], preferredSource: undefined, metric: undefined };
const NO_TARGET = 0;
const BATCH = 512;

export class Forwarding {
  readonly #table: FamilyTable;
  readonly #attributes: Pick<AttributeTable, "nextHop">;
  readonly #resolutionOf: ResolutionOf;
  readonly #sink: ForwardingSink;
  /** Targets by what they are made of; numbers begin at 1 and stay with a target while any prefix uses it. */
  readonly #numbers = new Map<string, number>();
  readonly #targets: (ForwardingTarget | undefined)[] = [undefined];
  readonly #keys: string[] = [""];
  readonly #uses: number[] = [0];
  readonly #freeNumbers: number[] = [];
  /** What the way of a single path came to: thousands of destinations share one, and need not each spell out their target. */
  readonly #byWay = new WeakMap<Way, { readonly number: number; readonly target: ForwardingTarget }>();
  readonly #batch: PrefixBatch;
  #batchTarget = -1;

  constructor(
    table: FamilyTable,
    attributes: Pick<AttributeTable, "nextHop">,
    resolutionOf: ResolutionOf,
    sink: ForwardingSink,
  ) {
    this.#table = table;
    this.#attributes = attributes;
    this.#resolutionOf = resolutionOf;
    this.#sink = sink;
    this.#batch = new PrefixBatch(table.family, BATCH);
  }

  /** `paths`: the best one first, then those that share its traffic; empty when the destination is gone. */
  update(prefix: number, paths: Int32Array): void {
    const before = this.#table.target(prefix);
    const target = paths.length === 0 ? NO_TARGET : this.#targetOf(paths);
    if (target === before) {
      if (target !== NO_TARGET) this.#drop(target);
      return;
    }
    if (before === NO_TARGET) this.#table.hold(prefix);
    this.#table.setTarget(prefix, target);
    this.#send(prefix, target);
    if (before !== NO_TARGET) this.#drop(before);
    if (target === NO_TARGET) this.#table.release(prefix);
  }

  /** Hands over what is gathered; call at the end of a slice. */
  flush(): void {
    if (this.#batch.count === 0) return;
    const target = this.#targets[this.#batchTarget];
    if (target === undefined) this.#sink.unset(this.#batch);
    else this.#sink.set(this.#batch, target);
    this.#batch.clear();
    this.#batchTarget = -1;
  }

  #send(prefix: number, target: number): void {
    if (target !== this.#batchTarget || this.#batch.count === BATCH) this.flush();
    this.#batchTarget = target;
    const p = this.#table.prefixes;
    this.#batch.add6(p.w0(prefix), p.w1(prefix), p.w2(prefix), p.w3(prefix), p.length(prefix), 0);
  }

  /** The number of the target for these paths, with one use more. */
  #targetOf(paths: Int32Array): number {
    const { paths: store } = this.#table;
    const best = paths[0] as number;
    const source = store.source(best);
    if (source === "kernel" || source === "connected") return NO_TARGET;
    if (store.isBlackhole(best)) return this.#number("blackhole", () => BLACKHOLE);
    // Announced only: who delivers these packets is not our business.
    if (this.#attributes.nextHop(store.accepted(best)) === 0) return NO_TARGET;
    return this.#unicast(paths);
  }

  #unicast(paths: Int32Array): number {
    if (paths.length > 1) return this.#combined(paths);
    const way = this.#resolutionOf(paths[0] as number);
    const known = this.#byWay.get(way);
    // Numbers are used again: what it stands for now must be the same.
    if (known !== undefined && this.#targets[known.number] === known.target) {
      this.#uses[known.number] = (this.#uses[known.number] as number) + 1;
      return known.number;
    }
    const number = this.#combined(paths);
    const target = this.#targets[number];
    if (target !== undefined) this.#byWay.set(way, { number, target });
    return number;
  }

  #combined(paths: Int32Array): number {
    const hops = new Map<string, ResolvedHop>();
    let isBlackhole = false;
    for (const path of paths) {
      const { resolved, blackhole } = this.#resolutionOf(path);
      if (blackhole) isBlackhole = true;
      for (const hop of resolved) hops.set(keyOf(hop), hop);
    }
    if (hops.size === 0) return isBlackhole ? this.#number("blackhole", () => BLACKHOLE) : NO_TARGET;
    // In a fixed order, so that the same hops are the same target whichever path is the best.
    const keys = [...hops.keys()].sort();
    return this.#number(keys.join(), () => ({
      kind: "unicast",
      nextHops: keys.map((key) => ({ ...(hops.get(key) as ResolvedHop), onlink: false, weight: 1 })),
      preferredSource: undefined,
      metric: undefined,
    }));
  }

  #number(key: string, make: () => ForwardingTarget): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#freeNumbers.pop() ?? this.#targets.length;
      this.#targets[number] = make();
      this.#keys[number] = key;
      this.#uses[number] = 0;
      this.#numbers.set(key, number);
    }
    this.#uses[number] = (this.#uses[number] as number) + 1;
    return number;
  }

  #drop(number: number): void {
    const uses = (this.#uses[number] as number) - 1;
    this.#uses[number] = uses;
    if (uses > 0) return;
    if (this.#batchTarget === number) this.flush();
    this.#numbers.delete(this.#keys[number] as string);
    this.#targets[number] = undefined;
    this.#freeNumbers.push(number);
  }
}

function keyOf({ gateway: g, interface: index }: ResolvedHop): string {
  return g === undefined ? `@${index}` : `${g.family}/${g.w0}.${g.w1}.${g.w2}.${g.w3}@${index}`;
}
