/** What the kernel refuses, in one line for each reason and not one for each route. */

import { familyName } from "../bgp/model/family.ts";
import type { Clock, Logger } from "../bgp/model/ports.ts";
import { formatPrefix, type Prefix } from "../bgp/model/prefix.ts";

const QUIET_MILLISECONDS = 10_000;

interface Refusal {
  readonly example: Prefix;
  count: number;
}

export class RefusalLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #pending = new Map<string, Refusal>();
  #nextFlush = 0;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  note(prefix: Prefix, reason: string): void {
    const known = this.#pending.get(reason);
    if (known === undefined) this.#pending.set(reason, { example: prefix, count: 1 });
    else known.count++;
  }

  /** Once the queue is empty; says it at most every ten seconds. */
  flush(): void {
    if (this.#pending.size === 0 || this.#clock.now() < this.#nextFlush) return;
    this.#nextFlush = this.#clock.now() + QUIET_MILLISECONDS;
    for (const [reason, { example, count }] of this.#pending) {
      const family = familyName(example.family);
      this.#log.warn({ reason, family, count, example: formatPrefix(example) }, "kernel refused routes");
    }
    this.#pending.clear();
  }
}
