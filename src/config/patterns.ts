/** Patterns of policies: prefix ranges, communities with wildcards, interface globs, AS-path expressions. */

import {
  type ExtendedCommunity,
  type LargeCommunity,
  parseCommunity,
  parseExtendedCommunity,
  parseLargeCommunity,
} from "../bgp/model/community.ts";
import { addressBits } from "../bgp/model/family.ts";
import type { CommunityPattern, PrefixRange, TextMatcher } from "../rib/policy/policy.ts";
import { parsePrefix } from "./addresses.ts";
import { AsPathSyntaxError } from "./as-path-expression.ts";
import { AsPathMatcher } from "./as-path-matcher.ts";
import { numericScalar, Refusal, scalar } from "./scalars.ts";

export interface Communities {
  readonly standard: readonly number[];
  readonly extended: readonly ExtendedCommunity[];
  readonly large: readonly LargeCommunity[];
}

export type Community =
  | { readonly kind: "standard"; readonly value: number }
  | { readonly kind: "large"; readonly value: LargeCommunity }
  | { readonly kind: "extended"; readonly value: ExtendedCommunity };

/** "10.244.0.0/16", "10.244.0.0/16 le 26", "10.0.0.0/8 ge 24 le 28"; `ge` alone reaches to host prefixes. */
function parsePrefixRange(value: string): PrefixRange | Refusal | undefined {
  const match = /^(\S+)((?:\s+(?:ge|le)\s+\d{1,3})*)$/.exec(value);
  const prefix = parsePrefix(match?.[1] ?? "");
  if (match === null || prefix === undefined) return undefined;
  const bounds = new Map<string, number>();
  for (const [, name = "", digits] of (match[2] ?? "").matchAll(/(ge|le)\s+(\d+)/g)) {
    if (bounds.has(name)) return new Refusal(`${name} stands twice in "${value}"`);
    bounds.set(name, Number(digits));
  }
  const bits = addressBits(prefix.family);
  const ge = bounds.get("ge") ?? prefix.length;
  const le = bounds.get("le") ?? (bounds.has("ge") ? bits : prefix.length);
  if (ge < prefix.length || le < ge || le > bits) {
    return new Refusal(`the lengths of "${value}" cannot be: ${prefix.length} <= ge <= le <= ${bits}`);
  }
  return { prefix, ge, le };
}

export function prefixRange() {
  return scalar(
    'a prefix, and bounds of its length: "10.244.0.0/16 le 26", "10.0.0.0/8 ge 24 le 28"',
    parsePrefixRange,
  );
}

const COMMUNITY_FORMS = "65000:1, 65000:1:2, rt:65000:1, ro:65000:1, 0x and 16 hex digits, or a name such as no-export";

export function parseOneCommunity(value: string): Community | undefined {
  const standard = parseCommunity(value);
  if (standard !== undefined) return { kind: "standard", value: standard };
  const large = parseLargeCommunity(value);
  if (large !== undefined) return { kind: "large", value: large };
  const extended = parseExtendedCommunity(value);
  return extended === undefined ? undefined : { kind: "extended", value: extended };
}

export function community() {
  return scalar(COMMUNITY_FORMS, parseOneCommunity);
}

function parseCommunityPattern(value: string): CommunityPattern | undefined {
  const one = parseOneCommunity(value);
  if (one !== undefined) return patternOf(one);
  const parts = value.split(":").map((part) => (part === "*" ? undefined : part));
  if (!parts.includes(undefined)) return undefined;
  const filled = parts.map((part) => part ?? "0").join(":");
  if (parts.length === 2) {
    const standard = parseCommunity(filled);
    const mask = ((parts[0] === undefined ? 0 : 0xffff0000) | (parts[1] === undefined ? 0 : 0xffff)) >>> 0;
    return standard === undefined ? undefined : { kind: "standard", value: standard, mask };
  }
  const large = parseLargeCommunity(filled);
  if (large === undefined) return undefined;
  const wild = [parts[0] === undefined, parts[1] === undefined, parts[2] === undefined] as const;
  return { kind: "large", value: large, wild };
}

/** The pattern that this community alone fulfils. */
export function patternOf(one: Community): CommunityPattern {
  switch (one.kind) {
    case "standard":
      return { kind: "standard", value: one.value, mask: 0xffffffff };
    case "large":
      return { kind: "large", value: one.value, wild: [false, false, false] };
    case "extended":
      return one;
  }
}

export function communityPattern() {
  return scalar(`${COMMUNITY_FORMS}; "*" for any part of the first two`, parseCommunityPattern);
}

/** By kind, in the order written, each once. */
export function sortCommunities(all: readonly Community[]): Communities {
  const unique = [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
  return {
    standard: unique.flatMap((one) => (one.kind === "standard" ? [one.value] : [])),
    extended: unique.flatMap((one) => (one.kind === "extended" ? [one.value] : [])),
    large: unique.flatMap((one) => (one.kind === "large" ? [one.value] : [])),
  };
}

/** `*` any number of characters, `?` one. Interface names are short: no expression over one can run away. */
export function globToRegExp(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*+/g, ".*").replace(/\?/g, ".")}$`);
}

export function asPathExpression() {
  return numericScalar(
    'an AS-path expression such as "^65001 ", "_65002_" or "^$"',
    (_trimmed, value): TextMatcher | Refusal => {
      try {
        return new AsPathMatcher(value);
      } catch (thrown) {
        if (thrown instanceof AsPathSyntaxError) return new Refusal(`"${value}": ${thrown.message}`);
        throw thrown;
      }
    },
  );
}
