/** Destinations as people and tests see them; the tables hold the same words in columns. */

import { formatAddress, type IpAddress, parseAddress } from "./address.ts";
import { addressBits, Family } from "./family.ts";

/** Host bits are zero in every Prefix that this module makes. */
export interface Prefix extends IpAddress {
  readonly length: number;
}

/** The mask of one 32-bit word when `bits` bits of the address fall into it or before; word 0 is the highest. */
export function wordMask(length: number, word: 0 | 1 | 2 | 3): number {
  const bits = length - word * 32;
  return bits <= 0 ? 0 : bits >= 32 ? 0xffffffff : (0xffffffff << (32 - bits)) >>> 0;
}

/** `length` must be 0 to 32 (IPv4) or 128 (IPv6); host bits are cleared. */
export function prefixOf(address: IpAddress, length: number): Prefix {
  return {
    family: address.family,
    w0: (address.w0 & wordMask(length, 0)) >>> 0,
    w1: (address.w1 & wordMask(length, 1)) >>> 0,
    w2: (address.w2 & wordMask(length, 2)) >>> 0,
    w3: (address.w3 & wordMask(length, 3)) >>> 0,
    length,
  };
}

/** "10.0.0.0/8"; undefined if it is not a prefix. A bare address counts as a host prefix. Host bits are cleared. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  if (slash < 0) return prefixOf(address, addressBits(address.family));
  const digits = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > addressBits(address.family)) return undefined;
  return prefixOf(address, Number(digits));
}

export function formatPrefix(p: Prefix): string {
  return `${formatAddress(p)}/${p.length}`;
}

export function prefixContains(outer: Prefix, inner: IpAddress, innerLength: number): boolean {
  if (outer.family !== inner.family || innerLength < outer.length) return false;
  return (
    ((outer.w0 ^ inner.w0) & wordMask(outer.length, 0)) === 0 &&
    (outer.family === Family.Ipv4 ||
      (((outer.w1 ^ inner.w1) & wordMask(outer.length, 1)) === 0 &&
        ((outer.w2 ^ inner.w2) & wordMask(outer.length, 2)) === 0 &&
        ((outer.w3 ^ inner.w3) & wordMask(outer.length, 3)) === 0))
  );
}
