/** What Calico has every peer sent, after the filters of the peer itself: one policy for each family. */

import type { Family } from "../../bgp/model/family.ts";
import { formatPrefix } from "../../bgp/model/prefix.ts";
import type { Policy, PrefixRange, Term } from "../../rib/policy/policy.ts";
import { globToRegExp } from "../patterns.ts";
import type { CalicoAggregate, CalicoFamily, ExportAccept, ExportReject, PrefixCommunities } from "./model.ts";
import { ANY, adding, PRIORITY_BASE, within } from "./to-config-filter.ts";

/** What it is made of: the same parts make the same policy. */
export type ExportParts = Pick<CalicoFamily, "exportRejects" | "communities" | "aggregates" | "exportAccepts">;

/**
 * In Calico's order: pools that are not exported, routes over tunnels (Felix' own, to internal peers), communities, blocks of this
 * node as a whole, services, ranges that a reflector passes on, pools. Nothing else leaves the node.
 */
export function exportPolicy(name: string, family: Family, parts: ExportParts): Policy {
  const terms = [
    ...parts.exportRejects.flatMap((reject) => rejectTerms(reject, family)),
    ...parts.communities.flatMap((entry) => communityTerms(entry, family)),
    ...parts.aggregates.flatMap((block) => blockTerms(block, family)),
    ...acceptTerms(parts.exportAccepts, family),
    { match: ANY, set: undefined, then: "reject" } as const,
  ];
  return { name, terms };
}

function rejectTerms(reject: ExportReject, family: Family): readonly Term[] {
  if ("prefix" in reject) return terms(within(reject.prefix, family), {}, "reject");
  const peerType = reject.peers === "internal" ? "internal" : undefined;
  return [{ match: { ...ANY, interface: globToRegExp(reject.interface), peerType }, set: undefined, then: "reject" }];
}

/** Every entry that holds the route adds its own. */
function communityTerms({ prefix, communities }: PrefixCommunities, family: Family): readonly Term[] {
  return within(prefix, family).map((range) => ({
    match: { ...ANY, prefixes: [range] },
    set: adding(communities),
    then: "next",
  }));
}

/**
 * The block itself goes, what is within it stays at home; but routes with a better metric than usual go, because their workload is
 * on its way to or from another node (live migration).
 */
function blockTerms({ prefix, escapeBelowMetric }: CalicoAggregate, family: Family): readonly Term[] {
  return within(prefix, family).flatMap((range): readonly Term[] => {
    const block = { ...range, le: range.prefix.length };
    const inside = { ...range, ge: range.prefix.length + 1 };
    const accept = terms([block], {}, "accept");
    if (inside.ge > inside.le) return accept;
    return [
      ...accept,
      ...(escapeBelowMetric === null
        ? []
        : terms([inside], { localPrefAbove: PRIORITY_BASE - escapeBelowMetric }, "accept")),
      ...terms([inside], {}, "reject"),
    ];
  });
}

/** Many prefixes with one verdict are one list: it is searched by hash. */
function acceptTerms(accepts: readonly ExportAccept[], family: Family): readonly Term[] {
  const unique = new Map(
    accepts.flatMap(({ prefix }) => within(prefix, family)).map((range) => [formatPrefix(range.prefix), range]),
  );
  return terms([...unique.values()], {}, "accept");
}

function terms(prefixes: readonly PrefixRange[], more: Partial<Term["match"]>, then: "accept" | "reject"): Term[] {
  return prefixes.length === 0 ? [] : [{ match: { ...ANY, ...more, prefixes }, set: undefined, then }];
}
