/** Waits for what will be true soon, and says clearly what was not. */

import { setTimeout as sleep } from "node:timers/promises";

class WaitError extends Error {
  override readonly name = "WaitError";
}

export interface WaitOptions {
  /** Ends the sentence "timed out waiting for ...". */
  readonly what: string;
  /** Milliseconds; default 10,000. */
  readonly timeout?: number;
  /** Milliseconds between two looks; default 50. */
  readonly interval?: number;
}

/** Calls `look` until it gives something truthy, and returns that. What it last gave or threw stands in the error. */
export async function waitFor<T>(
  look: () => T | Promise<T>,
  { what, timeout = 10_000, interval = 50 }: WaitOptions,
): Promise<Exclude<T, undefined | null | false>> {
  const started = performance.now();
  let last: unknown;
  for (;;) {
    try {
      const value = await look();
      if (value) return value as Exclude<T, undefined | null | false>;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() - started > timeout) break;
    await sleep(interval);
  }
  const seen = last instanceof Error ? `the last look failed: ${last.message}` : `last seen: ${JSON.stringify(last)}`;
  throw new WaitError(`timed out after ${timeout / 1000} s waiting for ${what}; ${seen}`);
}
