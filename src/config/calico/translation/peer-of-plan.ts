/** A planned session with everything that BGPPeer and node say of it. */

import { Family } from "../../../bgp/model/family.ts";
import { shownFilterName } from "../filter-name.ts";
import type { CalicoPeer } from "../model.ts";
import type { BgpPeer } from "../resources/bgp-peer.ts";
import { familyOf } from "../resources/field-types.ts";
import { DEFAULT_PORT, type NodeSettings } from "./node-settings.ts";
import { type PeerPlan, planName } from "./peer-plan.ts";

/** What peers depend on beside their plans. */
export interface PeerContext {
  readonly settings: Pick<NodeSettings, "node" | "asNumber" | "meshRestartSeconds">;
  /** Names of BGPFilters that have rules, by "import/4". */
  readonly filters: Readonly<Record<"import4" | "export4" | "import6" | "export6", ReadonlySet<string>>>;
}

export function peerOfPlan(plan: PeerPlan, password: string | undefined, context: PeerContext): CalicoPeer {
  const { settings } = context;
  const { address, asNumber, kind, bgpPeer } = plan;
  const isIpv4 = familyOf(address) === Family.Ipv4;
  const override = localAsNumber(plan);
  const localAs = override ?? settings.asNumber;
  const internal = asNumber === localAs;
  const ownClusterId = settings.node.clusterId;
  const isClient = internal && ownClusterId !== undefined && plan.clusterId !== ownClusterId;
  // Of a BGPPeer for workloads BIRD takes AS numbers and filters alone; a workload that has a session must keep it.
  const session = kind === "Local_Workload" ? undefined : bgpPeer;
  const local = isIpv4 ? settings.node.ipv4 : settings.node.ipv6;
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
    localAddress: usesNodeAddress ? (local?.address ?? null) : null,
    passive: plan.isPassive,
    ttlSecurity: session?.ttlSecurity ?? null,
    multihop: true,
    internal,
    gracefulRestartTime: (kind === "Mesh" ? settings.meshRestartSeconds : session?.maxRestartSeconds) ?? null,
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
