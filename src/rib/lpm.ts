/** Longest-prefix match by probing a hash at the lengths in use: no second structure to keep, a few probes a lookup. */

import { addressBits, type Family } from "../bgp/model/family.ts";
import { wordMask } from "../bgp/model/prefix.ts";

/** PrefixTable is one. */
export interface PrefixLookup {
  readonly family: Family;
  /** The prefix's id, or -1. Host bits are zero; the words may be signed. */
  find(w0: number, w1: number, w2: number, w3: number, length: number): number;
  /** True if some prefix of that length is in the table. */
  hasLength(length: number): boolean;
}

/**
 * The id of the longest prefix of at most `maxLength` bits that holds the address, or -1. Whoever cannot use what is found asks
 * again with a `maxLength` one below the length of that.
 */
export function longestMatch(
  table: PrefixLookup,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
  maxLength: number,
): number {
  for (let length = Math.min(maxLength, addressBits(table.family)); length >= 0; length--) {
    if (!table.hasLength(length)) continue;
    const id = table.find(
      w0 & wordMask(length, 0),
      w1 & wordMask(length, 1),
      w2 & wordMask(length, 2),
      w3 & wordMask(length, 3),
      length,
    );
    if (id >= 0) return id;
  }
  return -1;
}
