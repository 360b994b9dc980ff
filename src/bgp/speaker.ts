/** All sessions of this speaker, as the daemon sees them: peers come and go, and update groups get their outboxes. */

import { AddressLock } from "./address-lock.ts";
import { Advertiser } from "./advertiser.ts";
import type { SessionState } from "./fsm-types.ts";
import { Listener, type ListenResult, type Refusal } from "./listener.ts";
import { SlabPool } from "./message-log.ts";
import { type IpAddress, isLinkLocal, sameAddress } from "./model/address.ts";
import { InternalError } from "./model/errors.ts";
import type { PeerId } from "./model/ids.ts";
import { CeaseSubcode } from "./model/messages.ts";
import type { Clock, Logger, Outbox, OutboxFactory, RibSink } from "./model/ports.ts";
import type { LocalFacts } from "./negotiation.ts";
import type { PeerOptions, SpeakerOptions } from "./options.ts";
import { Peer, type PeerParts } from "./peer.ts";
import { restartReasons } from "./peer-changes.ts";
import { PeerIndex, type Range } from "./peer-index.ts";
import type { PeerSnapshot } from "./peer-snapshot.ts";
import { RateLimitedLog } from "./rate-limited-log.ts";
import type { Admission, Connection, Transport } from "./transport.ts";
import { type Task, Turns } from "./turns.ts";

export interface SpeakerEvents {
  stateChanged(peer: PeerId, from: SessionState, to: SessionState, reason: string): void;
  /** Somebody connects from within a range: options of its own for it, with an id that the tables know; or undefined. */
  acceptDynamic(template: PeerOptions, address: IpAddress): PeerOptions | undefined;
  /** Its session ended, and its routes are not kept any longer. */
  dynamicGone(peer: PeerId): void;
}

export interface SpeakerParts {
  readonly options: SpeakerOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  readonly transport: Transport;
  readonly rib: RibSink;
  readonly events: SpeakerEvents;
  /** Our link-local address on the link of a session (RFC 2545 §3). */
  readonly linkLocalFor?: (local: IpAddress, remote: IpAddress) => IpAddress | undefined;
  /** How far a member of an update group may be behind before it is served from the table instead. */
  readonly maxBacklog?: number;
}

export type PeerChange =
  | { readonly kind: "unchanged" }
  | { readonly kind: "restarted"; readonly reasons: readonly string[] };

/** Strangers within a range could otherwise hold any number of sessions in OpenSent. */
const MAX_HALF_OPEN = 1024;
const MAX_BACKLOG = 8 * 1024 * 1024;

export class Speaker {
  readonly #parts: SpeakerParts;
  #options: SpeakerOptions;
  readonly #peers = new Map<PeerId, Peer>();
  readonly #index = new PeerIndex();
  readonly #lock = new AddressLock();
  readonly #listener: Listener;
  readonly #peerParts: PeerParts;
  /** By member: an outbox whose last member left is nobody's any more. */
  readonly #outboxes = new Map<PeerId, Set<Advertiser>>();
  readonly #writes: Turns;
  readonly #starts: Turns;
  readonly #pool = new SlabPool();
  /** Connections from ranges that came to no session. */
  readonly #fruitless: RateLimitedLog<{ readonly peer: string; readonly reason: string }>;
  /** Where each dynamic peer came from. */
  readonly #origins = new Map<Peer, Range>();
  #restarting: boolean;
  #isRunning = false;

  constructor(parts: SpeakerParts) {
    this.#parts = parts;
    this.#options = parts.options;
    this.#restarting = parts.options.restarting;
    this.#writes = new Turns(parts.clock);
    this.#starts = new Turns(parts.clock);
    this.#fruitless = new RateLimitedLog(parts.clock, (last, count) =>
      parts.logger.warn({ ...last, count }, "connection from a range came to no session"),
    );
    this.#listener = new Listener({
      transport: parts.transport,
      clock: parts.clock,
      logger: parts.logger,
      gatekeeper: {
        admits: (remote, remoteInterface, local) => this.#admits(remote, remoteInterface, local),
        accept: (connection) => this.#accept(connection),
      },
    });
    this.#peerParts = {
      clock: parts.clock,
      random: parts.random,
      transport: parts.transport,
      turns: new Turns(parts.clock),
      dials: new Turns(parts.clock),
      logger: parts.logger,
      rib: parts.rib,
      localFacts: () => this.#localFacts(),
      linkLocalFor: (local, remote) => parts.linkLocalFor?.(local, remote),
      stateChanged: (peer, from, to, reason) => this.#stateChanged(peer, from, to, reason),
      drained: (peer) => {
        for (const outbox of this.#outboxes.get(peer.id) ?? []) outbox.drained(peer.id);
      },
    };
  }

  readonly createOutbox: OutboxFactory = (encoding, events): Outbox =>
    new Advertiser(encoding, events, {
      clock: this.#parts.clock,
      logger: this.#parts.logger,
      turns: this.#writes,
      pool: this.#pool,
      sinkOf: (peer) => this.#peers.get(peer)?.established,
      joined: (peer, outbox) => this.#outboxes.set(peer, (this.#outboxes.get(peer) ?? new Set()).add(outbox)),
      left: (peer, outbox) => this.#left(peer, outbox),
      maxBacklog: this.#parts.maxBacklog ?? MAX_BACKLOG,
    });

  /** Listens, then starts all peers. Peers that were added before find each other even if listening failed. */
  async start(): Promise<ListenResult> {
    const result = await this.#listener.listen(this.#options.listen);
    this.#isRunning = true;
    this.#starts.run(this.#startsOf([...this.#peers.values()]));
    return result;
  }

  /** Listens elsewhere; sessions stand. */
  async listen(where: SpeakerOptions["listen"]): Promise<ListenResult> {
    return this.#listener.listen(where);
  }

  /**
   * For the OPENs to come. Another router id or AS number is another speaker, for which every session begins anew (RFC 4271 §1.1):
   * whoever changes them restarts the peers, each once, with the options that are theirs then.
   */
  reconfigure(options: SpeakerOptions): void {
    this.#options = options;
  }

  /** Ends all sessions: with a Cease, or without a word, so that peers keep our routes (RFC 4724). Resolves when that is said. */
  async stop(how: { readonly cease: boolean; readonly message?: string | undefined }): Promise<void> {
    this.#isRunning = false;
    this.#listener.stop();
    for (const peer of this.#peers.values()) {
      if (how.cease) peer.disable(how.message);
      else peer.vanish();
    }
    await this.#parts.transport.settled();
  }

  /** The deferral of route selection is over: sessions to come are no longer those of a restart (RFC 4724 §4.1). */
  restartFinished(): void {
    this.#restarting = false;
  }

  addPeer(options: PeerOptions): void {
    if (this.#peers.has(options.id)) throw new InternalError(`there is a peer ${options.id} already`);
    this.#listener.keys.set(options);
    if (options.remote.kind === "range") this.#index.addRange(options);
    else this.#addPeer(options, false);
  }

  /** `silently`: without a Cease, so that a peer that knows graceful restart keeps our routes for a while. */
  removePeer(id: PeerId, silently = false): void {
    this.#listener.keys.forget(id);
    const range = this.#index.removeRange(id);
    for (const [peer, origin] of [...this.#origins]) if (origin === range) this.#forget(peer);
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    if (silently) peer.vanish();
    this.#forget(peer);
  }

  /** It is about to be removed: its session stands, but if that ends there is no other. */
  retire(id: PeerId): void {
    this.#peers.get(id)?.restrain("the peer is about to be removed: others take its place");
  }

  /** It stays after all. */
  keep(id: PeerId): void {
    this.#peers.get(id)?.restrain(undefined);
  }

  get hasWaiting(): boolean {
    return this.#lock.hasWaiting;
  }

  /** The peer with the same address that this one waits for, if there is one: only one has the session. */
  holderOf(id: PeerId): PeerId | undefined {
    const peer = this.#peers.get(id);
    return peer === undefined ? undefined : this.#lock.holderOf(peer)?.id;
  }

  /** Other options of a known peer; `restart`: something outside of them asks for a new session as well. */
  updatePeer(options: PeerOptions, restart = false): PeerChange {
    const peer = this.#peers.get(options.id);
    this.#listener.keys.set(options);
    if (options.remote.kind === "range") return this.#updateRange(options, restart);
    if (peer === undefined) throw new InternalError(`there is no peer ${options.id}`);
    const reasons = restartReasons(peer.options, options);
    this.#index.remove(peer);
    const restarts = peer.update(options, restart || reasons.length > 0);
    this.#index.add(peer);
    this.#lock.claim(peer);
    return restarts ? { kind: "restarted", reasons } : { kind: "unchanged" };
  }

  peer(id: PeerId): PeerSnapshot | undefined {
    return this.#peers.get(id)?.snapshot();
  }

  enable(id: PeerId): void {
    this.#peers.get(id)?.enable();
  }

  disable(id: PeerId, message: string | undefined): void {
    this.#peers.get(id)?.disable(message);
  }

  reset(id: PeerId, message: string | undefined): void {
    this.#peers.get(id)?.reset(message);
  }

  /** Ends its session with a Cease (RFC 4486); without seconds it stays down until it is enabled or reset. */
  cease(id: PeerId, subcode: number, message: string | undefined, restartAfterSeconds: number | undefined): void {
    this.#peers.get(id)?.cease(subcode, message, restartAfterSeconds);
  }

  /** False if there is no session, or the peer does not know the message (RFC 2918). */
  requestRefresh(id: PeerId): boolean {
    return this.#peers.get(id)?.requestRefresh() === true;
  }

  /**
   * RFC: nothing but the hold timer ends a session whose link is down.
   * Ours: with a neighbour of another AS on that very link it ends at once, as with other speakers: nothing else leads there.
   */
  linkDown(name: string, addresses: readonly IpAddress[]): void {
    for (const { established, options } of this.#peers.values()) {
      const connection = established?.connection;
      if (connection === undefined || established?.negotiated?.internal !== false) continue;
      if (options.ttl !== 1 && options.ttlSecurityHops !== 1) continue;
      const { localAddress } = connection;
      const isOnLink = isLinkLocal(localAddress)
        ? connection.interface === name
        : addresses.some((address) => sameAddress(address, localAddress));
      if (isOnLink) established?.handle({ kind: "connectionFailed" }, `the link ${name} is down`);
    }
  }

  /** Of an unnumbered peer: from its router advertisements. */
  setDiscoveredAddress(id: PeerId, address: IpAddress): void {
    this.#peers.get(id)?.setAddress(address);
  }

  #startsOf(peers: readonly Peer[]): Task {
    let next = 0;
    return {
      work: (until) => {
        while (next < peers.length && this.#isRunning) {
          const peer = peers[next++];
          // One that was removed meanwhile does not start.
          if (peer !== undefined && this.#peers.get(peer.id) === peer) peer.start();
          if (this.#parts.clock.now() >= until) break;
        }
        return next < peers.length && this.#isRunning;
      },
    };
  }

  #left(peer: PeerId, outbox: Advertiser): void {
    const outboxes = this.#outboxes.get(peer);
    outboxes?.delete(outbox);
    if (outboxes?.size === 0) this.#outboxes.delete(peer);
  }

  #addPeer(options: PeerOptions, isDynamic: boolean): Peer {
    const peer = new Peer(options, isDynamic, this.#peerParts);
    this.#peers.set(options.id, peer);
    this.#index.add(peer);
    this.#lock.claim(peer);
    if (this.#isRunning) peer.start();
    return peer;
  }

  #forget(peer: Peer): void {
    this.#index.remove(peer);
    peer.cease(CeaseSubcode.PeerDeconfigured, undefined, undefined);
    this.#lock.release(peer);
    this.#peers.delete(peer.id);
    const origin = this.#origins.get(peer);
    if (origin === undefined) return;
    origin.count--;
    this.#origins.delete(peer);
    this.#parts.events.dynamicGone(peer.id);
  }

  /** Those who came from the range keep the options that they came with, but for the password, unless these do not allow them any more. */
  #updateRange(options: PeerOptions, restart: boolean): PeerChange {
    const old = this.#index.removeRange(options.id);
    if (old === undefined) throw new InternalError(`there is no range ${options.id}`);
    const reasons = restartReasons(old.template, options);
    this.#index.addRange(options);
    if (!restart && reasons.length === 0 && options.enabled === old.template.enabled) {
      const range = this.#index.range(options.id);
      const { password } = options;
      for (const [peer, origin] of [...this.#origins]) {
        if (origin !== old || range === undefined) continue;
        this.#origins.set(peer, range);
        range.count++;
        peer.update({ ...peer.options, password }, false);
      }
      return { kind: "unchanged" };
    }
    for (const [peer, origin] of [...this.#origins]) if (origin === old) this.#forget(peer);
    return { kind: "restarted", reasons };
  }

  #localFacts(): LocalFacts {
    const { routerId, hostName } = this.#options;
    return { routerId, hostName, restarting: this.#restarting };
  }

  #admits(remote: IpAddress, remoteInterface: string | undefined, local: IpAddress): Admission | Refusal | "stranger" {
    const peer = this.#index.find(remote, remoteInterface, local);
    if (peer !== undefined) return this.#judge(peer.options, peer.refusal);
    const range = this.#index.findRange(remote);
    return range === undefined ? "stranger" : this.#judge(range.template, this.#lackOfRoom(range));
  }

  #judge(options: PeerOptions, refusal: string | undefined): Admission | Refusal {
    if (refusal !== undefined) return { peer: options.name, refusal };
    if (this.#listener.keys.isProtected(options.id)) return admissionOf(options);
    return { peer: options.name, refusal: "its TCP MD5 key could not be set" };
  }

  #lackOfRoom({ template, count }: Range): string | undefined {
    if (template.remote.kind !== "range" || count >= template.remote.limit) {
      return "the range has as many peers as it may have";
    }
    let halfOpen = 0;
    for (const peer of this.#origins.keys()) if (peer.established === undefined) halfOpen++;
    return halfOpen < MAX_HALF_OPEN ? undefined : "too many connections from ranges have not come to a session yet";
  }

  #accept(connection: Connection): void {
    const { remoteAddress, localAddress } = connection;
    const known = this.#index.find(remoteAddress, connection.interface, localAddress);
    const peer = known ?? this.#acceptDynamic(remoteAddress);
    if (peer !== undefined && peer.refusal === undefined) peer.accept(connection);
    else connection.abort();
  }

  #acceptDynamic(address: IpAddress): Peer | undefined {
    const range = this.#index.findRange(address);
    if (range === undefined || this.#lackOfRoom(range) !== undefined) return undefined;
    const options = this.#parts.events.acceptDynamic(range.template, address);
    if (options === undefined) return undefined;
    const peer = this.#addPeer(options, true);
    range.count++;
    this.#origins.set(peer, range);
    return peer;
  }

  #stateChanged(peer: Peer, from: SessionState, to: SessionState, reason: string): void {
    this.#parts.events.stateChanged(peer.id, from, to, reason);
    if (!peer.isDynamic || from === "Idle" || (to !== "Idle" && to !== "Active")) return;
    if (from !== "Established") this.#fruitless.note({ peer: peer.options.name, reason });
    this.#expire(peer);
  }

  /** A dynamic peer whose routes are kept may come back to them. */
  #expire(peer: Peer): void {
    const { clock } = this.#parts;
    const check = () => {
      if (this.#peers.get(peer.id) !== peer || peer.state === "Established" || peer.state.startsWith("Open")) return;
      const rest = peer.retainedUntil - clock.now();
      if (rest > 0) clock.after(rest, check);
      else this.#forget(peer);
    };
    clock.soon(check);
  }
}

function admissionOf({ ttl, ttlSecurityHops, password }: PeerOptions): Admission {
  const minTtl = ttlSecurityHops === undefined ? undefined : 256 - ttlSecurityHops;
  return { ttl, minTtl, isSigned: password !== undefined };
}
