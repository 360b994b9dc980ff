/** What a term asks of a route. All that is asked must hold; of a list of prefixes, communities or origins any one is enough. */

import type { IpAddress } from "../../bgp/model/address.ts";
import type { AsPath } from "../../bgp/model/as-path.ts";
import { formatAsPath } from "../../bgp/model/as-path.ts";
import type { PathAttributes } from "../../bgp/model/attributes.ts";
import type { Family } from "../../bgp/model/family.ts";
import { DEFAULT_LOCAL_PREF } from "../attribute-table.ts";
import { carries } from "./community-patterns.ts";
import type { Match, PrefixRange, RouteSource } from "./policy.ts";
import { prefixMatcher } from "./prefix-matcher.ts";

/** A route on its way through a peer's policies. The caller may fill and use one such object again and again. */
export interface PolicyRoute {
  readonly family: Family;
  /** The prefix, host bits zero. */
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  readonly length: number;
  readonly attributes: PathAttributes;
  readonly source: RouteSource;
  /** The interface that the route leaves by, where that is known. */
  readonly interfaceName: string | undefined;
  /** Type of the peer whose policies these are. */
  readonly internalPeer: boolean;
  /** What `nextHop: self` means towards that peer; undefined leaves that to whoever sends the route. */
  readonly self: IpAddress | undefined;
}

export type Condition = keyof Match;

/** The first condition that does not hold, cheap ones first; undefined when the route matches. */
export function failedCondition(match: Match, route: PolicyRoute, attributes: PathAttributes): Condition | undefined {
  if (match.peerType !== undefined && (match.peerType === "internal") !== route.internalPeer) return "peerType";
  if (match.origin !== undefined && !match.origin.includes(route.source)) return "origin";
  if (match.localPref !== undefined && (attributes.localPref ?? DEFAULT_LOCAL_PREF) !== match.localPref)
    return "localPref";
  if (match.localPrefAbove !== undefined && (attributes.localPref ?? DEFAULT_LOCAL_PREF) <= match.localPrefAbove)
    return "localPrefAbove";
  if (match.interface !== undefined && !isNamed(match.interface, route.interfaceName)) return "interface";
  if (match.communities !== undefined && !match.communities.some((p) => carries(attributes, p))) return "communities";
  if (match.prefixes !== undefined && !isAmong(match.prefixes, route)) return "prefixes";
  if (match.notPrefixes !== undefined && isAmong(match.notPrefixes, route)) return "notPrefixes";
  if (match.asPath !== undefined && !match.asPath.test(asPathText(attributes.asPath))) return "asPath";
  return undefined;
}

function isAmong(ranges: readonly PrefixRange[], { family, w0, w1, w2, w3, length }: PolicyRoute): boolean {
  return prefixMatcher(ranges).matches(family, w0, w1, w2, w3, length);
}

function isNamed(glob: RegExp, name: string | undefined): boolean {
  return name !== undefined && glob.test(name);
}

const texts = new WeakMap<AsPath, string>();

/** Made once for each path: every prefix of an UPDATE shares it. */
function asPathText(path: AsPath): string {
  let text = texts.get(path);
  if (text === undefined) {
    text = formatAsPath(path);
    texts.set(path, text);
  }
  return text;
}
