/** The protocol's changes on the way out, said of objects: what the byte way (src/rib/export.ts and the rewriter) must come to. */

import { prependAs } from "../../../src/bgp/model/as-path.ts";
import type { PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { isTransitive, WellKnown } from "../../../src/bgp/model/community.ts";
import { removePrivateAs, replaceAs } from "../../../src/rib/as-path-edits.ts";
import type { ExportTarget, PathOrigin } from "../../../src/rib/export.ts";
import { nextHopFor } from "../../../src/rib/export-next-hop.ts";
import { Role } from "../../../src/rib/only-to-customer.ts";
import { withCommunity } from "../../../src/rib/policy/community-patterns.ts";
import type { PolicyEdits } from "../../../src/rib/policy/evaluate.ts";

/** Undefined when there is no next hop. */
export function modelExport(
  given: PathAttributes,
  from: PathOrigin,
  target: ExportTarget,
  edits: PolicyEdits,
): PathAttributes | undefined {
  const nextHop = nextHopFor(given, from.kind, target, edits);
  if (nextHop === undefined) return undefined;
  const sent = target.internal ? towardsInternal(given, from, target) : towardsExternal(given, from, target, edits);
  return { ...sent, ...(nextHop === "kept" ? { linkLocalNextHop: undefined } : nextHop) };
}

function towardsInternal(given: PathAttributes, from: PathOrigin, target: ExportTarget): PathAttributes {
  const sent = { ...given, ...marksOf(given, from, target), localPref: given.localPref ?? 100 };
  if (target.takesLongLivedStale || !given.communities.includes(WellKnown.LlgrStale)) return sent;
  return { ...sent, localPref: 0, communities: withCommunity(given.communities, WellKnown.NoExport) };
}

/** RFC 4456 §8. */
function marksOf(given: PathAttributes, from: PathOrigin, target: ExportTarget): Partial<PathAttributes> {
  if (from.kind !== "internal") return { originatorId: undefined };
  const ours = new Set([...(target.client ? [target.clusterId] : []), ...(from.client ? [from.clusterId] : [])]);
  return { originatorId: given.originatorId ?? from.routerId, clusterList: [...ours, ...given.clusterList] };
}

function towardsExternal(
  given: PathAttributes,
  from: PathOrigin,
  target: ExportTarget,
  { medSet }: PolicyEdits,
): PathAttributes {
  const { localAs, peerAs, role } = target;
  const stripped = target.removePrivateAs ? removePrivateAs(given.asPath, [peerAs, localAs]) : given.asPath;
  const path = target.asOverride ? replaceAs(stripped, peerAs, localAs) : stripped;
  const goesDown = role === Role.Provider || role === Role.Peer || role === Role.RouteServer;
  return {
    ...given,
    asPath: prependAs(path, localAs),
    med: medSet ? given.med : medOf(given, from, target),
    localPref: undefined,
    originatorId: undefined,
    clusterList: [],
    extendedCommunities: given.extendedCommunities.filter(isTransitive),
    onlyToCustomer: given.onlyToCustomer ?? (goesDown ? localAs : undefined),
  };
}

function medOf({ asPath, med }: PathAttributes, from: PathOrigin, target: ExportTarget): number | undefined {
  if (target.zeroMed && from.kind !== "local") return med === undefined ? undefined : 0;
  return asPath.length === 0 || target.zeroMed ? med : undefined;
}
