/** LOCAL_PREF and the kernel's metric as two ways to write one thing: how Calico 3.32 and later say how much a route is wanted. */

import type { PathAttributes } from "../bgp/model/attributes.ts";
import type { Family } from "../bgp/model/family.ts";
import { editAttributes } from "./edit-attributes.ts";
import type { Priorities } from "./options.ts";

/**
 * One of this speaker's own routes with the LOCAL_PREF that its metric stands for; `metric` undefined: it has none. A LOCAL_PREF
 * that the operator wrote stays.
 * BIRD: a metric above `base` wraps around, and the route that is wanted least becomes the one wanted most.
 * Ours: LOCAL_PREF 0.
 */
export function prioritised(
  attributes: PathAttributes,
  priorities: Priorities | undefined,
  family: Family,
  metric: number | undefined,
): PathAttributes {
  if (priorities === undefined || attributes.localPref !== undefined) return attributes;
  const { base, normal } = priorities;
  return editAttributes(attributes, { localPref: Math.max(0, base - (metric ?? normal[family])) });
}

/** Peers' routes with more LOCAL_PREF than this have the elevated preference. */
export function elevatedAbove(priorities: Priorities | undefined, family: Family): number {
  return priorities === undefined ? Number.POSITIVE_INFINITY : priorities.base - priorities.normal[family];
}

/** Not the inverse of the above for what lies beyond `base`: such a LOCAL_PREF wraps around, as BIRD has it and mixed clusters expect. */
export function metricOf(localPref: number, { base }: Priorities): number {
  return (base - localPref) >>> 0;
}
