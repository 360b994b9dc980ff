/** Community patterns at work: does a set of attributes carry one, and what is left of a set when some are taken and some added. */

import type { PathAttributes } from "../../bgp/model/attributes.ts";
import { type ExtendedCommunity, type LargeCommunity, WellKnown } from "../../bgp/model/community.ts";
import type { CommunityPattern } from "./policy.ts";

export function carries(attributes: PathAttributes, pattern: CommunityPattern): boolean {
  switch (pattern.kind) {
    case "standard":
      return attributes.communities.some((community) => matchesStandard(pattern, community));
    case "large":
      return attributes.largeCommunities.some((community) => matchesLarge(pattern, community));
    default:
      return attributes.extendedCommunities.some((community) => matchesExtended(pattern, community));
  }
}

/** The pattern that means BLACKHOLE and nothing else. */
export function namesBlackhole(pattern: CommunityPattern): boolean {
  return pattern.kind === "standard" && pattern.value === WellKnown.Blackhole && pattern.mask >>> 0 === 0xffffffff;
}

export type CommunityLists = Pick<PathAttributes, "communities" | "extendedCommunities" | "largeCommunities">;

/**
 * Removes first, then adds, so that "replace all of ours by this one" is one change. Communities are a set (RFC 1997, RFC 4360,
 * RFC 8092 §5): a list that changes comes out ascending and without repetition, one that does not is the same object.
 */
export function changeCommunities(
  lists: CommunityLists,
  add: readonly CommunityPattern[],
  remove: readonly CommunityPattern[],
): CommunityLists {
  return {
    communities: change(
      lists.communities,
      add.flatMap((p) => (p.kind === "standard" ? [p.value >>> 0] : [])),
      (community) => remove.some((p) => p.kind === "standard" && matchesStandard(p, community)),
      (a, b) => a - b,
    ),
    extendedCommunities: change(
      lists.extendedCommunities,
      add.flatMap((p) => (p.kind === "extended" ? [p.value] : [])),
      (community) => remove.some((p) => p.kind === "extended" && matchesExtended(p, community)),
      compareExtended,
    ),
    largeCommunities: change(
      lists.largeCommunities,
      add.flatMap((p) => (p.kind === "large" ? [p.value] : [])),
      (community) => remove.some((p) => p.kind === "large" && matchesLarge(p, community)),
      compareLarge,
    ),
  };
}

/** The list with one standard community more; the same list if it is there. */
export function withCommunity(communities: readonly number[], community: number): readonly number[] {
  return communities.includes(community) ? communities : [...communities, community].sort((a, b) => a - b);
}

type Standard = Extract<CommunityPattern, { kind: "standard" }>;
type Large = Extract<CommunityPattern, { kind: "large" }>;
type Extended = Extract<CommunityPattern, { kind: "extended" }>;

function matchesStandard(pattern: Standard, community: number): boolean {
  return ((pattern.value ^ community) & pattern.mask) === 0;
}

function matchesLarge({ value, wild }: Large, community: LargeCommunity): boolean {
  return (
    (wild[0] || value.global === community.global) &&
    (wild[1] || value.local1 === community.local1) &&
    (wild[2] || value.local2 === community.local2)
  );
}

function matchesExtended({ value }: Extended, community: ExtendedCommunity): boolean {
  return compareExtended(value, community) === 0;
}

function compareExtended(a: ExtendedCommunity, b: ExtendedCommunity): number {
  return a.high - b.high || a.low - b.low;
}

function compareLarge(a: LargeCommunity, b: LargeCommunity): number {
  return a.global - b.global || a.local1 - b.local1 || a.local2 - b.local2;
}

function change<T>(
  list: readonly T[],
  add: readonly T[],
  isRemoved: (item: T) => boolean,
  compare: (a: T, b: T) => number,
): readonly T[] {
  const kept = list.filter((item) => !isRemoved(item));
  const missing = add.filter((item) => !kept.some((other) => compare(item, other) === 0));
  const isAsBefore = missing.every((item) => list.some((other) => compare(item, other) === 0));
  if (isAsBefore && kept.length + distinct(missing, compare).length === list.length) return list;
  return distinct([...kept, ...missing], compare);
}

function distinct<T>(list: readonly T[], compare: (a: T, b: T) => number): T[] {
  const sorted = [...list].sort(compare);
  return sorted.filter((item, i) => i === 0 || compare(item, sorted[i - 1] as T) !== 0);
}
