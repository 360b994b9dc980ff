/** Two connections with one peer: which one stays (RFC 4271 §6.8, RFC 6286 §2.3, RFC 4724 §4.2). */

import type { SessionState } from "./fsm-types.ts";
import type { Asn, RouterId } from "./model/ids.ts";

export interface Contender {
  readonly state: SessionState;
  /** The peer opened it. */
  readonly incoming: boolean;
}

export type CollisionVerdict =
  /** No collision, or none yet. */
  | "both"
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
}): CollisionVerdict {
  const { fresh, other } = facts;
  // CollisionDetectEstablishedState (§8.1.1) is off: an Established session wins, unless the peer restarted behind it.
  if (other.state === "Established") return facts.isRestart ? "replaceOther" : "closeNew";
  // §6.8 looks at connections in OpenConfirm: in OpenSent the other's peer is not known yet, and its OPEN decides later.
  if (other.state !== "OpenConfirm") return "both";
  // Both opened by the same side: the peer gave up the older one.
  if (fresh.incoming === other.incoming) return "closeOther";
  return keepsIncoming(facts) === fresh.incoming ? "closeOther" : "closeNew";
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
