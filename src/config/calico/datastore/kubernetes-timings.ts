/** How long things may take between starling and the API server, and how long to wait before they are tried again. */

import type { Clock } from "../../../bgp/model/ports.ts";

/** Milliseconds, where nothing else is said. */
export interface Timings {
  /** For an answer to begin, and between two portions of a list. */
  readonly answer: number;
  /** Seconds after which the server is asked to end a watch; up to a quarter more, so that not all end together. */
  readonly watchSeconds: number;
  /** Without a sign of life on a watch of a server that sends bookmarks. */
  readonly bookmark: number;
  /** A watch that ends sooner did not go well. */
  readonly shortWatch: number;
  /** The first wait after a failure. Each doubles, up to the longest. */
  readonly firstWait: number;
  readonly longestWait: number;
  /** After a refusal that only an administrator can lift. */
  readonly refused: number;
  /** Objects in one page of a list. */
  readonly pageSize: number;
}

export const TIMINGS: Timings = {
  answer: 30_000,
  watchSeconds: 300,
  bookmark: 180_000,
  shortWatch: 1_000,
  firstWait: 500,
  longestWait: 30_000,
  refused: 30_000,
  pageSize: 500,
};

/** Waits that double, with jitter: a thousand nodes must not come back to the API server at the same moment. */
export class Backoff {
  readonly #clock: Clock;
  readonly #timings: Timings;
  readonly #signal: AbortSignal;
  /** In a row. */
  failures = 0;

  constructor(clock: Clock, timings: Timings, signal: AbortSignal) {
    this.#clock = clock;
    this.#timings = timings;
    this.#signal = signal;
  }

  reset(): void {
    this.failures = 0;
  }

  /** Half of the time is left to chance. Resolves early when all is over. */
  wait(atLeast = 0, atMost = this.#timings.longestWait): Promise<void> {
    const doubled = this.#timings.firstWait * 2 ** Math.min(this.failures++, 16);
    const most = Math.max(Math.min(doubled, atMost), atLeast);
    const milliseconds = Math.max(most * (0.5 + Math.random() / 2), Math.min(atLeast, most));
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel();
        this.#signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = this.#clock.after(milliseconds, done);
      this.#signal.addEventListener("abort", done, { once: true });
      if (this.#signal.aborted) done();
    });
  }
}
