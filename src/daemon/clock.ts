/** Time as the operating system has it. */

import type { Clock, Timer } from "../bgp/model/ports.ts";

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(milliseconds: number, run: () => void): Timer {
    // Sockets keep the daemon alive; once they are closed nothing that is due later is worth waiting for.
    const timer = setTimeout(run, milliseconds).unref();
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (run: () => void) => void setImmediate(run),
};
