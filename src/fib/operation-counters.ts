/** How many route requests ended how. */

import { errnoName } from "../sys/errno.ts";
import type { FibCounters } from "./fib.ts";
import { Operation } from "./request-batch.ts";

const NAMES: Readonly<Record<Operation, "add" | "replace" | "delete">> = {
  [Operation.Add]: "add",
  [Operation.Replace]: "replace",
  [Operation.Delete]: "delete",
};
const ERRNOS = 134;

export class OperationCounters {
  /** One row for each operation, by errno. */
  readonly #counts = new Float64Array(3 * ERRNOS);

  count(operation: Operation, errno: number): void {
    const at = operation * ERRNOS + Math.min(errno, ERRNOS - 1);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  snapshot(): FibCounters["operations"] {
    const rows: { op: "add" | "replace" | "delete"; result: string; count: number }[] = [];
    for (const operation of Object.values(Operation)) {
      for (let errno = 0; errno < ERRNOS; errno++) {
        const count = this.#counts[operation * ERRNOS + errno] ?? 0;
        if (count > 0) rows.push({ op: NAMES[operation], result: errno === 0 ? "ok" : errnoName(errno), count });
      }
    }
    return rows;
  }
}
