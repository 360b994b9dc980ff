/** The tables as the daemon and the sessions see them: routes come in from peers, kernel and configuration, and go out to update groups. */

import { ipv4 } from "../bgp/model/address.ts";
import { FAMILIES, Family } from "../bgp/model/family.ts";
import { LOCAL_PEER, type PeerId } from "../bgp/model/ids.ts";
import type { AttributeView, Clock, RibSink, SessionEnd, SessionFacts } from "../bgp/model/ports.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import type { PrefixBatch } from "../bgp/model/prefix-batch.ts";
import { Aggregates, aggregateAttributes } from "./aggregates.ts";
import { AttributeTable } from "./attribute-table.ts";
import { ClusterIds } from "./cluster-ids.ts";
import { Forwarding } from "./forwarding.ts";
import { Groups } from "./groups.ts";
import { PolicyInbound } from "./inbound.ts";
import { KernelRoutes, type KernelSource } from "./kernel-routes.ts";
import { LocRib } from "./loc-rib.ts";
import { LocalRoutes } from "./local-routes.ts";
import { NextHopTable } from "./next-hop.ts";
import { NextHopWork } from "./next-hop-work.ts";
import type { Aggregate, OriginatedRoute, RibOptions, RibPeerOptions } from "./options.ts";
import { type OptionsChanges, optionsChanges } from "./options-changes.ts";
import { PathVisits } from "./path-visits.ts";
import { PeerTable } from "./peer-table.ts";
import { Retainer } from "./retention.ts";
import { Retention, RibPeer } from "./rib-peer.ts";
import { type KernelPath, TableLookup } from "./route-lookup.ts";
import { RuledForwarding } from "./ruled-forwarding.ts";
import type { RibEvents, RibParts, Surroundings } from "./surroundings.ts";
import { Ask } from "./sweep.ts";
import { type ShownWay, Ways } from "./ways.ts";
import { WorkQueue } from "./work-queue.ts";

export class Rib implements RibSink {
  readonly attributes: AttributeTable;
  readonly local: LocalRoutes;
  readonly #kernelRoutes: KernelRoutes;
  readonly #aggregates: Aggregates;
  readonly nextHops: NextHopTable;
  readonly #nextHopWork: NextHopWork;
  readonly #lookup: TableLookup;
  readonly groups: Groups;
  readonly #ways: Ways;
  readonly #visits: PathVisits;
  #options: RibOptions;
  readonly #clock: Clock;
  readonly #events: RibEvents;
  readonly #surroundings: Surroundings;
  readonly #peers = new PeerTable();
  readonly #ribs: Readonly<Record<Family, LocRib>>;
  readonly #forwarding: RuledForwarding;
  readonly #retainer: Retainer;
  readonly #work: WorkQueue;
  readonly #started: number;
  #busySince: number | undefined;
  readonly #clusterIds = new ClusterIds();

  constructor(parts: RibParts) {
    this.#surroundings = parts.surroundings;
    this.#options = parts.options;
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#started = parts.clock.now();
    this.#lookup = new TableLookup({
      rib: (family) => this.#ribs[family],
      attributes: () => this.attributes,
      nextHop: (id) => this.nextHops.address(id),
      sessionInterface: (peer) => this.#peers.get(peer)?.interface ?? 0,
      isLinkUp: (index) => parts.surroundings.isLinkUp(index),
    });
    this.nextHops = new NextHopTable(parts.options.resolveNextHops ? this.#lookup : undefined);
    this.attributes = new AttributeTable(parts.codec, this.nextHops);
    const peer = (id: PeerId) => this.#peers.get(id);
    this.#ways = new Ways(this.attributes, this.nextHops, this.#lookup, peer, parts.surroundings);
    this.#visits = new PathVisits(this.attributes, peer, (prefix, source) => this.#kernelRoutes.renew(prefix, source));
    this.#ribs = { [Family.Ipv4]: this.#createRib(Family.Ipv4), [Family.Ipv6]: this.#createRib(Family.Ipv6) };
    const { forwarding } = parts;
    if (forwarding !== undefined)
      for (const rib of Object.values(this.#ribs))
        rib.forwarding = new Forwarding(this.#ways.forwardingContext(rib), forwarding);
    this.#forwarding = new RuledForwarding(Object.values(this.#ribs), parts.surroundings);
    this.#forwarding.take(parts.options);
    this.local = new LocalRoutes({
      attributes: this.attributes,
      tableOf: (prefix) => this.#ribs[prefix.family],
      priorities: () => this.#options.priorities,
    });
    this.#kernelRoutes = new KernelRoutes(this.#lookup, this.local);
    this.#aggregates = new Aggregates({
      table: (family) => this.#ribs[family].table,
      begin: (prefix) => this.local.set(prefix, "aggregate", aggregateAttributes(this.#options), true),
      end: (prefix) => this.local.unset(prefix, "aggregate"),
      suppressionChanged: () => this.groups.reconsiderAll(),
    });
    this.groups = new Groups({
      attributes: this.attributes,
      context: {
        codec: parts.codec,
        peer,
        mayBeSuppressed: () => this.#aggregates.hidesAny,
        isSuppressed: (prefix) => this.#aggregates.isSuppressed(prefix),
        interfaceName: (path, family) => this.#ways.interfaceOf(this.#ribs[family], path),
        localAddress: (facts, family) => parts.surroundings.localAddress(facts, family),
      },
      createOutbox: parts.createOutbox,
      rib: (family) => this.#ribs[family],
      clock: parts.clock,
      wake: () => this.wake(),
    });
    this.#retainer = new Retainer(parts.clock, (peer, family) => {
      this.#ribs[family].sweep.askForPeer(peer.options.id, Ask.Retention);
      this.wake();
    });
    const moved = (nextHops: readonly number[]) => {
      for (const family of FAMILIES) this.#ribs[family].sweep.askForNextHops(nextHops);
    };
    this.#nextHopWork = new NextHopWork(this.nextHops, parts.clock, moved, () => this.wake());
    this.#work = new WorkQueue(parts.clock, [(isTimeUp) => this.#slice(isTimeUp)], () => this.#afterTurn());
  }

  rib(family: Family): LocRib {
    return this.#ribs[family];
  }

  peer(id: PeerId): RibPeer | undefined {
    return this.#peers.get(id);
  }

  addPeer(options: RibPeerOptions): void {
    this.#peers.set(options.id, new RibPeer(options, this.#inbound(options)));
    if (!this.#clusterIds.all.includes(options.clusterId)) this.#collectClusterIds();
  }

  updatePeers(changes: readonly RibPeerOptions[]): void {
    Array.from(this.updateInSteps(changes));
  }

  /** New rules for peers whose sessions may stand: routes are judged again on both sides, and only differences go anywhere. */
  *updateInSteps(changes: readonly RibPeerOptions[]): Generator<undefined, void> {
    const changed: RibPeer[] = [];
    for (const options of changes) {
      yield;
      const peer = this.#peers.get(options.id);
      if (peer === undefined) {
        this.addPeer(options);
        continue;
      }
      const isSameSource = peer.take(options);
      this.#judgeAgain(peer);
      if (!isSameSource) this.#askForPeer(peer, Ask.Source);
      changed.push(peer);
    }
    this.#collectClusterIds();
    this.groups.forgetSources();
    yield* this.groups.regroup(changed);
    this.wake();
  }

  /** Limits of a peer changed while its session stands. */
  checkLimits(id: PeerId): void {
    const peer = this.#peers.get(id);
    if (peer?.facts !== undefined) for (const family of FAMILIES) this.#ribs[family].checkLimit(peer);
  }

  /** What came in is checked again when they change. */
  #collectClusterIds(): void {
    if (!this.#clusterIds.collect(this.#options.clusterId, this.#peers.values())) return;
    for (const peer of this.#peers.values()) if (!peer.rank.external) this.#judgeAgain(peer);
  }

  /** By rules that are not those of before. */
  #judgeAgain(peer: RibPeer): void {
    peer.inbound.clear();
    peer.inbound = this.#inbound(peer.options, peer.facts);
    this.#askForPeer(peer, Ask.Import);
  }

  #askForPeer(peer: RibPeer, what: number): void {
    for (const family of FAMILIES)
      if (peer.family(family).received > 0) this.#ribs[family].sweep.askForPeer(peer.options.id, what);
  }

  /** Every route is sent to this peer again, as if it had asked. */
  resend(id: PeerId): void {
    for (const family of FAMILIES) this.#peers.get(id)?.family(family).group?.refresh(id, false);
    this.wake();
  }

  /** Options of the speaker as a whole; what differs is done, and no more. */
  reconfigure(options: RibOptions): void {
    const changes = optionsChanges(this.#options, options);
    this.#options = options;
    if (changes.kernel) this.#forwarding.take(options);
    if (changes.tables) this.#decideAgain(changes);
    this.wake();
  }

  #decideAgain({ speaker, priorities }: OptionsChanges): void {
    this.#collectClusterIds();
    if (speaker) for (const peer of this.#peers.values()) this.#judgeAgain(peer);
    if (speaker || priorities) this.#aggregates.renew();
    for (const family of FAMILIES) {
      const rib = this.#ribs[family];
      if (priorities) rib.sweep.askForPeer(LOCAL_PEER, Ask.Import);
      rib.takeRules();
      rib.sweep.askForAll();
    }
    this.groups.reconsiderAll();
  }

  /** The peer is gone for good; its id may be used again once `isForgotten`. */
  removePeer(id: PeerId): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    this.peerDown(id, { kind: "flush" });
    peer.inbound.clear();
  }

  /** None of its routes is left. */
  isForgotten(id: PeerId): boolean {
    const peer = this.#peers.get(id);
    return peer === undefined || FAMILIES.every((f) => peer.family(f).isEmpty);
  }

  /** Whoever has the number next is another source, with a router id of its own. */
  forget(id: PeerId): void {
    // A walk over the paths may have asked it once more.
    this.#peers.get(id)?.inbound.clear();
    this.#peers.delete(id);
    this.groups.forgetSources();
  }

  peerUp(id: PeerId, facts: SessionFacts): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.facts = facts;
    peer.interface = this.#surroundings.sessionInterface(facts);
    const { rank } = peer;
    if (rank.routerId !== 0 && (rank.routerId !== facts.remoteRouterId || rank.external === facts.internal)) {
      // What was worked out for routes of its last session, and told, may carry its old identifier as ORIGINATOR_ID.
      this.groups.forgetSources();
      this.#askForPeer(peer, Ask.Source);
    }
    peer.rank = { external: !facts.internal, routerId: facts.remoteRouterId, address: facts.remoteAddress };
    peer.inbound.clear();
    peer.inbound = this.#inbound(peer.options, facts);
    for (const family of facts.families) {
      const state = peer.family(family.family);
      if (state.retention === Retention.None) state.nextEpoch(Retention.None);
      state.warned = false;
      state.exceeded = false;
      this.groups.join(peer, facts, family);
    }
    this.#retainer.returned(peer, facts);
    this.wake();
  }

  peerDown(id: PeerId, end: SessionEnd): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    peer.facts = undefined;
    this.groups.leave(peer);
    this.#retainer.ended(peer, end);
    this.wake();
  }

  announce(id: PeerId, attributes: AttributeView, prefixes: PrefixBatch): void {
    const peer = this.#peers.get(id);
    if (peer !== undefined) this.#ribs[prefixes.family].announce(id, peer, attributes, prefixes);
  }

  withdraw(id: PeerId, prefixes: PrefixBatch): void {
    this.#ribs[prefixes.family].withdraw(id, prefixes);
  }

  endOfRib(id: PeerId, family: Family): void {
    const peer = this.#peers.get(id);
    if (peer === undefined || peer.family(family).retention === Retention.Refreshing) return;
    this.#retainer.confirmed(peer, family);
  }

  refreshRequested(id: PeerId, family: Family, enhanced: boolean): void {
    this.#peers.get(id)?.family(family).group?.refresh(id, enhanced);
    this.wake();
  }

  refreshBegin(id: PeerId, family: Family): void {
    const peer = this.#peers.get(id);
    if (peer !== undefined) this.#retainer.refreshing(peer, family);
  }

  refreshEnd(id: PeerId, family: Family): void {
    const peer = this.#peers.get(id);
    if (peer?.family(family).retention === Retention.Refreshing) this.#retainer.confirmed(peer, family);
  }

  setOriginated(routes: readonly OriginatedRoute[]): void {
    this.local.setOriginated(routes);
    this.wake();
  }

  setAggregates(aggregates: readonly Aggregate[]): void {
    this.#aggregates.set(aggregates);
    this.wake();
  }

  /** `learnt`: perhaps to be announced; otherwise it is known so that next hops resolve over it. */
  kernelRoute(prefix: Prefix, source: KernelSource, path: KernelPath | undefined, learnt: boolean): void {
    this.#kernelRoutes.changed(prefix, source, path, learnt);
    this.nextHops.prefixChanged(prefix.family, prefix.w0, prefix.w1, prefix.w2, prefix.w3, prefix.length);
    this.wake();
  }

  linkChanged(interfaceIndex: number): void {
    this.nextHops.linkChanged(interfaceIndex);
    this.#forwarding.linkChanged(interfaceIndex);
    this.wake();
  }

  /** Where packets for this path go. */
  wayOf(family: Family, path: number): ShownWay {
    return this.#ways.shown(this.#ribs[family], path);
  }

  /** Milliseconds since the RIB's clock showed `seconds`. */
  ageOf(seconds: number): number {
    return this.#clock.now() - this.#started - seconds * 1000;
  }

  /** Route selection is deferred until `release` (RFC 4724 §4.1). */
  hold(): void {
    this.#work.hold();
  }

  release(): void {
    this.#work.release();
  }

  wake(): void {
    this.#busySince ??= this.#clock.now();
    this.#work.wake();
  }

  #createRib(family: Family): LocRib {
    return new LocRib({
      family,
      attributes: this.attributes,
      rules: () => this.#options,
      peer: (id) => this.#peers.get(id),
      localRank: () => ({ external: true, routerId: this.#options.routerId, address: ipv4(0) }),
      nextHopMetric: (nextHop, peer) => this.nextHops.metric(nextHop, this.#peers.get(peer)?.interface ?? 0),
      seconds: () => Math.floor((this.#clock.now() - this.#started) / 1000),
      wake: () => this.wake(),
      pathsChanged: (prefix) => this.nextHops.destinationChanged(this.#ribs[family].table.prefixes, prefix),
      bestChanged: (prefix, before, best) => this.#bestChanged(family, prefix, before, best),
      limitReached: (peer, f, kind) => this.#events.limitReached(peer.options.id, f, kind),
      sweepVisit: (path, requests) => this.#visits.visit(this.#ribs[family], path, requests),
    });
  }

  #inbound(options: RibPeerOptions, facts?: SessionFacts): PolicyInbound {
    return new PolicyInbound(
      {
        attributes: this.attributes,
        options: this.#options,
        clusterIds: () => this.#clusterIds.all,
        isOwnAddress: (address) => this.#surroundings.isOwnAddress(address),
        interfaceName: (address) => this.#ways.interfaceTowards(address),
      },
      options,
      facts,
    );
  }

  #slice(isTimeUp: () => boolean): boolean {
    let more = this.local.work(isTimeUp);
    for (const family of FAMILIES) {
      const rib = this.#ribs[family];
      if (rib.sweep.work(isTimeUp)) more = true;
      if (rib.work(isTimeUp)) more = true;
      rib.forwarding?.flush();
    }
    if (this.#aggregates.work()) more = true;
    if (this.#nextHopWork.work()) more = true;
    if (this.groups.work(isTimeUp)) more = true;
    return more;
  }

  #afterTurn(): void {
    this.groups.flush();
    if (!this.#work.isIdle || this.#busySince === undefined) return;
    this.#events.settled(this.#clock.now() - this.#busySince);
    this.#busySince = undefined;
    this.nextHops.rest();
  }

  #bestChanged(family: Family, prefix: number, before: number, best: number): void {
    if (before < 0 !== best < 0) this.#aggregates.changed(family, prefix, best < 0 ? -1 : 1);
    this.#events.bestChanged(family, prefix);
  }
}
