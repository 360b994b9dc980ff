/** What a peer sends: cut into messages, decoded, and given to the state machine and to the tables, a slice at a time. */

import type { FsmEvent, SessionState } from "./fsm-types.ts";
import type { MessageCounters } from "./message-counters.ts";
import { type Family, SAFI_UNICAST } from "./model/family.ts";
import type { PeerId } from "./model/ids.ts";
import {
  type AttributeProblem,
  CeaseSubcode,
  MessageType,
  NotificationCode,
  NotificationError,
  type NotificationMessage,
  type OpenMessage,
  RefreshSubtype,
} from "./model/messages.ts";
import type { Clock, RibSink, Timer } from "./model/ports.ts";
import type { Negotiated } from "./negotiation.ts";
import type { Connection } from "./transport.ts";
import type { Task, Turns } from "./turns.ts";
import { type Frame, Framer } from "./wire/framer.ts";
import { MAX_EXTENDED_LENGTH } from "./wire/header.ts";
import { decodeNotification } from "./wire/notification.ts";
import { decodeOpen } from "./wire/open.ts";
import { decodeRouteRefresh } from "./wire/route-refresh.ts";
import { UpdateDecoder } from "./wire/update-decoder.ts";

export interface InputOwner {
  readonly id: PeerId;
  readonly counters: MessageCounters;
  readonly rib: RibSink;
  /** RFC 7606 mended an UPDATE. */
  mended(problems: readonly AttributeProblem[]): void;
  /** A bug of ours showed while a message of this peer was handled. */
  failed(error: unknown): void;
}

/** The session, as far as its input is concerned. */
export interface InputSession {
  readonly state: SessionState;
  readonly negotiated: Negotiated | undefined;
  handle(event: FsmEvent, reason: string): void;
  protocolError(error: NotificationError): void;
  /**
   * What this OPEN comes to; undefined if the session lost a collision over it, "wait" to be asked again soon, and told how long the
   * OPEN has waited. Throws NotificationError.
   */
  opened(open: OpenMessage, waitedMilliseconds: number): Negotiated | "wait" | undefined;
  notified(notification: NotificationMessage): void;
}

/** How often an OPEN that waits is looked at again. */
const LOOK_MILLISECONDS = 20;
const KEEPALIVE_RECEIVED: FsmEvent = { kind: "keepaliveReceived" };
const UPDATE_RECEIVED: FsmEvent = { kind: "updateReceived" };

export class SessionInput implements Task {
  readonly #session: InputSession;
  readonly #connection: Connection;
  readonly #owner: InputOwner;
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #framer = new Framer();
  #decoder: UpdateDecoder | undefined = undefined;
  /** An OPEN that waits; nothing behind it is looked at. */
  #held: { readonly open: OpenMessage; readonly since: number } | undefined = undefined;
  #look: Timer | undefined = undefined;
  #isPaused = false;
  #isClosed = false;

  constructor(
    session: InputSession,
    connection: Connection,
    owner: InputOwner,
    parts: { readonly clock: Clock; readonly turns: Turns },
  ) {
    this.#session = session;
    this.#connection = connection;
    this.#owner = owner;
    this.#clock = parts.clock;
    this.#turns = parts.turns;
  }

  get hasInput(): boolean {
    return this.#framer.hasInput;
  }

  received(chunk: Uint8Array): void {
    this.#framer.push(chunk);
    // Nothing more is read before this is dealt with, so that what waits is bounded.
    if ((this.#turns.run(this) && this.#held === undefined) || this.#isPaused || this.#isClosed) return;
    this.#isPaused = true;
    this.#connection.pause();
  }

  work(until: number): boolean {
    try {
      if (this.#held !== undefined) this.#judge(this.#held);
      while (!this.#isClosed && this.#held === undefined) {
        const frame = this.#framer.next();
        if (frame === undefined) break;
        this.#dispatch(frame);
        if (this.#framer.hasInput && this.#clock.now() >= until) return !this.#isClosed;
      }
    } catch (error) {
      this.#session.protocolError(error instanceof NotificationError ? error : this.#internalError(error));
    }
    if (this.#isPaused && !this.#isClosed && this.#held === undefined) {
      this.#isPaused = false;
      this.#connection.resume();
    }
    return false;
  }

  /** The peer sends nothing more. What it sent before, one chunk at most, has its turn at once. */
  finish(): void {
    if (!this.#turns.isWaiting(this)) return;
    this.#turns.forget(this);
    this.work(Number.POSITIVE_INFINITY);
  }

  close(): void {
    this.#isClosed = true;
    this.#look?.cancel();
    this.#turns.forget(this);
  }

  /** One peer's message must not take the other sessions down: its own begins anew (RFC 4486 §4, out of resources). */
  #internalError(error: unknown): NotificationError {
    this.#owner.failed(error);
    const reason = error instanceof Error ? error.message : String(error);
    return new NotificationError(NotificationCode.Cease, CeaseSubcode.OutOfResources, `internal error: ${reason}`);
  }

  #dispatch(frame: Frame): void {
    this.#owner.counters.countReceived(frame.type);
    switch (frame.type) {
      case MessageType.Open:
        this.#open(frame.body);
        return;
      case MessageType.Update:
        this.#update(frame.body);
        return;
      case MessageType.Notification:
        this.#session.notified(decodeNotification(frame.body));
        return;
      case MessageType.Keepalive:
        this.#session.handle(KEEPALIVE_RECEIVED, "KEEPALIVE received");
        return;
      default:
        this.#routeRefresh(frame.body);
    }
  }

  #open(body: Uint8Array): void {
    const session = this.#session;
    if (session.state !== "OpenSent") {
      session.handle({ kind: "openReceived", holdSeconds: 0, keepaliveSeconds: 0 }, "OPEN received");
      return;
    }
    this.#judge({ open: decodeOpen(body), since: this.#clock.now() });
  }

  #judge(held: { readonly open: OpenMessage; readonly since: number }): void {
    const session = this.#session;
    const negotiated = session.opened(held.open, this.#clock.now() - held.since);
    this.#held = negotiated === "wait" ? held : undefined;
    if (negotiated === undefined) return;
    if (negotiated === "wait") {
      this.#look?.cancel();
      this.#look = this.#clock.after(LOOK_MILLISECONDS, () => this.#turns.wake(this));
      return;
    }
    const { holdSeconds, keepaliveSeconds } = negotiated;
    // RFC 8654 §4: also for what comes right behind the peer's OPEN.
    if (negotiated.extendedMessages) this.#framer.maxLength = MAX_EXTENDED_LENGTH;
    this.#decoder = new UpdateDecoder(negotiated);
    session.handle({ kind: "openReceived", holdSeconds, keepaliveSeconds }, "OPEN received");
  }

  #update(body: Uint8Array): void {
    if (this.#session.state === "Established" && this.#decoder !== undefined) {
      const { id, rib } = this.#owner;
      const update = this.#decoder.decode(body);
      for (const batch of update.withdrawn) rib.withdraw(id, batch);
      for (const { attributes, prefixes } of update.announced) rib.announce(id, attributes, prefixes);
      if (update.endOfRib !== undefined) rib.endOfRib(id, update.endOfRib);
      if (update.problems.length > 0) this.#owner.mended(update.problems);
    }
    this.#session.handle(UPDATE_RECEIVED, "UPDATE received");
  }

  #routeRefresh(body: Uint8Array): void {
    const { negotiated, state } = this.#session;
    if (state === "Established" && negotiated !== undefined) {
      const { afi, safi, subtype } = decodeRouteRefresh(body);
      const family = negotiated.families.find((f) => f.family === afi && safi === SAFI_UNICAST)?.family;
      if (family !== undefined) this.#refresh(family, subtype, negotiated.enhancedRouteRefresh);
    }
    this.#session.handle(UPDATE_RECEIVED, "ROUTE-REFRESH received");
  }

  /** RFC 2918 §4; RFC 7313 §3.2: other subtypes are ignored, and so are these two where they were not negotiated. */
  #refresh(family: Family, subtype: number, enhanced: boolean): void {
    const { id, rib } = this.#owner;
    if (subtype === RefreshSubtype.Normal) rib.refreshRequested(id, family, enhanced);
    else if (subtype === RefreshSubtype.Begin && enhanced) rib.refreshBegin(id, family);
    else if (subtype === RefreshSubtype.End && enhanced) rib.refreshEnd(id, family);
  }
}
