/** What goes into the finite state machine of a connection and what comes out of it (RFC 4271 §8.1). */

import type { NotificationMessage } from "./model/messages.ts";

export type SessionState = "Idle" | "Connect" | "Active" | "OpenSent" | "OpenConfirm" | "Established";

/** How near a session is to being of use. */
export const RANK: Readonly<Record<SessionState, number>> = {
  Idle: 0,
  Active: 1,
  Connect: 2,
  OpenSent: 3,
  OpenConfirm: 4,
  Established: 5,
};
export type TimerName = "connectRetry" | "hold" | "keepalive" | "idleHold" | "sendHold";

export interface FsmConfig {
  /** PassiveTcpEstablishment (§8.1.1). */
  readonly passive: boolean;
  readonly connectRetrySeconds: number;
  readonly idleHoldSeconds: number;
}

export interface FsmState {
  readonly name: SessionState;
  readonly config: FsmConfig;
  readonly connectRetryCounter: number;
  /** Failures in a row, for the oscillation damping of §8.1.1; a session that proved stable clears them. */
  readonly oscillations: number;
  /** Connections in a row that could not be made, or that the peer closed before its OPEN. */
  readonly refusals: number;
  /** In Established: it has stood for a keepalive interval. */
  readonly stable: boolean;
  /** In Idle: incoming connections are turned away. */
  readonly refuses: boolean;
  /** Negotiated; 0 before OpenConfirm, or when the timers are off. */
  readonly holdSeconds: number;
  readonly keepaliveSeconds: number;
}

/** The numbers are those of §8.1; DelayOpen is not used, so events 12 and 20 do not exist here. */
export type FsmEvent =
  /** 1, 3 to 7. */
  | { readonly kind: "start" }
  /** 2 and 8. Without a NOTIFICATION the connection is just closed. `restartSeconds` undefined: until the next start. */
  | StopEvent
  /** 9. */
  | { readonly kind: "connectRetryExpired" }
  /** 10. */
  | { readonly kind: "holdExpired" }
  /** 11. */
  | { readonly kind: "keepaliveExpired" }
  /** 13. */
  | { readonly kind: "idleHoldExpired" }
  /** 29 (RFC 9687 §3.1). */
  | { readonly kind: "sendHoldExpired" }
  /** 16 and 17. */
  | { readonly kind: "connected" }
  /** 18. */
  | { readonly kind: "connectionFailed" }
  /** 19: valid, and this connection survived collision detection (§6.8). */
  | { readonly kind: "openReceived"; readonly holdSeconds: number; readonly keepaliveSeconds: number }
  /** 21, 22 and 28: something the peer sent is wrong. */
  | { readonly kind: "protocolError"; readonly notification: NotificationMessage }
  /** 23. Silently where graceful restart replaces the connection (RFC 4724 §4.2). */
  | { readonly kind: "collisionDump"; readonly silent: boolean }
  /** 24 and 25. `again`: an attempt of another kind is worth making at once (RFC 5492 §3). */
  | { readonly kind: "notificationReceived"; readonly again: boolean }
  /** 26. */
  | { readonly kind: "keepaliveReceived" }
  /** 27, and ROUTE-REFRESH, which RFC 2918 allows where UPDATE is allowed. */
  | { readonly kind: "updateReceived" };

export interface StopEvent {
  readonly kind: "stop";
  readonly manual: boolean;
  readonly notification: NotificationMessage | undefined;
  readonly restartSeconds: number | undefined;
}

export type FsmAction =
  | { readonly kind: "dial" }
  /** Whatever was sent still goes out. */
  | { readonly kind: "close" }
  /** At once: the peer does not read. */
  | { readonly kind: "abort" }
  | { readonly kind: "sendOpen" }
  | { readonly kind: "sendKeepalive" }
  | { readonly kind: "sendNotification"; readonly notification: NotificationMessage }
  | { readonly kind: "startTimer"; readonly timer: TimerName; readonly seconds: number }
  | { readonly kind: "stopTimer"; readonly timer: TimerName }
  | { readonly kind: "up" }
  | { readonly kind: "down" };

export interface FsmStep {
  readonly state: FsmState;
  readonly actions: readonly FsmAction[];
}
