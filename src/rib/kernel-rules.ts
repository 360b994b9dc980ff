/** What becomes of best paths on their way to the kernel: Calico's rules of who programs which pool, with which metric, over which tunnel. */

import { type IpAddress, sameAddress } from "../bgp/model/address.ts";
import { type Prefix, prefixContains } from "../bgp/model/prefix.ts";
import type { PrefixTable } from "../columns/prefix-table.ts";
import type { KernelRule, Priorities } from "./options.ts";
import type { RouteSource } from "./policy/policy.ts";
import { type PrefixMatcher, prefixMatcher } from "./policy/prefix-matcher.ts";
import { metricOf } from "./priorities.ts";
import { sameValue } from "./same-value.ts";

/** What the rules ask about one path. */
export interface RuledPath {
  source(path: number): RouteSource;
  localPref(path: number): number;
  /** Undefined: none. */
  nextHop(path: number): IpAddress | undefined;
}

interface CompiledRule {
  readonly prefixes: PrefixMatcher | undefined;
  readonly origin: readonly RouteSource[] | undefined;
  readonly nextHops: AddressSet | undefined;
  readonly outside: Prefix | undefined;
  readonly setsMetric: boolean;
  /** A place in #devices, or -1. */
  readonly device: number;
  readonly then: KernelRule["then"];
}

interface Device {
  readonly name: string;
  /** 0 while there is no such interface that is up. */
  index: number;
}

/** In place of a metric: there is none. */
export const NO_METRIC = -1;

export class KernelRules {
  readonly #rules: readonly CompiledRule[];
  readonly #devices: Device[] = [];
  readonly #priorities: Priorities | undefined;
  /** Of the path that was accepted last: its metric or NO_METRIC, and the interface it is sent to its NEXT_HOP over or 0. */
  metric = NO_METRIC;
  device = 0;

  constructor(rules: readonly KernelRule[], priorities: Priorities | undefined) {
    this.#priorities = priorities;
    this.#rules = joined(rules).map(({ match, set, then }) => ({
      prefixes: match.prefixes === undefined ? undefined : prefixMatcher(match.prefixes),
      origin: match.origin,
      nextHops: match.nextHops === undefined ? undefined : addressSet(match.nextHops),
      outside: match.nextHopOutside,
      setsMetric: set?.metric !== undefined,
      device: set?.device === undefined ? -1 : this.#deviceOf(set.device),
      then,
    }));
  }

  /** The interfaces by name are looked up again: true if one of them is another than before. `indexOf`: 0 for none that is up. */
  lookUpDevices(indexOf: (name: string) => number): boolean {
    let isAnother = false;
    for (const device of this.#devices) {
      const index = indexOf(device.name);
      if (index !== device.index) isAnother = true;
      device.index = index;
    }
    return isAnother;
  }

  /** A change of this interface may concern the rules. */
  concerns(interfaceIndex: number, name: string | undefined): boolean {
    return this.#devices.some((device) => device.index === interfaceIndex || device.name === name);
  }

  /** False: this path is not for the kernel. Otherwise see `metric` and `device`. */
  accepts(prefixes: PrefixTable, prefix: number, path: number, of: RuledPath): boolean {
    this.metric = NO_METRIC;
    this.device = 0;
    for (const rule of this.#rules) {
      if (!holds(rule, prefixes, prefix, path, of)) continue;
      if (rule.then === "reject") return false;
      if (rule.setsMetric && this.#priorities !== undefined)
        this.metric = metricOf(of.localPref(path), this.#priorities);
      if (rule.device >= 0) this.device = (this.#devices[rule.device] as Device).index;
      if (rule.then === "accept") return true;
    }
    return true;
  }

  #deviceOf(name: string): number {
    const known = this.#devices.findIndex((device) => device.name === name);
    return known >= 0 ? known : this.#devices.push({ name, index: 0 }) - 1;
  }
}

function holds(rule: CompiledRule, p: PrefixTable, prefix: number, path: number, of: RuledPath): boolean {
  if (rule.origin !== undefined && !rule.origin.includes(of.source(path))) return false;
  if (
    rule.prefixes !== undefined &&
    !rule.prefixes.matches(p.family, p.w0(prefix), p.w1(prefix), p.w2(prefix), p.w3(prefix), p.length(prefix))
  )
    return false;
  if (rule.nextHops === undefined && rule.outside === undefined) return true;
  const nextHop = of.nextHop(path);
  if (nextHop === undefined) return false;
  if (rule.outside !== undefined && prefixContains(rule.outside, nextHop, rule.outside.length)) return false;
  return rule.nextHops === undefined || isAmong(rule.nextHops, nextHop);
}

/** Rules one after the other that differ in their next hops alone are one: WireGuard has one for each node of the cluster. */
function joined(rules: readonly KernelRule[]): readonly KernelRule[] {
  const joint: { rule: KernelRule; nextHops: IpAddress[] | undefined }[] = [];
  for (const rule of rules) {
    const last = joint.at(-1);
    const { nextHops } = rule.match;
    if (last?.nextHops !== undefined && nextHops !== undefined && alike(last.rule, rule))
      last.nextHops.push(...nextHops);
    else joint.push({ rule, nextHops: nextHops === undefined ? undefined : [...nextHops] });
  }
  return joint.map(({ rule, nextHops }) => ({ ...rule, match: { ...rule.match, nextHops } }));
}

function alike(a: KernelRule, b: KernelRule): boolean {
  return (
    a.then === b.then &&
    sameValue(a.set, b.set) &&
    sameValue(a.match.prefixes, b.match.prefixes) &&
    sameValue(a.match.origin, b.match.origin) &&
    sameValue(a.match.nextHopOutside, b.match.nextHopOutside)
  );
}

/** By a mix of their words. */
type AddressSet = ReadonlyMap<number, readonly IpAddress[]>;

const mixOf = ({ w0, w1, w2, w3 }: IpAddress): number => w0 ^ w1 ^ w2 ^ w3;

function addressSet(addresses: readonly IpAddress[]): AddressSet {
  const set = new Map<number, IpAddress[]>();
  for (const address of addresses) {
    const alike = set.get(mixOf(address));
    if (alike === undefined) set.set(mixOf(address), [address]);
    else alike.push(address);
  }
  return set;
}

function isAmong(set: AddressSet, address: IpAddress): boolean {
  return set.get(mixOf(address))?.some((other) => sameAddress(other, address)) ?? false;
}
