/** What the control socket and HTTP show, in the JSON of docs/commands.md. Views are made on demand and owned by nobody. */

export type FamilyLabel = "ipv4" | "ipv6";

export interface RouteView {
  readonly prefix: string;
  readonly family: FamilyLabel;
  readonly peer: string | null;
  readonly source: "peer" | "static" | "kernel" | "connected" | "calico" | "aggregate";
  readonly pathId: number;
  readonly best: boolean;
  /** Why it is not the best one, in words; null if it is. */
  readonly reason: string | null;
  readonly stale: boolean;
  readonly origin: "igp" | "egp" | "incomplete";
  readonly asPath: string;
  readonly nextHop: string | null;
  readonly linkLocalNextHop: string | null;
  readonly med: number | null;
  readonly localPref: number | null;
  readonly communities: readonly string[];
  readonly extendedCommunities: readonly string[];
  readonly largeCommunities: readonly string[];
  readonly originatorId: string | null;
  readonly clusterList: readonly string[];
  readonly atomicAggregate: boolean;
  readonly aggregator: { readonly asNumber: number; readonly address: string } | null;
  readonly unknownAttributes: readonly { readonly type: number; readonly flags: number; readonly value: string }[];
  readonly resolved: readonly { readonly gateway: string | null; readonly interface: string | null }[];
  readonly since: string;
  /** Only with the advertised filter: what is sent, after export policy. */
  readonly advertised?: object;
}

export interface RouteFilter {
  readonly family?: FamilyLabel | undefined;
  readonly prefix?: string | undefined;
  /** With `prefix`: all that lies within it. */
  readonly longer?: boolean | undefined;
  /** Longest match for this address. */
  readonly for?: string | undefined;
  readonly peer?: string | undefined;
  readonly view?: "received" | "accepted" | "advertised" | undefined;
  readonly origin?: "peer" | "static" | "kernel" | "calico" | undefined;
  readonly community?: string | undefined;
}

export type SessionStateName = "Idle" | "Connect" | "Active" | "OpenSent" | "OpenConfirm" | "Established";

export interface PeerView {
  readonly name: string;
  readonly address: string | null;
  readonly port: number;
  readonly asNumber: number | null;
  readonly localAsNumber: number;
  readonly routerId: string | null;
  readonly type: "internal" | "external";
  readonly routeReflectorClient: boolean;
  readonly state: SessionStateName;
  readonly enabled: boolean;
  readonly since: string;
  readonly transitions: number;
  readonly lastError: string | null;
  readonly negotiated: {
    readonly holdTime: number;
    readonly keepaliveTime: number;
    readonly families: readonly FamilyLabel[];
    readonly addPath: Readonly<Record<string, "off" | "receive" | "send" | "both">>;
    readonly fourOctetAs: boolean;
    readonly extendedMessages: boolean;
    readonly extendedNextHop: boolean;
    readonly routeRefresh: boolean;
    readonly enhancedRouteRefresh: boolean;
    readonly gracefulRestart: {
      readonly time: number;
      readonly families: readonly FamilyLabel[];
      readonly notification: boolean;
    } | null;
    readonly longLivedGracefulRestart: boolean;
    readonly hostName: string | null;
  } | null;
  readonly families: Readonly<
    Record<
      string,
      {
        readonly received: number;
        readonly accepted: number;
        readonly advertised: number;
        readonly limit: number | null;
      }
    >
  >;
  readonly messages: {
    readonly received: Readonly<Record<string, number>>;
    readonly sent: Readonly<Record<string, number>>;
  };
}

export interface SummaryView {
  readonly version: string;
  readonly asNumber: number;
  readonly routerId: string;
  /** Seconds. */
  readonly uptime: number;
  readonly peers: { readonly configured: number; readonly established: number };
  readonly prefixes: Readonly<Record<FamilyLabel, number>>;
  readonly paths: Readonly<Record<FamilyLabel, number>>;
  readonly kernel: {
    readonly enabled: boolean;
    readonly routes: Readonly<Record<FamilyLabel, number>>;
    readonly reason: string | null;
  };
  /** Null where Calico's resources are not asked for. */
  readonly calico: CalicoView | null;
  /** What the start still lacks, in words; whether peers answer is not part of it. */
  readonly waitingFor: readonly string[];
  /** Resident set size in bytes. */
  readonly memory: number;
}

export interface CalicoView {
  readonly nodeName: string;
  /** Whose behaviour; null as long as nothing is known. */
  readonly release: string | null;
  readonly datastore: {
    readonly type: "kubernetes" | "etcd" | "file";
    /** What it told is all there is, as far as anybody knows. */
    readonly current: boolean;
    /** Why not, in words. */
    readonly reason: string | null;
  };
  /** Values of the resources that went without effect. */
  readonly problems: number;
}

export interface KernelTargetView {
  readonly kind: "unicast" | "blackhole" | "unreachable";
  readonly nextHops: readonly {
    readonly gateway: string | null;
    readonly interface: string | null;
    readonly weight: number;
    readonly onlink: boolean;
  }[];
  readonly metric: number | null;
  readonly preferredSource: string | null;
}

export interface KernelView {
  readonly prefix: string;
  readonly wanted: KernelTargetView | null;
  readonly present: KernelTargetView | null;
  readonly state: "ok" | "missing" | "different" | "stale";
  /** Why it is not as wanted, in words, where that is known: the kernel's refusal, or a foreign route in its place. */
  readonly reason: string | null;
}

/** What is missing for readiness; ready when empty. */
export type Readiness = readonly string[];

export interface ReloadReport {
  readonly ok: boolean;
  /** Lines for people: "peer tor-a: restarted (password changed)". */
  readonly changes: readonly string[];
  readonly problems: readonly { readonly path: string; readonly message: string }[];
}

export type EventView =
  | {
      readonly kind: "session";
      readonly peer: string;
      readonly from: SessionStateName;
      readonly to: SessionStateName;
      readonly reason: string | null;
      readonly at: string;
    }
  | {
      readonly kind: "route";
      readonly prefix: string;
      readonly change: "best" | "withdrawn";
      readonly peer: string | null;
      readonly at: string;
    };

export type PeerAction = "enable" | "disable" | "reset" | "refresh-in" | "refresh-out";

/** The daemon as control and HTTP see it. Queries never block: routes come in slices that the caller asks for. */
export interface DaemonView {
  summary(): SummaryView;
  peers(): readonly PeerView[];
  peer(name: string): PeerView | undefined;
  /** Pull as fast as the client reads; undefined means that it looked at much and found nothing yet. Throws UsageError for a filter that makes no sense (unknown peer, no prefix). */
  routes(filter: RouteFilter): Iterator<RouteView | undefined, void>;
  countRoutes(filter: RouteFilter): Promise<number>;
  kernel(): Iterator<KernelView, void>;
  readiness(): Readiness;
  configuration(): object;
  reload(): Promise<ReloadReport>;
  peerAction(name: string, action: PeerAction, message: string | undefined): string;
  cleanup(): Promise<number>;
  /** Returns the unsubscriber. */
  subscribe(listener: (event: EventView) => void): () => void;
  metrics(): Promise<string>;
}

export { UsageError } from "../bgp/model/errors.ts";
