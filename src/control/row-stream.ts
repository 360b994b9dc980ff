/** Rows from a pull iterator to a slow reader: never more than a slice in memory, never long in one turn of the event loop. */

import type { Writable } from "node:stream";
import type { Clock } from "../bgp/model/ports.ts";

const SLICE_ROWS = 256;
const SLICE_MILLISECONDS = 2;
/** Reading the clock costs about as much as a tenth of a row, so not after every row. */
const ROWS_BETWEEN_CLOCK_READS = 16;

/**
 * Writes until the rows end or `signal` aborts, and returns how many were written. Whoever owns `out` aborts the signal when it
 * closes; the iterator is then told to let go of what it holds.
 */
export async function streamRows<Row extends object>(
  rows: Iterator<Row | undefined, void>,
  encode: (row: Row) => string,
  out: Writable,
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  let written = 0;
  let finished = false;
  try {
    while (!signal.aborted) {
      const slice = nextSlice(rows, SLICE_ROWS, clock);
      written += slice.rows.length;
      finished = slice.finished;
      let chunk = "";
      for (const row of slice.rows) chunk += encode(row);
      if (chunk !== "" && !out.write(chunk) && !finished) await drained(out, signal);
      if (finished) break;
      await turn(clock);
    }
    return written;
  } finally {
    if (!finished) rows.return?.();
  }
}

/** At most `limit` rows, collected over as many turns as it takes. */
export async function collectRows<Row extends object>(
  rows: Iterator<Row | undefined, void>,
  limit: number,
  clock: Clock,
): Promise<{ rows: Row[]; finished: boolean }> {
  const collected: Row[] = [];
  while (collected.length < limit) {
    const slice = nextSlice(rows, Math.min(SLICE_ROWS, limit - collected.length), clock);
    for (const row of slice.rows) collected.push(row);
    if (slice.finished) return { rows: collected, finished: true };
    await turn(clock);
  }
  return { rows: collected, finished: false };
}

/** The other work's turn. */
export function turn(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.soon(resolve));
}

function nextSlice<Row extends object>(
  rows: Iterator<Row | undefined, void>,
  limit: number,
  clock: Clock,
): { rows: Row[]; finished: boolean } {
  const slice: Row[] = [];
  const end = clock.now() + SLICE_MILLISECONDS;
  while (slice.length < limit) {
    const next = rows.next();
    if (next.done === true) return { rows: slice, finished: true };
    // Undefined: much was looked at and nothing found, and others want their turn.
    if (next.value === undefined) break;
    slice.push(next.value);
    if (slice.length % ROWS_BETWEEN_CLOCK_READS === 0 && clock.now() >= end) break;
  }
  return { rows: slice, finished: false };
}

function drained(out: Writable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      out.off("drain", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    out.on("drain", done);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
