/**
 * What a CalicoNodeStatus says of this node: agent, sessions and routes in the fields that Calico's own reporter fills from BIRD's
 * answers, and beside them, in an annotation, why what is wrong is so.
 */

import type { Clock } from "../bgp/model/ports.ts";
import type { BirdFamily, BirdRoute, BirdView } from "../control/bird/bird-view.ts";
import { dateAndTime } from "../control/bird/times.ts";
import type { DaemonView, PeerView } from "../control/views.ts";
import { VERSION } from "../version.ts";

export type StatusClass = "Agent" | "BGP" | "Routes";

export interface ReportSources {
  readonly bird: Pick<BirdView, "status" | "routes">;
  readonly view: Pick<DaemonView, "peers" | "readiness" | "summary">;
  readonly clock: Clock;
}

export interface NodeReport {
  /** The `status` of the resource, but for `lastUpdated`. */
  readonly status: Readonly<Record<string, unknown>>;
  readonly conditions: readonly Condition[];
}

/** What the schema of a CalicoNodeStatus has no field for: the API server would drop it from the status. */
export interface Condition {
  readonly type: "NotReady" | "PeerDown" | "Truncated";
  readonly reason: string;
  readonly peer?: string;
  readonly peerIP?: string;
}

/** Of a family. With as many peers the resource stays below the 1.5 MiB that etcd takes. */
const MAX_ROUTES = 1500;
const MAX_PEERS = 1500;
/** An annotation is for people. */
const MAX_CONDITIONS = 50;
const MAX_REASON = 300;
/** Milliseconds; others have their turn in between. */
const SLICE = 2;

/** Walks over the tables in slices. */
export async function nodeReport(classes: ReadonlySet<StatusClass>, sources: ReportSources): Promise<NodeReport> {
  const { bird, view } = sources;
  const lacking = [...view.readiness(), ...recoveryOf(bird)];
  const peers = view.peers().filter(({ address }) => address !== null);
  const conditions: Condition[] = lacking.map((reason) => ({ type: "NotReady", reason: cut(reason) }));
  const status: Record<string, unknown> = {};
  if (classes.has("Agent")) status["agent"] = agentOf(bird, lacking.length === 0);
  if (classes.has("BGP")) status["bgp"] = sessionsOf(peers, conditions);
  if (classes.has("Routes")) {
    const [v4, v6] = [await routesOf("ipv4", sources, conditions), await routesOf("ipv6", sources, conditions)];
    status["routes"] = { routesV4: v4, routesV6: v6 };
  }
  const down = peers.filter(({ state }) => state !== "Established").map(peerDown);
  conditions.push(...down.slice(0, MAX_CONDITIONS));
  const more = down.length - MAX_CONDITIONS;
  if (more > 0) conditions.push({ type: "Truncated", reason: `${more} more peers are not Established` });
  return { status, conditions };
}

function recoveryOf(bird: ReportSources["bird"]): string[] {
  const { recovery } = bird.status();
  return recovery === undefined
    ? []
    : [`graceful restart: peers that have not sent all routes yet: ${recovery.waitingFor}`];
}

/** One daemon answers for both of BIRD's. */
function agentOf(bird: ReportSources["bird"], isReady: boolean): object {
  const { routerId, startedAt, configuredAt } = bird.status();
  const daemon = {
    state: isReady ? "Ready" : "NotReady",
    version: `starling v${VERSION}`,
    routerID: routerId,
    lastBootTime: dateAndTime(startedAt),
    lastReconfigurationTime: dateAndTime(configuredAt),
  };
  return { birdV4: daemon, birdV6: daemon };
}

function sessionsOf(peers: readonly PeerView[], conditions: Condition[]): object {
  const isV6 = ({ address }: PeerView) => address?.includes(":") === true;
  const families = [
    { suffix: "V4", of: peers.filter((peer) => !isV6(peer)) },
    { suffix: "V6", of: peers.filter(isV6) },
  ];
  const bgp: Record<string, unknown> = {};
  for (const { suffix, of } of families) {
    const established = of.filter(({ state }) => state === "Established");
    bgp[`numberEstablished${suffix}`] = established.length;
    bgp[`numberNotEstablished${suffix}`] = of.length - established.length;
    // Of too many those that are down matter more.
    const shown = of.length > MAX_PEERS ? of.toSorted((a, b) => rank(a) - rank(b)).slice(0, MAX_PEERS) : of;
    bgp[`peers${suffix}`] = shown.map(peerOf);
    if (shown.length < of.length) conditions.push(truncated(`peers${suffix}`, shown.length, of.length));
  }
  return bgp;
}

function rank({ state }: PeerView): number {
  return state === "Established" ? 1 : 0;
}

function peerOf({ name, address, state, since }: PeerView): object {
  return { peerIP: address, type: peerType(name), state, since: dateAndTime(Date.parse(since)) };
}

/** The schema has no word for a workload on this node, which a BGPPeer for this node names. */
function peerType(name: string): "NodeMesh" | "NodePeer" | "GlobalPeer" {
  if (name.startsWith("Mesh_")) return "NodeMesh";
  return name.startsWith("Global_") ? "GlobalPeer" : "NodePeer";
}

/** Without state and time, which change at each attempt: an annotation is written only when it says something else. */
function peerDown({ name, address, lastError, enabled }: PeerView): Condition {
  const reason = enabled ? (lastError ?? "no session yet") : "disabled by an operator";
  return { type: "PeerDown", peer: name, peerIP: address ?? "", reason: cut(reason) };
}

async function routesOf(family: BirdFamily, sources: ReportSources, conditions: Condition[]): Promise<object[]> {
  const { bird, clock, view } = sources;
  const query = { selection: { kind: "table" }, prefix: undefined, address: undefined, protocol: undefined } as const;
  const shown: object[] = [];
  let sliceEnd = clock.now() + SLICE;
  for (const route of bird.routes({ ...query, family, isPrimary: false })) {
    if (route !== undefined) {
      if (shown.length >= MAX_ROUTES) {
        const name = family === "ipv4" ? "routesV4" : "routesV6";
        conditions.push(truncated(name, MAX_ROUTES, view.summary().paths[family]));
        break;
      }
      shown.push(...entriesOf(route));
    }
    if (clock.now() < sliceEnd) continue;
    await new Promise<void>((resolve) => clock.soon(resolve));
    sliceEnd = clock.now() + SLICE;
  }
  return shown;
}

/** One for each next hop: the schema has room for a single gateway. */
function entriesOf(route: BirdRoute): object[] {
  const entry = { destination: route.prefix, type: route.isBest ? "FIB" : "RIB", learnedFrom: sourceOf(route) };
  if (route.destination !== "unicast" || route.hops.length === 0) {
    const name = route.destination === "unicast" ? "N/A" : route.destination;
    return [{ ...entry, gateway: "N/A", interface: name }];
  }
  return route.hops.map((hop) => ({ ...entry, gateway: hop.gateway ?? "N/A", interface: hop.interface ?? "N/A" }));
}

function sourceOf({ kind, protocol, from }: BirdRoute): object {
  switch (kind) {
    case "BGP": {
      const sourceType = protocol.startsWith("Mesh_") ? "NodeMesh" : "BGPPeer";
      return from === undefined ? { sourceType } : { sourceType, peerIP: from };
    }
    case "inherit":
      return { sourceType: "Kernel" };
    case "device":
      return { sourceType: "Direct" };
    default:
      return { sourceType: "Static" };
  }
}

function truncated(field: string, shown: number, all: number): Condition {
  return { type: "Truncated", reason: `${field} shows ${shown} of ${all}` };
}

function cut(text: string): string {
  return text.length <= MAX_REASON ? text : `${text.slice(0, MAX_REASON)}...`;
}
