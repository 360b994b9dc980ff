/** A Config in the words of the file, every key written out: for people (`config show`), and for saying what a reload changes. */

import { formatAddress } from "../bgp/model/address.ts";
import { formatCommunity, formatExtendedCommunity, formatLargeCommunity } from "../bgp/model/community.ts";
import { familyName } from "../bgp/model/family.ts";
import { formatRouterId } from "../bgp/model/ids.ts";
import { formatPrefix } from "../bgp/model/prefix.ts";
import { formatDuration } from "./durations.ts";
import { formatRouteProtocol, formatRouteTable } from "./kernel-names.ts";
import type { Config, FamilyConfig, KernelConfig, OriginateConfig, PeerConfig } from "./model.ts";
import { remoteName } from "./peer.ts";

/** Reading it back gives the same Config, but for passwords, which it does not tell. */
export function writtenForm(config: Config): Readonly<Record<string, unknown>> {
  return {
    asNumber: config.asNumber,
    routerId: formatRouterId(config.routerId),
    listen: { addresses: config.listen.addresses.map(formatAddress), port: config.listen.port },
    routeReflector: { clusterId: formatRouterId(config.clusterId) },
    peers: config.peers.map(writtenPeer),
    originate: config.originate.map(writtenOriginate),
    aggregates: config.aggregates.map(({ prefix, summaryOnly }) => ({ prefix: formatPrefix(prefix), summaryOnly })),
    policies: Object.fromEntries(
      Object.entries(config.policies).map(([name, { definition }]) => [name, JSON.parse(definition) as unknown]),
    ),
    kernel: writtenKernel(config.kernel),
    control: {
      socket: config.controlSocket ?? null,
      birdSocket: config.birdSocket || null,
      bird6Socket: config.bird6Socket || null,
    },
    http: config.http === undefined ? false : { address: formatAddress(config.http.address), port: config.http.port },
    log: config.log,
  };
}

/** No secret: only whether there is one. */
export function writtenPeer(peer: PeerConfig): Readonly<Record<string, unknown>> {
  return {
    name: peer.name,
    [peer.remote.kind]: remoteName(peer.remote),
    ...(peer.remote.kind === "range" ? { rangeLimit: peer.remote.limit } : {}),
    port: peer.port,
    asNumber: writtenAs(peer.asNumber),
    localAsNumber: peer.localAsNumber,
    localAddress: peer.localAddress === undefined ? null : formatAddress(peer.localAddress),
    passive: peer.passive,
    ...(peer.password === undefined ? {} : { passwordSet: true }),
    ...(peer.ttlSecurity === undefined ? { multihop: peer.ttl } : { ttlSecurity: peer.ttlSecurity }),
    routeReflectorClient: peer.routeReflectorClient,
    clusterId: formatRouterId(peer.clusterId),
    nextHop: peer.nextHop,
    families: Object.fromEntries(peer.families.map((family) => [familyName(family.family), writtenFamily(family)])),
    timers: {
      hold: formatDuration(peer.timers.holdMilliseconds),
      keepalive:
        peer.timers.keepaliveMilliseconds === undefined ? null : formatDuration(peer.timers.keepaliveMilliseconds),
      connectRetry: formatDuration(peer.timers.connectRetryMilliseconds),
      idleHold: formatDuration(peer.timers.idleHoldMilliseconds),
      advertisement: formatDuration(peer.timers.advertisementMilliseconds),
    },
    gracefulRestart:
      peer.gracefulRestart === undefined
        ? false
        : {
            time: formatDuration(peer.gracefulRestart.timeSeconds * 1000),
            longLived: formatDuration(peer.gracefulRestart.longLivedSeconds * 1000),
          },
    allowLocalAs: peer.allowLocalAs,
    removePrivateAs: peer.removePrivateAs,
    asOverride: peer.asOverride,
    role: peer.role ?? null,
    import: peer.import,
    export: peer.export,
    enabled: peer.enabled,
  };
}

export function writtenAs(asNumber: PeerConfig["asNumber"]): number | string | readonly number[] {
  if (typeof asNumber === "string") return asNumber;
  const [first, ...more] = asNumber;
  return first === undefined || more.length > 0 ? asNumber : first;
}

/** Standard, large, extended. */
function writtenCommunities({ communities }: OriginateConfig): readonly string[] {
  return [
    ...communities.standard.map(formatCommunity),
    ...communities.large.map(formatLargeCommunity),
    ...communities.extended.map(formatExtendedCommunity),
  ];
}

export function writtenFamily({ addPath, extendedNextHop, maxPrefixes }: FamilyConfig): object {
  return {
    addPath,
    extendedNextHop,
    maxPrefixes:
      maxPrefixes === undefined
        ? null
        : {
            limit: maxPrefixes.limit,
            warnPercent: maxPrefixes.warnPercent,
            action: maxPrefixes.action,
            restartAfter: formatDuration(maxPrefixes.restartAfterMilliseconds),
          },
  };
}

function writtenOriginate(route: OriginateConfig): object {
  return {
    prefix: formatPrefix(route.prefix),
    blackhole: route.blackhole,
    nextHop: route.nextHop === undefined ? null : formatAddress(route.nextHop),
    communities: writtenCommunities(route),
    localPref: route.localPref ?? null,
    med: route.med ?? null,
  };
}

export function writtenKernel(kernel: KernelConfig): object {
  return {
    enabled: kernel.enabled,
    table: tableText(kernel.table),
    protocol: protocolText(kernel.protocol),
    metric: kernel.metric ?? null,
    preferredSources: kernel.preferredSources.map(formatAddress),
    learn: {
      enabled: kernel.learn.enabled,
      protocols: kernel.learn.protocols.map(protocolText),
      interfaces: kernel.learn.interfaces,
    },
    interfaces: { exclude: kernel.excludeInterfaces },
    maxPaths: kernel.maxPaths,
    pruneAfter: formatDuration(kernel.pruneAfterMilliseconds),
  };
}

/** A number where there is no name: so that YAML keeps it one. */
function tableText(table: number): string | number {
  const text = formatRouteTable(table);
  return text === String(table) ? table : text;
}

function protocolText(protocol: number): string | number {
  const text = formatRouteProtocol(protocol);
  return text === String(protocol) ? protocol : text;
}
