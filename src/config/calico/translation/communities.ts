/** prefixAdvertisements: communities for routes within a prefix. */

import type { Family } from "../../../bgp/model/family.ts";
import type { PrefixCommunities } from "../model.ts";
import type { Place } from "../problem.ts";
import { familyOf, parseCommunityText } from "../resources/field-types.ts";
import type { NodeSettings } from "./node-settings.ts";

/** A message names no more of them. */
const MAX_NAMED = 20;

/** `place`: of the BGPConfiguration that says so. */
export function prefixCommunities(
  { prefixAdvertisements, communities }: Pick<NodeSettings, "prefixAdvertisements" | "communities">,
  family: Family,
  place: Place,
): readonly PrefixCommunities[] {
  const all = new Map<string, Set<string>>();
  for (const [i, { cidr, communities: written }] of prefixAdvertisements.entries()) {
    if (familyOf(cidr) !== family) continue;
    const known = all.get(cidr) ?? new Set();
    all.set(cidr, known);
    for (const [j, one] of written.entries()) {
      const value = parseCommunityText(one) ?? (Object.hasOwn(communities, one) ? communities[one] : undefined);
      if (value !== undefined) known.add(value);
      else if (!place.isFull)
        place.at("spec").at("prefixAdvertisements").at(i).at("communities").at(j).refuse(unknown(one, communities));
    }
  }
  return [...all]
    .filter(([, values]) => values.size > 0)
    .map(([prefix, values]) => ({ prefix, communities: [...values].sort() }))
    .sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
}

function unknown(written: string, communities: NodeSettings["communities"]): string {
  const names = Object.keys(communities);
  const some = names.length > MAX_NAMED ? [...names.slice(0, MAX_NAMED), "..."] : names;
  const known =
    names.length === 0 ? "and spec.communities has no names" : `or a name in spec.communities: ${some.join(", ")}`;
  return `"${written}" is not accepted; accepted: a community such as 65000:100, ${known}`;
}
