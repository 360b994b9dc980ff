/**
 * A Calico node whose port somebody else has: BIRD, as a rule, which leaves when its administrator takes it away. starling waits
 * with everything read, so that it speaks the moment after.
 */

import type { Clock, Logger, Timer } from "../bgp/model/ports.ts";
import type { Config } from "../config/model.ts";
import { isPortTaken } from "./ports.ts";

const LOOK_MILLISECONDS = 100;

export class PortWait {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #isTaken: typeof isPortTaken;
  #timer: Timer | undefined;
  #port: number | undefined;

  constructor(clock: Clock, logger: Logger, isTaken = isPortTaken) {
    this.#clock = clock;
    this.#logger = logger;
    this.#isTaken = isTaken;
  }

  /** What is in the way, in words; undefined if the port can be had. If it cannot, `again` is called a little later. */
  async obstacle({ listen }: Pick<Config, "listen">, again: () => void): Promise<string | undefined> {
    const { addresses, port } = listen;
    if (!(await this.#isTaken(addresses, port))) {
      if (this.#port !== undefined) this.#logger.info({ port }, "the port is free");
      this.#port = undefined;
      return undefined;
    }
    if (this.#port !== port)
      this.#logger.warn({ port }, "the port is in use by another program: waiting for it to end");
    this.#port = port;
    this.#timer ??= this.#clock.after(LOOK_MILLISECONDS, () => {
      this.#timer = undefined;
      again();
    });
    return `port ${port} is in use by another program (BIRD?): waiting for it to end`;
  }

  /** Idempotent. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
