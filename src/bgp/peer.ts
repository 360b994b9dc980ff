/** A peer and its sessions: one, or two until a collision is resolved (RFC 4271 §6.8, §8.2.1). */

import { ceaseNotification, ceaseReason, isOperators } from "./cease.ts";
import { resolveCollision } from "./collision.ts";
import { dialRequest } from "./dial-request.ts";
import { type FsmConfig, RANK, type SessionState } from "./fsm-types.ts";
import { changeKeepalive } from "./keepalive-change.ts";
import { changeKey } from "./key-change.ts";
import { MessageCounters } from "./message-counters.ts";
import { type IpAddress, sameAddress } from "./model/address.ts";
import { Family } from "./model/family.ts";
import type { PeerId } from "./model/ids.ts";
import {
  type AttributeProblem,
  CeaseSubcode,
  MessageType,
  NotificationCode,
  type NotificationMessage,
  type OpenMessage,
  OpenSubcode,
} from "./model/messages.ts";
import type { Logger, RibSink } from "./model/ports.ts";
import { buildOpen, type LocalFacts, type Negotiated, negotiate } from "./negotiation.ts";
import { noAnswer } from "./no-answer.ts";
import type { PeerOptions } from "./options.ts";
import type { PeerSnapshot } from "./peer-snapshot.ts";
import { PeerState } from "./peer-state.ts";
import { RateLimitedLog } from "./rate-limited-log.ts";
import { Session, type SessionOwner, type SessionParts } from "./session.ts";
import { type EndCause, sessionEnd } from "./session-end.ts";
import { sessionFacts } from "./session-facts.ts";
import type { Connection, DialRequest } from "./transport.ts";
import { encodeRouteRefresh } from "./wire/route-refresh.ts";

export interface PeerParts extends SessionParts {
  readonly logger: Logger;
  readonly rib: RibSink;
  readonly localFacts: () => LocalFacts;
  readonly linkLocalFor: (local: IpAddress, remote: IpAddress) => IpAddress | undefined;
  readonly stateChanged: (peer: Peer, from: SessionState, to: SessionState, reason: string) => void;
  /** The peer takes more of what is sent. */
  readonly drained: (peer: Peer) => void;
}

const RESET_SECONDS = 1;
const REASONS = {
  closeNew: "connection collision",
  closeOther: "connection collision",
  replaceOther: "the peer has restarted",
} as const;

export class Peer implements SessionOwner {
  options: PeerOptions;
  readonly counters = new MessageCounters();
  /** Removed when its session ends. */
  readonly isDynamic: boolean;
  readonly #parts: PeerParts;
  readonly #state: PeerState;
  readonly #mended: RateLimitedLog<AttributeProblem>;
  #enabled: boolean;
  #restraint: string | undefined = undefined;
  #main: Session;
  /** A connection that the peer opened while `#main` was there. */
  #second: Session | undefined = undefined;
  #established: Session | undefined = undefined;
  /** Sessions accepted since `#established` became so: the peer opened them knowing of no session. */
  #late: WeakSet<Session> | undefined = undefined;
  #plainNext = false;
  #address: IpAddress | undefined;
  #retainedUntil = 0;

  constructor(options: PeerOptions, isDynamic: boolean, parts: PeerParts) {
    this.options = options;
    this.isDynamic = isDynamic;
    this.#parts = parts;
    this.#state = new PeerState(parts.clock, parts.logger);
    this.#enabled = options.enabled;
    this.#address = options.remote.kind === "address" ? options.remote.address : undefined;
    this.#main = new Session(this, this.#config(), parts);
    this.#mended = new RateLimitedLog(parts.clock, (problem, count) =>
      parts.logger.warn(
        { peer: this.options.name, problem: problem.reason, outcome: problem.outcome, count },
        "malformed attribute",
      ),
    );
  }

  failed(error: unknown): void {
    this.#parts.logger.error({ peer: this.options.name, err: error }, "internal error over a message of this peer");
  }

  get id(): PeerId {
    return this.options.id;
  }

  get rib(): RibSink {
    return this.#parts.rib;
  }

  get state(): SessionState {
    return this.#state.name;
  }

  /** Where messages of the update groups go. */
  get established(): Session | undefined {
    return this.#established;
  }

  /** Until when its routes may be kept after its last session; on the monotonic clock. */
  get retainedUntil(): number {
    return this.#retainedUntil;
  }

  /** Why a connection of the peer's own is not welcome. */
  get refusal(): string | undefined {
    if (!this.#enabled) return "the peer is disabled";
    if (this.#restraint !== undefined) return this.#restraint;
    return this.#main.refuses ? "the peer has to wait after its session failed or was ended" : undefined;
  }

  start(): void {
    if (this.#enabled && this.#restraint === undefined) this.#main.handle({ kind: "start" }, "started");
  }

  /** From now on no connection is made or taken, for this reason; a session that stands goes on. Undefined: as ever. */
  restrain(reason: string | undefined): void {
    this.#restraint = reason;
    this.#main.configure(this.#config());
    if (reason !== undefined || !this.#enabled) return;
    if (this.state === "Active") this.#main.redial();
    else this.start();
  }

  get restraint(): string | undefined {
    return this.#restraint;
  }

  enable(): void {
    this.#enabled = true;
    if (this.#restraint === undefined) this.#main.handle({ kind: "start" }, "enabled by the operator");
  }

  disable(message: string | undefined): void {
    this.#enabled = false;
    this.cease(CeaseSubcode.AdministrativeShutdown, message, undefined);
  }

  reset(message: string | undefined): void {
    this.cease(CeaseSubcode.AdministrativeReset, message, this.#enabled ? RESET_SECONDS : undefined);
  }

  /** RFC 4486. Without `restartSeconds` it stays down until it is enabled or reset. */
  cease(subcode: number, message: string | undefined, restartSeconds: number | undefined): void {
    const reason = ceaseReason(subcode, message);
    for (const session of this.#sessions()) {
      const notification = ceaseNotification(
        subcode,
        message,
        session.negotiated?.gracefulRestart?.notification === true,
      );
      session.handle({ kind: "stop", manual: isOperators(subcode), notification, restartSeconds }, reason);
    }
  }

  /** Closes the connection without a word, so that the peer keeps our routes (RFC 4724 §4.2). */
  vanish(): void {
    for (const session of this.#sessions()) {
      session.handle({ kind: "stop", manual: true, notification: undefined, restartSeconds: undefined }, "stopped");
    }
  }

  /** Other options; `restart`: the session does not outlive them. Returns whether it did not, which the system may ask for, too. */
  update(options: PeerOptions, restart: boolean): boolean {
    const before = this.options;
    const isSame = before.password === options.password;
    const request = () => (this.#config().passive ? undefined : this.dialRequest());
    const change = { ...this.#parts, before: before.password, key: options.password, request };
    if (restart || !(isSame || changeKey(this.#sessions(), change))) {
      this.cease(CeaseSubcode.OtherConfigurationChange, undefined, undefined);
      this.#take(options);
      this.#main.dispose();
      this.#main = new Session(this, this.#config(), this.#parts);
      this.start();
      return true;
    }
    const switched = this.#take(options);
    const config = this.#config();
    for (const session of this.#sessions()) {
      session.configure(config);
      changeKeepalive(session, options);
    }
    if (!isSame || before.port !== options.port || before.passive !== options.passive) this.#main.redial();
    if (switched === true) this.enable();
    else if (switched === false) this.disable(undefined);
    return false;
  }

  /** Returns what the peer is switched to, if it is. */
  #take(options: PeerOptions): boolean | undefined {
    // What an operator switched off stays off until the file says something else than before.
    const switched = options.enabled === this.options.enabled ? undefined : options.enabled;
    this.options = options;
    this.#enabled = switched ?? this.#enabled;
    if (options.remote.kind === "address") this.#address = options.remote.address;
    return switched;
  }

  /** RFC 2918; false where the peer does not know it. */
  requestRefresh(): boolean {
    const session = this.#established;
    if (session?.negotiated?.routeRefresh !== true) return false;
    for (const { family } of session.negotiated.families) {
      session.send(encodeRouteRefresh({ afi: family, safi: 1, subtype: 0 }), MessageType.RouteRefresh);
    }
    return true;
  }

  /** The link-local address of an unnumbered peer has become known, or another. */
  setAddress(address: IpAddress): void {
    const isNew = this.#address === undefined || !sameAddress(this.#address, address);
    this.#address = address;
    if (isNew) this.#main.redial();
  }

  /** A connection that the peer opened, after `refusal` was undefined. */
  accept(connection: Connection): void {
    // The peer has given up the one before; its OPEN would have come first.
    if (this.#second !== undefined) this.#dump(this.#second, "the peer opened another connection", false);
    if (this.options.remote.kind !== "address") this.#address = connection.remoteAddress;
    const session = new Session(this, this.#config(), this.#parts, { oscillations: this.#main.oscillations });
    this.#second = session;
    if (this.#established !== undefined) {
      this.#late ??= new WeakSet();
      this.#late.add(session);
      // If the peer has restarted, this makes its system say so on the old connection.
      this.#established.probe();
    }
    session.accept(connection);
  }

  snapshot(): PeerSnapshot {
    const session = this.#established ?? this.#main;
    return {
      ...this.#state.shown,
      enabled: this.#enabled,
      remaining: session.remaining,
      lastError: this.#restraint ?? this.#state.lastError,
      remoteAddress: this.#address,
      localAddress: session.connection?.localAddress,
      negotiated: session.negotiated,
      messages: { received: this.counters.received, sent: this.counters.sent },
    };
  }

  dialRequest(): DialRequest | undefined {
    return this.#address === undefined ? undefined : dialRequest(this.options, this.#address);
  }

  openMessage(session: Session): OpenMessage {
    session.isPlain = this.#plainNext;
    this.#plainNext = false;
    return buildOpen(this.options, this.#parts.localFacts(), session.isPlain);
  }

  /** RFC 5492 §3: a peer that knows no capabilities says so, once; the next attempt is made without. */
  wantsAnother(session: Session, notification: NotificationMessage): boolean {
    const { code, subcode } = notification;
    this.#plainNext =
      code === NotificationCode.Open &&
      (subcode === OpenSubcode.UnsupportedOptionalParameter || subcode === OpenSubcode.UnsupportedCapability) &&
      !session.isPlain &&
      this.options.families.some((f) => f.family === Family.Ipv4);
    return this.#plainNext;
  }

  judgeOpen(session: Session, open: OpenMessage, waitedMilliseconds: number): Negotiated | "wait" | undefined {
    const local = this.#parts.localFacts();
    const negotiated = negotiate(this.options, local, open, session.isPlain);
    const other = session === this.#main ? this.#second : this.#main;
    const verdict = resolveCollision({
      fresh: session,
      other,
      localRouterId: local.routerId,
      localAs: this.options.localAs,
      remoteRouterId: negotiated.remoteRouterId,
      remoteAs: negotiated.peerAs,
      isRestart: this.#late?.has(session) === true && other?.mayBeRelic === true,
      waitedMilliseconds,
      otherMilliseconds: this.#parts.clock.now() - this.#state.since,
    });
    switch (verdict) {
      case "both":
        return negotiated;
      case "wait":
        return "wait";
      case "closeNew":
        this.#dump(session, REASONS[verdict], false);
        return undefined;
      default:
        if (other !== undefined) this.#dump(other, REASONS[verdict], verdict === "replaceOther");
        return negotiated;
    }
  }

  unanswered(session: Session): void {
    if (session !== this.#main || this.#second !== undefined) return;
    this.#state.unanswered(this.options.name, noAnswer(this.options));
  }

  changed(session: Session, from: SessionState, reason: string): void {
    const to = session.state;
    // One that lost a collision has nothing more to say.
    if (session !== this.#main && session !== this.#second) return;
    if (session === this.#second) {
      if (to === "Established") this.#promote(session, "the peer's own connection is used");
      else if (to === "Idle" || to === "Active") this.#secondEnded(session, to);
    }
    if (RANK[to] < RANK[from]) this.#state.fell(from, reason);
    if (from === "Established") this.#state.sessionEnded(reason);
    this.#show(reason);
  }

  up(session: Session, negotiated: Negotiated): void {
    this.#established = session;
    this.#state.transitions++;
    const { connection } = session;
    if (connection === undefined) return;
    this.#address = connection.remoteAddress;
    const localLinkLocal = this.#parts.linkLocalFor(connection.localAddress, connection.remoteAddress);
    this.#parts.rib.peerUp(this.id, sessionFacts(this.options, negotiated, connection, localLinkLocal));
  }

  down(session: Session, negotiated: Negotiated, cause: EndCause): void {
    if (this.#established === session) this.#established = undefined;
    const end = sessionEnd(negotiated, cause);
    const seconds = end.kind === "flush" ? [] : end.families.map((f) => f.staleSeconds + f.longLivedSeconds);
    this.#retainedUntil = this.#parts.clock.now() + Math.max(0, ...seconds) * 1000;
    this.#parts.rib.peerDown(this.id, end);
  }

  drained(session: Session): void {
    if (session === this.#established) this.#parts.drained(this);
  }

  mended(problems: readonly AttributeProblem[]): void {
    for (const problem of problems) this.#mended.note(problem);
  }

  #config(): FsmConfig {
    const { passive, connectRetrySeconds, idleHoldSeconds, remote } = this.options;
    const isPassive = passive || remote.kind === "range" || this.isDynamic || this.#restraint !== undefined;
    return { passive: isPassive, connectRetrySeconds, idleHoldSeconds };
  }

  *#sessions(): Generator<Session> {
    const main = this.#main;
    if (this.#second !== undefined) yield this.#second;
    yield main;
  }

  /** A collision: this one goes, and the other is all that there is. */
  #dump(session: Session, reason: string, silent: boolean): void {
    if (session === this.#main && this.#second !== undefined) {
      this.#main = this.#second;
      this.#second = undefined;
    } else if (session === this.#second) this.#second = undefined;
    session.handle({ kind: "collisionDump", silent }, reason);
    session.dispose();
  }

  #promote(session: Session, reason: string): void {
    const old = this.#main;
    this.#main = session;
    this.#second = undefined;
    old.handle({ kind: "collisionDump", silent: false }, reason);
    old.dispose();
  }

  /** It failed before it was Established. */
  #secondEnded(session: Session, to: SessionState): void {
    this.#second = undefined;
    const mainIsWaiting = RANK[this.#main.state] <= RANK.Connect;
    // A peer that breaks the protocol is kept waiting as if we had connected; a connection that went away is forgotten.
    if (to === "Idle" && session.oscillations > 0 && mainIsWaiting)
      this.#promote(session, "the peer's own connection failed");
    else session.dispose();
  }

  #show(reason: string): void {
    const second = this.#second?.state ?? "Idle";
    const state = RANK[second] > RANK[this.#main.state] ? second : this.#main.state;
    const from = this.#state.name;
    if (state === from) return;
    this.#state.become(state, { name: this.options.name, isDynamic: this.isDynamic }, reason);
    this.#parts.stateChanged(this, from, state, reason);
  }
}
