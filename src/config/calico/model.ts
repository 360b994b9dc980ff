/** What Calico's resources come to on one node: the form of `calico.ipv4` and `calico.ipv6` in `starling config show --json`. */

export interface CalicoPeer {
  /** Mesh_10_0_0_1, Global_10_0_0_1_port_1179, Node_fd00__1, Local_Workload_10_65_0_2: people and tools know them by it. */
  readonly name: string;
  /** As written in the resource, which need not be the canonical form. */
  readonly address: string;
  readonly port: number;
  readonly asNumber: number;
  readonly localAsNumber: number;
  /** localAsNumber stands in the BGPPeer itself. */
  readonly localAsOverride: boolean;
  /** Null: whatever the machine's routes say. */
  readonly localAddress: string | null;
  /** Waits for the peer to dial. */
  readonly passive: boolean;
  /** Hops; null: off. */
  readonly ttlSecurity: number | null;
  readonly multihop: boolean;
  readonly internal: boolean;
  /** Seconds; null: BIRD's 120. */
  readonly gracefulRestartTime: number | null;
  /** Seconds; null: a third of the hold time. */
  readonly keepaliveTime: number | null;
  readonly routeReflectorClient: boolean;
  /** Our own, where the peer is a client. */
  readonly clusterId: string | null;
  readonly passwordSet: boolean;
  /** Never shown, never logged. */
  readonly password: string | null;
  /** Null: as the protocol has it. */
  readonly nextHop: "self" | "keep" | null;
  readonly allowLocalAs: number;
  readonly importFilters: readonly string[];
  readonly exportFilters: readonly string[];
  /** "calico:BGPPeer/name", or "calico:Node/name" in the mesh. Not part of the form that is shown. */
  readonly source: string;
}

export type FilterAction = "Accept" | "Reject";
export type MatchOperator = "Equal" | "NotEqual" | "In" | "NotIn";

export type FilterOperation =
  | { readonly addCommunity: string }
  | { readonly prependASPath: readonly number[] }
  | { readonly setPriority: number };

/** One rule: matches when everything that it names does. A value that it does not name is absent, not null. */
export interface FilterRule {
  readonly cidr?: string;
  readonly matchOperator?: MatchOperator;
  readonly prefixLength?: { readonly min?: number; readonly max?: number };
  readonly source?: "RemotePeers";
  /** A glob of interface names. */
  readonly interface?: string;
  readonly peerType?: "eBGP" | "iBGP";
  /** "65000:100" or "65000:100:1". */
  readonly community?: string;
  readonly asPathPrefix?: readonly number[];
  readonly priority?: number;
  readonly action: FilterAction;
  readonly operations?: readonly FilterOperation[];
}

/** A BGPFilter as one family has it; `import` and `export` are absent where it has no such rules. */
export interface CalicoFilter {
  readonly name: string;
  readonly import?: readonly FilterRule[];
  readonly export?: readonly FilterRule[];
}

/** A block of this node. Routes within it stay at home unless their metric is below `escapeBelowMetric`. */
export interface CalicoAggregate {
  readonly prefix: string;
  readonly state: "confirmed" | "implicit";
  /** Null before 3.32: none escapes. */
  readonly escapeBelowMetric: number | null;
}

export type ExportReject =
  | { readonly prefix: string; readonly peers: "all"; readonly reason: "disableBGPExport" }
  | {
      readonly interface: string;
      readonly peers: "internal" | "all";
      readonly reason: "tunnelRoute" | "bpfLocalRoute";
    };

export interface ExportAccept {
  readonly prefix: string;
  readonly reason: "service" | "pool";
}

export interface PrefixCommunities {
  readonly prefix: string;
  /** "65000:1" and "65000:1:2", each once, sorted as text. */
  readonly communities: readonly string[];
}

/**
 * One step of the filter towards the kernel. The first verdict decides; `setBGPMetric` is none. On a route that a rule with `tunnel`
 * accepts, the device and the BGP NEXT_HOP are the next hop, unless that lies in `unlessNextHopIn`.
 */
export type KernelRule =
  | { readonly prefix: string; readonly action: "reject"; readonly reason: "service" | "felix" | "vxlan" }
  | {
      readonly action: "setBGPMetric";
      readonly default: number;
      /** Metric = this - LOCAL_PREF. */
      readonly fromLocalPref: number;
      readonly elevatedBelow: number;
      readonly elevatedPreference: number;
    }
  | { readonly nextHop: string; readonly action: "reject"; readonly reason: "wireguard" }
  | {
      readonly prefix: string;
      readonly action: "accept";
      readonly reason: "pool";
      readonly tunnel?: string;
      readonly unlessNextHopIn?: string;
    }
  | { readonly action: "accept"; readonly reason: "default" };

export interface CalicoFamily {
  /** False: no sessions of this family, as the node has no address in it. All else stands. */
  readonly enabled: boolean;
  /** Address null: on all of them. */
  readonly listen: { readonly port: number; readonly address: string | null };
  /** logSeverityScreen in small letters. */
  readonly logLevel: "trace" | "debug" | "info" | "warning" | "error" | "fatal";
  /** Null where the family is not enabled. */
  readonly localAsNumber: number | null;
  readonly normalRoutePriority: number;
  /** Shell globs of interfaces whose addresses are no connected routes, beyond cali* and kube-ipvs*. */
  readonly ignoredInterfaces: readonly string[];
  /** Sorted by name. */
  readonly peers: readonly CalicoPeer[];
  /** This node's blocks. */
  readonly blackholes: readonly string[];
  readonly serviceRoutes: readonly string[];
  /** reachableBy of the peers. */
  readonly staticRoutes: readonly { readonly prefix: string; readonly via: string }[];
  readonly aggregates: readonly CalicoAggregate[];
  /** Blocks that this node is giving back: no routes within them are kept at home. */
  readonly pendingBlocks: readonly string[];
  readonly exportRejects: readonly ExportReject[];
  readonly exportAccepts: readonly ExportAccept[];
  readonly communities: readonly PrefixCommunities[];
  readonly kernelRules: readonly KernelRule[];
  /** All there are, sorted by name, whether a peer uses them or not. */
  readonly filters: readonly CalicoFilter[];
}

export interface CalicoModel {
  readonly nodeName: string;
  readonly release: "3.31" | "3.32" | "3.33";
  /** Dotted quad; empty where nothing gives one: a problem says so. */
  readonly routerId: string;
  readonly ipv4: CalicoFamily;
  readonly ipv6: CalicoFamily;
}
