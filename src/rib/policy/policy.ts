/**
 * Policy as one small compiled form: YAML policies, Calico's filters and built-in rules all become a Policy.
 * Terms are tried in order; the first that matches and says accept or reject decides; `next` applies its changes and goes on.
 */

import type { IpAddress } from "../../bgp/model/address.ts";
import type { ExtendedCommunity, LargeCommunity } from "../../bgp/model/community.ts";
import type { Asn } from "../../bgp/model/ids.ts";
import type { Prefix } from "../../bgp/model/prefix.ts";

export type RouteSource = "peer" | "static" | "kernel" | "connected" | "calico" | "aggregate";

/** `ge` and `le` bound the length; a bare prefix has ge = le = its own length. */
export interface PrefixRange {
  readonly prefix: Prefix;
  readonly ge: number;
  readonly le: number;
}

/** One community pattern: "65000:1", "65000:*", "*:*", large and extended likewise, well-known names. */
export type CommunityPattern =
  | { readonly kind: "standard"; readonly value: number; readonly mask: number }
  | { readonly kind: "large"; readonly value: LargeCommunity; readonly wild: readonly [boolean, boolean, boolean] }
  | { readonly kind: "extended"; readonly value: ExtendedCommunity };

/** A RegExp is one; YAML's expressions become a matcher that takes linear time whatever the path looks like. */
export interface TextMatcher {
  readonly source: string;
  test(text: string): boolean;
}

export interface Match {
  readonly prefixes: readonly PrefixRange[] | undefined;
  /** None of these holds the prefix. */
  readonly notPrefixes: readonly PrefixRange[] | undefined;
  readonly communities: readonly CommunityPattern[] | undefined;
  /** A regular expression over formatAsPath's text, anchored by ^ and $, compiled once. */
  readonly asPath: TextMatcher | undefined;
  readonly origin: readonly RouteSource[] | undefined;
  /** Glob over the name of the interface that the route leaves by. */
  readonly interface: RegExp | undefined;
  readonly peerType: "internal" | "external" | undefined;
  readonly localPref: number | undefined;
  /** LOCAL_PREF is greater than this. */
  readonly localPrefAbove: number | undefined;
}

export interface Changes {
  readonly localPref: number | undefined;
  readonly med: number | undefined;
  readonly nextHop: "self" | IpAddress | undefined;
  readonly prependAs: readonly Asn[] | number | undefined;
  readonly addCommunities: readonly CommunityPattern[];
  readonly removeCommunities: readonly CommunityPattern[];
}

export interface Term {
  readonly match: Match;
  readonly set: Changes | undefined;
  readonly then: "accept" | "reject" | "next";
}

export interface Policy {
  readonly name: string;
  readonly terms: readonly Term[];
}
