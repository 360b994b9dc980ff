/** Policies of the file as the tables' compiled form (src/rib/policy/policy.ts). */

import type { Policy, Term } from "../rib/policy/policy.ts";
import { globToRegExp, patternOf } from "./patterns.ts";
import type { TermInput } from "./schema-policy.ts";

export function resolvePolicy(name: string, terms: readonly TermInput[]): Policy {
  return { name, terms: terms.map(resolveTerm) };
}

function resolveTerm({ match, set, then }: TermInput): Term {
  return {
    match: {
      prefixes: match?.prefixes,
      notPrefixes: undefined,
      communities: match?.communities,
      asPath: match?.asPath,
      origin: match?.origin,
      interface: match?.interface === undefined ? undefined : globToRegExp(match.interface),
      peerType: match?.peerType,
      localPref: match?.localPref,
      localPrefAbove: undefined,
    },
    set:
      set === undefined
        ? undefined
        : {
            localPref: set.localPref,
            med: set.med,
            nextHop: set.nextHop,
            prependAs: set.prependAs,
            addCommunities: (set.communities?.add ?? []).map(patternOf),
            removeCommunities: set.communities?.remove ?? [],
          },
    then: then ?? "accept",
  };
}
