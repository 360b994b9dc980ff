/** Fewer TCP MD5 keys for many peers: one key for a prefix in which all who may connect have the same. */

import { compareAddress } from "./model/address.ts";
import { addressBits } from "./model/family.ts";
import { type Prefix, prefixContains, prefixOf, wordMask } from "./model/prefix.ts";

/** Who connects from there signs with it. */
export interface Key {
  readonly from: Prefix;
  readonly password: string;
}

/**
 * Fewer keys of one family that do the same: by the longest prefix that holds an address the kernel finds the password of each that has
 * one, and none for those that do not sign (`open`). Only the password that most have is gathered.
 */
export function coveringKeys(keys: readonly Key[], open: readonly Prefix[]): Key[] {
  const common = commonPassword(keys.filter(isHost));
  const gathered = keys.filter((key) => isHost(key) && key.password === common);
  const others = keys.filter((key) => !isHost(key) || key.password !== common);
  gathered.sort((a, b) => compareAddress(a.from, b.from));
  // Hosts with another password have a longer prefix than what is gathered around them. Ranges may have not.
  const borders = [...open, ...others.filter((key) => !isHost(key)).map(({ from }) => from)];
  return [...others, ...gather(gathered, borders)];
}

function isHost({ from }: Key): boolean {
  return from.length === addressBits(from.family);
}

function commonPassword(keys: readonly Key[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { password } of keys) counts.set(password, (counts.get(password) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}

/** Sorted host keys of one password; `borders` are prefixes that no key may reach into. */
function gather(keys: readonly Key[], borders: readonly Prefix[]): Key[] {
  const [first, last] = [keys[0], keys.at(-1)];
  if (first === undefined || last === undefined) return [];
  const length = commonLength(first.from, last.from);
  const from = prefixOf(first.from, length);
  const inside = borders.filter((border) => overlaps(from, border));
  if (inside.length === 0 || length === addressBits(from.family)) return [{ from, password: first.password }];
  const half = keys.findIndex((key) => !prefixContains(prefixOf(first.from, length + 1), key.from, key.from.length));
  return [...gather(keys.slice(0, half), inside), ...gather(keys.slice(half), inside)];
}

function overlaps(a: Prefix, b: Prefix): boolean {
  return a.length <= b.length ? prefixContains(a, b, b.length) : prefixContains(b, a, a.length);
}

function commonLength(a: Prefix, b: Prefix): number {
  const bits = addressBits(a.family);
  const words = ["w0", "w1", "w2", "w3"] as const;
  for (const [i, word] of words.entries()) {
    const difference = (a[word] ^ b[word]) & wordMask(bits, i as 0 | 1 | 2 | 3);
    if (difference !== 0) return i * 32 + Math.clz32(difference);
  }
  return bits;
}
