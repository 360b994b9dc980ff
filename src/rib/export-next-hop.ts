/** The next hop that a route leaves with (RFC 4271 §5.1.3, RFC 2545 §3, RFC 8950). */

import { type IpAddress, isLinkLocal, isUnspecified } from "../bgp/model/address.ts";
import type { NextHopPair } from "../bgp/model/attribute-edit.ts";
import { Family } from "../bgp/model/family.ts";
import type { AttributeView } from "../bgp/model/ports.ts";
import type { NextHopMode } from "./options.ts";
import type { PolicyEdits } from "./policy/evaluate.ts";

export interface NextHopTarget {
  readonly family: Family;
  readonly internal: boolean;
  readonly nextHop: NextHopMode;
  /** Our addresses on the session, as far as they are known. */
  readonly ipv4: IpAddress | undefined;
  /** Global. */
  readonly ipv6: IpAddress | undefined;
  /** Only if the peer is on the same link. */
  readonly linkLocal: IpAddress | undefined;
  /** IPv4 routes may have an IPv6 next hop (RFC 8950). */
  readonly extendedNextHop: boolean;
}

/** `from`: who we have the route from. Undefined when there is no next hop that these peers could take. */
export function nextHopFor(
  { nextHop }: Pick<AttributeView, "nextHop">,
  from: "local" | "internal" | "external",
  target: NextHopTarget,
  edits: PolicyEdits,
): NextHopPair | "kept" | undefined {
  if (edits.nextHop === "given") return carries(target, nextHop) ? "kept" : undefined;
  if (edits.nextHop === "self" || target.nextHop === "self" || !isKept(nextHop, target)) return self(target);
  if (carries(target, nextHop)) return "kept";
  // Reflected, the packets would not pass here without the change: better no route than a detour nobody asked for.
  return from === "internal" && target.internal ? undefined : self(target);
}

/**
 * RFC 4271 §5.1.3: towards internal peers the next hop stays; that of a route of our own is its gateway (which, if it is a peer,
 * is not told: PolicyOutbound.notTold). A link-local address means nothing beyond its link.
 * RFC: towards external peers the next hop may also be a third party's on the subnet shared with them.
 * Ours: `auto` always takes our own address there; `keep` and a policy's `nextHop` are for those who want the third party.
 */
function isKept(nextHop: IpAddress, target: NextHopTarget): boolean {
  if (isUnspecified(nextHop) || isLinkLocal(nextHop)) return false;
  return target.nextHop === "keep" || target.internal;
}

function carries(target: NextHopTarget, nextHop: IpAddress): boolean {
  return nextHop.family === target.family || (target.family === Family.Ipv4 && target.extendedNextHop);
}

/**
 * RFC: RFC 2545 §3 wants a global address in front of a link-local one.
 * Ours: on a link that has only link-local addresses both places hold it, the form that FRR and BIRD send and take.
 */
function self(target: NextHopTarget): NextHopPair | undefined {
  if (target.family === Family.Ipv4) {
    if (target.ipv4 !== undefined) return { nextHop: target.ipv4, linkLocalNextHop: undefined };
    if (!target.extendedNextHop) return undefined;
  }
  const nextHop = target.ipv6 ?? target.linkLocal;
  return nextHop === undefined ? undefined : { nextHop, linkLocalNextHop: target.linkLocal };
}
