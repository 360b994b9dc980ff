/** The finite state machine of one connection to a peer, as a function (RFC 4271 §8, with RFC 6608 and RFC 9687). */

import type {
  FsmAction,
  FsmConfig,
  FsmEvent,
  FsmState,
  FsmStep,
  SessionState,
  StopEvent,
  TimerName,
} from "./fsm-types.ts";
import { assertNever } from "./model/errors.ts";
import { CeaseSubcode, FsmSubcode, NotificationCode, type NotificationMessage } from "./model/messages.ts";

/** §8.2.2: "a large value"; 4 minutes is what it suggests. */
const OPEN_HOLD_SECONDS = 240;
const MAX_IDLE_HOLD_SECONDS = 60;
/** After a session that was stable: the peer is likely to be back, or to be restarting. */
const LOST_HOLD_SECONDS = 1;
const FIRST_RETRY_SECONDS = 1;
/** RFC 9687 §3.2: the greater of 8 minutes and twice the hold time. */
const MIN_SEND_HOLD_SECONDS = 480;

const NO_DATA = new Uint8Array(0);
const NOTHING: readonly FsmAction[] = [];

export function initialState(config: FsmConfig): FsmState {
  return {
    name: "Idle",
    config,
    connectRetryCounter: 0,
    oscillations: 0,
    refusals: 0,
    stable: false,
    refuses: true,
    holdSeconds: 0,
    keepaliveSeconds: 0,
  };
}

/** Where the machine of an incoming connection begins; its first event is `connected`. */
export function acceptingState(config: FsmConfig, oscillations: number): FsmState {
  return { ...initialState(config), name: "Active", oscillations };
}

export function step(state: FsmState, event: FsmEvent): FsmStep {
  switch (state.name) {
    case "Idle":
      return inIdle(state, event);
    case "Connect":
      return inConnect(state, event);
    case "Active":
      return inActive(state, event);
    case "OpenSent":
      return inOpenSent(state, event);
    case "OpenConfirm":
      return inOpenConfirm(state, event);
    case "Established":
      return inEstablished(state, event);
    default:
      return assertNever(state.name);
  }
}

function inIdle(state: FsmState, event: FsmEvent): FsmStep {
  switch (event.kind) {
    case "start":
      return begin({ ...state, connectRetryCounter: 0, oscillations: 0, refusals: 0 });
    case "idleHoldExpired":
      return begin(state);
    case "stop":
      // It also ends the wait for an automatic start.
      return stopped(state, event, []);
    default:
      return stay(state);
  }
}

function inConnect(state: FsmState, event: FsmEvent): FsmStep {
  switch (event.kind) {
    case "start":
      return stay(state);
    case "stop":
      return stopped(state, event, [{ kind: "close" }]);
    case "connectRetryExpired":
      // It was not passive when it began.
      if (state.config.passive) return toActive(state, [{ kind: "close" }]);
      return to(state, "Connect", [{ kind: "close" }, startConnectRetry(state), { kind: "dial" }]);
    case "connected":
      return toOpenSent(state);
    case "connectionFailed":
      // RFC: without DelayOpen the machine goes to Idle, where it also refuses the peer's own connection.
      //
      // Ours: it goes to Active and dials again when ConnectRetry expires, as with DelayOpen, so that the side that
      // comes up later can connect at once.
      return toActive(state, []);
    case "collisionDump":
      return toIdle(state, ENDED, [{ kind: "close" }]);
    default:
      return fails(state, [{ kind: "close" }]);
  }
}

function inActive(state: FsmState, event: FsmEvent): FsmStep {
  switch (event.kind) {
    case "start":
      return stay(state);
    case "stop":
      return stopped(state, event, []);
    case "connectRetryExpired":
      if (state.config.passive) return stay(state);
      return to(state, "Connect", [startConnectRetry(state), { kind: "dial" }]);
    case "connected":
      return toOpenSent(state);
    case "collisionDump":
      return toIdle(state, ENDED, []);
    case "connectionFailed":
      return stay(state);
    default:
      return fails(state, []);
  }
}

function inOpenSent(state: FsmState, event: FsmEvent): FsmStep {
  switch (event.kind) {
    case "start":
      return stay(state);
    case "stop":
      return stopped(state, event, farewell(event.notification));
    case "holdExpired":
      return failed(state, { code: NotificationCode.HoldTimerExpired, subcode: 0, data: NO_DATA });
    case "connectionFailed":
      return toActive(state, [{ kind: "close" }, { kind: "stopTimer", timer: "hold" }]);
    case "openReceived":
      return to(
        { ...state, refusals: 0, holdSeconds: event.holdSeconds, keepaliveSeconds: event.keepaliveSeconds },
        "OpenConfirm",
        [
          { kind: "sendKeepalive" },
          startOrStop("keepalive", event.keepaliveSeconds),
          startOrStop("hold", event.holdSeconds),
        ],
      );
    case "protocolError":
      return failed(state, event.notification);
    case "collisionDump":
      return dumped(state, event.silent);
    case "notificationReceived":
      // RFC: only a version error is foreseen here, and any other NOTIFICATION is answered with one.
      //
      // Ours: none is answered, as §6.4 has it everywhere else.
      return event.again ? retries(state) : fails(state, [{ kind: "close" }]);
    default:
      return failed(state, fsmError(FsmSubcode.InOpenSent));
  }
}

function inOpenConfirm(state: FsmState, event: FsmEvent): FsmStep {
  switch (event.kind) {
    case "start":
      return stay(state);
    case "stop":
      return stopped(state, event, farewell(event.notification));
    case "holdExpired":
      return failed(state, { code: NotificationCode.HoldTimerExpired, subcode: 0, data: NO_DATA });
    case "keepaliveExpired":
      return keepalive(state);
    case "connectionFailed":
      return fails(state, [{ kind: "close" }]);
    case "notificationReceived":
      return event.again ? retries(state) : fails(state, [{ kind: "close" }]);
    case "protocolError":
      return failed(state, event.notification);
    case "collisionDump":
      return dumped(state, event.silent);
    case "keepaliveReceived": {
      const sendHoldSeconds = Math.max(MIN_SEND_HOLD_SECONDS, 2 * state.holdSeconds);
      // Without keepalives nothing later would show that the session is stable.
      const stable = state.holdSeconds === 0;
      return to({ ...state, stable, oscillations: stable ? 0 : state.oscillations }, "Established", [
        startOrStop("hold", state.holdSeconds),
        { kind: "startTimer", timer: "sendHold", seconds: sendHoldSeconds },
        { kind: "up" },
      ]);
    }
    default:
      return failed(state, fsmError(FsmSubcode.InOpenConfirm));
  }
}

function inEstablished(state: FsmState, event: FsmEvent): FsmStep {
  switch (event.kind) {
    case "start":
      return stay(state);
    case "stop":
      return stopped(state, event, farewell(event.notification));
    case "holdExpired":
      return failed(state, { code: NotificationCode.HoldTimerExpired, subcode: 0, data: NO_DATA });
    case "sendHoldExpired":
      return fails(state, [
        {
          kind: "sendNotification",
          notification: { code: NotificationCode.SendHoldTimerExpired, subcode: 0, data: NO_DATA },
        },
        { kind: "abort" },
      ]);
    case "keepaliveExpired":
      return keepalive(state);
    case "connectionFailed":
      return state.stable ? lost(state) : fails(state, [{ kind: "close" }]);
    case "notificationReceived":
      return fails(state, [{ kind: "close" }]);
    case "protocolError":
      return failed(state, event.notification);
    case "collisionDump":
      return dumped(state, event.silent);
    case "keepaliveReceived":
      // The first one came in OpenConfirm; another says that the session has stood for a keepalive interval.
      return {
        state: state.stable ? state : { ...state, stable: true, oscillations: 0 },
        actions: restartHold(state),
      };
    case "updateReceived":
      return { state, actions: restartHold(state) };
    default:
      return failed(state, fsmError(FsmSubcode.InEstablished));
  }
}

const ENDED = { manual: true, restartSeconds: undefined } as const;

/** The end of Idle: §8.2.2, events 1, 3 to 7 and 13. */
function begin(state: FsmState): FsmStep {
  const stopIdleHold: FsmAction = { kind: "stopTimer", timer: "idleHold" };
  // RFC: a passive peer dials, too, once ConnectRetry expires. Ours: it never does, which is what people mean by passive.
  if (state.config.passive) return to(state, "Active", [stopIdleHold]);
  return to(state, "Connect", [stopIdleHold, startConnectRetry(state), { kind: "dial" }]);
}

/**
 * RFC: the next attempt follows when ConnectRetry expires.
 * Ours: the first ones sooner, because a peer that has just been told of us, or is about to listen, refuses us for a moment.
 */
function toActive(state: FsmState, actions: readonly FsmAction[]): FsmStep {
  const seconds = Math.min(state.config.connectRetrySeconds, FIRST_RETRY_SECONDS * 2 ** state.refusals);
  const retry: FsmAction = state.config.passive
    ? { kind: "stopTimer", timer: "connectRetry" }
    : { kind: "startTimer", timer: "connectRetry", seconds };
  return to({ ...state, refusals: state.refusals + 1 }, "Active", [...actions, retry]);
}

function toOpenSent(state: FsmState): FsmStep {
  return to(state, "OpenSent", [
    { kind: "stopTimer", timer: "connectRetry" },
    { kind: "sendOpen" },
    { kind: "startTimer", timer: "hold", seconds: OPEN_HOLD_SECONDS },
  ]);
}

function keepalive(state: FsmState): FsmStep {
  return stay(state, [{ kind: "sendKeepalive" }, startOrStop("keepalive", state.keepaliveSeconds)]);
}

function restartHold(state: FsmState): readonly FsmAction[] {
  return state.holdSeconds === 0 ? NOTHING : [{ kind: "startTimer", timer: "hold", seconds: state.holdSeconds }];
}

function farewell(notification: NotificationMessage | undefined): readonly FsmAction[] {
  return notification === undefined
    ? [{ kind: "close" }]
    : [{ kind: "sendNotification", notification }, { kind: "close" }];
}

function failed(state: FsmState, notification: NotificationMessage): FsmStep {
  return fails(state, farewell(notification));
}

function stopped(state: FsmState, event: StopEvent, actions: readonly FsmAction[]): FsmStep {
  return toIdle(state, event, actions);
}

function dumped(state: FsmState, silent: boolean): FsmStep {
  const subcode = CeaseSubcode.CollisionResolution;
  return toIdle(state, ENDED, farewell(silent ? undefined : { code: NotificationCode.Cease, subcode, data: NO_DATA }));
}

/** Idle until told otherwise, or for as long as was asked for. */
function toIdle(
  state: FsmState,
  how: { readonly manual: boolean; readonly restartSeconds: number | undefined },
  actions: readonly FsmAction[],
): FsmStep {
  return idle(
    { ...state, connectRetryCounter: how.manual ? 0 : state.connectRetryCounter + 1, oscillations: 0, refuses: true },
    actions,
    how.restartSeconds,
  );
}

/** Idle with damping (§8.1.1, DampPeerOscillations): twice as long after each failure, and deaf from the second on. */
function fails(state: FsmState, actions: readonly FsmAction[]): FsmStep {
  const oscillations = state.oscillations + 1;
  const base = state.config.idleHoldSeconds;
  const seconds = Math.min(base * 2 ** (oscillations - 1), Math.max(base, MAX_IDLE_HOLD_SECONDS));
  const connectRetryCounter = state.connectRetryCounter + 1;
  // RFC: Idle refuses the peer's connections. Ours: only for a peer that fails again and again; one that has just
  // restarted comes back by its own connection before our timer lets us dial.
  return idle({ ...state, connectRetryCounter, oscillations, refuses: oscillations > 1 }, actions, seconds);
}

/** The other kind of attempt is made at once, but counts as a failure. */
function retries(state: FsmState): FsmStep {
  return idle({ ...state, oscillations: state.oscillations + 1, refuses: false }, [{ kind: "close" }], 0);
}

/** A session that was stable lost its connection: nobody did wrong. */
function lost(state: FsmState): FsmStep {
  const seconds = Math.min(LOST_HOLD_SECONDS, state.config.idleHoldSeconds);
  return idle({ ...state, refuses: false }, [{ kind: "close" }], seconds);
}

function idle(state: FsmState, actions: readonly FsmAction[], seconds: number | undefined): FsmStep {
  return to({ ...state, holdSeconds: 0, keepaliveSeconds: 0, stable: false }, "Idle", [
    ...(state.name === "Established" ? [{ kind: "down" } as const] : []),
    ...actions,
    ...ALL_STOPPED,
    seconds === undefined
      ? { kind: "stopTimer", timer: "idleHold" }
      : { kind: "startTimer", timer: "idleHold", seconds },
  ]);
}

const ALL_STOPPED: readonly FsmAction[] = (["connectRetry", "hold", "keepalive", "sendHold"] as const).map(
  (timer): FsmAction => ({ kind: "stopTimer", timer }),
);

function to(state: FsmState, name: SessionState, actions: readonly FsmAction[]): FsmStep {
  return { state: { ...state, name }, actions };
}

function stay(state: FsmState, actions: readonly FsmAction[] = NOTHING): FsmStep {
  return { state, actions };
}

function startConnectRetry(state: FsmState): FsmAction {
  return { kind: "startTimer", timer: "connectRetry", seconds: state.config.connectRetrySeconds };
}

function startOrStop(timer: TimerName, seconds: number): FsmAction {
  return seconds === 0 ? { kind: "stopTimer", timer } : { kind: "startTimer", timer, seconds };
}

function fsmError(subcode: number): NotificationMessage {
  return { code: NotificationCode.FiniteStateMachine, subcode, data: NO_DATA };
}
