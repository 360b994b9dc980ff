/** What becomes of a peer's routes when its session ends and when it comes back (RFC 4724 §4.2, RFC 8538, RFC 9494 §4.2). */

import type { Family } from "../bgp/model/family.ts";
import { FAMILIES } from "../bgp/model/family.ts";
import type { Clock, SessionEnd, SessionFacts } from "../bgp/model/ports.ts";
import { Retention, type RibPeer } from "./rib-peer.ts";

/** RFC 7313 §4 leaves the bound on a refresh to us: routes that a peer never confirms do not stay for ever. */
const REFRESH_BOUND_MILLISECONDS = 300_000;
/** RFC 4724 §4.2 leaves it to us how long a peer that is back may take to its End-of-RIB. */
const TELL_BOUND_MILLISECONDS = 300_000;

export class Retainer {
  readonly #clock: Clock;
  readonly #sweep: (peer: RibPeer, family: Family) => void;

  /** `sweep`: look at every path of that peer and family again. */
  constructor(clock: Clock, sweep: (peer: RibPeer, family: Family) => void) {
    this.#clock = clock;
    this.#sweep = sweep;
  }

  /** The session ended. */
  ended(peer: RibPeer, end: SessionEnd): void {
    for (const family of FAMILIES) {
      const kept = end.kind === "retain" ? end.families.find((f) => f.family === family) : undefined;
      if (kept === undefined || kept.staleSeconds + kept.longLivedSeconds === 0) this.#purge(peer, family);
      else if (kept.staleSeconds > 0) this.#restart(peer, family, kept.staleSeconds, kept.longLivedSeconds);
      else this.#longLive(peer, family, kept.longLivedSeconds, true);
    }
  }

  /** RFC 4724 §4.2: what the peer says it did not keep across its restart goes at once; the rest waits for End-of-RIB. */
  returned(peer: RibPeer, facts: SessionFacts): void {
    for (const family of FAMILIES) {
      const state = peer.family(family);
      if (state.retention === Retention.None) continue;
      const speaks = facts.families.some((f) => f.family === family);
      if (!speaks || !facts.forwardingPreserved.includes(family) || !facts.sendsEndOfRib) this.confirmed(peer, family);
      else if (state.retention === Retention.Restarting) {
        // It was the time to come back in, and it is back. That of RFC 9494 runs on until End-of-RIB.
        state.timer?.cancel();
        state.timer = this.#clock.after(TELL_BOUND_MILLISECONDS, () => this.confirmed(peer, family));
      }
    }
  }

  /** End-of-RIB or EoRR: what was not announced again is gone. */
  confirmed(peer: RibPeer, family: Family): void {
    const state = peer.family(family);
    if (state.retention === Retention.None) return;
    state.endRetention();
    this.#sweep(peer, family);
  }

  /** BoRR. During a graceful restart End-of-RIB decides, so that nothing is kept twice. */
  refreshing(peer: RibPeer, family: Family): void {
    const state = peer.family(family);
    if (state.retention === Retention.Restarting || state.retention === Retention.LongLived) return;
    // A second BoRR before the EoRR begins the same refresh again.
    if (state.retention === Retention.None) state.nextEpoch(Retention.Refreshing);
    state.timer?.cancel();
    state.timer = this.#clock.after(REFRESH_BOUND_MILLISECONDS, () => this.confirmed(peer, family));
  }

  #purge(peer: RibPeer, family: Family): void {
    peer.family(family).nextEpoch(Retention.None);
    this.#sweep(peer, family);
  }

  #restart(peer: RibPeer, family: Family, staleSeconds: number, longLivedSeconds: number): void {
    const state = peer.family(family);
    // Routes that were stale already are an epoch older now, and so gone: a second restart purges them (RFC 4724 §4.2).
    state.nextEpoch(Retention.Restarting);
    state.timer = this.#clock.after(staleSeconds * 1000, () => {
      if (longLivedSeconds > 0 && peer.facts === undefined) this.#longLive(peer, family, longLivedSeconds, false);
      else this.confirmed(peer, family);
    });
    this.#sweep(peer, family);
  }

  #longLive(peer: RibPeer, family: Family, seconds: number, fresh: boolean): void {
    const state = peer.family(family);
    if (fresh) state.nextEpoch(Retention.LongLived);
    else state.retention = Retention.LongLived;
    state.timer?.cancel();
    state.timer = this.#clock.after(seconds * 1000, () => this.confirmed(peer, family));
    this.#sweep(peer, family);
  }
}
