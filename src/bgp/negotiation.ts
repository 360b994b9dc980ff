/** What two OPENs come to: the capabilities that we offer, and what holds when the peer's are laid beside them (RFC 4271 §6.2, RFC 5492). */

import { AddPathMode, type Capability, type NegotiatedFamily } from "./model/capability.ts";
import { FAMILIES, Family, SAFI_UNICAST } from "./model/family.ts";
import { AS_TRANS, type Asn, formatRouterId, type RouterId } from "./model/ids.ts";
import { NotificationCode, NotificationError, type OpenMessage, OpenSubcode } from "./model/messages.ts";
import type { FamilyOptions, PeerOptions } from "./options.ts";
import { encodeCapability } from "./wire/capabilities.ts";
import { Writer } from "./wire/writer.ts";

/** What of the speaker goes into every OPEN. */
export interface LocalFacts {
  readonly routerId: RouterId;
  readonly hostName: string;
  /** RFC 4724 §3, the R bit; our forwarding state was kept, so the F bits are set with it. */
  readonly restarting: boolean;
}

export interface NegotiatedRestart {
  /** The peer's Restart Time. */
  readonly timeSeconds: number;
  /** Both sides set the N bit (RFC 8538 §2). */
  readonly notification: boolean;
  readonly families: readonly Family[];
  readonly forwardingPreserved: readonly Family[];
}

export interface Negotiated {
  readonly peerAs: Asn;
  readonly internal: boolean;
  readonly remoteRouterId: RouterId;
  readonly holdSeconds: number;
  readonly keepaliveSeconds: number;
  readonly families: readonly NegotiatedFamily[];
  readonly fourOctetAs: boolean;
  readonly extendedMessages: boolean;
  readonly routeRefresh: boolean;
  readonly enhancedRouteRefresh: boolean;
  /** Undefined unless both sides have it. */
  readonly gracefulRestart: NegotiatedRestart | undefined;
  /** RFC 9494 §4.2: how long the peer wants its routes kept beyond the Restart Time. */
  readonly longLived: readonly { readonly family: Family; readonly seconds: number }[];
  /** The peer's R bit (RFC 4724 §3). */
  readonly isRestarting: boolean;
  readonly sendsEndOfRib: boolean;
  readonly hostName: string | undefined;
}

const MAX_TWO_OCTET_AS = 0xffff;
/** RFC 4724 §3 and RFC 9494 §3.1 leave 12 and 24 bits. */
const MAX_RESTART_SECONDS = 0xfff;
const MAX_LONG_LIVED_SECONDS = 0xffffff;
/** RFC 9234 §4.1: provider, route server, its client, customer, peer; and who may meet whom (§4.2). */
const COUNTERPART: Readonly<Record<number, number>> = { 0: 3, 3: 0, 1: 2, 2: 1, 4: 4 };
const ROLE_NAMES: Readonly<Record<number, string>> = {
  0: "provider",
  1: "rs-server",
  2: "rs-client",
  3: "customer",
  4: "peer",
};

/** Our OPEN. `plain`: without any capability, for a peer that knows none (RFC 5492 §3). */
export function buildOpen(options: PeerOptions, local: LocalFacts, plain: boolean): OpenMessage {
  return {
    version: 4,
    myAs: options.localAs > MAX_TWO_OCTET_AS ? AS_TRANS : options.localAs,
    holdTimeSeconds: options.holdTimeSeconds,
    bgpIdentifier: local.routerId,
    capabilities: plain ? [] : offeredCapabilities(options, local),
  };
}

/** Throws the NotificationError that refuses the peer. `plain`: what was sent had no capabilities. */
export function negotiate(options: PeerOptions, local: LocalFacts, open: OpenMessage, plain: boolean): Negotiated {
  const theirs = open.capabilities;
  const fourOctet = find(theirs, "fourOctetAs");
  const peerAs = fourOctet?.asNumber ?? (open.myAs as Asn);
  checkPeerAs(options, peerAs);
  const internal = peerAs === options.localAs;
  // RFC 6286 §2.2: the same identifier is an error between internal peers only.
  if (internal && open.bgpIdentifier === local.routerId) {
    throw refusal(
      OpenSubcode.BadBgpIdentifier,
      `the peer has our own BGP Identifier ${formatRouterId(local.routerId)}`,
    );
  }
  if (!plain) checkRole(options.role, theirs);
  const families = commonFamilies(options, theirs, plain);
  const holdSeconds = Math.min(options.holdTimeSeconds, open.holdTimeSeconds);
  const gracefulRestart = plain ? undefined : commonRestart(options, theirs, families);
  return {
    peerAs,
    internal,
    remoteRouterId: open.bgpIdentifier,
    holdSeconds,
    keepaliveSeconds: keepaliveFor(holdSeconds, options.keepaliveSeconds),
    families,
    fourOctetAs: !plain && fourOctet !== undefined,
    extendedMessages: !plain && options.capabilities.extendedMessages && find(theirs, "extendedMessage") !== undefined,
    routeRefresh: !plain && find(theirs, "routeRefresh") !== undefined,
    enhancedRouteRefresh: !plain && find(theirs, "enhancedRouteRefresh") !== undefined,
    gracefulRestart,
    longLived: gracefulRestart === undefined ? [] : commonLongLived(options, theirs, families),
    isRestarting: find(theirs, "gracefulRestart")?.restarted ?? false,
    // RFC 4724 §3: a speaker that lists no family still says by the capability that it sends the marker.
    sendsEndOfRib: find(theirs, "gracefulRestart") !== undefined,
    hostName: find(theirs, "fqdn")?.hostName || undefined,
  };
}

function offeredCapabilities(options: PeerOptions, local: LocalFacts): readonly Capability[] {
  const offered: Capability[] = options.families.map(({ family }) => ({
    kind: "multiprotocol",
    afi: family,
    safi: SAFI_UNICAST,
  }));
  offered.push({ kind: "routeRefresh" }, { kind: "enhancedRouteRefresh" });
  offered.push({ kind: "fourOctetAs", asNumber: options.localAs });
  if (options.capabilities.extendedMessages) offered.push({ kind: "extendedMessage" });
  const nextHops = options.families.filter(wantsExtendedNextHop);
  if (nextHops.length > 0) {
    const tuples = nextHops.map(({ family }) => ({ afi: family, safi: SAFI_UNICAST, nextHopAfi: Family.Ipv6 }));
    offered.push({ kind: "extendedNextHop", tuples });
  }
  const addPath = options.families.flatMap(({ family, addPath: mode }) =>
    mode === undefined ? [] : [{ afi: family, safi: SAFI_UNICAST, mode }],
  );
  if (addPath.length > 0) offered.push({ kind: "addPath", tuples: addPath });
  if (options.role !== undefined) offered.push({ kind: "role", role: options.role });
  offered.push(...offeredRestart(options, local));
  if (options.capabilities.hostName && local.hostName !== "")
    offered.push({ kind: "fqdn", hostName: local.hostName, domainName: "" });
  return offered;
}

function offeredRestart(options: PeerOptions, local: LocalFacts): readonly Capability[] {
  if (options.gracefulRestart === undefined) return [];
  const { timeSeconds, longLivedSeconds } = options.gracefulRestart;
  const families = options.families.map(({ family }) => ({
    afi: family,
    safi: SAFI_UNICAST,
    forwardingPreserved: local.restarting,
  }));
  const restart: Capability = {
    kind: "gracefulRestart",
    restarted: local.restarting,
    notification: options.capabilities.restartNotification,
    timeSeconds: Math.min(timeSeconds, MAX_RESTART_SECONDS),
    families,
  };
  if (longLivedSeconds === 0) {
    return options.capabilities.longLivedAwareness
      ? [restart, { kind: "longLivedGracefulRestart", tuples: [] }]
      : [restart];
  }
  const staleTimeSeconds = Math.min(longLivedSeconds, MAX_LONG_LIVED_SECONDS);
  return [restart, { kind: "longLivedGracefulRestart", tuples: families.map((f) => ({ ...f, staleTimeSeconds })) }];
}

function checkPeerAs(options: PeerOptions, peerAs: Asn): void {
  const { remoteAs, localAs } = options;
  const expected =
    remoteAs === "internal"
      ? peerAs === localAs
      : remoteAs === "external"
        ? peerAs !== localAs
        : remoteAs.includes(peerAs);
  if (expected) return;
  const wanted =
    remoteAs === "internal" ? `${localAs}` : remoteAs === "external" ? `any but ${localAs}` : remoteAs.join(" or ");
  throw refusal(OpenSubcode.BadPeerAs, `the peer says it is AS ${peerAs}; configured: ${wanted}`);
}

/** RFC 9234 §4.2. Without a role on either side there is nothing to compare; several that differ are an error. */
function checkRole(ours: number | undefined, theirs: readonly Capability[]): void {
  if (ours === undefined) return;
  const roles = theirs.flatMap((c) => (c.kind === "role" ? [c.role] : []));
  for (const role of roles) {
    if (role === COUNTERPART[ours] && role === roles[0]) continue;
    const name = (r: number) => ROLE_NAMES[r] ?? `role ${r}`;
    throw refusal(OpenSubcode.RoleMismatch, `the peer is ${name(role)}, which does not fit our role ${name(ours)}`);
  }
}

/** RFC 4760 §8: a speaker that names no family at all means IPv4 unicast. */
function commonFamilies(
  options: PeerOptions,
  theirs: readonly Capability[],
  plain: boolean,
): readonly NegotiatedFamily[] {
  const named = theirs.filter((c) => c.kind === "multiprotocol");
  const speaks = (family: Family) =>
    plain || named.length === 0
      ? family === Family.Ipv4
      : named.some((c) => c.afi === family && c.safi === SAFI_UNICAST);
  const families = options.families
    .filter(({ family }) => speaks(family))
    .map((family) => negotiatedFamily(family, plain ? [] : theirs));
  if (families.length === 0) {
    // RFC 5492 §5: the data field lists the capabilities that would have been needed.
    const w = new Writer();
    for (const { family } of options.families)
      encodeCapability({ kind: "multiprotocol", afi: family, safi: SAFI_UNICAST }, w);
    throw refusal(OpenSubcode.UnsupportedCapability, "the peer speaks none of the configured families", w.toBytes());
  }
  return families;
}

function negotiatedFamily(options: FamilyOptions, theirs: readonly Capability[]): NegotiatedFamily {
  const { family } = options;
  const mode = find(theirs, "addPath")?.tuples.findLast((t) => t.afi === family && t.safi === SAFI_UNICAST)?.mode;
  const receives = mode === AddPathMode.Receive || mode === AddPathMode.Both;
  const sends = mode === AddPathMode.Send || mode === AddPathMode.Both;
  const takesNextHop = find(theirs, "extendedNextHop")?.tuples.some(
    (t) => t.afi === family && t.safi === SAFI_UNICAST && t.nextHopAfi === Family.Ipv6,
  );
  return {
    family,
    addPathReceive: sends && (options.addPath === AddPathMode.Receive || options.addPath === AddPathMode.Both),
    addPathSend: receives && (options.addPath === AddPathMode.Send || options.addPath === AddPathMode.Both),
    extendedNextHop: wantsExtendedNextHop(options) && takesNextHop === true,
  };
}

/** RFC 8950 §3 is about IPv4 prefixes; an IPv6 prefix has an IPv6 next hop anyway. */
function wantsExtendedNextHop(options: FamilyOptions): boolean {
  return options.extendedNextHop && options.family === Family.Ipv4;
}

function commonRestart(
  options: PeerOptions,
  theirs: readonly Capability[],
  negotiated: readonly NegotiatedFamily[],
): NegotiatedRestart | undefined {
  const restart = find(theirs, "gracefulRestart");
  if (restart === undefined || options.gracefulRestart === undefined) return undefined;
  const listed = (family: Family) => restart.families.find((f) => f.afi === family && f.safi === SAFI_UNICAST);
  const families = negotiated.map((f) => f.family).filter((f) => listed(f) !== undefined);
  return {
    timeSeconds: restart.timeSeconds,
    notification: restart.notification && options.capabilities.restartNotification,
    families,
    forwardingPreserved: families.filter((f) => listed(f)?.forwardingPreserved === true),
  };
}

function commonLongLived(
  options: PeerOptions,
  theirs: readonly Capability[],
  negotiated: readonly NegotiatedFamily[],
): readonly { readonly family: Family; readonly seconds: number }[] {
  const tuples = find(theirs, "longLivedGracefulRestart")?.tuples;
  if (tuples === undefined || (options.gracefulRestart?.longLivedSeconds ?? 0) === 0) return [];
  return FAMILIES.filter((family) => negotiated.some((f) => f.family === family)).flatMap((family) => {
    const tuple = tuples.find((t) => t.afi === family && t.safi === SAFI_UNICAST);
    return tuple === undefined ? [] : [{ family, seconds: tuple.staleTimeSeconds }];
  });
}

/** RFC 4271 §4.4: a third of the hold time is a reasonable maximum. */
export function keepaliveFor(holdSeconds: number, configured: number | undefined): number {
  if (holdSeconds === 0) return 0;
  const most = Math.max(1, Math.floor(holdSeconds / 3));
  return configured === undefined || configured === 0 ? most : Math.min(configured, most);
}

/** RFC 5492 §4: where a capability is repeated, any instance may be used; we take the last. */
function find<K extends Capability["kind"]>(
  capabilities: readonly Capability[],
  kind: K,
): Extract<Capability, { kind: K }> | undefined {
  return capabilities.findLast((c): c is Extract<Capability, { kind: K }> => c.kind === kind);
}

function refusal(subcode: number, message: string, data?: Uint8Array): NotificationError {
  return new NotificationError(NotificationCode.Open, subcode, message, data);
}
