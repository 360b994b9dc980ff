/**
 * What a route becomes on its way to a peer (RFC 4271 §5.1 and §9.2). Three steps, in this order: `refusal` says whether
 * it may go at all; the export policies see it as it stands in the LocRib and change it; `rewrite` makes the changes that
 * the protocol asks for and leaves alone what a policy set.
 */

import { prependAs } from "../bgp/model/as-path.ts";
import type { AttributeEdit } from "../bgp/model/attribute-edit.ts";
import type { PathAttributes } from "../bgp/model/attributes.ts";
import { WellKnown } from "../bgp/model/community.ts";
import type { Asn } from "../bgp/model/ids.ts";
import type { AttributeRewriter, AttributeView } from "../bgp/model/ports.ts";
import { removePrivateAs, replaceAs } from "./as-path-edits.ts";
import { DEFAULT_LOCAL_PREF } from "./attribute-table.ts";
import { editAttributes } from "./edit-attributes.ts";
import { type NextHopTarget, nextHopFor } from "./export-next-hop.ts";
import { mayNotLeave, otcOnEgress } from "./only-to-customer.ts";
import type { PolicyEdits } from "./policy/evaluate.ts";
import { type InternalSource, type InternalTarget, mayReflect, reflectingClusters } from "./reflection.ts";

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
  /** See RibPeerOptions; both for external peers. */
  readonly policyAfterOwnAs: boolean;
  readonly zeroMed: boolean;
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

/** No policy had a say. */
const UNEDITED: PolicyEdits = { nextHop: "unset", medSet: false };

/** The way from one source to one group. Everything that does not depend on the set of attributes is worked out once. */
export class ExportWay {
  readonly #from: PathOrigin;
  readonly #target: ExportTarget;
  /** For almost all sets. */
  readonly #edit: AttributeEdit;
  /** For long-lived stale ones to internal peers that do not know them, and for a MED that a policy set to external peers. */
  readonly #otherEdit: AttributeEdit;
  /** For sets that the policies saw with our AS in front. */
  readonly #seenEdit: AttributeEdit;
  /** The last set made ready for policies, and what it became: the prefixes of one set share it. */
  #lastSeen: { readonly given: PathAttributes; readonly seen: PathAttributes } | undefined;

  constructor(from: PathOrigin, target: ExportTarget) {
    this.#from = from;
    this.#target = target;
    this.#edit = target.internal ? towardsInternal(from, target) : towardsExternal(from, target);
    this.#otherEdit = target.internal ? lastResort(this.#edit) : { ...this.#edit, dropsMed: false, zeroesMed: false };
    this.#seenEdit = target.internal ? this.#edit : { ...this.#otherEdit, prepend: undefined };
  }

  /** Undefined when the route may go. `set` stands in the LocRib, before export policy. */
  refusal(set: AttributeView): ExportRefusal | undefined {
    const from = this.#from;
    const target = this.#target;
    const { communityCount } = set;
    for (let i = 0; i < communityCount; i++) {
      switch (set.community(i)) {
        case WellKnown.NoAdvertise:
          return ExportRefusal.NoAdvertise;
        case WellKnown.NoExport:
        case WellKnown.NoExportSubconfed:
          // RFC 1997 speaks of routes received; one of our own carries it for those who receive it from us.
          if (!target.internal && from.kind !== "local") return ExportRefusal.NoExport;
          break;
        case WellKnown.LlgrStale:
          // RFC 9494 §4.6 lets internal peers have it all the same, marked as `lastResort` does.
          if (!target.internal && !target.takesLongLivedStale) return ExportRefusal.LongLivedStale;
          break;
        default:
      }
    }
    if (from.kind === "internal" && target.internal && !mayReflect(from, target)) return ExportRefusal.NotReflected;
    if (!target.internal && mayNotLeave(set, target.role)) return ExportRefusal.OnlyToCustomer;
    return undefined;
  }

  /** What the export policies are to see: the very same object where that is the set as it stands. */
  seenByPolicies(given: PathAttributes): PathAttributes {
    const { internal, policyAfterOwnAs, localAs } = this.#target;
    if (internal || !policyAfterOwnAs) return given;
    if (this.#lastSeen?.given === given) return this.#lastSeen.seen;
    const { dropsMed, zeroesMed } = this.#edit;
    const kept = dropsMed && given.asPath.length > 0 ? undefined : given.med;
    const zeroed = given.med === undefined ? undefined : 0;
    const asPath = prependAs(given.asPath, localAs);
    const seen = editAttributes(given, { asPath, med: zeroesMed ? zeroed : kept });
    this.#lastSeen = { given, seen };
    return seen;
  }

  /**
   * `set` as the export policies and `editPath` left it, `hasOwnAs` if that is what came of a set that they were shown with our AS
   * in front; the result is the rewriter's. Returns the one refusal that shows only now: ExportRefusal.NoNextHop.
   */
  rewrite(
    set: AttributeView,
    rewriter: AttributeRewriter,
    edits = UNEDITED,
    hasOwnAs = false,
  ): ExportRefusal | undefined {
    const target = this.#target;
    const nextHop = nextHopFor(set, this.#from.kind, target, edits);
    if (nextHop === undefined) return ExportRefusal.NoNextHop;
    const isOther = target.internal
      ? !target.takesLongLivedStale && set.hasCommunity(WellKnown.LlgrStale)
      : edits.medSet;
    const edit = hasOwnAs ? this.#seenEdit : isOther ? this.#otherEdit : this.#edit;
    rewriter.rewrite(set, edit, nextHop === "kept" ? undefined : nextHop);
    return undefined;
  }
}

/** `editPath` may change a set. */
export function editsPath(target: ExportTarget): boolean {
  return !target.internal && (target.removePrivateAs || target.asOverride);
}

/** What the operator wants of AS_PATH, before ours goes in front of it. The very same object when nothing changes. */
export function editPath(attributes: PathAttributes, target: ExportTarget, edits = UNEDITED): PathAttributes {
  const { localAs, peerAs } = target;
  let path = attributes.asPath;
  // Our own numbers stay: only a policy can have put them there.
  if (target.removePrivateAs) path = removePrivateAs(path, [peerAs, localAs]);
  if (target.asOverride) path = replaceAs(path, peerAs, localAs);
  // A received MED stays one (RFC 4271 §5.1.4) where nothing is left of the path.
  const isLeft = edits.medSet || target.zeroMed || target.policyAfterOwnAs || attributes.asPath.length === 0;
  const med = isLeft ? attributes.med : undefined;
  return editAttributes(attributes, { asPath: path, med });
}

/** RFC 4271 §5.1.5: with LOCAL_PREF. AS_PATH and MULTI_EXIT_DISC stay; reflection adds its marks and changes nothing else. */
function towardsInternal(from: PathOrigin, target: ExportTarget): AttributeEdit {
  return {
    prepend: undefined,
    dropsMed: false,
    zeroesMed: false,
    localPref: DEFAULT_LOCAL_PREF,
    keepsLocalPref: true,
    community: undefined,
    originatorId: from.kind === "internal" ? from.routerId : undefined,
    clusters: from.kind === "internal" ? reflectingClusters(from, target) : [],
    dropsNonTransitive: false,
    onlyToCustomer: undefined,
  };
}

/** RFC 9494 §4.6. */
function lastResort(edit: AttributeEdit): AttributeEdit {
  return { ...edit, localPref: 0, keepsLocalPref: false, community: WellKnown.NoExport };
}

/**
 * RFC: RFC 7705 §3 puts the AS of a migrated peer and the real AS both into the path, unless told otherwise.
 * Ours: the session's local AS alone, as with BIRD's `local as`, which Calico's localASNumber stands for.
 */
function towardsExternal(from: PathOrigin, target: ExportTarget): AttributeEdit {
  return {
    prepend: target.localAs,
    // A received MED is for us alone (RFC 4271 §5.1.4); with an empty path it is from within our own AS.
    dropsMed: !target.zeroMed,
    // BIRD 1.6 does as much with what it heard from others, and leaves alone what is its own.
    zeroesMed: target.zeroMed && from.kind !== "local",
    localPref: undefined,
    keepsLocalPref: false,
    community: undefined,
    originatorId: undefined,
    clusters: undefined,
    dropsNonTransitive: true,
    onlyToCustomer: otcOnEgress(target.role, target.localAs),
  };
}
