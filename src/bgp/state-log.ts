/** One line for each change of a peer's state; but a peer that is not there is tried again and again, which is said once for each reason. */

import { RANK, type SessionState } from "./fsm-types.ts";
import type { Logger } from "./model/ports.ts";

const MANY_REASONS = 16;

export class StateLog {
  readonly #logger: Logger;
  /** Reasons logged since there last was a connection. */
  #said: Set<string> | undefined = undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  changed(peer: { name: string; isDynamic: boolean }, from: SessionState, to: SessionState, reason: string): void {
    // Whoever comes from a range is new each time: the speaker sums up those that come to no session.
    const isPassing = peer.isDynamic && from !== "Established" && to !== "Established";
    let level: "info" | "debug" = isPassing ? "debug" : "info";
    if (RANK[from] > RANK.Connect || RANK[to] > RANK.Connect) this.#said = undefined;
    else if (this.#said?.has(reason)) level = "debug";
    else if ((this.#said?.size ?? 0) < MANY_REASONS) this.#said = (this.#said ?? new Set()).add(reason);
    this.#logger[level]({ peer: peer.name, from, to, reason }, "session state");
  }
}
