/** A walk over a whole table in slices, so that a million routes do not hold up the event loop. */

import type { Clock } from "../bgp/model/ports.ts";
import type { RouteTable } from "./route-table.ts";

const SLICE_IDS = 8192;

/** `visit` may change or remove the record that it is given. Records that come meanwhile may or may not be visited. */
export function sweep(clock: Clock, table: RouteTable, visit: (id: number) => void, done: () => void): void {
  let next = 0;
  const slice = () => {
    const end = Math.min(next + SLICE_IDS, table.end);
    for (; next < end; next++) if (table.isLive(next)) visit(next);
    if (next < table.end) clock.soon(slice);
    else done();
  };
  slice();
}
