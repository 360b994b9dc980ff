/** Time as the operating system has it. */

import type { Clock, Timer } from "../bgp/model/ports.ts";

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after(milliseconds: number, run: () => void): Timer {
    const timer = setTimeout(run, milliseconds);
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (run: () => void) => void setImmediate(run),
};
