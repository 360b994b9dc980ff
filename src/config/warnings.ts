/** What is accepted and yet deserves a word: missing policies, readable secrets, prefixes with host bits. */

import { formatPrefix } from "../bgp/model/prefix.ts";
import { parsePrefix } from "./addresses.ts";
import type { PlacedPeer } from "./peer.ts";
import type { KeyPath, ProblemList } from "./problem.ts";
import { hasHostBits } from "./scalars.ts";
import { isMapping, type Written } from "./written.ts";

export function warnOf(written: Written, peers: readonly PlacedPeer[], problems: ProblemList): void {
  warnOfMissingPolicies(peers, problems);
  visit(written.value, [], (path, value) => {
    if (path.at(-1) === "password" && written.worldReadable) {
      problems.warn(path, "everybody on this machine can read this file: use `passwordFile`, or chmod o-r it");
    }
    const prefix = prefixAt(path, value);
    if (prefix !== undefined && hasHostBits(prefix)) {
      const canonical = parsePrefix(prefix);
      if (canonical !== undefined) problems.warn(path, `${prefix} has host bits; taken as ${formatPrefix(canonical)}`);
    }
  });
}

/**
 * RFC: RFC 8212 has external peers without a policy neither import nor export anything.
 * Ours: they do both, as users of BIRD's and Calico's defaults expect; we say so and recommend policies.
 */
function warnOfMissingPolicies(peers: readonly PlacedPeer[], problems: ProblemList): void {
  for (const { peer, path } of peers) {
    if (peer.internal) continue;
    const missing = (["import", "export"] as const).filter((direction) => peer[direction].length === 0);
    if (missing.length === 0) continue;
    const what = missing.map((direction) => (direction === "import" ? "accepted from it" : "sent to it")).join(" and ");
    problems.warn(
      path,
      `external peer "${peer.name}" has no ${missing.join(" and no ")} policy: everything is ${what}, where RFC 8212 would have nothing; policies are recommended`,
      peer.name,
    );
  }
}

/** The prefix in the text, if this is a place for one. */
function prefixAt(path: KeyPath, value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const isPlain = path.length === 3 && (path[2] === "prefix" || (path[0] === "peers" && path[2] === "range"));
  const isInList = path.at(-2) === "prefixes" && path[0] === "policies";
  return isPlain || isInList ? value.trim().split(/\s/)[0] : undefined;
}

function visit(value: unknown, path: KeyPath, each: (path: KeyPath, value: unknown) => void): void {
  each(path, value);
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) visit(item, [...path, i], each);
  } else if (isMapping(value)) {
    for (const [key, item] of Object.entries(value)) visit(item, [...path, key], each);
  }
}
