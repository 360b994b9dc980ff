/** Peers in order of their names, from their plans: what has not changed keeps its identity, however many others there are. */

import type { CalicoPeer } from "../model.ts";
import { type PeerContext, peerOfPlan } from "./peer-of-plan.ts";
import { type PeerPlan, samePlan } from "./peer-plan.ts";

interface Known {
  plan: PeerPlan;
  password: string | undefined;
  context: PeerContext;
  peer: CalicoPeer;
  /** The call that it was last seen in. */
  call: number;
}

export class PeerList {
  /** By the plan's own object, which mostly is the same; by what it is for, which a changed plan still finds. */
  #byPlan = new Map<PeerPlan, Known>();
  #byPurpose = new Map<string, Known>();
  #sorted: readonly Known[] = [];
  #peers: readonly CalicoPeer[] = [];
  #call = 0;

  /** The same array as before if no peer changed. */
  peers(
    plans: readonly PeerPlan[],
    passwordOf: (plan: PeerPlan) => string | undefined,
    context: PeerContext,
  ): readonly CalicoPeer[] {
    this.#call++;
    const fresh: Known[] = [];
    let isChanged = false;
    for (const plan of plans) {
      const known = this.#byPlan.get(plan) ?? this.#find(plan);
      if (known === undefined) fresh.push(this.#add(plan, passwordOf(plan), context));
      else if (this.#update(known, plan, passwordOf(plan), context)) isChanged = true;
    }
    const gone = this.#forgetOthers();
    if (fresh.length === 0 && gone === 0 && !isChanged) return this.#peers;
    const kept = gone === 0 ? this.#sorted : this.#sorted.filter(({ call }) => call === this.#call);
    this.#sorted = merged(kept, fresh.sort(byName));
    this.#peers = this.#sorted.map(({ peer }) => peer);
    return this.#peers;
  }

  #find(plan: PeerPlan): Known | undefined {
    const known = this.#byPurpose.get(purposeOf(plan));
    // Two plans for one purpose: the first has it.
    return known?.call === this.#call ? undefined : known;
  }

  #add(plan: PeerPlan, password: string | undefined, context: PeerContext): Known {
    const known = { plan, password, context, peer: peerOfPlan(plan, password, context), call: this.#call };
    this.#byPlan.set(plan, known);
    this.#byPurpose.set(purposeOf(plan), known);
    return known;
  }

  /** Whether the peer is another one now. Its name is the same: that is made of its purpose. */
  #update(known: Known, plan: PeerPlan, password: string | undefined, context: PeerContext): boolean {
    known.call = this.#call;
    if (known.plan !== plan) {
      this.#byPlan.delete(known.plan);
      this.#byPlan.set(plan, known);
    }
    const isSame =
      known.password === password && sameContext(known.context, context, plan) && samePlan(known.plan, plan);
    known.plan = plan;
    known.password = password;
    known.context = context;
    if (isSame) return false;
    const peer = peerOfPlan(plan, password, context);
    if (samePeer(peer, known.peer)) return false;
    known.peer = peer;
    return true;
  }

  #forgetOthers(): number {
    let count = 0;
    for (const known of this.#sorted) {
      if (known.call === this.#call) continue;
      this.#byPlan.delete(known.plan);
      const purpose = purposeOf(known.plan);
      if (this.#byPurpose.get(purpose) === known) this.#byPurpose.delete(purpose);
      count++;
    }
    return count;
  }
}

/** A filter that comes or goes concerns those that name one. */
function sameContext(a: PeerContext, b: PeerContext, { bgpPeer }: PeerPlan): boolean {
  if (a === b) return true;
  return a.own === b.own && (a.filters === b.filters || bgpPeer === undefined || bgpPeer.filters.length === 0);
}

/** Of flat objects whose only parts are lists of names. */
function samePeer(a: CalicoPeer, b: CalicoPeer): boolean {
  return (Object.keys(a) as (keyof CalicoPeer)[]).every((key) => {
    const [one, other] = [a[key], b[key]];
    return one === other || (Array.isArray(one) && Array.isArray(other) && sameNames(one, other));
  });
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

function purposeOf({ kind, address, port }: PeerPlan): string {
  // The port is no part of a mesh peer's name.
  return kind === "Mesh" ? `Mesh ${address}` : `${kind} ${address} ${port}`;
}

function byName(a: Known, b: Known): number {
  return a.peer.name < b.peer.name ? -1 : 1;
}

/** Both are in order. */
function merged(kept: readonly Known[], fresh: readonly Known[]): readonly Known[] {
  if (fresh.length === 0) return kept;
  const all: Known[] = [];
  let i = 0;
  for (const one of kept) {
    for (let next = fresh[i]; next !== undefined && next.peer.name < one.peer.name; next = fresh[i]) {
      all.push(next);
      i++;
    }
    all.push(one);
  }
  for (; i < fresh.length; i++) {
    const one = fresh[i];
    if (one !== undefined) all.push(one);
  }
  return all;
}
