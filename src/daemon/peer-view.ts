/** A peer in the JSON that users see: what its session knows, and how many routes the tables have of it. */

import { formatAddress } from "../bgp/model/address.ts";
import { familyName } from "../bgp/model/family.ts";
import { formatRouterId } from "../bgp/model/ids.ts";
import type { FamilyOptions, PeerOptions } from "../bgp/options.ts";
import type { PeerSnapshot } from "../bgp/peer-snapshot.ts";
import type { PeerView } from "../control/views.ts";
import type { Rib } from "../rib/rib.ts";

export function peerView(
  options: PeerOptions,
  session: PeerSnapshot,
  rib: Rib,
  isInternal: boolean,
  /** The wall clock's time when the monotonic one was 0. */
  began: number,
): PeerView {
  const { negotiated } = session;
  const tables = rib.peer(options.id);
  return {
    name: options.name,
    address: session.remoteAddress === undefined ? null : formatAddress(session.remoteAddress),
    port: options.port,
    asNumber: negotiated?.peerAs ?? expectedAs(options),
    localAsNumber: options.localAs,
    routerId: negotiated === undefined ? null : formatRouterId(negotiated.remoteRouterId),
    type: (negotiated?.internal ?? isInternal) ? "internal" : "external",
    routeReflectorClient: tables?.options.routeReflectorClient ?? false,
    state: session.state,
    enabled: session.enabled,
    since: new Date(began + session.since).toISOString(),
    transitions: session.transitions,
    lastError: session.lastError ?? null,
    negotiated: session.state === "Established" && negotiated !== undefined ? negotiatedView(negotiated) : null,
    families: Object.fromEntries(
      options.families.map((family) => [familyName(family.family), counts(family, options, rib)]),
    ),
    messages: session.messages,
  };
}

function expectedAs(options: PeerOptions): number | null {
  if (typeof options.remoteAs === "string") return options.remoteAs === "internal" ? options.localAs : null;
  return options.remoteAs.length === 1 ? (options.remoteAs[0] ?? null) : null;
}

function counts(family: FamilyOptions, options: PeerOptions, rib: Rib): PeerView["families"][string] {
  const state = rib.peer(options.id)?.family(family.family);
  return {
    received: state?.received ?? 0,
    accepted: state?.accepted ?? 0,
    advertised: state?.group?.out.countFor(options.id) ?? 0,
    limit: family.maxPrefixes?.limit ?? null,
  };
}

function negotiatedView(negotiated: NonNullable<PeerSnapshot["negotiated"]>): PeerView["negotiated"] {
  const { gracefulRestart } = negotiated;
  return {
    holdTime: negotiated.holdSeconds,
    keepaliveTime: negotiated.keepaliveSeconds,
    families: negotiated.families.map((f) => familyName(f.family)),
    addPath: Object.fromEntries(
      negotiated.families.map((f) => [
        familyName(f.family),
        f.addPathReceive ? (f.addPathSend ? "both" : "receive") : f.addPathSend ? "send" : "off",
      ]),
    ),
    fourOctetAs: negotiated.fourOctetAs,
    extendedMessages: negotiated.extendedMessages,
    extendedNextHop: negotiated.families.some((f) => f.extendedNextHop),
    routeRefresh: negotiated.routeRefresh,
    enhancedRouteRefresh: negotiated.enhancedRouteRefresh,
    gracefulRestart:
      gracefulRestart === undefined
        ? null
        : {
            time: gracefulRestart.timeSeconds,
            families: gracefulRestart.families.map(familyName),
            notification: gracefulRestart.notification,
          },
    longLivedGracefulRestart: negotiated.longLived.length > 0,
    hostName: negotiated.hostName ?? null,
  };
}
