/** Two connections with one peer: which one stays (RFC 4271 §6.8, RFC 6286 §2.3, RFC 4724 §4.2). */

import type { SessionState } from "./fsm-types.ts";
import type { Asn, RouterId } from "./model/ids.ts";

export interface Contender {
  readonly state: SessionState;
  /** The peer opened it. */
  readonly incoming: boolean;
  /** The peer's OPEN has come on it. */
  readonly isHeard: boolean;
}

export interface CollisionFacts {
  readonly fresh: Contender;
  readonly other: Contender | undefined;
  readonly localRouterId: RouterId;
  readonly localAs: Asn;
  readonly remoteRouterId: RouterId;
  readonly remoteAs: Asn;
  /** `fresh` came after `other` was Established, which negotiated graceful restart or says nothing since its key changed. */
  readonly isRestart: boolean;
  /** How long the OPEN on `fresh` has been waiting for its answer. */
  readonly waitedMilliseconds: number;
  /** How long `other` has been in its state. */
  readonly otherMilliseconds: number;
}

export type CollisionVerdict =
  /** No collision, or none yet. */
  | "both"
  /** What becomes of `fresh` shows soon: ask again. */
  | "wait"
  /** The connection on which the OPEN came goes, with a Cease. */
  | "closeNew"
  /** The other one goes, with a Cease. */
  | "closeOther"
  /** The other one is a relic of before the peer's restart: it goes without a word, and its routes stay. */
  | "replaceOther";

const ALONE_MILLISECONDS = 20;
const PATIENCE_MILLISECONDS = 1000;
const YOUNG_MILLISECONDS = 2000;

/**
 * Asked when a valid OPEN has come on `fresh`.
 *
 * RFC: §6.8 looks at connections in OpenConfirm when an OPEN comes, each side for itself. The connection that loses may then be
 * Established for a moment on the side that hears the OPENs in the other order, or each side closes another one.
 *
 * Ours: an OPEN on the connection that would lose is answered only when the other one's has come, or has not come for a second.
 */
export function resolveCollision(facts: CollisionFacts): CollisionVerdict {
  const { fresh, other, waitedMilliseconds } = facts;
  const isPatient = waitedMilliseconds < PATIENCE_MILLISECONDS;
  if (other === undefined) {
    // The peer's own connection may be waiting to be accepted.
    const mayBeFollowed = !fresh.incoming && keepsIncoming(facts);
    return mayBeFollowed && waitedMilliseconds < ALONE_MILLISECONDS ? "wait" : "both";
  }
  if (other.state === "Established") {
    // The peer may just be closing that session, because it had heard both OPENs before: then `fresh` is all that is left.
    if (isPatient && facts.otherMilliseconds < YOUNG_MILLISECONDS) return "wait";
    // CollisionDetectEstablishedState (§8.1.1) is off: an Established session wins, unless the peer restarted behind it.
    return facts.isRestart ? "replaceOther" : "closeNew";
  }
  const loses = fresh.incoming !== other.incoming && keepsIncoming(facts) !== fresh.incoming;
  if (!other.isHeard) return other.state === "OpenSent" && isPatient && loses ? "wait" : "both";
  // Both opened by the same side: the peer gave up the older one.
  return loses ? "closeNew" : "closeOther";
}

/** §6.8: the connection that the side with the higher BGP Identifier opened stays; RFC 6286 §2.3: or the higher AS number. */
function keepsIncoming(facts: CollisionFacts): boolean {
  if (facts.localRouterId !== facts.remoteRouterId) return facts.localRouterId < facts.remoteRouterId;
  return facts.localAs < facts.remoteAs;
}
