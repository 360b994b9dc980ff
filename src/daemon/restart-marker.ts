/** A file beside the control socket that says "this daemon ran here and did not take leave": the next run is a restart (RFC 4724 §4.1). */

import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Logger } from "../bgp/model/ports.ts";

/** It lies in /run, which a reboot empties: after one nothing is left to keep. */
export class RestartMarker {
  readonly #path: string;
  readonly #logger: Logger;

  constructor(socketPath: string, logger: Logger) {
    this.#path = `${socketPath}.restart`;
    this.#logger = logger;
  }

  /** A run before left its mark. */
  isLeft(): boolean {
    return existsSync(this.#path);
  }

  /** For the next run. */
  leave(): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      writeFileSync(this.#path, `${process.pid}\n`);
    } catch (error) {
      // A full or read-only file system costs the next restart its grace, and nothing now.
      this.#logger.warn({ path: this.#path, err: error }, "cannot leave the restart mark");
    }
  }

  /** The peers were told good-bye. */
  remove(): void {
    rmSync(this.#path, { force: true });
  }
}
