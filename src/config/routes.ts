/** Routes of this node's own in the file: `originate` and `aggregates`. */

import { formatPrefix, type Prefix } from "../bgp/model/prefix.ts";
import type { AggregateConfig, OriginateConfig } from "./model.ts";
import { sortCommunities } from "./patterns.ts";
import type { ProblemList } from "./problem.ts";
import type { RootInput } from "./schema.ts";

export function resolveOriginate(
  routes: NonNullable<RootInput["originate"]>,
  problems: ProblemList,
): readonly OriginateConfig[] {
  checkPrefixes("originate", routes, problems);
  return routes.map((route, i) => {
    if (route.blackhole === true && route.nextHop !== undefined) {
      problems.error(["originate", i, "nextHop"], "excludes `blackhole`: accepted is one of the two, or neither");
    }
    if (route.nextHop !== undefined && route.nextHop.family !== route.prefix.family) {
      problems.error(
        ["originate", i, "nextHop"],
        "is not of the prefix's family; accepted: an address of the same family",
      );
    }
    return {
      prefix: route.prefix,
      blackhole: route.blackhole ?? false,
      nextHop: route.nextHop,
      communities: sortCommunities(route.communities ?? []),
      localPref: route.localPref,
      med: route.med,
      source: "config",
    };
  });
}

export function resolveAggregates(
  aggregates: NonNullable<RootInput["aggregates"]>,
  problems: ProblemList,
): readonly AggregateConfig[] {
  checkPrefixes("aggregates", aggregates, problems);
  return aggregates.map(({ prefix, summaryOnly }) => ({ prefix, summaryOnly: summaryOnly ?? false, source: "config" }));
}

function checkPrefixes(key: string, entries: readonly { readonly prefix: Prefix }[], problems: ProblemList): void {
  const seen = new Map<string, number>();
  for (const [i, { prefix }] of entries.entries()) {
    const text = formatPrefix(prefix);
    const first = seen.get(text);
    if (first === undefined) seen.set(text, i);
    else problems.error([key, i, "prefix"], `${text} stands in ${key}[${first}] already`);
  }
}
