/** A Config as each layer's own options: configuration objects go no further than this file. */

import { ipv4, ipv6 } from "../bgp/model/address.ts";
import { attributesWith } from "../bgp/model/attributes.ts";
import { AddPathMode } from "../bgp/model/capability.ts";
import { Family } from "../bgp/model/family.ts";
import { type Asn, asn, type PeerId } from "../bgp/model/ids.ts";
import type { CapabilityOptions, FamilyOptions, PeerOptions, SpeakerOptions } from "../bgp/options.ts";
import type { FibOptions } from "../fib/options.ts";
import type { Aggregate, OriginatedRoute, RibOptions, RibPeerOptions } from "../rib/options.ts";
import type { Policy } from "../rib/policy/policy.ts";
import type {
  AddPath,
  CapabilityProfile,
  Config,
  FamilyConfig,
  OriginateConfig,
  PeerConfig,
  RoleName,
} from "./model.ts";

/** What the daemon knows and the configuration does not. */
export interface CompileContext {
  readonly hostName: string;
  /** This process restarts within the graceful restart time. */
  readonly restarting: boolean;
}

/** A peer as sessions and as tables see it. */
export interface CompiledPeer {
  readonly session: PeerOptions;
  readonly rib: RibPeerOptions;
}

/** Everything but the peers: of those each is compiled when it comes or changes. */
export interface Compiled {
  readonly speaker: SpeakerOptions;
  readonly rib: RibOptions;
  readonly originated: readonly OriginatedRoute[];
  readonly aggregates: readonly Aggregate[];
  /** Undefined: no kernel. */
  readonly fib: FibOptions | undefined;
}

export function compile(config: Config, context: CompileContext): Compiled {
  return {
    speaker: {
      asNumber: config.asNumber,
      routerId: config.routerId,
      hostName: context.hostName,
      listen: config.listen.addresses.map((address) => ({ address, port: config.listen.port })),
      restarting: context.restarting,
    },
    rib: {
      asNumber: config.asNumber,
      routerId: config.routerId,
      clusterId: config.clusterId,
      maxPaths: config.kernel.maxPaths,
      alwaysCompareMed: false,
      resolveNextHops: config.kernel.enabled,
      priorities: config.kernel.priorities,
      kernelRules: config.kernel.rules,
    },
    originated: config.originate.map(originatedOf),
    aggregates: config.aggregates.map(({ prefix, summaryOnly }) => ({ prefix, summaryOnly })),
    fib: compileFib(config),
  };
}

/** `id`: the same for as long as that peer is known. */
export function compilePeer(peer: PeerConfig, config: Pick<Config, "policies">, id: PeerId): CompiledPeer {
  const role = peer.role === undefined ? undefined : ROLES[peer.role];
  const isLikeBird = peer.capabilities === "bird";
  const session: PeerOptions = {
    id,
    name: peer.name,
    remote: peer.remote,
    port: peer.port,
    remoteAs: peer.asNumber,
    localAs: peer.localAsNumber,
    localAddress: peer.localAddress,
    passive: peer.passive,
    enabled: peer.enabled,
    password: peer.password,
    ttl: peer.ttl,
    ttlSecurityHops: peer.ttlSecurity,
    families: peer.families.map(compileFamily),
    holdTimeSeconds: peer.timers.holdMilliseconds / 1000,
    keepaliveSeconds:
      peer.timers.keepaliveMilliseconds === undefined ? undefined : peer.timers.keepaliveMilliseconds / 1000,
    connectRetrySeconds: peer.timers.connectRetryMilliseconds / 1000,
    idleHoldSeconds: peer.timers.idleHoldMilliseconds / 1000,
    gracefulRestart: peer.gracefulRestart,
    role,
    capabilities: CAPABILITIES[peer.capabilities],
    linkLocalNextHops: !isLikeBird,
  };
  const rib: RibPeerOptions = {
    id,
    name: peer.name,
    internal: peer.internal,
    localAs: peer.localAsNumber,
    peerAs: expectedAs(peer),
    routeReflectorClient: peer.routeReflectorClient,
    clusterId: peer.clusterId,
    nextHop: peer.nextHop,
    allowLocalAs: peer.allowLocalAs,
    realAsLoops: !isLikeBird,
    enforceFirstAs: !isLikeBird,
    removePrivateAs: peer.removePrivateAs,
    asOverride: peer.asOverride,
    importPolicies: policiesOf(peer.import, config),
    exportPolicies: policiesOf(peer.export, config),
    policyAfterOwnAs: isLikeBird,
    zeroMed: isLikeBird,
    advertisementSeconds: peer.timers.advertisementMilliseconds / 1000,
    role,
    maxPrefixes: peer.families.flatMap(({ family, maxPrefixes: max }) =>
      max === undefined
        ? []
        : [{ family, limit: max.limit, warnPercent: max.warnPercent, discard: max.action === "discard" }],
    ),
  };
  return { session, rib };
}

/** RFC 9234 §4.1. */
const ROLES: Readonly<Record<RoleName, number>> = {
  provider: 0,
  "rs-server": 1,
  "rs-client": 2,
  customer: 3,
  peer: 4,
};

const CAPABILITIES: Readonly<Record<CapabilityProfile, CapabilityOptions>> = {
  all: { extendedMessages: true, hostName: true, restartNotification: true, longLivedAwareness: false },
  bird: { extendedMessages: false, hostName: false, restartNotification: false, longLivedAwareness: true },
};

const ADD_PATH: Readonly<Record<AddPath, AddPathMode | undefined>> = {
  off: undefined,
  receive: AddPathMode.Receive,
  send: AddPathMode.Send,
  both: AddPathMode.Both,
};

function compileFamily({ family, addPath, extendedNextHop, maxPrefixes }: FamilyConfig): FamilyOptions {
  return {
    family,
    addPath: ADD_PATH[addPath],
    extendedNextHop,
    maxPrefixes:
      maxPrefixes === undefined
        ? undefined
        : {
            limit: maxPrefixes.limit,
            warnPercent: maxPrefixes.warnPercent,
            action: maxPrefixes.action,
            restartSeconds: maxPrefixes.restartAfterMilliseconds / 1000,
          },
  };
}

/** 0 where only the session can tell; SessionFacts.peerAs does then. */
function expectedAs(peer: PeerConfig): Asn {
  const [first, ...more] = peer.asNumber === "external" ? [] : peer.asNumber;
  return first === undefined || more.length > 0 ? asn(0) : first;
}

/** Validation saw to it that each name is known. */
function policiesOf(names: readonly string[], config: Pick<Config, "policies">): readonly Policy[] {
  return names.flatMap((name) => config.policies[name]?.policy ?? []);
}

const originated = new WeakMap<OriginateConfig, OriginatedRoute>();

/** The same object for the same object: the tables know by it that nothing changed. */
function originatedOf(route: OriginateConfig): OriginatedRoute {
  const known = originated.get(route) ?? compileOriginated(route);
  originated.set(route, known);
  return known;
}

/** A route without a next hop of its own carries the unspecified address: whoever advertises it puts its own there. */
function compileOriginated(route: OriginateConfig): OriginatedRoute {
  const unspecified = route.prefix.family === Family.Ipv4 ? ipv4(0) : ipv6(0, 0, 0, 0);
  return {
    prefix: route.prefix,
    source: route.source.startsWith("calico:") ? "calico" : "static",
    kind: route.blackhole ? "blackhole" : route.nextHop === undefined ? "advertiseOnly" : "via",
    nextHop: route.nextHop,
    attributes: attributesWith(route.nextHop ?? unspecified, {
      med: route.med,
      localPref: route.localPref,
      communities: route.communities.standard,
      extendedCommunities: route.communities.extended,
      largeCommunities: route.communities.large,
    }),
  };
}

function compileFib({ kernel }: Config): FibOptions | undefined {
  if (!kernel.enabled) return undefined;
  return {
    table: kernel.table,
    protocol: kernel.protocol,
    metric: kernel.metric,
    preferredSources: kernel.preferredSources,
    learn: kernel.learn.enabled
      ? { protocols: kernel.learn.protocols, interfaces: kernel.learn.interfaces }
      : undefined,
    excludeInterfaces: kernel.excludeInterfaces,
    pruneAfterMilliseconds: kernel.pruneAfterMilliseconds,
  };
}
