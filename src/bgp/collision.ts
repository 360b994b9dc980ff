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

export type CollisionVerdict =
  /** No collision, or none yet. */
  | "both"
  /** The other one would stay, and its OPEN is on its way: what becomes of this one shows soon. */
  | "wait"
  /** The connection on which the OPEN came goes, with a Cease. */
  | "closeNew"
  /** The other one goes, with a Cease. */
  | "closeOther"
  /** The other one is a relic of before the peer's restart: it goes without a word, and its routes stay. */
  | "replaceOther";

/** Asked when a valid OPEN has come on `fresh` while `other` exists. */
export function resolveCollision(facts: {
  readonly fresh: Contender;
  readonly other: Contender;
  readonly localRouterId: RouterId;
  readonly localAs: Asn;
  readonly remoteRouterId: RouterId;
  readonly remoteAs: Asn;
  /** `other` negotiated graceful restart, and `fresh` came after it was Established. */
  readonly isRestart: boolean;
  /** `fresh` has not waited for long yet. */
  readonly isPatient: boolean;
}): CollisionVerdict {
  const { fresh, other } = facts;
  // CollisionDetectEstablishedState (§8.1.1) is off: an Established session wins, unless the peer restarted behind it.
  if (other.state === "Established") return facts.isRestart ? "replaceOther" : "closeNew";
  if (!other.isHeard) return other.state === "OpenSent" && facts.isPatient && loses(facts) ? "wait" : "both";
  // Both opened by the same side: the peer gave up the older one.
  if (fresh.incoming === other.incoming) return "closeOther";
  return loses(facts) ? "closeNew" : "closeOther";
}

/**
 * RFC: §6.8 looks at connections in OpenConfirm, so that the connection that loses may be Established for a moment on the side whose
 * peer hears both OPENs later: a session that comes and goes.
 *
 * Ours: it answers an OPEN on such a connection only when the other one's has come, or has not come for a while.
 */
function loses(facts: Parameters<typeof resolveCollision>[0]): boolean {
  return facts.fresh.incoming !== facts.other.incoming && keepsIncoming(facts) !== facts.fresh.incoming;
}

/** §6.8: the connection that the side with the higher BGP Identifier opened stays; RFC 6286 §2.3: or the higher AS number. */
function keepsIncoming(facts: {
  readonly localRouterId: RouterId;
  readonly localAs: Asn;
  readonly remoteRouterId: RouterId;
  readonly remoteAs: Asn;
}): boolean {
  if (facts.localRouterId !== facts.remoteRouterId) return facts.localRouterId < facts.remoteRouterId;
  return facts.localAs < facts.remoteAs;
}
