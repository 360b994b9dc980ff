/** Many prefixes of one family as parallel columns: how NLRI cross the border between wire and tables without an object each. */

import { Family } from "./family.ts";
import type { Prefix } from "./prefix.ts";

/**
 * A reusable buffer. Its owner clears and refills it; whoever receives one reads it before returning and keeps nothing.
 * Entries 0 to count-1 are valid in every column; w1 to w3 stay empty for IPv4.
 */
export class PrefixBatch {
  readonly family: Family;
  count = 0;
  w0: Uint32Array;
  w1: Uint32Array;
  w2: Uint32Array;
  w3: Uint32Array;
  lengths: Uint8Array;
  /** Path Identifiers (RFC 7911); 0 where add-path was not negotiated. */
  pathIds: Uint32Array;

  constructor(family: Family, capacity = 256) {
    this.family = family;
    this.w0 = new Uint32Array(capacity);
    const high = family === Family.Ipv6 ? capacity : 0;
    this.w1 = new Uint32Array(high);
    this.w2 = new Uint32Array(high);
    this.w3 = new Uint32Array(high);
    this.lengths = new Uint8Array(capacity);
    this.pathIds = new Uint32Array(capacity);
  }

  clear(): void {
    this.count = 0;
  }

  /** Host bits must be zero already. */
  add4(w0: number, length: number, pathId: number): void {
    const i = this.count;
    if (i === this.lengths.length) this.#grow();
    this.w0[i] = w0;
    this.lengths[i] = length;
    this.pathIds[i] = pathId;
    this.count = i + 1;
  }

  add6(w0: number, w1: number, w2: number, w3: number, length: number, pathId: number): void {
    const i = this.count;
    if (i === this.lengths.length) this.#grow();
    this.w0[i] = w0;
    this.w1[i] = w1;
    this.w2[i] = w2;
    this.w3[i] = w3;
    this.lengths[i] = length;
    this.pathIds[i] = pathId;
    this.count = i + 1;
  }

  /** For the edges and for tests. */
  add(prefix: Prefix, pathId = 0): void {
    if (this.family === Family.Ipv4) this.add4(prefix.w0, prefix.length, pathId);
    else this.add6(prefix.w0, prefix.w1, prefix.w2, prefix.w3, prefix.length, pathId);
  }

  /** A view of entry `i` for people and tests; allocates. */
  prefixAt(i: number): Prefix {
    const v6 = this.family === Family.Ipv6;
    return {
      family: this.family,
      w0: this.w0[i] ?? 0,
      w1: v6 ? (this.w1[i] ?? 0) : 0,
      w2: v6 ? (this.w2[i] ?? 0) : 0,
      w3: v6 ? (this.w3[i] ?? 0) : 0,
      length: this.lengths[i] ?? 0,
    };
  }

  #grow(): void {
    const capacity = this.lengths.length * 2;
    const wider = (a: Uint32Array): Uint32Array => {
      const b = new Uint32Array(a.length === 0 ? 0 : capacity);
      b.set(a);
      return b;
    };
    this.w0 = wider(this.w0);
    this.w1 = wider(this.w1);
    this.w2 = wider(this.w2);
    this.w3 = wider(this.w3);
    this.pathIds = wider(this.pathIds);
    const lengths = new Uint8Array(capacity);
    lengths.set(this.lengths);
    this.lengths = lengths;
  }
}
