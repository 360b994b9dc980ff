/** From best paths to what the kernel should do: forwarding targets, each one object for all prefixes that share it. */

import type { IpAddress } from "../bgp/model/address.ts";
import { PrefixBatch } from "../bgp/model/prefix-batch.ts";
import type { AttributeTable } from "./attribute-table.ts";
import type { FamilyTable } from "./family-table.ts";
import { type KernelRules, NO_METRIC, type RuledPath } from "./kernel-rules.ts";

export interface ResolvedHop {
  readonly gateway: IpAddress | undefined;
  /** Interface index; 0 where only the gateway is known. */
  readonly interface: number;
}

export interface TargetHop extends ResolvedHop {
  /** The gateway need not be on the interface's subnet. */
  readonly onlink: boolean;
  readonly weight: number;
}

export interface ForwardingTarget {
  readonly kind: "unicast" | "blackhole" | "unreachable";
  readonly nextHops: readonly TargetHop[];
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

const NO_TARGET = 0;
const BATCH = 512;
/** So many targets are remembered for one way: more come of many different metrics only. */
const KNOWN = 8;

/** What the way of a single path came to. */
interface Known {
  readonly metric: number;
  readonly device: number;
  readonly number: number;
  readonly target: ForwardingTarget;
  readonly depth: number;
  readonly next: Known | undefined;
}

export interface ForwardingContext {
  readonly table: FamilyTable;
  readonly attributes: Pick<AttributeTable, "nextHop" | "localPref">;
  readonly resolutionOf: ResolutionOf;
  /** The address of a next hop by its number. */
  nextHopAddress(id: number): IpAddress | undefined;
}

export class Forwarding {
  readonly #table: FamilyTable;
  readonly #attributes: ForwardingContext["attributes"];
  readonly #resolutionOf: ResolutionOf;
  readonly #sink: ForwardingSink;
  readonly #ruled: RuledPath;
  #rules: KernelRules | undefined;
  /** Targets by what they are made of; numbers begin at 1 and stay with a target while any prefix uses it. */
  readonly #numbers = new Map<string, number>();
  readonly #targets: (ForwardingTarget | undefined)[] = [undefined];
  readonly #keys: string[] = [""];
  readonly #uses: number[] = [0];
  readonly #freeNumbers: number[] = [];
  /** Thousands of destinations share a way, and need not each spell out their target. */
  readonly #byWay = new WeakMap<Way, Known>();
  readonly #batch: PrefixBatch;
  #batchTarget = -1;

  constructor(context: ForwardingContext, sink: ForwardingSink) {
    const { table, attributes } = context;
    this.#table = table;
    this.#attributes = attributes;
    this.#resolutionOf = context.resolutionOf;
    this.#sink = sink;
    this.#batch = new PrefixBatch(table.family, BATCH);
    this.#ruled = {
      source: (path) => table.paths.source(path),
      localPref: (path) => attributes.localPref(table.paths.accepted(path)),
      nextHop: (path) => context.nextHopAddress(attributes.nextHop(table.paths.accepted(path))),
    };
  }

  /** Undefined: every best path is written. What stands is judged by them at the next `update`. */
  set rules(rules: KernelRules | undefined) {
    this.#rules = rules;
  }

  /** `paths`: the best one first, then those that share its traffic; empty when the destination is gone. */
  update(prefix: number, paths: Int32Array): void {
    const before = this.#table.target(prefix);
    const target = paths.length === 0 ? NO_TARGET : this.#targetOf(prefix, paths);
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
  #targetOf(prefix: number, paths: Int32Array): number {
    const { paths: store } = this.#table;
    const best = paths[0] as number;
    const source = store.source(best);
    if (source === "kernel" || source === "connected") return NO_TARGET;
    const rules = this.#rules;
    if (rules !== undefined && !rules.accepts(this.#table.prefixes, prefix, best, this.#ruled)) return NO_TARGET;
    const metric = rules === undefined ? NO_METRIC : rules.metric;
    if (store.isBlackhole(best)) return this.#blackhole(metric);
    // Announced only: who delivers these packets is not our business.
    if (this.#attributes.nextHop(store.accepted(best)) === 0) return NO_TARGET;
    const device = rules === undefined ? 0 : rules.device;
    return paths.length > 1 ? this.#combined(prefix, paths, metric) : this.#single(best, metric, device);
  }

  #single(path: number, metric: number, device: number): number {
    const way = this.#resolutionOf(path);
    const first = this.#byWay.get(way);
    for (let known = first; known !== undefined; known = known.next) {
      // Numbers are used again: what it stands for now must be the same.
      if (known.metric !== metric || known.device !== device || this.#targets[known.number] !== known.target) continue;
      this.#uses[known.number] = (this.#uses[known.number] as number) + 1;
      return known.number;
    }
    const hops = new Map<string, TargetHop>();
    this.#addHops(hops, path, way, device);
    const number = this.#unicast(hops, metric, way.blackhole);
    const target = this.#targets[number];
    if (target !== undefined) {
      const next = first !== undefined && first.depth < KNOWN ? first : undefined;
      this.#byWay.set(way, { metric, device, number, target, depth: (next?.depth ?? 0) + 1, next });
    }
    return number;
  }

  #combined(prefix: number, paths: Int32Array, metric: number): number {
    const rules = this.#rules;
    const hops = new Map<string, TargetHop>();
    let isBlackhole = false;
    for (const path of paths) {
      if (rules !== undefined && !rules.accepts(this.#table.prefixes, prefix, path, this.#ruled)) continue;
      const way = this.#resolutionOf(path);
      if (way.blackhole) isBlackhole = true;
      this.#addHops(hops, path, way, rules === undefined ? 0 : rules.device);
    }
    return this.#unicast(hops, metric, isBlackhole);
  }

  /** BIRD's tunnel of Calico leaves a route of several next hops outside; here each is sent through it. */
  #addHops(hops: Map<string, TargetHop>, path: number, { resolved }: Way, device: number): void {
    const gateway = device === 0 || resolved.length === 0 ? undefined : this.#ruled.nextHop(path);
    if (gateway !== undefined) {
      const hop = { gateway, interface: device, onlink: true, weight: 1 };
      hops.set(`${keyOf(hop)}!`, hop);
    } else for (const hop of resolved) hops.set(keyOf(hop), { ...hop, onlink: false, weight: 1 });
  }

  #unicast(hops: ReadonlyMap<string, TargetHop>, metric: number, isBlackhole: boolean): number {
    if (hops.size === 0) return isBlackhole ? this.#blackhole(metric) : NO_TARGET;
    // In a fixed order, so that the same hops are the same target whichever path is the best.
    const keys = [...hops.keys()].sort();
    return this.#number(`${keys.join()} ${metric}`, () => ({
      kind: "unicast",
      nextHops: keys.map((key) => hops.get(key) as TargetHop),
      preferredSource: undefined,
      metric: metric === NO_METRIC ? undefined : metric,
    }));
  }

  #blackhole(metric: number): number {
    return this.#number(`blackhole ${metric}`, () => ({
      kind: "blackhole",
      nextHops: [],
      preferredSource: undefined,
      metric: metric === NO_METRIC ? undefined : metric,
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
