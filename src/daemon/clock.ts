/** Time as the operating system has it. */

import type { Clock, Timer } from "../bgp/model/ports.ts";

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(milliseconds: number, run: () => void): Timer {
    // Sockets keep the daemon alive; once they are closed nothing that is due later is worth waiting for.
    return new SystemTimer(setTimeout(run, milliseconds).unref());
  },
  soon: (run: () => void) => void setImmediate(run),
};

class SystemTimer implements Timer {
  readonly #timeout: NodeJS.Timeout;

  constructor(timeout: NodeJS.Timeout) {
    this.#timeout = timeout;
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }
}
