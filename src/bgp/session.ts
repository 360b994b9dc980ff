/** One connection to a peer and its state machine: feeds it what happens, and does what it says (RFC 4271 §8). */

import { acceptingState, initialState, step } from "./fsm.ts";
import type { FsmAction, FsmConfig, FsmEvent, FsmState, FsmStep, SessionState, TimerName } from "./fsm-types.ts";
import type { MessageCounters } from "./message-counters.ts";
import { assertNever } from "./model/errors.ts";
import { MessageType, type NotificationError, type NotificationMessage, type OpenMessage } from "./model/messages.ts";
import type { Clock } from "./model/ports.ts";
import type { Negotiated } from "./negotiation.ts";
import type { MessageSink } from "./outbox-member.ts";
import type { PeerSnapshot } from "./peer-snapshot.ts";
import type { EndCause } from "./session-end.ts";
import { type InputOwner, type InputSession, SessionInput } from "./session-input.ts";
import { SessionTimers } from "./session-timers.ts";
import type { Connection, DialHandler, DialRequest, Transport } from "./transport.ts";
import type { Task, Turns } from "./turns.ts";
import { encodeKeepalive } from "./wire/keepalive.ts";
import { encodeNotification } from "./wire/notification.ts";
import { describeNotification } from "./wire/notification-text.ts";
import { encodeOpen } from "./wire/open.ts";

/** What a session asks of the peer that it belongs to. */
export interface SessionOwner extends InputOwner {
  readonly counters: MessageCounters;
  dialRequest(): DialRequest | undefined;
  openMessage(session: Session): OpenMessage;
  /** As `opened` of the session's input has it. */
  judgeOpen(session: Session, open: OpenMessage, waitedMilliseconds: number): Negotiated | "wait" | undefined;
  /** Another attempt without what the peer rejected is worth making. */
  wantsAnother(session: Session, notification: NotificationMessage): boolean;
  /** Nobody answered, and another attempt begins. */
  unanswered(session: Session): void;
  /** `reason` in words. */
  changed(session: Session, from: SessionState, reason: string): void;
  /** It is Established, from before `changed` says so. */
  up(session: Session, negotiated: Negotiated): void;
  down(session: Session, negotiated: Negotiated, cause: EndCause): void;
  drained(session: Session): void;
}

export interface SessionParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly transport: Transport;
  readonly turns: Turns;
  /** Thousands of peers may be due at once, and each takes a socket. */
  readonly dials: Turns;
}

const KEEPALIVE = encodeKeepalive();
const TIMER_EVENTS: Readonly<Record<TimerName, FsmEvent>> = {
  connectRetry: { kind: "connectRetryExpired" },
  hold: { kind: "holdExpired" },
  keepalive: { kind: "keepaliveExpired" },
  idleHold: { kind: "idleHoldExpired" },
  sendHold: { kind: "sendHoldExpired" },
};

export class Session implements MessageSink, InputSession {
  /** The peer opened the connection. A session that began so dials, too, once that one has ended. */
  incoming: boolean;
  /** Our OPEN was sent without capabilities. */
  isPlain = false;
  negotiated: Negotiated | undefined = undefined;
  /** The peer's OPEN has come on the present connection. */
  isHeard = false;
  /** The TCP MD5 key of the present connection is being changed. */
  keyChange: { readonly before: string | undefined; readonly isInDoubt: boolean } | undefined = undefined;
  readonly #parts: SessionParts;
  readonly #owner: SessionOwner;
  readonly #timers: SessionTimers;
  #state: FsmState;
  #connection: Connection | undefined = undefined;
  #input: SessionInput | undefined = undefined;
  #dial: { cancel(): void } | undefined = undefined;
  readonly #dialHandler: DialHandler = {
    connected: (connection) => {
      this.#dial = undefined;
      this.incoming = false;
      this.#adopt(connection);
      this.handle({ kind: "connected" }, "connected");
    },
    failed: (reason) => {
      this.#dial = undefined;
      this.handle({ kind: "connectionFailed" }, `cannot connect: ${reason}`);
    },
  };
  /** The NOTIFICATION that ended the connection, if one came. */
  #received: NotificationMessage | undefined = undefined;
  /** Events that came while one was being worked on. */
  readonly #events: { readonly event: FsmEvent; readonly reason: string }[] = [];
  #isStepping = false;
  #last: { readonly from: FsmState; readonly event: FsmEvent; readonly step: FsmStep } | undefined = undefined;

  constructor(owner: SessionOwner, config: FsmConfig, parts: SessionParts, accepting?: { oscillations: number }) {
    this.#owner = owner;
    this.#parts = parts;
    this.incoming = accepting !== undefined;
    this.#state = accepting === undefined ? initialState(config) : acceptingState(config, accepting.oscillations);
    this.#timers = new SessionTimers({
      clock: parts.clock,
      random: parts.random,
      hasInput: () => this.#input?.hasInput === true,
      unsent: () => this.unsent,
      expired: (timer) => this.handle(TIMER_EVENTS[timer], this.#timerReason(timer)),
    });
  }

  get state(): SessionState {
    return this.#state.name;
  }

  get oscillations(): number {
    return this.#state.oscillations;
  }

  /** Idle, and the peer's own connections are to be turned away. */
  get refuses(): boolean {
    return this.#state.name === "Idle" && this.#state.refuses;
  }

  /** Milliseconds until the timers expire, those that run. */
  get remaining(): PeerSnapshot["remaining"] {
    return { hold: this.#timers.remaining("hold"), keepalive: this.#timers.remaining("keepalive") };
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** The peer may have forgotten it though it is Established here: it restarts gracefully, or says nothing since its key is another. */
  get mayBeRelic(): boolean {
    return this.negotiated?.gracefulRestart !== undefined || this.keyChange?.isInDoubt === true;
  }

  /** For the timers that start from now on. */
  configure(config: FsmConfig): void {
    this.#state = { ...this.#state, config };
  }

  /** `reason` in words, for people. */
  handle(event: FsmEvent, reason: string): void {
    if (this.#isStepping) {
      this.#events.push({ event, reason });
      return;
    }
    this.#isStepping = true;
    this.#step(event, reason);
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      this.#step(next.event, next.reason);
    }
    this.#isStepping = false;
  }

  /** The connection that the peer opened. */
  accept(connection: Connection): void {
    this.#adopt(connection);
    this.handle({ kind: "connected" }, "the peer connected");
  }

  /** Nobody wants it any more: no timer, no connection. */
  dispose(): void {
    this.#timers.stopAll();
    this.#disconnect((connection) => connection.close());
  }

  /** Where or how to connect has changed: an attempt that is under way is in vain. */
  redial(): void {
    if (this.state !== "Connect" && this.state !== "Active") return;
    this.#dial?.cancel();
    this.#dial = undefined;
    this.handle({ kind: "connectRetryExpired" }, "where or how to connect has changed");
  }

  /** Another interval between KEEPALIVE messages, from the next one on. */
  setKeepalive(seconds: number): void {
    if (this.negotiated === undefined) return;
    this.negotiated = { ...this.negotiated, keepaliveSeconds: seconds };
    this.#state = { ...this.#state, keepaliveSeconds: seconds };
    if (seconds > 0 && (this.state === "Established" || this.state === "OpenConfirm"))
      this.#timers.start("keepalive", seconds);
  }

  protocolError(error: NotificationError): void {
    const { code, subcode, data } = error;
    this.handle({ kind: "protocolError", notification: { code, subcode, data } }, error.message);
  }

  opened(open: OpenMessage, waitedMilliseconds: number): Negotiated | "wait" | undefined {
    this.isHeard = true;
    const negotiated = this.#owner.judgeOpen(this, open, waitedMilliseconds);
    if (negotiated !== undefined && negotiated !== "wait") this.negotiated = negotiated;
    return negotiated;
  }

  notified(notification: NotificationMessage): void {
    this.#received = notification;
    const { code, subcode, data } = notification;
    const again = this.#owner.wantsAnother(this, notification);
    const words = describeNotification(code, subcode, data);
    this.handle({ kind: "notificationReceived", again }, `received NOTIFICATION: ${words}`);
  }

  /** Sends whole messages that are not the state machine's own. */
  send(message: Uint8Array, type: MessageType): void {
    if (this.#connection === undefined) return;
    this.#owner.counters.countSent(type);
    this.#timers.watchSending();
    this.#connection.write(message);
  }

  /** A sign that is due anyway: a peer that is gone answers it with a reset. */
  probe(): void {
    this.send(KEEPALIVE, MessageType.Keepalive);
  }

  get isBlocked(): boolean {
    return this.#connection?.isBlocked === true;
  }

  get unsent(): number {
    return this.#connection?.unsent ?? 0;
  }

  write(bytes: Uint8Array, updates: number): void {
    if (this.#connection === undefined) return;
    this.#owner.counters.countSent(MessageType.Update, updates);
    this.#timers.watchSending();
    this.#connection.write(bytes);
  }

  cork(): void {
    this.#connection?.cork();
  }

  uncork(): void {
    this.#connection?.uncork();
  }

  countRouteRefresh(): void {
    this.#owner.counters.countSent(MessageType.RouteRefresh);
  }

  #step(event: FsmEvent, reason: string): void {
    const from = this.#state.name;
    if (event.kind === "connectRetryExpired" && this.#dial !== undefined) this.#owner.unanswered(this);
    const { state, actions } = this.#stepOf(event);
    this.#state = state;
    const notification = notificationIn(actions);
    for (const action of actions) this.#act(action, event, notification);
    if (state.name !== from) this.#owner.changed(this, from, reasonFor(reason, notification));
  }

  /** The state machine is a function: an UPDATE after an UPDATE comes to what the one before came to. */
  #stepOf(event: FsmEvent): FsmStep {
    if (this.#last?.from === this.#state && this.#last.event === event) return this.#last.step;
    const taken = step(this.#state, event);
    this.#last = { from: this.#state, event, step: taken };
    return taken;
  }

  #act(action: FsmAction, event: FsmEvent, sent: NotificationMessage | undefined): void {
    switch (action.kind) {
      case "dial":
        this.#startDial();
        return;
      case "close":
        this.#disconnect((connection) => connection.close());
        return;
      case "abort":
        this.#disconnect((connection) => connection.abort());
        return;
      case "sendOpen":
        this.send(encodeOpen(this.#owner.openMessage(this)), MessageType.Open);
        return;
      case "sendKeepalive":
        this.send(KEEPALIVE, MessageType.Keepalive);
        return;
      case "sendNotification":
        this.send(encodeNotification(action.notification), MessageType.Notification);
        return;
      case "startTimer":
        this.#timers.start(action.timer, action.seconds);
        return;
      case "stopTimer":
        this.#timers.stop(action.timer);
        return;
      case "up":
        if (this.negotiated !== undefined) this.#owner.up(this, this.negotiated);
        return;
      case "down":
        if (this.negotiated !== undefined) this.#owner.down(this, this.negotiated, this.#endCause(event, sent));
        return;
      default:
        assertNever(action);
    }
  }

  #endCause(event: FsmEvent, sent: NotificationMessage | undefined): EndCause {
    const received = event.kind === "notificationReceived" ? this.#received : undefined;
    const notification = sent ?? received;
    if (notification !== undefined) return { kind: "notification", notification };
    return { kind: event.kind === "stop" ? "closed" : "lost" };
  }

  #startDial(): void {
    const request = this.#owner.dialRequest();
    // An unnumbered peer whose address nobody knows yet: the next ConnectRetry looks again.
    if (request === undefined) return;
    const { dials, transport } = this.#parts;
    const dial: Task = {
      work: () => {
        this.#dial = transport.dial(request, this.#dialHandler);
        return false;
      },
    };
    this.#dial = { cancel: () => dials.forget(dial) };
    dials.run(dial);
  }

  #adopt(connection: Connection): void {
    this.#connection = connection;
    const input = new SessionInput(this, connection, this.#owner, this.#parts);
    this.#input = input;
    this.negotiated = undefined;
    connection.start({
      received: (chunk) => input.received(chunk),
      drained: () => {
        this.#timers.watchSending();
        this.#owner.drained(this);
      },
      closed: (reason) => {
        // A NOTIFICATION among its last words says more than the end of the connection.
        input.finish();
        if (this.#connection === connection) this.handle({ kind: "connectionFailed" }, reason);
      },
    });
  }

  #disconnect(how: (connection: Connection) => void): void {
    this.#dial?.cancel();
    this.#dial = undefined;
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.isHeard = false;
    this.keyChange = undefined;
    this.#input?.close();
    this.#input = undefined;
    how(connection);
  }

  #timerReason(timer: TimerName): string {
    if (timer === "hold" && this.state === "OpenSent") return "the peer sent no OPEN";
    if (timer === "hold") return `nothing heard from the peer for ${this.negotiated?.holdSeconds ?? 0} s`;
    if (timer === "sendHold") return "the peer takes nothing of what is sent";
    return timer === "idleHold" ? "another attempt" : `the ${timer} timer expired`;
  }
}

function notificationIn(actions: readonly FsmAction[]): NotificationMessage | undefined {
  for (const action of actions) if (action.kind === "sendNotification") return action.notification;
  return undefined;
}

function reasonFor(reason: string, sent: NotificationMessage | undefined): string {
  if (sent === undefined) return reason;
  return `${reason} (sent ${describeNotification(sent.code, sent.subcode, sent.data)})`;
}
