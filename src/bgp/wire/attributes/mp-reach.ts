/** MP_REACH_NLRI, RFC 4760 §3, with next hops as RFC 2545 §3 and RFC 8950 §3 lay them out. */

import { type IpAddress, ipv4, ipv6, isLinkLocal, isUnspecified } from "../../model/address.ts";
import { Family } from "../../model/family.ts";
import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import { type AttributeRules, OPTIONAL_NON_TRANSITIVE } from "./contract.ts";

export const mpReach: AttributeRules = {
  type: 14,
  name: "MP_REACH_NLRI",
  flags: OPTIONAL_NON_TRANSITIVE,
  length: "any",
  onError: "reset",
  section: "RFC 7606 §7.11",
};

export interface MpNextHop {
  readonly nextHop: IpAddress;
  readonly linkLocal: IpAddress | undefined;
}

/** The octets that the next hop of `family` may have. */
export function isNextHopLength(length: number, family: Family, extendedNextHop: boolean): boolean {
  // RFC 4760 §3 lets IPv4 unicast ride here too, with a next hop of its own kind.
  if (family === Family.Ipv4) return length === 4 || (extendedNextHop && (length === 16 || length === 32));
  return length === 16 || length === 32;
}

/** `r` holds the next hop alone, of a length that was found right. */
export function decodeMpNextHop(r: Reader): MpNextHop {
  if (r.remaining === 4) return { nextHop: ipv4(r.u32()), linkLocal: undefined };
  const nextHop = decodeIpv6(r);
  return { nextHop, linkLocal: r.remaining === 0 ? undefined : decodeIpv6(r) };
}

/**
 * What a received next hop means. RFC 2545 §3: a global address and a link-local one. Ours: speakers without a global address
 * fill its place with :: or with the link-local address again, and then the link-local one is the next hop.
 */
export function settleNextHop({ nextHop, linkLocal }: MpNextHop): MpNextHop {
  if (linkLocal === undefined || !isLinkLocal(linkLocal)) return { nextHop, linkLocal: undefined };
  if (isUnspecified(nextHop) || isLinkLocal(nextHop)) return { nextHop: linkLocal, linkLocal: undefined };
  return { nextHop, linkLocal };
}

/** RFC 4271 §6.3: an address that a host can have. Loopback is one: speakers on one machine use it among themselves. */
export function isHostAddress(a: IpAddress): boolean {
  if (a.family === Family.Ipv4) return a.w0 >>> 24 !== 0 && a.w0 >>> 28 < 0xe;
  return !isUnspecified(a) && a.w0 >>> 24 !== 0xff;
}

/** The octets of a next hop, of a length that was found right, stand for a host's address and `settleNextHop` leaves them as they are. */
export function isPlainNextHop(bytes: Uint8Array, at: number, end: number): boolean {
  const first = bytes[at] as number;
  if (end - at === 4) return first !== 0 && first < 0xe0;
  if (first === 0xff || (first === 0 && isZero(bytes, at, at + 16))) return false;
  return end - at === 16 || (isLinkLocalAt(bytes, at + 16) && !isLinkLocalAt(bytes, at));
}

function isZero(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; at++) if (bytes[at] !== 0) return false;
  return true;
}

function isLinkLocalAt(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0xfe && ((bytes[at + 1] as number) & 0xc0) === 0x80;
}

/** The next hop without its length. */
export function encodeMpNextHop({ nextHop, linkLocal }: MpNextHop, w: Writer): void {
  w.u32(nextHop.w0);
  if (nextHop.family === Family.Ipv4) return;
  w.u32(nextHop.w1);
  w.u32(nextHop.w2);
  w.u32(nextHop.w3);
  if (linkLocal !== undefined) encodeMpNextHop({ nextHop: linkLocal, linkLocal: undefined }, w);
}

function decodeIpv6(r: Reader): IpAddress {
  return ipv6(r.u32(), r.u32(), r.u32(), r.u32());
}
