/** Peers in order of their names, from their plans: what has not changed keeps its identity, however many others there are. */

import { isDeepStrictEqual } from "node:util";
import type { CalicoPeer } from "../model.ts";
import { type PeerContext, peerOfPlan } from "./peer-of-plan.ts";
import { type PeerPlan, samePlan } from "./peer-plan.ts";
import { keepArray } from "./remember.ts";

interface Known {
  readonly plan: PeerPlan;
  readonly password: string | undefined;
  readonly context: PeerContext;
  readonly peer: CalicoPeer;
}

export class PeerList {
  #known = new Map<string, Known>();
  #sorted: readonly CalicoPeer[] = [];

  /** The same array as before if no peer changed. */
  peers(
    plans: readonly PeerPlan[],
    passwordOf: (plan: PeerPlan) => string | undefined,
    context: PeerContext,
  ): readonly CalicoPeer[] {
    const known = new Map<string, Known>();
    const fresh: CalicoPeer[] = [];
    const standing = new Set<CalicoPeer>();
    for (const plan of plans) {
      // Unique: a kind has one plan for an address and port.
      const key = `${plan.kind} ${plan.address} ${plan.port}`;
      const before = this.#known.get(key);
      const now = nextKnown(plan, passwordOf(plan), context, before);
      known.set(key, now);
      if (now.peer === before?.peer) standing.add(now.peer);
      else fresh.push(now.peer);
    }
    this.#known = known;
    const kept = this.#sorted.filter((peer) => standing.has(peer));
    this.#sorted = keepArray(this.#sorted, merged(kept, fresh.sort(byName)));
    return this.#sorted;
  }
}

function nextKnown(
  plan: PeerPlan,
  password: string | undefined,
  context: PeerContext,
  before: Known | undefined,
): Known {
  if (before === undefined) return { plan, password, context, peer: peerOfPlan(plan, password, context) };
  const isSame = before.password === password && before.context === context && samePlan(before.plan, plan);
  if (isSame) return before;
  const peer = peerOfPlan(plan, password, context);
  return { plan, password, context, peer: isDeepStrictEqual(peer, before.peer) ? before.peer : peer };
}

function byName(a: CalicoPeer, b: CalicoPeer): number {
  return a.name < b.name ? -1 : 1;
}

/** Both are in order. */
function merged(kept: readonly CalicoPeer[], fresh: readonly CalicoPeer[]): readonly CalicoPeer[] {
  if (fresh.length === 0) return kept;
  const all: CalicoPeer[] = [];
  let i = 0;
  for (const one of kept) {
    for (let next = fresh[i]; next !== undefined && next.name < one.name; next = fresh[i]) {
      all.push(next);
      i++;
    }
    all.push(one);
  }
  return [...all, ...fresh.slice(i)];
}
