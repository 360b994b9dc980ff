/** The effective configuration: plain values after defaults, templates and inheritance, whatever front end they came from. */

import type { IpAddress } from "../bgp/model/address.ts";
import type { Family } from "../bgp/model/family.ts";
import type { Asn, RouterId } from "../bgp/model/ids.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import type { KernelRule, Priorities } from "../rib/options.ts";
import type { Policy } from "../rib/policy/policy.ts";
import type { CalicoModel } from "./calico/model.ts";
import type { Communities } from "./patterns.ts";

/** Where an entry was written: "config", "default", and "calico:<kind>/<name>" of the front end for Calico. */
export type Source = string;

export type AddPath = "off" | "receive" | "send" | "both";
export type LogLevel = "debug" | "info" | "warn" | "error";
/** Whose OPEN ours is like: with all that we know, or with what Calico's BIRD offers and no more. */
export type CapabilityProfile = "all" | "bird";
export type RoleName = "provider" | "customer" | "peer" | "rs-server" | "rs-client";

export interface MaxPrefixes {
  readonly limit: number;
  readonly warnPercent: number;
  readonly action: "warn" | "discard" | "restart" | "shutdown";
  readonly restartAfterMilliseconds: number;
}

export interface FamilyConfig {
  readonly family: Family;
  readonly addPath: AddPath;
  /** IPv4 routes may carry IPv6 next hops (RFC 8950): a property of the IPv4 family, wherever it was written. */
  readonly extendedNextHop: boolean;
  readonly maxPrefixes: MaxPrefixes | undefined;
}

export type Remote =
  | { readonly kind: "address"; readonly address: IpAddress; readonly interface: string | undefined }
  | { readonly kind: "range"; readonly prefix: Prefix; readonly limit: number }
  | { readonly kind: "interface"; readonly interface: string };

export interface Timers {
  readonly holdMilliseconds: number;
  /** Undefined: a third of the negotiated hold time. */
  readonly keepaliveMilliseconds: number | undefined;
  readonly connectRetryMilliseconds: number;
  readonly idleHoldMilliseconds: number;
  readonly advertisementMilliseconds: number;
}

export interface PeerConfig {
  readonly name: string;
  readonly remote: Remote;
  readonly port: number;
  /** Several only for ranges; `external` is any but localAsNumber. */
  readonly asNumber: readonly Asn[] | "external";
  readonly localAsNumber: Asn;
  readonly internal: boolean;
  readonly localAddress: IpAddress | undefined;
  readonly passive: boolean;
  readonly enabled: boolean;
  /** The secret itself, whatever it was read from. Never shown, never logged. */
  readonly password: string | undefined;
  /** TTL of what is sent; 255 with ttlSecurity. */
  readonly ttl: number;
  readonly ttlSecurity: number | undefined;
  readonly routeReflectorClient: boolean;
  readonly clusterId: RouterId;
  readonly nextHop: "auto" | "self" | "keep";
  readonly families: readonly FamilyConfig[];
  readonly timers: Timers;
  readonly gracefulRestart: { readonly timeSeconds: number; readonly longLivedSeconds: number } | undefined;
  readonly allowLocalAs: number;
  readonly removePrivateAs: boolean;
  readonly asOverride: boolean;
  readonly role: RoleName | undefined;
  readonly capabilities: CapabilityProfile;
  readonly import: readonly string[];
  readonly export: readonly string[];
  readonly source: Source;
}

export interface OriginateConfig {
  readonly prefix: Prefix;
  readonly blackhole: boolean;
  readonly nextHop: IpAddress | undefined;
  readonly communities: Communities;
  readonly localPref: number | undefined;
  readonly med: number | undefined;
  readonly source: Source;
}

export interface AggregateConfig {
  readonly prefix: Prefix;
  readonly summaryOnly: boolean;
  readonly source: Source;
}

export interface PolicyConfig {
  readonly policy: Policy;
  /** As written, in one canonical text: two policies with the same text do the same. */
  readonly definition: string;
  readonly source: Source;
}

export interface KernelConfig {
  readonly enabled: boolean;
  readonly table: number;
  readonly protocol: number;
  readonly metric: number | undefined;
  /** At most one of each family. */
  readonly preferredSources: readonly IpAddress[];
  readonly learn: {
    readonly enabled: boolean;
    readonly protocols: readonly number[];
    readonly interfaces: readonly string[];
  };
  readonly excludeInterfaces: readonly string[];
  readonly maxPaths: number;
  readonly pruneAfterMilliseconds: number;
  /** What becomes of routes on their way there, and of their metrics: a Calico node's resources say so. */
  readonly rules: readonly KernelRule[];
  readonly priorities: Priorities | undefined;
}

export interface HttpConfig {
  readonly address: IpAddress;
  readonly port: number;
}

export interface LogConfig {
  readonly level: LogLevel;
  readonly format: "auto" | "pretty" | "json";
  /** By the peer's name. */
  readonly peers: Readonly<Record<string, LogLevel>>;
}

export interface Config {
  readonly asNumber: Asn;
  readonly routerId: RouterId;
  readonly clusterId: RouterId;
  readonly listen: { readonly addresses: readonly IpAddress[]; readonly port: number };
  /** Sorted by name. */
  readonly peers: readonly PeerConfig[];
  readonly originate: readonly OriginateConfig[];
  readonly aggregates: readonly AggregateConfig[];
  readonly policies: Readonly<Record<string, PolicyConfig>>;
  readonly kernel: KernelConfig;
  /** Undefined: the rule for the default of the control socket decides. */
  readonly controlSocket: string | undefined;
  /** BIRD's control sockets; undefined: none but on a Calico node. */
  readonly birdSocket: string | false | undefined;
  readonly bird6Socket: string | false | undefined;
  readonly http: HttpConfig | undefined;
  readonly log: LogConfig;
  /** What Calico's resources come to; undefined on other machines, and as long as nothing is known of the node. */
  readonly calico: CalicoModel | undefined;
}
