/** What the process spends: processor, memory, descriptors, garbage collection. The one door to prom-client. */

import { collectDefaultMetrics, Registry } from "prom-client";

/** Its counters begin when it is made. */
export class ProcessMetrics {
  readonly #registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  close(): void {
    this.#registry.clear();
  }
}
