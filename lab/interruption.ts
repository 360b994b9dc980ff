/** Ends the lab before its end: Ctrl-C, a signal, a terminal that is gone. */

import { constants } from "node:os";

export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** As a shell counts it: 128 and the signal's number. */
  readonly status: number;

  constructor(reason: string, status: number) {
    super(reason);
    this.status = status;
  }
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Rejects with Interrupted. From here on no signal ends the process by itself: what it built must be taken down first. */
export function listenForInterruption(): Promise<never> {
  const interruption = new Promise<never>((_resolve, reject) => {
    for (const signal of signals) {
      process.on(signal, () => reject(new Interrupted(`stopped by ${signal}`, 128 + constants.signals[signal])));
    }
    process.stdout.on("error", () => reject(new Interrupted("nobody reads what it prints", 1)));
    process.stderr.on("error", () => undefined);
  });
  // Nobody may be waiting for it yet.
  interruption.catch(() => undefined);
  return interruption;
}
