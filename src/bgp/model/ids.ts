/** The numbers of the protocol and of the tables, each with its own brand. */

import type { Brand } from "./brand.ts";

/** An AS number, two or four octets (RFC 6793). */
export type Asn = Brand<number, "Asn">;
/** A BGP Identifier as an unsigned 32-bit number in network order (RFC 4271 §4.2, RFC 6286). Cluster ids too. */
export type RouterId = Brand<number, "RouterId">;
/** A peer of this speaker; small and dense, given by the daemon, never reused while its routes stand. 0 is this speaker itself. */
export type PeerId = Brand<number, "PeerId">;
/** A destination in one family's prefix table. */
export type PrefixId = Brand<number, "PrefixId">;
/** One peer's entry for a destination, in one family's path store. */
export type PathId = Brand<number, "PathId">;
/** An interned set of path attributes; 0 means none. */
export type AttrsId = Brand<number, "AttrsId">;

export const AS_TRANS = 23456 as Asn;

/** Throws RangeError unless `n` is an unsigned 32-bit integer. */
export function asn(n: number): Asn {
  if (n >>> 0 !== n) throw new RangeError(`not an AS number: ${n}`);
  return n as Asn;
}

/** Throws RangeError unless `n` is an unsigned 32-bit integer. */
export function routerId(n: number): RouterId {
  if (n >>> 0 !== n) throw new RangeError(`not a BGP Identifier: ${n}`);
  return n as RouterId;
}

/** "10.0.0.1" for 0x0a000001. */
export function formatRouterId(id: RouterId): string {
  return `${id >>> 24}.${(id >>> 16) & 255}.${(id >>> 8) & 255}.${id & 255}`;
}

/** The routes that this speaker originates itself carry this peer. */
export const LOCAL_PEER = 0 as PeerId;
