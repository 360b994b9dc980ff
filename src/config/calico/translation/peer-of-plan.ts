/** A planned session with everything that BGPPeer and node say of it. */

import { Family } from "../../../bgp/model/family.ts";
import { shownFilterName } from "../filter-name.ts";
import type { CalicoPeer } from "../model.ts";
import type { BgpPeer } from "../resources/bgp-peer.ts";
import { familyOf } from "../resources/field-types.ts";
import { DEFAULT_PORT } from "./node-settings.ts";
import { type PeerPlan, planName } from "./peer-plan.ts";

/** What of this node its peers depend on. */
export interface OwnSide {
  /** Addresses of this node. */
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
  readonly asNumber: number;
  readonly clusterId: string | undefined;
  readonly meshRestartSeconds: number | undefined;
}

/** Names of BGPFilters that have rules, by direction and family. */
export type FilterNames = Readonly<Record<"import4" | "export4" | "import6" | "export6", ReadonlySet<string>>>;

/** What peers depend on beside their plans. */
export interface PeerContext {
  readonly own: OwnSide;
  readonly filters: FilterNames;
}

export function peerOfPlan(plan: PeerPlan, password: string | undefined, context: PeerContext): CalicoPeer {
  const { address, asNumber, kind, bgpPeer } = plan;
  const isIpv4 = familyOf(address) === Family.Ipv4;
  const override = localAsNumber(plan);
  const localAs = override ?? context.own.asNumber;
  const internal = asNumber === localAs;
  const ownClusterId = context.own.clusterId;
  const isClient = internal && ownClusterId !== undefined && plan.clusterId !== ownClusterId;
  // Of a BGPPeer for workloads BIRD takes AS numbers and filters alone; a workload that has a session must keep it.
  const session = kind === "Local_Workload" ? undefined : bgpPeer;
  const local = isIpv4 ? context.own.ipv4 : context.own.ipv6;
  const usesNodeAddress = kind === "Mesh" || (session?.usesNodeAddress ?? false);
  const filters = bgpPeer?.filters ?? [];
  const importable = isIpv4 ? context.filters.import4 : context.filters.import6;
  const exportable = isIpv4 ? context.filters.export4 : context.filters.export6;
  return {
    name: planName(plan),
    address,
    port: plan.port ?? DEFAULT_PORT,
    asNumber,
    localAsNumber: localAs,
    localAsOverride: override !== undefined,
    localAddress: usesNodeAddress ? (local ?? null) : null,
    passive: plan.isPassive,
    ttlSecurity: session?.ttlSecurity ?? null,
    multihop: true,
    internal,
    gracefulRestartTime: (kind === "Mesh" ? context.own.meshRestartSeconds : session?.maxRestartSeconds) ?? null,
    keepaliveTime: session?.keepaliveSeconds ?? null,
    routeReflectorClient: isClient,
    clusterId: isClient ? ownClusterId : null,
    passwordSet: password !== undefined,
    password: password ?? null,
    nextHop: nextHop(session, internal),
    allowLocalAs: plan.isReverse ? 0 : (session?.allowLocalAs ?? 0),
    importFilters: filters.filter((one) => importable.has(one)).map(shownFilterName),
    exportFilters: filters.filter((one) => exportable.has(one)).map(shownFilterName),
    source: `calico:${plan.source}`,
  };
}

/** Nodes that are selected expect this node's own AS number, as BIRD's do. */
function localAsNumber({ bgpPeer, isReverse }: PeerPlan): number | undefined {
  return isReverse || bgpPeer?.peerSelector !== undefined ? undefined : bgpPeer?.localAsNumber;
}

function nextHop(bgpPeer: BgpPeer | undefined, internal: boolean): CalicoPeer["nextHop"] {
  switch (bgpPeer?.nextHopMode) {
    case "Self":
      return "self";
    case "Keep":
      return "keep";
    case "Auto":
      return null;
    case undefined:
      return bgpPeer?.keepsOriginalNextHop && !internal ? "keep" : null;
  }
}
