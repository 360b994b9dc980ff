/**
 * What a route becomes on its way to a peer (RFC 4271 §5.1 and §9.2). Three steps, in this order: `exportRefusal` says whether
 * it may go at all; the export policies see it as it stands in the LocRib and change it; `exportAttributes` makes the changes
 * that the protocol asks for and leaves alone what a policy set.
 */

import { prependAs } from "../bgp/model/as-path.ts";
import type { PathAttributes } from "../bgp/model/attributes.ts";
import { isTransitive, WellKnown } from "../bgp/model/community.ts";
import type { Asn } from "../bgp/model/ids.ts";
import { removePrivateAs, replaceAs } from "./as-path-edits.ts";
import { DEFAULT_LOCAL_PREF } from "./attribute-table.ts";
import { editAttributes } from "./edit-attributes.ts";
import { asHeld, type NextHopTarget, nextHopFor } from "./export-next-hop.ts";
import { mayNotLeave, otcOnEgress } from "./only-to-customer.ts";
import { withCommunity } from "./policy/community-patterns.ts";
import type { PolicyEdits } from "./policy/evaluate.ts";
import { type InternalSource, type InternalTarget, mayReflect, reflectionMarks } from "./reflection.ts";

/** Where a path came from: this speaker itself (configured, learnt from the kernel, aggregated), or a peer. */
export type PathOrigin =
  | { readonly kind: "local" }
  | { readonly kind: "external" }
  | ({ readonly kind: "internal" } & InternalSource);

/** What decides over the outbound attributes of a peer, and so of its update group. */
export interface ExportTarget extends NextHopTarget, InternalTarget {
  readonly localAs: Asn;
  readonly peerAs: Asn;
  readonly removePrivateAs: boolean;
  readonly asOverride: boolean;
  /** Our role (RFC 9234), for external peers. */
  readonly role: number | undefined;
  /** The peer has the Long-Lived Graceful Restart capability for this family (RFC 9494). */
  readonly takesLongLivedStale: boolean;
}

export const ExportRefusal = {
  NoAdvertise: 1,
  NoExport: 2,
  NotReflected: 3,
  OnlyToCustomer: 4,
  LongLivedStale: 5,
  NoNextHop: 6,
} as const;
export type ExportRefusal = (typeof ExportRefusal)[keyof typeof ExportRefusal];

export const EXPORT_REFUSAL_TEXT: Readonly<Record<ExportRefusal, string>> = {
  [ExportRefusal.NoAdvertise]: "carries the community no-advertise (RFC 1997)",
  [ExportRefusal.NoExport]: "carries the community no-export or no-export-subconfed (RFC 1997)",
  [ExportRefusal.NotReflected]:
    "learnt from an internal peer, and neither that peer nor this one is a client (RFC 4456 §6)",
  [ExportRefusal.OnlyToCustomer]: "carries Only to Customer, and this peer is none (RFC 9234 §5)",
  [ExportRefusal.LongLivedStale]: "long-lived stale, and this peer does not know such routes (RFC 9494 §4.3)",
  [ExportRefusal.NoNextHop]: "has no next hop of a family that this peer takes (RFC 4271 §5.1.3, RFC 8950)",
};

/** Undefined when the route may go. `attributes` are those in the LocRib, before export policy. */
export function exportRefusal(
  attributes: PathAttributes,
  from: PathOrigin,
  target: ExportTarget,
): ExportRefusal | undefined {
  for (const community of attributes.communities) {
    switch (community) {
      case WellKnown.NoAdvertise:
        return ExportRefusal.NoAdvertise;
      case WellKnown.NoExport:
      case WellKnown.NoExportSubconfed:
        // RFC 1997 speaks of routes received; one of our own carries it for those who receive it from us.
        if (!target.internal && from.kind !== "local") return ExportRefusal.NoExport;
        break;
      case WellKnown.LlgrStale:
        // RFC 9494 §4.6 lets internal peers have it all the same, marked as exportAttributes does.
        if (!target.internal && !target.takesLongLivedStale) return ExportRefusal.LongLivedStale;
        break;
      default:
    }
  }
  if (from.kind === "internal" && target.internal && !mayReflect(from, target)) return ExportRefusal.NotReflected;
  if (!target.internal && mayNotLeave(attributes, target.role)) return ExportRefusal.OnlyToCustomer;
  return undefined;
}

/**
 * `attributes` as the export policies left them; the very same object when nothing changes. Undefined for the one refusal that
 * shows only now: ExportRefusal.NoNextHop.
 */
export function exportAttributes(
  attributes: PathAttributes,
  from: PathOrigin,
  target: ExportTarget,
  edits: PolicyEdits = UNEDITED,
): PathAttributes | undefined {
  const nextHop = nextHopFor(attributes, from.kind, target, edits);
  if (nextHop === undefined) return undefined;
  const edit = target.internal ? towardsInternal(attributes, from, target) : towardsExternal(attributes, target, edits);
  return editAttributes(attributes, { ...edit, ...asHeld(attributes, nextHop) });
}

/** No policy had a say. */
const UNEDITED: PolicyEdits = { nextHop: "unset", medSet: false };

/** RFC 4271 §5.1.5: with LOCAL_PREF. AS_PATH and MULTI_EXIT_DISC stay; reflection adds its marks and changes nothing else. */
function towardsInternal(attributes: PathAttributes, from: PathOrigin, target: ExportTarget): Partial<PathAttributes> {
  const marks = from.kind === "internal" ? reflectionMarks(attributes, from, target) : UNREFLECTED;
  if (!target.takesLongLivedStale && attributes.communities.includes(WellKnown.LlgrStale)) {
    return { ...marks, localPref: 0, communities: withCommunity(attributes.communities, WellKnown.NoExport) };
  }
  return { ...marks, localPref: attributes.localPref ?? DEFAULT_LOCAL_PREF };
}

const NO_CLUSTERS: PathAttributes["clusterList"] = [];
const UNREFLECTED: Partial<PathAttributes> = { originatorId: undefined };

/**
 * RFC: RFC 7705 §3 puts the AS of a migrated peer and the real AS both into the path, unless told otherwise.
 * Ours: the session's local AS alone, as with BIRD's `local as`, which Calico's localASNumber stands for.
 */
function towardsExternal(
  attributes: PathAttributes,
  target: ExportTarget,
  edits: PolicyEdits,
): Partial<PathAttributes> {
  const { localAs, peerAs } = target;
  let path = attributes.asPath;
  // A received MED is for us alone (RFC 4271 §5.1.4); with an empty path it is from within our own AS.
  const med = edits.medSet || path.length === 0 ? attributes.med : undefined;
  // Our own numbers stay: only a policy can have put them there.
  if (target.removePrivateAs) path = removePrivateAs(path, [peerAs, localAs]);
  if (target.asOverride) path = replaceAs(path, peerAs, localAs);
  return {
    asPath: prependAs(path, localAs),
    med,
    localPref: undefined,
    originatorId: undefined,
    clusterList: attributes.clusterList.length === 0 ? attributes.clusterList : NO_CLUSTERS,
    extendedCommunities: attributes.extendedCommunities.every(isTransitive)
      ? attributes.extendedCommunities
      : attributes.extendedCommunities.filter(isTransitive),
    onlyToCustomer: otcOnEgress(attributes, target.role, localAs),
  };
}
