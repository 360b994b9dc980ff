/** Routes of others in our table, one family's: what we learn from, what next hops resolve over, and what we must not overwrite. */

import type { Family } from "../bgp/model/family.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import { PrefixTable } from "../columns/prefix-table.ts";
import type { FibTarget, KernelRoute } from "./fib.ts";
import type { LearnRules } from "./learn-rules.ts";
import { Flag } from "./netlink/constants.ts";
import type { RouteMessage } from "./netlink/route-message.ts";
import { sameOptionalAddress, sameTarget } from "./same-target.ts";

interface ForeignRoute {
  readonly protocol: number;
  readonly metric: number;
  readonly tos: number;
  /** Undefined for kinds that cannot be learnt; they hold their place in the table all the same. */
  readonly target: FibTarget | undefined;
  generation: number;
}

/** All routes of one prefix. */
interface Group {
  readonly prefix: Prefix;
  readonly routes: ForeignRoute[];
  /** Those under which #byInterface has it. */
  readonly interfaces: Set<number>;
  told: KernelRoute | undefined;
}

export type RouteListener = (prefix: Prefix, route: KernelRoute | undefined) => void;

export class ForeignRoutes {
  readonly #rules: LearnRules;
  readonly #listener: RouteListener;
  /** The payload word is a place in #groups. */
  readonly #prefixes: PrefixTable;
  readonly #groups: (Group | undefined)[] = [];
  /** Groups with a route over an interface, by its index. */
  readonly #byInterface = new Map<number, Set<number>>();
  #generation = 0;

  constructor(family: Family, rules: LearnRules, listener: RouteListener) {
    this.#prefixes = new PrefixTable(family, 1);
    this.#rules = rules;
    this.#listener = listener;
  }

  get count(): number {
    return this.#prefixes.count;
  }

  /** The route of somebody else that a route of ours with this metric would overwrite (its TOS is 0, as ours). */
  blocking(w0: number, w1: number, w2: number, w3: number, length: number, metric: number): ForeignRoute | undefined {
    if (this.#prefixes.count === 0) return undefined;
    const id = this.#prefixes.find(w0, w1, w2, w3, length);
    return id < 0 ? undefined : this.#groups[id]?.routes.find((r) => r.metric === metric && r.tos === 0);
  }

  /** A new or changed route; `flags` of the message say what became of others. */
  added(message: RouteMessage, target: FibTarget | undefined, flags: number): void {
    const id = this.#prefixes.findOrAdd(message.w0, message.w1, message.w2, message.w3, message.length);
    const group = this.#groups[id] ?? {
      prefix: this.#prefixes.prefix(id),
      routes: [],
      interfaces: new Set<number>(),
      told: undefined,
    };
    this.#groups[id] = group;
    if ((flags & Flag.Replace) !== 0) removeSlot(group.routes, message);
    const known = group.routes.find((r) => sameRoute(r, message, target));
    if (known !== undefined) known.generation = this.#generation;
    else {
      const { protocol, metric, tos } = message;
      group.routes.push({ protocol, metric, tos, target, generation: this.#generation });
      for (const hop of target?.nextHops ?? []) this.#index(id, group, hop.interface);
    }
    this.#settle(id, group);
  }

  /** True if there was such a route. */
  removed(message: RouteMessage, target: FibTarget | undefined): boolean {
    const id = this.#prefixes.find(message.w0, message.w1, message.w2, message.w3, message.length);
    const group = this.#groups[id];
    if (id < 0 || group === undefined) return false;
    const exact = group.routes.findIndex((r) => sameRoute(r, message, target));
    const at = exact >= 0 ? exact : group.routes.findIndex((r) => sameSlot(r, message));
    const known = group.routes[at];
    if (known === undefined) return false;
    const left = exact >= 0 ? undefined : withoutHops(known.target, target);
    if (left === undefined) group.routes.splice(at, 1);
    else group.routes.splice(at, 1, { ...known, target: left });
    this.#settle(id, group);
    return true;
  }

  /** A route with our protocol took the place of what was there with this metric, if the flags say so. */
  replacedByOurs(message: RouteMessage, flags: number): void {
    if ((flags & Flag.Replace) === 0) return;
    const id = this.#prefixes.find(message.w0, message.w1, message.w2, message.w3, message.length);
    const group = this.#groups[id];
    if (id < 0 || group === undefined) return;
    removeSlot(group.routes, message);
    this.#settle(id, group);
  }

  beginDump(): void {
    this.#generation++;
  }

  /** What the dump has not shown is gone. */
  endDump(vanished: (prefix: Prefix) => void): void {
    for (const [id, group] of this.#groups.entries()) {
      if (group === undefined) continue;
      const kept = group.routes.filter((r) => r.generation === this.#generation);
      if (kept.length === group.routes.length) continue;
      group.routes.splice(0, group.routes.length, ...kept);
      vanished(group.prefix);
      this.#settle(id, group);
    }
  }

  /** The interface changed its name or state: what is told of its routes may be another. */
  reconsider(interfaceIndex: number): void {
    for (const id of [...(this.#byInterface.get(interfaceIndex) ?? [])]) {
      const group = this.#groups[id];
      if (group !== undefined) this.#settle(id, group);
    }
  }

  /** The rules changed: the same for all. */
  reconsiderAll(): void {
    for (const [id, group] of this.#groups.entries()) if (group !== undefined) this.#settle(id, group);
  }

  /** The kernel dropped without a word what has no next hop left: those for which `dead` is true. */
  dropDead(dead: (target: FibTarget) => boolean, vanished: (prefix: Prefix) => void): void {
    for (const [id, group] of this.#groups.entries()) {
      if (group === undefined) continue;
      const kept = group.routes.filter((r) => r.target === undefined || !dead(r.target));
      if (kept.length === group.routes.length) continue;
      group.routes.splice(0, group.routes.length, ...kept);
      vanished(group.prefix);
      this.#settle(id, group);
    }
  }

  /** Tells the listener if another route speaks for the prefix now; forgets the prefix without routes. */
  #settle(id: number, group: Group): void {
    const best = this.#best(group);
    const told = group.told;
    if (best === undefined ? told !== undefined : told === undefined || !sameKernelRoute(best, told)) {
      group.told = best;
      this.#listener(group.prefix, best);
    }
    if (group.routes.length > 0) return;
    this.#groups[id] = undefined;
    this.#prefixes.remove(id);
    // Numbers of prefixes are used again: what the interfaces know of this one must go.
    for (const index of group.interfaces) {
      const ids = this.#byInterface.get(index);
      if (ids?.delete(id) === true && ids.size === 0) this.#byInterface.delete(index);
    }
  }

  /** The lowest metric among the learnt ones; if there are none, among all. */
  #best(group: Group): KernelRoute | undefined {
    let best: KernelRoute | undefined;
    for (const route of group.routes) {
      if (route.target === undefined || route.tos !== 0 || !this.#rules.isUsable(group.prefix, route.target)) continue;
      const interfaceName = this.#rules.interfaceName(route.target);
      const learnt = this.#rules.isLearnt(group.prefix, route.protocol, interfaceName);
      if (best !== undefined && (best.learnt === learnt ? best.metric <= route.metric : best.learnt)) continue;
      best = {
        prefix: group.prefix,
        source: "kernel",
        protocol: route.protocol,
        metric: route.metric,
        target: route.target,
        interfaceName,
        learnt,
      };
    }
    return best;
  }

  #index(id: number, group: Group, interfaceIndex: number): void {
    group.interfaces.add(interfaceIndex);
    const ids = this.#byInterface.get(interfaceIndex);
    if (ids === undefined) this.#byInterface.set(interfaceIndex, new Set([id]));
    else ids.add(id);
  }
}

/** A table has one place for each metric and TOS; NLM_F_REPLACE takes the first route in it, whoever put it there. */
function removeSlot(routes: ForeignRoute[], message: RouteMessage): void {
  const at = routes.findIndex((r) => r.metric === message.metric && r.tos === message.tos);
  if (at >= 0) routes.splice(at, 1);
}

function sameSlot(route: ForeignRoute, message: RouteMessage): boolean {
  return route.metric === message.metric && route.tos === message.tos && route.protocol === message.protocol;
}

function sameRoute(route: ForeignRoute, message: RouteMessage, target: FibTarget | undefined): boolean {
  if (!sameSlot(route, message)) return false;
  return target === undefined || route.target === undefined
    ? target === route.target
    : sameTarget(target, route.target);
}

/** An IPv6 route of several next hops loses them one by one; undefined when none is left, or it was not like that. */
function withoutHops(target: FibTarget | undefined, gone: FibTarget | undefined): FibTarget | undefined {
  if (target === undefined || gone === undefined || target.nextHops.length <= gone.nextHops.length) return undefined;
  const nextHops = target.nextHops.filter(
    (hop) => !gone.nextHops.some((g) => g.interface === hop.interface && sameOptionalAddress(g.gateway, hop.gateway)),
  );
  return nextHops.length < target.nextHops.length && nextHops.length > 0 ? { ...target, nextHops } : undefined;
}

function sameKernelRoute(a: KernelRoute, b: KernelRoute): boolean {
  return (
    a.protocol === b.protocol &&
    a.metric === b.metric &&
    a.interfaceName === b.interfaceName &&
    a.learnt === b.learnt &&
    sameTarget(a.target, b.target)
  );
}
