/** The programs that the lab runs in the background: none outlives it, and none begins once it ends. */

import type { LabNode } from "../test/harness/lab-node.ts";
import type { BackgroundProcess } from "../test/harness/process.ts";
import { LabError } from "./lab-error.ts";

export class Programs {
  readonly #started: BackgroundProcess[] = [];
  #isOver = false;

  /** In a session of its own, so that Ctrl-C reaches the lab alone, which then ends its programs itself. */
  spawn(
    node: LabNode,
    command: readonly string[],
    name: string,
    env?: Readonly<Record<string, string>>,
  ): BackgroundProcess {
    if (this.#isOver) throw new LabError(`the lab is over: ${name} is not started`);
    const started = node.spawn(["setsid", ...command], name, env);
    this.#started.push(started);
    return started;
  }

  /** Resolves when all are gone. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#started.map((program) => program.stop("SIGKILL")));
  }
}
