/** What the pools, the blocks and the services' ranges say of exported routes and of the kernel, in the order of BIRD's filters. */

import { Family } from "../../../bgp/model/family.ts";
import type { CalicoAggregate, ExportAccept, ExportReject, KernelRule } from "../model.ts";
import type { Block } from "../resources/block-affinity.ts";
import { familyOf } from "../resources/field-types.ts";
import type { IpPool } from "../resources/ip-pool.ts";
import type { NodeAddress } from "../resources/node.ts";
import type { NodeSettings } from "./node-settings.ts";
import { isSingle, type ServiceRanges } from "./service-ranges.ts";

/** LOCAL_PREF + priority. */
const PRIORITY_BASE = 2147483647;
const ELEVATED_PREFERENCE = 200;
const TUNNEL = "tunl0";

/** Sorted as text, as BIRD's statements are. */
export function poolsOfFamily(pools: readonly IpPool[], family: Family): readonly IpPool[] {
  return pools.filter(({ cidr }) => familyOf(cidr) === family).sort((a, b) => (a.cidr < b.cidr ? -1 : 1));
}

export function exportRejects(pools: readonly IpPool[], { writes }: NodeSettings): readonly ExportReject[] {
  // Routes over tunnels are Felix's: towards internal peers they would leave with the tunnel's gateway as their next hop.
  const tunnels = ["*.cali", "*.calico", ...(writes.ipip ? [] : [TUNNEL])];
  return [
    ...pools
      .filter(({ isExportDisabled }) => isExportDisabled)
      .map(({ cidr }) => ({ prefix: cidr, peers: "all", reason: "disableBGPExport" }) as const),
    ...tunnels.map((glob) => ({ interface: glob, peers: "internal", reason: "tunnelRoute" }) as const),
    { interface: "bpf*.cali", peers: "all", reason: "bpfLocalRoute" },
  ];
}

export function exportAccepts(
  pools: readonly IpPool[],
  serviceRoutes: readonly string[],
  ranges: ServiceRanges,
  settings: NodeSettings,
  family: Family,
): readonly ExportAccept[] {
  const services = new Set([
    ...serviceRoutes,
    ...reflectedRanges(ranges, settings).filter((one) => familyOf(one) === family),
  ]);
  return [
    ...[...services].map((prefix) => ({ prefix, reason: "service" }) as const),
    ...pools
      .filter(({ isExportDisabled }) => !isExportDisabled)
      .map(({ cidr }) => ({ prefix: cidr, reason: "pool" }) as const),
  ];
}

/** A reflector passes on what other nodes announce of services. One that is no node itself does not announce the cluster IPs' ranges. */
function reflectedRanges(ranges: ServiceRanges, { node, release, isReflectorOnly }: NodeSettings): readonly string[] {
  const external = release === "3.33" || isReflectorOnly ? ranges.external : [];
  if (isReflectorOnly) return [...ranges.cluster, ...ranges.loadBalancer, ...external];
  return node.clusterId === undefined ? [] : [...ranges.loadBalancer, ...external];
}

/** `rejected`: ranges of services that are advertised. `wireguard`: BGP addresses of nodes that are reached through WireGuard. */
export function kernelRules(
  pools: readonly IpPool[],
  rejected: readonly string[],
  wireguard: readonly string[],
  address: NodeAddress | undefined,
  settings: NodeSettings,
  family: Family,
): readonly KernelRule[] {
  const normal = family === Family.Ipv4 ? settings.priorities.ipv4 : settings.priorities.ipv6;
  const metric: KernelRule = {
    action: "setBGPMetric",
    default: normal,
    fromLocalPref: PRIORITY_BASE,
    elevatedBelow: normal,
    elevatedPreference: ELEVATED_PREFERENCE,
  };
  return [
    ...rejected.map((prefix) => ({ prefix, action: "reject", reason: "service" }) as const),
    ...(settings.release === "3.31" ? [] : [metric]),
    ...(settings.release === "3.33" ? wireguard : []).map(
      (nextHop) => ({ nextHop, action: "reject", reason: "wireguard" }) as const,
    ),
    ...(family === Family.Ipv4 ? ipv4Pools(pools, address, settings) : ipv6Pools(pools, settings)),
    { action: "accept", reason: "default" },
  ];
}

/** Without an address the node is in no subnet, and BIRD has no rules for the pools. */
function ipv4Pools(pools: readonly IpPool[], address: NodeAddress | undefined, { writes }: NodeSettings): KernelRule[] {
  if (address === undefined) return [];
  return pools.map(({ cidr: prefix, ipip, isVxlan }) => {
    const isWritten = ipip === undefined ? writes.noEncapsulation : writes.ipip;
    if (isVxlan) return { prefix, action: "reject", reason: "vxlan" };
    if (!isWritten) return { prefix, action: "reject", reason: "felix" };
    const accept = { prefix, action: "accept", reason: "pool" } as const;
    if (ipip === undefined) return accept;
    return ipip === "Always"
      ? { ...accept, tunnel: TUNNEL }
      : { ...accept, tunnel: TUNNEL, unlessNextHopIn: address.network };
  });
}

function ipv6Pools(pools: readonly IpPool[], { writes }: NodeSettings): KernelRule[] {
  return pools
    .filter(({ isVxlan }) => isVxlan || !writes.noEncapsulation)
    .map(({ cidr: prefix, isVxlan }) => ({ prefix, action: "reject", reason: isVxlan ? "vxlan" : "felix" }));
}

/** A block of one address is the route to it, and must not be a blackhole. */
export function blackholes(blocks: readonly Block[]): readonly string[] {
  return blocks.map(({ cidr }) => cidr).filter((cidr) => !isSingle(cidr));
}

export function aggregates(
  blocks: readonly Block[],
  settings: NodeSettings,
  family: Family,
): readonly CalicoAggregate[] {
  const normal = family === Family.Ipv4 ? settings.priorities.ipv4 : settings.priorities.ipv6;
  const escapeBelowMetric = settings.release === "3.31" ? null : normal;
  // BIRD's template has no clause for a block that the node is giving back: what is left in it is told to peers one by one.
  return blocks.flatMap(({ cidr: prefix, state }) =>
    state === "pendingDeletion" ? [] : [{ prefix, state, escapeBelowMetric }],
  );
}
