/** A peer's session in BIRD's words. */

import { formatAddress } from "../bgp/model/address.ts";
import type { NegotiatedFamily } from "../bgp/model/capability.ts";
import type { Family } from "../bgp/model/family.ts";
import { formatRouterId } from "../bgp/model/ids.ts";
import type { Negotiated } from "../bgp/negotiation.ts";
import type { PeerOptions } from "../bgp/options.ts";
import type { PeerSnapshot } from "../bgp/peer-snapshot.ts";
import type { BirdSession, BirdTimer } from "../control/bird/bird-view.ts";
import type { Daemon } from "./daemon.ts";

export interface BirdSessionParts {
  readonly daemon: Daemon;
  readonly options: PeerOptions;
  readonly session: PeerSnapshot;
  readonly family: Family;
}

export function birdSession({ daemon, options, session, family }: BirdSessionParts): BirdSession {
  const tables = daemon.rib.peer(options.id);
  const counts = tables?.family(family);
  const limit = options.families.find((f) => f.family === family)?.maxPrefixes;
  const { negotiated } = session;
  const isUp = session.state === "Established" && negotiated !== undefined;
  const received = counts?.received ?? 0;
  return {
    state: stateOf(options, session),
    lastError: lastError(session.lastError),
    address: addressOf(options, session),
    asNumber: negotiated?.peerAs ?? expectedAs(options),
    importFilter: filterOf(tables?.options.importPolicies ?? []),
    exportFilter: filterOf(tables?.options.exportPolicies ?? []),
    importLimit: limit && {
      limit: limit.limit,
      isHit: received > limit.limit,
      action: { warn: "warn", discard: "block", restart: "restart", shutdown: "disable" }[limit.action],
    },
    established: isUp ? establishedOf(negotiated, { daemon, options, session, family }) : undefined,
    filtered: received - (counts?.accepted ?? 0),
    exported: counts?.group?.out.countFor(options.id) ?? 0,
    updates: {
      announced: counts?.announced ?? 0,
      filtered: counts?.filtered ?? 0,
      unchanged: counts?.unchanged ?? 0,
      withdrawn: counts?.withdrawn ?? 0,
      withdrawnUnknown: counts?.withdrawnUnknown ?? 0,
    },
  };
}

/** Who waits for the peer to connect is Passive in BIRD, and who is disabled is Down. */
function stateOf({ passive }: PeerOptions, { enabled, state }: PeerSnapshot): string {
  if (!enabled && state === "Idle") return "Down";
  return passive && state === "Active" ? "Passive" : state;
}

/**
 * BIRD says first where an error is from: the socket, what the peer sent, what was sent to the peer. What follows is in starling's
 * words, which say more than BIRD's.
 */
export function lastError(text: string | undefined): string | undefined {
  // What the operator wanted is no error.
  if (text === undefined || /^(disabled|reset) by the operator\b/.test(text)) return undefined;
  const received = /^received NOTIFICATION: /.exec(text);
  if (received !== null) return `Received: ${capital(text.slice(received[0].length))}`;
  if (/ \(sent [^)]*\)/.test(text)) return `BGP Error: ${capital(text)}`;
  const connecting = /^cannot connect: /.exec(text);
  if (connecting !== null) return `Socket: ${capital(text.slice(connecting[0].length))}`;
  if (/^(the peer (reset|closed) the connection|connection (refused|timed out)|no route to )/.test(text))
    return `Socket: ${capital(text)}`;
  return `Error: ${capital(text)}`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function addressOf({ remote }: PeerOptions, { remoteAddress }: PeerSnapshot): string | undefined {
  const address = remoteAddress ?? (remote.kind === "address" ? remote.address : undefined);
  return address === undefined ? undefined : formatAddress(address);
}

function expectedAs({ remoteAs, localAs }: PeerOptions): number | undefined {
  if (typeof remoteAs === "string") return remoteAs === "internal" ? localAs : undefined;
  return remoteAs.length === 1 ? remoteAs[0] : undefined;
}

function filterOf(policies: readonly { readonly name: string }[]): string {
  return policies.length === 0 ? "ACCEPT" : policies.map(({ name }) => name).join(" ");
}

function establishedOf(negotiated: Negotiated, parts: BirdSessionParts): BirdSession["established"] {
  const { daemon, options, session } = parts;
  const family = negotiated.families.find((f) => f.family === parts.family);
  const isClient = daemon.rib.peer(options.id)?.options.routeReflectorClient ?? false;
  return {
    routerId: formatRouterId(negotiated.remoteRouterId),
    capabilities: capabilities(negotiated, family),
    traits: [
      negotiated.internal ? "internal" : "external",
      ...(options.ttl > 1 || options.ttlSecurityHops !== undefined ? ["multihop"] : []),
      ...(isClient ? ["route-reflector"] : []),
      ...(negotiated.fourOctetAs ? ["AS4"] : []),
      ...(family?.addPathReceive ? ["add-path-rx"] : []),
      ...(family?.addPathSend ? ["add-path-tx"] : []),
      ...(negotiated.extendedMessages ? ["ext-messages"] : []),
    ],
    sourceAddress: session.localAddress === undefined ? undefined : formatAddress(session.localAddress),
    hold: timer(session.remaining.hold, negotiated.holdSeconds),
    keepalive: timer(session.remaining.keepalive, negotiated.keepaliveSeconds),
  };
}

/** The neighbour's, as far as this side has them too: a capability of one side alone is without effect. */
function capabilities(negotiated: Negotiated, family: NegotiatedFamily | undefined): string[] {
  const { routeRefresh, enhancedRouteRefresh, extendedMessages, gracefulRestart, longLived, fourOctetAs } = negotiated;
  return [
    ...(routeRefresh ? ["refresh"] : []),
    ...(enhancedRouteRefresh ? ["enhanced-refresh"] : []),
    ...(extendedMessages ? ["ext-messages"] : []),
    ...(gracefulRestart === undefined ? [] : ["restart-able"]),
    ...(longLived.length === 0 ? [] : ["llgr-able"]),
    ...(fourOctetAs ? ["AS4"] : []),
    // Ours to receive is the neighbour's to send.
    ...(family?.addPathSend ? ["add-path-rx"] : []),
    ...(family?.addPathReceive ? ["add-path-tx"] : []),
  ];
}

function timer(remaining: number | undefined, total: number): BirdTimer | undefined {
  return remaining === undefined || total === 0 ? undefined : { remaining: Math.round(remaining / 1000), total };
}
