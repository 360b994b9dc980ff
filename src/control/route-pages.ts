/** Half-read route queries, kept for the client that pages through them with limit and cursor. */

import { randomBytes } from "node:crypto";
import type { Clock, Timer } from "../bgp/model/ports.ts";
import type { RouteView } from "./views.ts";

const MAX_PARKED = 16;
const LIFETIME_MILLISECONDS = 120_000;

interface Parked {
  readonly rows: Iterator<RouteView | undefined, void>;
  readonly timer: Timer;
}

/**
 * A cursor names an iterator that stands where its page ended, so that reading the whole table page by page costs one walk, not
 * one per page. Each is good for one use, and for two minutes; when too many are open the oldest goes.
 */
export class RoutePages {
  readonly #clock: Clock;
  readonly #parked = new Map<string, Parked>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  park(rows: Iterator<RouteView | undefined, void>): string {
    if (this.#parked.size >= MAX_PARKED) {
      const oldest = this.#parked.keys().next();
      if (oldest.done !== true) this.#drop(oldest.value);
    }
    const cursor = randomBytes(12).toString("base64url");
    const timer = this.#clock.after(LIFETIME_MILLISECONDS, () => this.#drop(cursor));
    this.#parked.set(cursor, { rows, timer });
    return cursor;
  }

  /** Undefined when there is no such cursor any more. */
  take(cursor: string): Iterator<RouteView | undefined, void> | undefined {
    const parked = this.#parked.get(cursor);
    if (parked === undefined) return undefined;
    parked.timer.cancel();
    this.#parked.delete(cursor);
    return parked.rows;
  }

  close(): void {
    for (const cursor of [...this.#parked.keys()]) this.#drop(cursor);
  }

  #drop(cursor: string): void {
    this.take(cursor)?.return?.();
  }
}
