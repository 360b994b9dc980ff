/** The timers of one session (RFC 4271 §10), and what the two that watch the peer count as a sign of life. */

import type { TimerName } from "./fsm-types.ts";
import type { Clock, Timer } from "./model/ports.ts";

export interface TimersParts {
  readonly clock: Clock;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Octets from the peer are waiting to be looked at. */
  readonly hasInput: () => boolean;
  /** Octets written that have not gone out. */
  readonly unsent: () => number;
  readonly expired: (timer: TimerName) => void;
}

export class SessionTimers {
  readonly #parts: TimersParts;
  readonly #timers: Record<TimerName, Timer | undefined> = {
    connectRetry: undefined,
    hold: undefined,
    keepalive: undefined,
    idleHold: undefined,
    sendHold: undefined,
  };
  readonly #expiresAt: Partial<Record<TimerName, number>> = {};
  #holdMilliseconds = 0;
  #heardAt = 0;
  #sendHoldMilliseconds = 0;
  #sentAt = 0;
  #unsent = 0;

  constructor(parts: TimersParts) {
    this.#parts = parts;
  }

  start(timer: TimerName, seconds: number): void {
    const milliseconds = seconds * 1000;
    switch (timer) {
      case "hold":
        this.#heardAt = this.#parts.clock.now();
        // With each message; the running timer looks at `#heardAt` when it fires.
        if (this.#holdMilliseconds === milliseconds && this.#timers.hold !== undefined) return;
        this.#holdMilliseconds = milliseconds;
        this.#arm("hold", milliseconds, () => this.#holdFired());
        return;
      case "sendHold":
        this.#sendHoldMilliseconds = milliseconds;
        this.#sentAt = this.#parts.clock.now();
        this.#unsent = 0;
        this.#arm("sendHold", milliseconds, () => this.#sendHoldFired());
        return;
      case "idleHold":
        this.#arm(timer, milliseconds, () => this.#fire(timer));
        return;
      default:
        // §10: between three quarters and all of the time, so that timers of many sessions drift apart.
        this.#arm(timer, milliseconds * (0.75 + this.#parts.random() / 4), () => this.#fire(timer));
    }
  }

  stop(timer: TimerName): void {
    this.#timers[timer]?.cancel();
    this.#timers[timer] = undefined;
  }

  stopAll(): void {
    for (const timer of Object.keys(this.#timers) as TimerName[]) this.stop(timer);
  }

  /** Milliseconds; undefined unless it runs. */
  remaining(timer: TimerName): number | undefined {
    if (this.#timers[timer] === undefined) return undefined;
    const at = timer === "hold" ? this.#heardAt + this.#holdMilliseconds : (this.#expiresAt[timer] ?? 0);
    return Math.max(0, at - this.#parts.clock.now());
  }

  /** Something is about to be written. `RFC 9687`: what counts is that the peer takes something. */
  watchSending(): void {
    const unsent = this.#parts.unsent();
    // Less than before: it took some. Nothing: it has taken all.
    if (unsent === 0 || unsent < this.#unsent) this.#sentAt = this.#parts.clock.now();
    this.#unsent = unsent;
  }

  #holdFired(): void {
    const rest = this.#heardAt + this.#holdMilliseconds - this.#parts.clock.now();
    if (rest > 0) {
      this.#arm("hold", rest, () => this.#holdFired());
      return;
    }
    // RFC 4271 §6.5 times what was received: input still queued means that we are slow, not that the peer is dead. After
    // a pause of the whole process timers fire before sockets are read, so those have their turn first.
    this.#arm("hold", this.#holdMilliseconds, () => this.#holdFired());
    const heardAt = this.#heardAt;
    this.#parts.clock.soon(() => {
      if (this.#timers.hold === undefined || this.#heardAt !== heardAt) return;
      if (this.#parts.hasInput()) this.#heardAt = this.#parts.clock.now();
      else this.#fire("hold");
    });
  }

  #sendHoldFired(): void {
    this.watchSending();
    const rest = this.#sentAt + this.#sendHoldMilliseconds - this.#parts.clock.now();
    if (rest > 0) this.#arm("sendHold", rest, () => this.#sendHoldFired());
    else this.#fire("sendHold");
  }

  #fire(timer: TimerName): void {
    this.stop(timer);
    this.#parts.expired(timer);
  }

  #arm(timer: TimerName, milliseconds: number, run: () => void): void {
    this.#timers[timer]?.cancel();
    this.#expiresAt[timer] = this.#parts.clock.now() + milliseconds;
    this.#timers[timer] = this.#parts.clock.after(milliseconds, run);
  }
}
