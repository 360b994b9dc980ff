/** A session as the resources plan it, before this node's settings make a peer of it. */

import type { BgpPeer } from "../resources/bgp-peer.ts";

export type PlanKind = "Mesh" | "Global" | "Node" | "Local_Workload";

export interface PeerPlan {
  readonly kind: PlanKind;
  readonly address: string;
  /** Undefined: 179, and no part of the name. */
  readonly port: number | undefined;
  readonly asNumber: number;
  /** The peer's own cluster id, where the rules know it. */
  readonly clusterId: string | undefined;
  readonly isPassive: boolean;
  /** Undefined in the mesh. */
  readonly bgpPeer: BgpPeer | undefined;
  /** Made for the other side of the BGPPeer. */
  readonly isReverse: boolean;
  /** "Node/name" in the mesh, "BGPPeer/name". */
  readonly source: string;
}

/** Who wins where two plans lead to the same peer is decided by this. */
export function planKey({ address, port }: Pick<PeerPlan, "address" | "port">): string {
  return port === undefined ? address : `${address} ${port}`;
}

export function planName({ kind, address, port }: Pick<PeerPlan, "kind" | "address" | "port">): string {
  const suffix = port === undefined || kind === "Mesh" ? "" : `_port_${port}`;
  return `${kind}_${address.replace(/[.:]/g, "_")}${suffix}`;
}

export function samePlan(a: PeerPlan, b: PeerPlan): boolean {
  return (
    a.kind === b.kind &&
    a.address === b.address &&
    a.port === b.port &&
    a.asNumber === b.asNumber &&
    a.clusterId === b.clusterId &&
    a.isPassive === b.isPassive &&
    a.bgpPeer === b.bgpPeer &&
    a.isReverse === b.isReverse &&
    a.source === b.source
  );
}
