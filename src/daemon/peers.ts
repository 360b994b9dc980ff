/** The peers as all layers know them: names, sessions and tables share one number for each. */

import { isDeepStrictEqual } from "node:util";
import type { Family } from "../bgp/model/family.ts";
import type { PeerId } from "../bgp/model/ids.ts";
import type { Clock, Logger, SessionEnd, SessionFacts } from "../bgp/model/ports.ts";
import type { PeerOptions } from "../bgp/options.ts";
import type { Speaker } from "../bgp/speaker.ts";
import { type CompiledPeer, compilePeer } from "../config/compile.ts";
import type { ConfigDiff, PeerChange } from "../config/diff.ts";
import type { Config, PeerConfig } from "../config/model.ts";
import { remoteName } from "../config/peer.ts";
import { isCovered } from "../rib/coverage.ts";
import type { Rib } from "../rib/rib.ts";
import { DynamicPeers } from "./dynamic-peers.ts";
import { Handover } from "./handover.ts";
import { Linger } from "./linger.ts";
import { PeerIds } from "./peer-ids.ts";
import { Slices } from "./slices.ts";

export interface PeersParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly layers: () => { readonly rib: Rib; readonly speaker: Speaker };
  /** Its number means nobody any more. */
  readonly gone: (id: PeerId) => void;
}

/** What is left of a peer in the tables is looked for this often. */
const FORGET_MILLISECONDS = 1000;

export class Peers {
  readonly ids = new PeerIds();
  readonly #parts: PeersParts;
  readonly #compiled = new Map<PeerId, CompiledPeer>();
  readonly #dynamic: DynamicPeers;
  readonly #handover: Handover;
  readonly #linger: Linger;
  /** Out of the configuration, but not gone yet. */
  readonly #leaving = new Map<PeerId, PeerConfig>();

  constructor(parts: PeersParts) {
    this.#parts = parts;
    this.#dynamic = new DynamicPeers(this.ids, { find: (id) => this.get(id), add: (peer) => this.#register(peer) });
    this.#handover = new Handover({
      clock: parts.clock,
      isCovered: (leaving) => new Slices(parts.clock).run(isCovered(parts.layers().rib, leaving)),
      leave: (ids) => void this.#leave(ids),
    });
    this.#linger = new Linger(parts.clock, (peers) => void this.#endReflection(peers));
  }

  get(id: PeerId): CompiledPeer | undefined {
    return this.#compiled.get(id);
  }

  all(): Iterable<CompiledPeer> {
    return this.#compiled.values();
  }

  /** Those whose sessions are to come: none that is disabled, or waits for another of its address. */
  expected(): readonly PeerId[] {
    const { speaker } = this.#parts.layers();
    return [...this.all()].flatMap(({ session: { id, enabled } }) =>
      enabled && speaker.holderOf(id) === undefined ? [id] : [],
    );
  }

  get size(): number {
    return this.#compiled.size;
  }

  /** Options for somebody who connects from within a range. */
  accept(template: PeerOptions, address: Parameters<DynamicPeers["accept"]>[1]): PeerOptions | undefined {
    return this.#dynamic.accept(template, address);
  }

  /** All that a configuration has, in slices. */
  async addAll(config: Config): Promise<void> {
    const slices = new Slices(this.#parts.clock);
    for (const peer of config.peers) {
      this.#add(peer, config);
      if (slices.isOver) await slices.next();
    }
  }

  /**
   * The peers that a configuration is compared with: those that are about to go may come back, and one that waits for another of
   * the same address takes over its session when the other goes.
   */
  comparedWith(previous: Config, next: Config): Config {
    const waiting = this.#heirs(previous, next);
    if (waiting.size === 0 && this.#leaving.size === 0) return previous;
    // The others have been said to go.
    const wanted = new Set(next.peers.flatMap((peer) => [peer.name, remoteName(peer.remote)]));
    const back = [...this.#leaving.values()].filter(
      ({ name, remote }) => wanted.has(name) || wanted.has(remoteName(remote)),
    );
    return { ...previous, peers: [...previous.peers.filter((peer) => !waiting.has(peer)), ...back] };
  }

  /** Goes over to what differs. `restarted` of the result: the sessions that end for it. */
  async change(diff: ConfigDiff, previous: Config, next: Config): Promise<void> {
    const { speaker, rib } = this.#parts.layers();
    const slices = new Slices(this.#parts.clock);
    // Before names become numbers: theirs must not go to the peers that take their place.
    for (const id of this.#dynamic.displacedBy([...diff.added, ...diff.changed.map(({ peer }) => peer)]))
      speaker.removePeer(id);
    for (const { name } of this.#heirs(previous, next)) this.#remove(this.ids.find(name));
    const removed = diff.removed.flatMap((peer) => {
      const id = this.ids.find(peer.name);
      return id === undefined || this.#leaving.has(id) ? [] : [{ id, peer }];
    });
    this.#rename(diff.changed);
    this.#keep(next);
    const isHandover = removed.length > 0 && (diff.added.length > 0 || diff.changed.some(isOther));
    for (const { id } of isHandover ? [] : removed) {
      this.#remove(id);
      if (slices.isOver) await slices.next();
    }
    const changed: CompiledPeer[] = [];
    for (const { peer, previous: old } of diff.changed) {
      const id = this.ids.idOf(peer.name);
      const compiled = this.#linger.take(this.get(id), compilePeer(peer, next, id), peer.name !== old.name);
      this.#compiled.set(id, compiled);
      changed.push(compiled);
      if (slices.isOver) await slices.next();
    }
    await slices.run(rib.updateInSteps([...changed, ...this.#dynamic.follow(changed)].map((peer) => peer.rib)));
    for (const [i, compiled] of changed.entries()) {
      this.#update(compiled, diff.changed[i]);
      if (slices.isOver) await slices.next();
    }
    for (const peer of diff.added) {
      this.#add(peer, next);
      if (slices.isOver) await slices.next();
    }
    if (isHandover) this.#handOver(removed, diff);
  }

  stop(): void {
    this.#handover.stop();
    this.#linger.stop();
  }

  /** Its session ended, and its routes are not kept: one from a range. */
  forget(id: PeerId): void {
    this.#compiled.delete(id);
    this.#leaving.delete(id);
    this.#dynamic.gone(id);
    this.#handover.forget(id);
    this.#linger.forget(id);
    this.#parts.gone(id);
    this.ids.forgetName(id);
    const { rib } = this.#parts.layers();
    rib.removePeer(id);
    const look = () => {
      if (!rib.isForgotten(id)) {
        this.#parts.clock.after(FORGET_MILLISECONDS, look);
        return;
      }
      rib.forget(id);
      this.ids.release(id);
    };
    look();
  }

  established(id: PeerId, facts: SessionFacts): void {
    this.#handover.established(id, facts.sendsEndOfRib ? facts.families.map((f) => f.family) : undefined);
  }

  endOfRib(id: PeerId, family: Family): void {
    this.#handover.endOfRib(id, family);
  }

  /** What becomes of the routes: as the session has it, but for those who are about to go. */
  lost(id: PeerId, end: SessionEnd): SessionEnd {
    this.#handover.lost(id);
    const families = this.get(id)?.session.families.map(({ family }) => family) ?? [];
    return this.#handover.endOf(id, families, end);
  }

  #add(config: PeerConfig, whole: Config): void {
    const { rib, speaker } = this.#parts.layers();
    const peer = compilePeer(config, whole, this.ids.idOf(config.name));
    this.#compiled.set(peer.session.id, peer);
    rib.addPeer(peer.rib);
    speaker.addPeer(peer.session);
  }

  /** A peer from a range, new or with new rules: the tables know of it already in the second case. */
  #register(peer: CompiledPeer): void {
    const { rib } = this.#parts.layers();
    this.#compiled.set(peer.session.id, peer);
    if (rib.peer(peer.session.id) === undefined) rib.addPeer(peer.rib);
  }

  #update({ session }: CompiledPeer, change: PeerChange | undefined): void {
    const { rib, speaker } = this.#parts.layers();
    const restart = change?.restart === true;
    speaker.updatePeer(session, restart);
    if (restart || isDeepStrictEqual(change?.previous.families, change?.peer.families)) return;
    for (const id of [session.id, ...this.#dynamic.from(session.id)]) rib.checkLimits(id);
  }

  #remove(id: PeerId | undefined): void {
    if (id === undefined) return;
    this.#parts.layers().speaker.removePeer(id);
    this.forget(id);
  }

  /** Without a word: the other side may not have got as far, and keeps our routes until it has (RFC 4724 §4.2). */
  async #leave(ids: readonly PeerId[]): Promise<void> {
    this.#parts.logger.info({ peers: ids.length }, "peers removed: others have taken their place");
    const slices = new Slices(this.#parts.clock);
    for (const id of ids) {
      // It may have come back meanwhile.
      if (!this.#leaving.has(id)) continue;
      this.#parts.layers().speaker.removePeer(id, true);
      this.forget(id);
      if (slices.isOver) await slices.next();
    }
  }

  async #endReflection(peers: readonly CompiledPeer[]): Promise<void> {
    const { rib } = this.#parts.layers();
    for (const peer of peers) this.#compiled.set(peer.session.id, peer);
    await new Slices(this.#parts.clock).run(rib.updateInSteps(peers.map((peer) => peer.rib)));
  }

  #rename(changes: readonly PeerChange[]): void {
    const renamed = changes.flatMap(({ previous, peer }) =>
      previous.name === peer.name ? [] : [{ from: previous.name, to: peer.name }],
    );
    this.ids.rename(renamed);
    for (const { from, to } of renamed) this.#parts.logger.info({ peer: to, was: from }, "peer renamed");
  }

  /** Those that were about to go, and are in the configuration again. */
  #keep(next: Config): void {
    if (this.#leaving.size === 0) return;
    const names = new Set(next.peers.map(({ name }) => name));
    for (const id of [...this.#leaving.keys()]) {
      const name = this.ids.nameOf(id);
      if (name === undefined || !names.has(name) || this.ids.find(name) !== id) continue;
      this.#leaving.delete(id);
      this.#handover.forget(id);
      this.#parts.layers().speaker.keep(id);
    }
  }

  #handOver(removed: readonly { readonly id: PeerId; readonly peer: PeerConfig }[], diff: ConfigDiff): void {
    const { speaker } = this.#parts.layers();
    for (const { id, peer } of removed) {
      this.#leaving.set(id, peer);
      speaker.retire(id);
    }
    const coming = [...diff.added, ...diff.changed.filter(({ restart }) => restart).map(({ peer }) => peer)]
      .filter(({ enabled, remote }) => enabled && remote.kind !== "range")
      .flatMap(({ name }) => this.ids.find(name) ?? [])
      .filter((id) => speaker.holderOf(id) === undefined);
    this.#parts.logger.info(
      { leaving: removed.length, coming: coming.length },
      "peers are replaced by others: the old sessions stay until the new ones have told their routes",
    );
    this.#handover.begin(
      removed.map(({ id }) => id),
      coming,
    );
  }

  /** Peers that wait for one of their address that the next configuration no longer has. */
  #heirs(previous: Config, next: Config): ReadonlySet<PeerConfig> {
    const { speaker } = this.#parts.layers();
    const heirs = new Set<PeerConfig>();
    if (!speaker.hasWaiting) return heirs;
    const names = new Set(next.peers.map(({ name }) => name));
    for (const peer of previous.peers) {
      const id = this.ids.find(peer.name);
      const holder = id === undefined ? undefined : speaker.holderOf(id);
      const name = holder === undefined ? undefined : this.ids.nameOf(holder);
      if (name !== undefined && !names.has(name)) heirs.add(peer);
    }
    return heirs;
  }
}

/** A peer that now is somebody else, as when a member of a mesh becomes a reflector. */
function isOther({ peer, previous, restart }: PeerChange): boolean {
  return restart || peer.name !== previous.name || peer.routeReflectorClient !== previous.routeReflectorClient;
}
