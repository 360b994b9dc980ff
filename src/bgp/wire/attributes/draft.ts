/** Attributes while they are being read: what an UPDATE said so far, in whatever order it said it. */

import type { IpAddress } from "../../model/address.ts";
import type { AsPath } from "../../model/as-path.ts";
import type { Aggregator, Origin, PathAttributes, UnknownAttribute } from "../../model/attributes.ts";
import type { ExtendedCommunity, LargeCommunity } from "../../model/community.ts";
import type { Asn, RouterId } from "../../model/ids.ts";

export class AttributeDraft {
  origin: Origin | undefined = undefined;
  asPath: AsPath | undefined = undefined;
  /** NEXT_HOP; that of MP_REACH_NLRI is none of the draft's business. */
  nextHop: IpAddress | undefined = undefined;
  med: number | undefined = undefined;
  localPref: number | undefined = undefined;
  atomicAggregate: boolean | undefined = undefined;
  aggregator: Aggregator | undefined = undefined;
  communities: readonly number[] | undefined = undefined;
  originatorId: RouterId | undefined = undefined;
  clusterList: readonly RouterId[] | undefined = undefined;
  extendedCommunities: readonly ExtendedCommunity[] | undefined = undefined;
  as4Path: AsPath | undefined = undefined;
  as4Aggregator: Aggregator | undefined = undefined;
  largeCommunities: readonly LargeCommunity[] | undefined = undefined;
  onlyToCustomer: Asn | undefined = undefined;
  unknown: UnknownAttribute[] | undefined = undefined;
  partial: number[] | undefined = undefined;
}

export function markPartial(type: number, draft: AttributeDraft): void {
  draft.partial ??= [];
  draft.partial.push(type);
}

const NONE: readonly never[] = Object.freeze([]);

/** The draft with its next hop settled. ORIGIN and AS_PATH must be there. */
export function finishDraft(
  draft: AttributeDraft,
  origin: Origin,
  asPath: AsPath,
  nextHop: IpAddress,
  linkLocalNextHop: IpAddress | undefined,
): PathAttributes {
  return Object.freeze({
    origin,
    asPath,
    nextHop,
    linkLocalNextHop,
    med: draft.med,
    localPref: draft.localPref,
    atomicAggregate: draft.atomicAggregate ?? false,
    aggregator: draft.aggregator,
    communities: draft.communities ?? NONE,
    extendedCommunities: draft.extendedCommunities ?? NONE,
    largeCommunities: draft.largeCommunities ?? NONE,
    originatorId: draft.originatorId,
    clusterList: draft.clusterList ?? NONE,
    onlyToCustomer: draft.onlyToCustomer,
    unknown: draft.unknown ?? NONE,
    partial: draft.partial ?? NONE,
  });
}
