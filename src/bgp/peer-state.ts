/** How a peer stands, and how it came to that: for people and for the log. */

import { RANK, type SessionState } from "./fsm-types.ts";
import type { Clock, Logger } from "./model/ports.ts";

const MANY_REASONS = 16;

export class PeerState {
  readonly #clock: Clock;
  readonly #logger: Logger;
  name: SessionState = "Idle";
  since: number;
  /** When a session last came to Established, or left it. */
  cameOrWent: number;
  transitions = 0;
  lastError: string | undefined = undefined;
  /** Said beside the failure of each attempt since, which tells less: "connection refused" hides no shutdown communication. */
  #sessionEnd = "";
  /** Reasons logged since there last was a connection. */
  #said: Set<string> | undefined = undefined;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
    this.since = clock.now();
    this.cameOrWent = this.since;
  }

  get shown(): { state: SessionState; since: number; cameOrWent: number; transitions: number } {
    return { state: this.name, since: this.since, cameOrWent: this.cameOrWent, transitions: this.transitions };
  }

  /** A session of the peer went from one state to a lower one. */
  fell(from: SessionState, reason: string): void {
    this.lastError = from === "Established" ? reason : `${reason}${this.#sessionEnd}`;
  }

  sessionEnded(reason: string): void {
    this.#sessionEnd = `; the last session ended: ${reason}`;
  }

  /** It may go on for days: once is enough. */
  unanswered(peer: string, why: string): void {
    const reason = `${why}${this.#sessionEnd}`;
    if (this.lastError !== reason) this.#logger.warn({ peer, reason }, "no answer");
    this.lastError = reason;
  }

  /** One line for each change; but a peer that is not there is tried again and again, which is said once for each reason. */
  become(to: SessionState, peer: { name: string; isDynamic: boolean }, reason: string): void {
    const from = this.name;
    this.name = to;
    this.since = this.#clock.now();
    if (from === "Established" || to === "Established") this.cameOrWent = this.since;
    // Whoever comes from a range is new each time: the speaker sums up those that come to no session.
    const isPassing = peer.isDynamic && from !== "Established" && to !== "Established";
    let level: "info" | "debug" = isPassing ? "debug" : "info";
    if (RANK[from] > RANK.Connect || RANK[to] > RANK.Connect) this.#said = undefined;
    else if (this.#said?.has(reason)) level = "debug";
    else if ((this.#said?.size ?? 0) < MANY_REASONS) this.#said = (this.#said ?? new Set()).add(reason);
    this.#logger[level]({ peer: peer.name, from, to, reason }, "session state");
  }
}
