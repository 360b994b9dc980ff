/** Distinct prefixes in no order, with the lengths that the Internet's tables have. */

import { Family } from "../../src/bgp/model/family.ts";
import type { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { randomNumbers, weighted } from "./random.ts";

/** How often a length comes, in thousandths; what is rarer than that is left out. */
const LENGTHS: Readonly<Record<Family, readonly (readonly [length: number, weight: number])[]>> = {
  [Family.Ipv4]: [
    [24, 610],
    [22, 110],
    [23, 105],
    [21, 52],
    [20, 45],
    [19, 28],
    [18, 16],
    [16, 20],
    [17, 9],
    [15, 3],
    [14, 2],
  ],
  [Family.Ipv6]: [
    [48, 480],
    [32, 125],
    [44, 110],
    [40, 90],
    [36, 45],
    [29, 40],
    [46, 40],
    [47, 30],
    [33, 20],
    [34, 20],
  ],
};
const SEED = 7;
/** Odd and prime, and prime to the moduli below: multiplying by it visits each number once. */
const STEP = 7_368_787;
/** 11.0.0.0 to 126.255.255.255: daemons refuse prefixes of 127.0.0.0/8, and next hops are in 10.0.0.0/8. */
const FIRST_OCTET = 11;
const OCTETS = 116;
/** 2000::/3. */
const GLOBAL_UNICAST = 0x20000000;
const BITS_OF_2000 = 3;

/** Yields the same prefixes at every call, `add` putting one into a batch: so several senders say the same table. */
export function prefixSource(family: Family): (batch: PrefixBatch) => void {
  const lengths = LENGTHS[family];
  const next = weighted(
    randomNumbers(SEED),
    lengths.map(([, weight]) => weight),
  );
  const used = lengths.map(() => 0);
  return (batch) => {
    const index = freeIndex(family, lengths, used, next());
    const length = lengths[index]?.[0] ?? 0;
    const nth = used[index] ?? 0;
    used[index] = nth + 1;
    if (family === Family.Ipv4) {
      const perOctet = 2 ** (length - 8);
      batch.add4((((nth * STEP) % (OCTETS * perOctet)) + FIRST_OCTET * perOctet) * 2 ** (32 - length), length, 0);
    } else {
      const inWord = Math.min(length, 32);
      const high = ((nth * STEP) % 2 ** (inWord - BITS_OF_2000)) * 2 ** (32 - inWord) + GLOBAL_UNICAST;
      const low = length <= 32 ? 0 : (Math.imul(nth, STEP) << (64 - length)) >>> 0;
      batch.add6(high, low, 0, 0, length, 0);
    }
  };
}

/** A short length may be used up in a table of millions: a /24 then. */
function freeIndex(
  family: Family,
  lengths: readonly (readonly [number, number])[],
  used: readonly number[],
  wanted: number,
): number {
  if (family === Family.Ipv6) return wanted;
  const length = lengths[wanted]?.[0] ?? 0;
  return (used[wanted] ?? 0) < OCTETS * 2 ** (length - 8) ? wanted : 0;
}
