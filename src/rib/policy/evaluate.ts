/** Runs a peer's policies over one route: the first term that says accept or reject decides; at the end of all, accept. */

import type { PathAttributes } from "../../bgp/model/attributes.ts";
import type { Asn } from "../../bgp/model/ids.ts";
import { applyChanges } from "./changes.ts";
import { namesBlackhole } from "./community-patterns.ts";
import { type Condition, failedCondition, type PolicyRoute } from "./match.ts";
import type { Match, Policy, Term } from "./policy.ts";

/** What became of one term: which condition kept it from applying, or what it said. */
export type TermOutcome =
  | { readonly kind: "skipped"; readonly condition: Condition }
  | { readonly kind: "matched"; readonly says: Term["then"]; readonly attributes: PathAttributes };

export interface PolicyContext {
  /**
   * The AS number that `prependAs: 3` repeats: our own towards an external peer. Undefined repeats the first of the path, which
   * is right on import and towards internal peers: with our own AS in it they would take the path for a loop (RFC 4271 §9.1.2).
   */
  readonly repeatAs: Asn | undefined;
  /** Told of every term as it is tried; for `explain`. */
  readonly trace?: (policy: string, term: number, outcome: TermOutcome) => void;
}

/** What policies set by hand, which then is no longer ours to choose. */
export interface PolicyEdits {
  readonly nextHop: "unset" | "self" | "given";
  readonly medSet: boolean;
}

export interface PolicyResult extends PolicyEdits {
  readonly verdict: "accept" | "reject";
  /** The very object that came in if nothing changed. */
  readonly attributes: PathAttributes;
  /** A term that matched asked for the BLACKHOLE community by name: the operator agreed to honour it here (RFC 7999 §3.3). */
  readonly honoursBlackhole: boolean;
  /** Who decided; undefined for the default at the end. */
  readonly policy: string | undefined;
  readonly term: number | undefined;
}

/** A policy that ends without a verdict hands over to the next one, with its changes. */
export function evaluate(policies: readonly Policy[], route: PolicyRoute, context: PolicyContext): PolicyResult {
  let attributes = route.attributes;
  let nextHop: PolicyEdits["nextHop"] = "unset";
  let medSet = false;
  let honoursBlackhole = false;
  for (const policy of policies) {
    for (let i = 0; i < policy.terms.length; i++) {
      const term = policy.terms[i] as Term;
      const condition = failedCondition(term.match, route, attributes);
      if (condition !== undefined) {
        context.trace?.(policy.name, i, { kind: "skipped", condition });
        continue;
      }
      if (term.match.communities?.some(namesBlackhole)) honoursBlackhole = true;
      if (term.set !== undefined && term.then !== "reject") {
        attributes = applyChanges(attributes, term.set, route.self, context.repeatAs);
        if (term.set.nextHop !== undefined) nextHop = term.set.nextHop === "self" ? "self" : "given";
        if (term.set.med !== undefined) medSet = true;
      }
      context.trace?.(policy.name, i, { kind: "matched", says: term.then, attributes });
      if (term.then === "next") continue;
      return { verdict: term.then, attributes, nextHop, medSet, honoursBlackhole, policy: policy.name, term: i };
    }
  }
  return { verdict: "accept", attributes, nextHop, medSet, honoursBlackhole, policy: undefined, term: undefined };
}

/** True: no route passes, whatever it is; as towards a peer that only sends. */
export function rejectsAll(policies: readonly Policy[]): boolean {
  const first = policies.find(({ terms }) => terms.length > 0)?.terms[0];
  return first?.then === "reject" && Object.values(first.match).every((condition) => condition === undefined);
}

/** False: routes with the same attributes and origin fare alike, whatever their prefix. */
export function dependsOnPrefix(policies: readonly Policy[]): boolean {
  return asks(policies, (match) => match.prefixes !== undefined || match.notPrefixes !== undefined);
}

/** False: where a route comes from and which interface it leaves by does not matter beyond its attributes. */
export function dependsOnRouteContext(policies: readonly Policy[]): boolean {
  return asks(policies, (match) => match.origin !== undefined || match.interface !== undefined);
}

/** False: it does not matter which interface a route leaves by. */
export function dependsOnInterface(policies: readonly Policy[]): boolean {
  return asks(policies, (match) => match.interface !== undefined);
}

function asks(policies: readonly Policy[], condition: (match: Match) => boolean): boolean {
  return policies.some((policy) => policy.terms.some((term) => condition(term.match)));
}
