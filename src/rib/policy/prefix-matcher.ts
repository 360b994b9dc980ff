/** A prefix list ready for matching: a few ranges are tried one by one, many are found by hash, one probe for each length in use. */

import { addressBits, FAMILIES, Family } from "../../bgp/model/family.ts";
import { wordMask } from "../../bgp/model/prefix.ts";
import type { PrefixRange } from "./policy.ts";

/** Up to here a loop over all ranges is the faster way. */
const LINEAR = 16;

export class PrefixMatcher {
  readonly #ipv4: FamilyRanges;
  readonly #ipv6: FamilyRanges;

  constructor(ranges: readonly PrefixRange[]) {
    const [ipv4, ipv6] = FAMILIES.map((family) => ranges.filter((range) => range.prefix.family === family));
    this.#ipv4 = new FamilyRanges(Family.Ipv4, ipv4 ?? []);
    this.#ipv6 = new FamilyRanges(Family.Ipv6, ipv6 ?? []);
  }

  /** True if one of the ranges holds the prefix. Host bits must be zero; the words may be signed or unsigned. */
  matches(family: Family, w0: number, w1: number, w2: number, w3: number, length: number): boolean {
    return family === Family.Ipv4
      ? this.#ipv4.matches(w0, 0, 0, 0, length)
      : this.#ipv6.matches(w0, w1, w2, w3, length);
  }
}

const compiled = new WeakMap<readonly PrefixRange[], PrefixMatcher>();

/** Compiled when first asked for, and kept as long as the list lives. */
export function prefixMatcher(ranges: readonly PrefixRange[]): PrefixMatcher {
  let matcher = compiled.get(ranges);
  if (matcher === undefined) {
    matcher = new PrefixMatcher(ranges);
    compiled.set(ranges, matcher);
  }
  return matcher;
}

/**
 * A range below its own prefix's length ("10.0.0.0/16 ge 8", which BIRD and Calico's filters allow) also holds the prefixes that
 * contain it: one exact entry for each such length, so that every entry begins at its own length.
 */
function expand(range: PrefixRange, bits: number): PrefixRange[] {
  const { prefix, ge } = range;
  const le = Math.min(range.le, bits);
  const entries: PrefixRange[] = [];
  for (let length = Math.max(ge, 0); length < prefix.length && length <= le; length++) {
    entries.push({ prefix: { ...prefix, length }, ge: length, le: length });
  }
  if (le >= prefix.length && le >= ge) entries.push({ prefix, ge: Math.max(ge, prefix.length), le });
  return entries;
}

const STRIDE = 8;
const Word = { Length: 4, Ge: 5, Le: 6, Next: 7 } as const;

class FamilyRanges {
  readonly #count: number;
  /** Four words of address, length, ge, le, and the next entry of the same bucket + 1. */
  readonly #entries: Int32Array;
  readonly #heads: Int32Array;
  readonly #mask: number;
  /** Lengths in use, shortest first, each with its mask's four words. */
  readonly #lengths: Int32Array;
  readonly #masks: Int32Array;

  constructor(family: Family, ranges: readonly PrefixRange[]) {
    const bits = addressBits(family);
    const all = ranges.flatMap((range) => expand(range, bits));
    this.#count = all.length;
    this.#entries = new Int32Array(all.length * STRIDE);
    const buckets = all.length <= LINEAR ? 1 : 2 ** Math.ceil(Math.log2(all.length * 2));
    this.#heads = new Int32Array(buckets);
    this.#mask = buckets - 1;
    const lengths = [...new Set(all.map((range) => range.prefix.length))].sort((a, b) => a - b);
    this.#lengths = Int32Array.from(lengths);
    this.#masks = Int32Array.from(lengths.flatMap((length) => ([0, 1, 2, 3] as const).map((w) => wordMask(length, w))));
    for (const [i, range] of all.entries()) this.#put(i, range);
  }

  matches(w0: number, w1: number, w2: number, w3: number, length: number): boolean {
    if (this.#count <= LINEAR) return this.#matchesAny(w0, w1, w2, w3, length);
    const lengths = this.#lengths;
    const masks = this.#masks;
    for (let i = 0; i < lengths.length; i++) {
      const probe = lengths[i] as number;
      if (probe > length) return false;
      const m0 = w0 & (masks[i * 4] as number);
      const m1 = w1 & (masks[i * 4 + 1] as number);
      const m2 = w2 & (masks[i * 4 + 2] as number);
      const m3 = w3 & (masks[i * 4 + 3] as number);
      if (this.#probe(m0, m1, m2, m3, probe, length)) return true;
    }
    return false;
  }

  #matchesAny(w0: number, w1: number, w2: number, w3: number, length: number): boolean {
    const entries = this.#entries;
    for (let at = 0; at < entries.length; at += STRIDE) {
      if (length < (entries[at + Word.Ge] as number) || length > (entries[at + Word.Le] as number)) continue;
      const bits = entries[at + Word.Length] as number;
      if (
        (((entries[at] as number) ^ w0) & wordMask(bits, 0)) === 0 &&
        (((entries[at + 1] as number) ^ w1) & wordMask(bits, 1)) === 0 &&
        (((entries[at + 2] as number) ^ w2) & wordMask(bits, 2)) === 0 &&
        (((entries[at + 3] as number) ^ w3) & wordMask(bits, 3)) === 0
      ) {
        return true;
      }
    }
    return false;
  }

  #probe(m0: number, m1: number, m2: number, m3: number, bits: number, length: number): boolean {
    const entries = this.#entries;
    for (let id = this.#heads[hash(m0, m1, m2, m3, bits) & this.#mask] as number; id > 0; ) {
      const at = (id - 1) * STRIDE;
      if (
        entries[at] === m0 &&
        entries[at + 1] === m1 &&
        entries[at + 2] === m2 &&
        entries[at + 3] === m3 &&
        entries[at + Word.Length] === bits &&
        (entries[at + Word.Ge] as number) <= length &&
        length <= (entries[at + Word.Le] as number)
      ) {
        return true;
      }
      id = entries[at + Word.Next] as number;
    }
    return false;
  }

  #put(i: number, { prefix, ge, le }: PrefixRange): void {
    const at = i * STRIDE;
    const words = ([0, 1, 2, 3] as const).map((w) => [prefix.w0, prefix.w1, prefix.w2, prefix.w3][w] ?? 0);
    const [m0 = 0, m1 = 0, m2 = 0, m3 = 0] = words.map((word, w) => word & wordMask(prefix.length, w as 0 | 1 | 2 | 3));
    this.#entries.set([m0, m1, m2, m3, prefix.length, ge, le], at);
    const bucket = hash(m0, m1, m2, m3, prefix.length) & this.#mask;
    this.#entries[at + Word.Next] = this.#heads[bucket] as number;
    this.#heads[bucket] = i + 1;
  }
}

function hash(w0: number, w1: number, w2: number, w3: number, length: number): number {
  let h = Math.imul(w0, 0x9e3779b1) ^ length;
  h = Math.imul((h ^ (h >>> 15)) + w1, 0x85ebca6b);
  h = Math.imul((h ^ (h >>> 13)) + w2, 0xc2b2ae35);
  h = Math.imul((h ^ (h >>> 16)) + w3, 0x27d4eb2f);
  return h ^ (h >>> 15);
}
