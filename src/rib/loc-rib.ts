/** One family's tables at work: AdjRibIn and LocRib of RFC 4271 §3.2, and the queue of destinations whose best path is in question. */

import type { Family } from "../bgp/model/family.ts";
import { type AttrsId, LOCAL_PEER, type PathId, type PeerId, type PrefixId } from "../bgp/model/ids.ts";
import type { AttributeView } from "../bgp/model/ports.ts";
import type { PrefixBatch } from "../bgp/model/prefix-batch.ts";
import { IdQueue } from "../columns/id-queue.ts";
import type { AttributeTable } from "./attribute-table.ts";
import { Decision, type DecisionRules, type PeerRank, Reason } from "./decision.ts";
import { FamilyTable } from "./family-table.ts";
import type { Forwarding } from "./forwarding.ts";
import type { RibOptions } from "./options.ts";
import type { RouteSource } from "./policy/policy.ts";
import { elevatedAbove } from "./priorities.ts";
import type { RibPeer } from "./rib-peer.ts";
import { type Requests, Sweep } from "./sweep.ts";
import type { UpdateGroup } from "./update-group.ts";

export interface LocRibContext {
  readonly family: Family;
  readonly attributes: AttributeTable;
  rules(): DecisionRules & Pick<RibOptions, "priorities">;
  peer(id: PeerId): RibPeer | undefined;
  localRank(): PeerRank;
  /** Infinity when unreachable. */
  nextHopMetric(nextHop: number, peer: PeerId): number;
  seconds(): number;
  /** There is work to do. */
  wake(): void;
  /** One of the paths of a destination came, went or changed, or another is the best one. */
  pathsChanged(prefix: number): void;
  /** A destination came, went, or has another best path. */
  bestChanged(prefix: number, before: number, best: number): void;
  limitReached(peer: RibPeer, family: Family, kind: "near" | "exceeded"): void;
  sweepVisit(path: number, requests: Requests): void;
}

/**
 * BIRD's protocol preferences: what is connected or configured before what is learnt from peers, what the kernel says last.
 * But for one: a route that the operator wrote down comes before the connected prefix of the same length, which is not announced.
 */
const PREFERENCE: Readonly<Record<RouteSource, number>> = {
  static: 250,
  connected: 240,
  calico: 200,
  aggregate: 130,
  peer: 100,
  kernel: 10,
};

/** In one slice. */
const DECISIONS = 1024;
const STEP = 128;
const NONE = 0 as AttrsId;

export class LocRib {
  readonly table: FamilyTable;
  /** Those that care for the best path, and those to which more may matter: all paths, or the way to the next hop. */
  readonly groups = new Set<UpdateGroup>();
  readonly attentiveGroups = new Set<UpdateGroup>();
  readonly sweep: Sweep;
  /** How many of this speaker's own routes there are, by source; those of peers are counted beside the peer. */
  readonly own: Readonly<Record<Exclude<RouteSource, "peer">, { accepted: number; preferred: number }>> = {
    static: { accepted: 0, preferred: 0 },
    calico: { accepted: 0, preferred: 0 },
    aggregate: { accepted: 0, preferred: 0 },
    kernel: { accepted: 0, preferred: 0 },
    connected: { accepted: 0, preferred: 0 },
  };
  forwarding: Forwarding | undefined;
  readonly #context: LocRibContext;
  readonly #decision: Decision;
  #elevatedAbove = Number.POSITIVE_INFINITY;
  #elevatedPreference = PREFERENCE.peer;
  /** Those in it bear the prefix table's mark. */
  readonly #queue = new IdQueue();
  /** Of the slice at work: all destinations decided, and those with another best path. */
  readonly #decided = new Int32Array(DECISIONS);
  readonly #changed = new Int32Array(DECISIONS);

  constructor(context: LocRibContext) {
    this.#context = context;
    this.table = new FamilyTable(context.family);
    const { paths } = this.table;
    const { attributes } = context;
    this.#decision = new Decision({
      paths,
      attributes,
      rules: () => context.rules(),
      isCurrent: (path) => this.isCurrent(path),
      isStale: (path) => this.isStale(path),
      metric: (path) => this.metric(path),
      preference: (path) => this.preference(path),
      rank: (path) => context.peer(paths.peer(path))?.rank ?? context.localRank(),
    });
    this.takeRules();
    this.sweep = new Sweep(paths, (path, requests) => context.sweepVisit(path, requests));
  }

  /** Call when the rules changed; destinations are not decided again by this. */
  takeRules(): void {
    const { priorities } = this.#context.rules();
    this.#elevatedAbove = elevatedAbove(priorities, this.table.family);
    this.#elevatedPreference = priorities?.elevatedPreference ?? PREFERENCE.peer;
  }

  /** Its session stands, or its routes are kept from one that ended. */
  isCurrent(path: number): boolean {
    const peer = this.#context.peer(this.table.paths.peer(path));
    return peer === undefined || peer.family(this.table.family).isCurrent(this.table.paths.epoch(path));
  }

  isStale(path: number): boolean {
    const peer = this.#context.peer(this.table.paths.peer(path));
    return peer?.family(this.table.family).isStale(this.table.paths.epoch(path)) ?? false;
  }

  /** May be advertised beside the best path (RFC 7911). */
  isUsable(path: number): boolean {
    const { paths } = this.table;
    return (
      !paths.isRemoved(path) &&
      paths.accepted(path) !== 0 &&
      this.isCurrent(path) &&
      this.metric(path) !== Number.POSITIVE_INFINITY
    );
  }

  preference(path: number): number {
    const source = this.table.paths.source(path);
    if (source !== "peer" || this.#elevatedAbove === Number.POSITIVE_INFINITY) return PREFERENCE[source];
    const localPref = this.#context.attributes.localPref(this.table.paths.accepted(path));
    return localPref > this.#elevatedAbove ? this.#elevatedPreference : PREFERENCE.peer;
  }

  /** Distance of its next hop; Infinity where that is unreachable. */
  metric(path: number): number {
    const { paths } = this.table;
    const source = paths.source(path);
    if (source === "kernel" || source === "connected") return 0;
    return this.#context.nextHopMetric(this.#context.attributes.nextHop(paths.accepted(path)), paths.peer(path));
  }

  announce(id: PeerId, peer: RibPeer, set: AttributeView, batch: PrefixBatch): void {
    const { attributes, seconds } = this.#context;
    const { prefixes, paths } = this.table;
    const state = peer.family(batch.family);
    const limit = peer.limit(batch.family);
    const received = attributes.internView(set);
    const perPrefix = peer.inbound.dependsOnPrefix;
    let accepted = perPrefix ? (0 as AttrsId) : peer.inbound.accept(received, set, undefined);
    const now = seconds();
    const { count, pathIds } = batch;
    prefixes.look(batch);
    let filtered = 0;
    let unchanged = 0;
    for (let i = 0; i < count; i++) {
      // A new prefix is laid down at once, but for a peer whose routes may have to be turned away.
      let prefix = limit === undefined ? prefixes.findOrAddAt(batch, i) : prefixes.findAt(batch, i);
      if (perPrefix) accepted = peer.inbound.accept(received, set, batch.prefixAt(i));
      const identifier = pathIds[i] as number;
      let path = prefix < 0 ? -1 : paths.find(this.table.first(prefix), id, identifier);
      if (path >= 0) {
        const isSame = paths.received(path) === received && paths.accepted(path) === accepted;
        if (isSame && paths.epoch(path) === state.epoch) {
          unchanged++;
          continue;
        }
      } else {
        if (limit !== undefined && state.received >= limit.limit) {
          this.#overLimit(peer, batch.family);
          if (limit.discard) {
            filtered++;
            continue;
          }
        }
        if (prefix < 0) prefix = prefixes.findOrAddAt(batch, i);
        path = this.#addPath(prefix, id, identifier, "peer");
        state.received++;
        if (limit !== undefined && !state.warned && state.received * 100 >= limit.limit * limit.warnPercent) {
          state.warned = true;
          this.#context.limitReached(peer, batch.family, "near");
        }
      }
      this.#swapAttributes(path, received, accepted, peer);
      if (accepted === 0) filtered++;
      paths.announce(path, received, accepted, state.epoch, accepted !== 0 && peer.inbound.isBlackhole, now);
      this.question(prefix);
    }
    state.announced += count;
    state.filtered += filtered;
    state.unchanged += unchanged;
    attributes.release(received);
    this.#context.wake();
  }

  withdraw(id: PeerId, batch: PrefixBatch): void {
    const { prefixes, paths } = this.table;
    let unknown = 0;
    prefixes.look(batch);
    for (let i = 0; i < batch.count; i++) {
      const prefix = prefixes.findAt(batch, i);
      const path = prefix < 0 ? -1 : paths.find(this.table.first(prefix), id, batch.pathIds[i] as number);
      if (path >= 0) this.remove(path);
      else unknown++;
    }
    const state = this.#context.peer(id)?.family(batch.family);
    if (state !== undefined) {
      state.withdrawn += batch.count;
      state.withdrawnUnknown += unknown;
    }
    this.#context.wake();
  }

  /** One of this speaker's own routes; `identifier` tells its sources apart. Interned attributes, one reference is taken. */
  setLocal(prefix: number, source: RouteSource, identifier: number, attrs: AttrsId, blackhole: boolean): void {
    const { paths } = this.table;
    let path = paths.find(this.table.first(prefix), LOCAL_PEER, identifier);
    if (path >= 0 && paths.accepted(path) === attrs && paths.isBlackhole(path) === blackhole) return;
    if (path < 0) path = this.#addPath(prefix, LOCAL_PEER, identifier, source);
    this.#swapAttributes(path, attrs, attrs, undefined);
    paths.announce(path, attrs, attrs, 0, blackhole, this.#context.seconds());
    this.question(prefix);
    this.#context.wake();
  }

  /** Takes a path out; its destination is decided again. */
  remove(path: number): void {
    const { paths } = this.table;
    const peer = this.#context.peer(paths.peer(path));
    this.#swapAttributes(path, NONE, NONE, peer);
    paths.clearAttributes(path);
    if (peer !== undefined) {
      const state = peer.family(this.table.family);
      state.received--;
      const limit = peer.limit(this.table.family);
      if (limit !== undefined && state.received * 100 < limit.limit * limit.warnPercent) state.warned = false;
      if (limit !== undefined && state.received < limit.limit) state.exceeded = false;
    }
    const prefix = paths.prefix(path);
    paths.markRemoved(path);
    this.question(prefix);
    // Gone at once if nobody has it: a route that flaps while nothing is decided must not pile up.
    if (this.table.reclaim(path as PathId)) this.#context.pathsChanged(prefix);
  }

  /** Import rules changed for this path, or what it stands for did. */
  setAccepted(path: number, accepted: AttrsId, blackhole: boolean): void {
    const { paths } = this.table;
    if (paths.accepted(path) === accepted && paths.isBlackhole(path) === blackhole) return;
    paths.setBlackhole(path, blackhole);
    this.#swapAttributes(path, paths.received(path), accepted, this.#context.peer(paths.peer(path)));
    paths.setAccepted(path, accepted);
    paths.touch(path);
    this.question(paths.prefix(path));
  }

  /** Puts a destination into the queue of those to decide. */
  question(prefix: number): void {
    if (!this.table.prefixes.mark(prefix)) return;
    this.table.hold(prefix);
    this.#queue.push(prefix);
  }

  /** Destinations that are to be decided. */
  get waiting(): number {
    return this.#queue.count;
  }

  /** One slice of decisions, shorter when time is up, and what they mean for the update groups; true while there is more. */
  work(isTimeUp: () => boolean): boolean {
    if (this.#queue.count === 0) return false;
    const { prefixes } = this.table;
    let decided = 0;
    let changed = 0;
    while (decided < DECISIONS && this.#queue.count > 0) {
      const prefix = this.#queue.shift();
      prefixes.unmark(prefix);
      if (this.#decide(prefix)) this.#changed[changed++] = prefix;
      this.#decided[decided++] = prefix;
      if (decided % STEP === 0 && isTimeUp()) break;
    }
    // While the records are still at hand. Each destination comes once, so that a group may send them in any order.
    for (const group of this.groups) group.take(this.#changed, changed, isTimeUp);
    for (const group of this.attentiveGroups) group.take(this.#decided, decided, isTimeUp);
    for (let i = 0; i < decided; i++) prefixes.release(this.#decided[i] as number);
    return this.#queue.count > 0;
  }

  /** True if the destination has another best path, or its best path changed. */
  #decide(prefix: number): boolean {
    const { table } = this;
    const { paths } = table;
    const before = table.best(prefix);
    const shared = this.#sharedBy(prefix);
    const best = this.#decision.select(table.first(prefix));
    let changed = best !== before;
    if (changed) {
      // One that was removed stays in its chain until here.
      if (before >= 0) this.#countOf(before).preferred--;
      if (best >= 0) this.#countOf(best).preferred++;
      table.setBest(prefix, best);
    }
    let touched = changed || shared !== this.#sharedBy(prefix);
    for (let path = table.first(prefix); path >= 0; ) {
      const next = paths.next(path);
      if (paths.settle(path)) {
        touched = true;
        if (path === best) changed = true;
        if (paths.isRemoved(path)) table.reclaim(path as PathId);
      }
      path = next;
    }
    if (touched) this.#context.pathsChanged(prefix);
    if (changed) this.#context.bestChanged(prefix, before, best);
    this.forwarding?.update(prefix, best < 0 ? this.#nothing : this.#decision.tied);
    return changed;
  }

  /** Which paths share the traffic with the best one, as one number: next hops may rest on them. */
  #sharedBy(prefix: number): number {
    const { paths } = this.table;
    const first = this.table.first(prefix);
    if (first < 0 || paths.next(first) < 0) return 0;
    let mix = 0;
    for (let path = first; path >= 0; path = paths.next(path))
      if (paths.reason(path) === Reason.Multipath) mix = (Math.imul(mix, 31) + path + 1) | 0;
    return mix;
  }

  readonly #nothing = new Int32Array(0);
  readonly #nobody = { accepted: 0, preferred: 0 };

  #addPath(prefix: number, peer: PeerId, identifier: number, source: RouteSource): number {
    const { table } = this;
    const path = table.paths.add(prefix as PrefixId, table.first(prefix), peer, identifier, source);
    table.setFirst(prefix, path);
    table.hold(prefix);
    return path;
  }

  /** Counts references and accepted routes for attributes that the path is about to get. */
  #swapAttributes(path: number, received: AttrsId, accepted: AttrsId, peer: RibPeer | undefined): void {
    const { attributes } = this.#context;
    const { paths } = this.table;
    const receivedBefore = paths.received(path);
    const acceptedBefore = paths.accepted(path);
    if (received === accepted && received !== 0) attributes.retain(received, 2);
    else {
      if (received !== 0) attributes.retain(received, 1);
      if (accepted !== 0) attributes.retain(accepted, 1);
    }
    if (receivedBefore !== 0) attributes.release(receivedBefore);
    if (acceptedBefore !== 0) attributes.release(acceptedBefore);
    const counts = peer === undefined ? this.#countOf(path) : peer.family(this.table.family);
    counts.accepted += (accepted !== 0 ? 1 : 0) - (acceptedBefore !== 0 ? 1 : 0);
  }

  #countOf(path: number): { accepted: number; preferred: number } {
    const source = this.table.paths.source(path);
    if (source !== "peer") return this.own[source];
    // A peer is known as long as it has routes, and a route is its own until it is no longer the best.
    return this.#context.peer(this.table.paths.peer(path))?.family(this.table.family) ?? this.#nobody;
  }

  /** Another limit: what is there already may be too much. */
  checkLimit(peer: RibPeer): void {
    const { family } = this.table;
    const state = peer.family(family);
    const limit = peer.limit(family);
    const percent = limit === undefined ? 0 : (state.received * 100) / limit.limit;
    state.exceeded = false;
    state.warned = limit !== undefined && percent >= limit.warnPercent;
    if (percent > 100) this.#overLimit(peer, family);
    else if (state.warned) this.#context.limitReached(peer, family, "near");
  }

  #overLimit(peer: RibPeer, family: Family): void {
    const state = peer.family(family);
    if (state.exceeded) return;
    state.exceeded = true;
    this.#context.limitReached(peer, family, "exceeded");
  }
}
