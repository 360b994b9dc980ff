/** What BIRD's control socket shows of the daemon: protocols and routes of one family as BIRD 1.6 would have them. */

import type { FamilyLabel, PeerAction, ReloadReport } from "../views.ts";

/** BIRD runs a daemon for each family, and so does its control socket. */
export type BirdFamily = FamilyLabel;

export interface BirdStatus {
  readonly routerId: string;
  /** Milliseconds since 1970, as all times here. */
  readonly startedAt: number;
  readonly configuredAt: number;
  /** A graceful restart of ours is under way (RFC 4724 §4.1). */
  readonly recovery:
    | { readonly waitingFor: number; readonly elapsedSeconds: number; readonly totalSeconds: number }
    | undefined;
}

export type BirdProtocolKind = "Static" | "Kernel" | "Device" | "Direct" | "BGP";

export interface BirdProtocol {
  readonly name: string;
  readonly kind: BirdProtocolKind;
  readonly state: "up" | "start" | "down";
  /** Since when it is up, starting or down. */
  readonly since: number;
  readonly session: BirdSession | undefined;
}

/** Remaining and whole, in seconds. */
export interface BirdTimer {
  readonly remaining: number;
  readonly total: number;
}

export interface BirdSession {
  /** As BIRD calls it: Established, Active, Passive, Down. */
  readonly state: string;
  /** In words, why there is no session or why the last one ended. */
  readonly lastError: string | undefined;
  readonly address: string | undefined;
  readonly asNumber: number | undefined;
  readonly importFilter: string;
  readonly exportFilter: string;
  readonly importLimit: { readonly limit: number; readonly isHit: boolean; readonly action: string } | undefined;
  /** Only while Established. */
  readonly established:
    | {
        readonly routerId: string;
        readonly capabilities: readonly string[];
        readonly traits: readonly string[];
        readonly sourceAddress: string | undefined;
        readonly hold: BirdTimer | undefined;
        readonly keepalive: BirdTimer | undefined;
      }
    | undefined;
  readonly filtered: number;
  readonly exported: number;
  readonly updates: BirdUpdateCounts;
}

/** Routes that a peer announced and withdrew, and what came of them, since it is known. */
export interface BirdUpdateCounts {
  readonly announced: number;
  readonly filtered: number;
  readonly unchanged: number;
  readonly withdrawn: number;
  readonly withdrawnUnknown: number;
}

/** How many routes of the table are whose. */
export interface BirdCounts {
  /** Destinations that can be reached. */
  readonly networks: number;
  readonly routes: number;
  of(protocol: string): { readonly imported: number; readonly preferred: number };
  /** To the kernel. */
  readonly forwarded: number;
}

export interface BirdRoute {
  readonly prefix: string;
  readonly protocol: string;
  readonly kind: "BGP" | "static" | "inherit" | "device";
  readonly destination: "unicast" | "blackhole" | "unreachable";
  readonly hops: readonly { readonly gateway: string | undefined; readonly interface: string | undefined }[];
  readonly since: number;
  /** The peer's address. */
  readonly from: string | undefined;
  readonly isBest: boolean;
  readonly isStale: boolean;
  readonly preference: number;
  /** Distance of the next hop; only of BGP routes. */
  readonly reach: "near" | "far" | "none" | undefined;
  readonly origin: "igp" | "egp" | "incomplete";
  /** The AS that the route began in. */
  readonly originAs: number | undefined;
  /** What the kernel has it by, where it is learnt from there. */
  readonly kernel: { readonly protocol: number; readonly metric: number } | undefined;
  /** For `all`; BGP attributes only of what is learnt from, or sent to, a peer. */
  attributes(): BirdAttributes | undefined;
}

export interface BirdAttributes {
  readonly origin: "igp" | "egp" | "incomplete";
  readonly asPath: string;
  readonly nextHop: string | undefined;
  readonly linkLocalNextHop: string | undefined;
  readonly med: number | undefined;
  readonly localPref: number | undefined;
  readonly atomicAggregate: boolean;
  readonly aggregator: { readonly asNumber: number; readonly address: string } | undefined;
  readonly communities: readonly (readonly [high: number, low: number])[];
  readonly extendedCommunities: readonly string[];
  readonly largeCommunities: readonly (readonly [number, number, number])[];
  readonly originatorId: string | undefined;
  readonly clusterList: readonly string[];
  readonly unknown: readonly { readonly type: number; readonly value: string }[];
}

export type BirdSelection =
  | { readonly kind: "table" }
  /** Refused by import rules. */
  | { readonly kind: "filtered" }
  | { readonly kind: "export" | "preexport" | "noexport"; readonly to: string };

export interface BirdRouteQuery {
  readonly family: BirdFamily;
  readonly selection: BirdSelection;
  readonly prefix: string | undefined;
  /** Longest match for this address. */
  readonly address: string | undefined;
  readonly protocol: string | undefined;
  readonly isPrimary: boolean;
}

export interface BirdInterface {
  readonly name: string;
  readonly index: number;
  readonly isUp: boolean;
  readonly addresses: readonly { readonly address: string; readonly length: number; readonly scope: string }[];
}

export interface BirdStaticRoute {
  readonly prefix: string;
  readonly nextHop: string | undefined;
  readonly isUnreachable: boolean;
}

/** Iterators are pulled as fast as the client reads; undefined means that others should have their turn first. */
export interface BirdView {
  status(): BirdStatus;
  protocols(family: BirdFamily): Iterator<BirdProtocol | undefined, void>;
  protocol(family: BirdFamily, name: string): BirdProtocol | undefined;
  counts(family: BirdFamily): BirdCounts;
  routes(query: BirdRouteQuery): Generator<BirdRoute | undefined, void>;
  interfaces(family: BirdFamily): Iterable<BirdInterface>;
  statics(family: BirdFamily): Iterable<BirdStaticRoute>;
  memory(): { readonly process: number; readonly heap: number; readonly tables: number };
  reload(): Promise<ReloadReport>;
  /** Throws UsageError where it cannot be done. */
  act(peer: string, action: PeerAction): void;
}
