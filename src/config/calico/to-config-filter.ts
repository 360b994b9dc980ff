/** BGPFilter as policies: one for each direction and family in which it has rules. */

import { addressBits, type Family } from "../../bgp/model/family.ts";
import { asn } from "../../bgp/model/ids.ts";
import type { Prefix } from "../../bgp/model/prefix.ts";
import type {
  Changes,
  CommunityPattern,
  Match,
  Policy,
  PrefixRange,
  Term,
  TextMatcher,
} from "../../rib/policy/policy.ts";
import { parsePrefix } from "../addresses.ts";
import { globToRegExp, parseOneCommunity, patternOf } from "../patterns.ts";
import type { FilterOperation, FilterRule } from "./model.ts";

/** LOCAL_PREF = this - priority: what Calico's nodes since 3.32 tell each other. */
export const PRIORITY_BASE = 2_147_483_647;

export const ANY: Match = {
  prefixes: undefined,
  notPrefixes: undefined,
  communities: undefined,
  asPath: undefined,
  origin: undefined,
  interface: undefined,
  peerType: undefined,
  localPref: undefined,
  localPrefAbove: undefined,
};

/** A route that no rule decides over goes on to the next filter, and then to what Calico itself has. */
export function filterPolicy(name: string, rules: readonly FilterRule[]): Policy {
  return { name, terms: rules.flatMap(termOf) };
}

/** None where the rule can match no route. */
function termOf(rule: FilterRule): readonly Term[] {
  const prefixes = prefixMatch(rule);
  if (prefixes === "never") return [];
  const match: Match = {
    ...ANY,
    ...prefixes,
    communities: rule.community === undefined ? undefined : patternsOf(rule.community),
    asPath: rule.asPathPrefix === undefined ? undefined : asPathBeginning(rule.asPathPrefix),
    origin: rule.source === undefined ? undefined : ["peer"],
    interface: rule.interface === undefined ? undefined : globToRegExp(rule.interface),
    peerType: rule.peerType === undefined ? undefined : rule.peerType === "iBGP" ? "internal" : "external",
    localPref: rule.priority === undefined ? undefined : PRIORITY_BASE - rule.priority,
  };
  const set = rule.operations === undefined ? undefined : changesOf(rule.operations);
  return [{ match, set, then: rule.action === "Accept" ? "accept" : "reject" }];
}

/** No expression of the file's kind: those are limited in length, and a path's beginning is not. */
function asPathBeginning(numbers: readonly number[]): TextMatcher {
  const beginning = numbers.join(" ");
  return {
    source: `^${beginning}_`,
    test: (path) => path.startsWith(beginning) && (path.length === beginning.length || path[beginning.length] === " "),
  };
}

/**
 * Beside a prefix length Equal never matches and NotEqual always, because BIRD then compares the route's prefix with a set of
 * prefixes. Nobody means that, and a problem says so; but a filter that began to match would change what a cluster tells its peers.
 */
function prefixMatch(rule: FilterRule): Pick<Match, "prefixes" | "notPrefixes"> | "never" {
  const prefix = rule.cidr === undefined ? undefined : parsePrefix(rule.cidr);
  if (prefix === undefined) return ANY_PREFIX;
  const isNegated = rule.matchOperator === "NotIn" || rule.matchOperator === "NotEqual";
  const isExact = rule.matchOperator === "Equal" || rule.matchOperator === "NotEqual";
  if (isExact && rule.prefixLength !== undefined) return isNegated ? ANY_PREFIX : "never";
  const range = rangeOf(prefix, isExact, rule.prefixLength);
  if (range === undefined) return isNegated ? ANY_PREFIX : "never";
  return isNegated ? { prefixes: undefined, notPrefixes: [range] } : { prefixes: [range], notPrefixes: undefined };
}

const ANY_PREFIX: Pick<Match, "prefixes" | "notPrefixes"> = { prefixes: undefined, notPrefixes: undefined };

function rangeOf(
  prefix: Prefix,
  isExact: boolean,
  lengths: { readonly min?: number; readonly max?: number } = {},
): PrefixRange | undefined {
  const bits = isExact ? prefix.length : addressBits(prefix.family);
  const ge = Math.max(lengths.min ?? 0, prefix.length);
  const le = Math.min(lengths.max ?? bits, bits);
  return ge > le ? undefined : { prefix, ge, le };
}

/** Of an operation that is there twice the later one is done later: what it prepends stands in front, what it sets holds. */
function changesOf(operations: readonly FilterOperation[]): Changes {
  let localPref: number | undefined;
  let prepend: readonly number[] = [];
  const added: CommunityPattern[] = [];
  for (const operation of operations) {
    if ("setPriority" in operation) localPref = PRIORITY_BASE - operation.setPriority;
    else if ("prependASPath" in operation) prepend = [...operation.prependASPath, ...prepend];
    else added.push(...patternsOf(operation.addCommunity));
  }
  return {
    localPref,
    med: undefined,
    nextHop: undefined,
    prependAs: prepend.length === 0 ? undefined : prepend.map(asn),
    addCommunities: added,
    removeCommunities: [],
  };
}

/** Everything that adds these communities, and nothing else. */
export function adding(communities: readonly string[]): Changes {
  return changesOf(communities.map((addCommunity) => ({ addCommunity })));
}

function patternsOf(community: string): readonly CommunityPattern[] {
  const parsed = parseOneCommunity(community);
  return parsed === undefined ? [] : [patternOf(parsed)];
}

/** The prefix and all within it; none if the text is no prefix of the family. */
export function within(text: string, family: Family): readonly PrefixRange[] {
  const prefix = parsePrefix(text);
  if (prefix === undefined || prefix.family !== family) return [];
  return [{ prefix, ge: prefix.length, le: addressBits(family) }];
}
