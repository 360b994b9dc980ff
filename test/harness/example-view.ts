/** A small network as a DaemonView: for the tests of control and cli, and for the examples in docs/commands.md. */

import {
  type DaemonView,
  type EventView,
  type KernelView,
  type PeerAction,
  type PeerView,
  type Readiness,
  type ReloadReport,
  type RouteFilter,
  type RouteView,
  type SummaryView,
  UsageError,
} from "../../src/control/views.ts";

/** The moment at which the examples are looked at. */
export const EXAMPLE_NOW = Date.parse("2026-03-05T12:00:00Z");

export function exampleRoute(fields: Partial<RouteView> = {}): RouteView {
  return {
    prefix: "10.244.1.0/26",
    family: "ipv4",
    peer: "node-1",
    source: "peer",
    pathId: 0,
    best: true,
    reason: null,
    stale: false,
    origin: "igp",
    asPath: "",
    nextHop: "10.0.0.11",
    linkLocalNextHop: null,
    med: null,
    localPref: 100,
    communities: [],
    extendedCommunities: [],
    largeCommunities: [],
    originatorId: null,
    clusterList: [],
    atomicAggregate: false,
    aggregator: null,
    unknownAttributes: [],
    resolved: [{ gateway: "10.0.0.11", interface: "eth0" }],
    since: "2026-03-02T08:00:00Z",
    ...fields,
  };
}

export function examplePeer(fields: Partial<PeerView> = {}): PeerView {
  return {
    name: "node-1",
    address: "10.0.0.11",
    port: 179,
    asNumber: 64512,
    localAsNumber: 64512,
    routerId: "10.0.0.11",
    type: "internal",
    routeReflectorClient: true,
    state: "Established",
    enabled: true,
    since: "2026-03-02T08:00:00Z",
    transitions: 1,
    lastError: null,
    negotiated: {
      holdTime: 90,
      keepaliveTime: 30,
      families: ["ipv4"],
      addPath: { ipv4: "both" },
      fourOctetAs: true,
      extendedMessages: true,
      extendedNextHop: false,
      routeRefresh: true,
      enhancedRouteRefresh: true,
      gracefulRestart: { time: 120, families: ["ipv4"], notification: true },
      longLivedGracefulRestart: false,
      hostName: "node-1",
    },
    families: { ipv4: { received: 2, accepted: 2, advertised: 3, limit: 1000 } },
    messages: {
      received: { open: 1, update: 4, keepalive: 9120, notification: 0, routeRefresh: 0 },
      sent: { open: 1, update: 5, keepalive: 9121, notification: 0, routeRefresh: 0 },
    },
    ...fields,
  };
}

const ROUTES: readonly RouteView[] = [
  exampleRoute({ communities: ["64512:10"] }),
  exampleRoute({ prefix: "10.244.1.64/26" }),
  exampleRoute({
    prefix: "10.244.2.0/26",
    peer: "node-2",
    nextHop: "10.0.0.12",
    stale: true,
    resolved: [{ gateway: "10.0.0.12", interface: "eth0" }],
  }),
  exampleRoute({
    prefix: "0.0.0.0/0",
    peer: "tor-a",
    asPath: "65001 65010",
    nextHop: "10.0.0.254",
    med: 10,
    communities: ["65001:100", "no-export"],
    largeCommunities: ["65001:1:2"],
    resolved: [{ gateway: "10.0.0.254", interface: "eth0" }],
  }),
  exampleRoute({
    prefix: "0.0.0.0/0",
    peer: "tor-b",
    best: false,
    reason: "longer AS_PATH (RFC 4271 §9.1.2.2 a)",
    asPath: "65002 65020 65010",
    origin: "incomplete",
    nextHop: "10.0.0.253",
    resolved: [{ gateway: "10.0.0.253", interface: "eth0" }],
  }),
  exampleRoute({
    prefix: "2001:db8:1::/64",
    family: "ipv6",
    peer: "tor-a",
    asPath: "65001",
    nextHop: "2001:db8::254",
    linkLocalNextHop: "fe80::254",
    resolved: [{ gateway: "fe80::254", interface: "eth0" }],
  }),
  exampleRoute({
    prefix: "10.244.0.0/24",
    peer: null,
    source: "static",
    nextHop: null,
    resolved: [],
    localPref: null,
  }),
];

const PEERS: readonly PeerView[] = [
  examplePeer(),
  examplePeer({
    name: "node-2",
    address: "10.0.0.12",
    routerId: "10.0.0.12",
    state: "Active",
    since: "2026-03-05T11:58:40Z",
    transitions: 2,
    lastError: "nothing heard from the peer for 90 s",
    negotiated: null,
    families: { ipv4: { received: 1, accepted: 1, advertised: 0, limit: null } },
  }),
  examplePeer({
    name: "tor-a",
    address: "10.0.0.254",
    asNumber: 65001,
    routerId: "10.0.0.254",
    type: "external",
    routeReflectorClient: false,
    since: "2026-03-05T07:48:00Z",
    families: {
      ipv4: { received: 1, accepted: 1, advertised: 3, limit: null },
      ipv6: { received: 1, accepted: 1, advertised: 0, limit: null },
    },
  }),
  examplePeer({
    name: "tor-b",
    address: "10.0.0.253",
    asNumber: 65002,
    routerId: null,
    type: "external",
    routeReflectorClient: false,
    state: "Idle",
    enabled: false,
    since: "2026-03-05T11:00:00Z",
    lastError: "disabled by the operator: maintenance of rack 4",
    negotiated: null,
    families: { ipv4: { received: 0, accepted: 0, advertised: 0, limit: null } },
  }),
];

const target = (gateway: string): NonNullable<KernelView["wanted"]> => ({
  kind: "unicast",
  nextHops: [{ gateway, interface: "eth0", weight: 1, onlink: false }],
  metric: null,
  preferredSource: null,
});

const KERNEL: readonly KernelView[] = [
  { prefix: "10.244.1.0/26", wanted: target("10.0.0.11"), present: target("10.0.0.11"), state: "ok", reason: null },
  { prefix: "10.244.1.64/26", wanted: target("10.0.0.11"), present: null, state: "missing", reason: null },
  {
    prefix: "0.0.0.0/0",
    wanted: target("10.0.0.254"),
    present: target("10.0.0.253"),
    state: "different",
    reason: "a foreign route stands in its place",
  },
  { prefix: "10.244.9.0/26", wanted: null, present: target("10.0.0.19"), state: "stale", reason: null },
];

const SUMMARY: SummaryView = {
  version: "0.1.0",
  asNumber: 64512,
  routerId: "10.0.0.1",
  uptime: 273_600,
  peers: { configured: 4, established: 2 },
  prefixes: { ipv4: 5, ipv6: 1 },
  paths: { ipv4: 6, ipv6: 1 },
  kernel: { enabled: true, routes: { ipv4: 4, ipv6: 1 }, reason: null },
  calico: null,
  waitingFor: [],
  memory: 67_108_864,
};

/** Every field may be replaced by a test. */
/** What the daemon itself says. */
const DONE: Readonly<Record<PeerAction, string>> = {
  enable: "enabled",
  disable: "disabled",
  reset: "reset",
  "refresh-in": "asked for all routes again",
  "refresh-out": "all routes are sent again",
};

export class ExampleView implements DaemonView {
  summaryView: SummaryView = SUMMARY;
  peerViews: readonly PeerView[] = PEERS;
  kernelViews: readonly KernelView[] = KERNEL;
  missing: Readiness = [];
  report: ReloadReport = { ok: true, changes: ["peer tor-a: restarted (password changed)"], problems: [] };
  configurationView: object = { asNumber: 64512, peers: [{ name: "tor-a", passwordSet: true }] };
  makeRoutes: (filter: RouteFilter) => Iterator<RouteView, void> = (filter) => exampleRoutes(filter);
  readonly listeners = new Set<(event: EventView) => void>();
  readonly actions: { name: string; action: PeerAction; message: string | undefined }[] = [];

  summary(): SummaryView {
    return this.summaryView;
  }
  peers(): readonly PeerView[] {
    return this.peerViews;
  }
  peer(name: string): PeerView | undefined {
    return this.peerViews.find((peer) => peer.name === name);
  }
  routes(filter: RouteFilter): Iterator<RouteView, void> {
    if (filter.peer !== undefined && this.peer(filter.peer) === undefined) {
      throw new UsageError(`no peer named "${filter.peer}"`);
    }
    return this.makeRoutes(filter);
  }
  async countRoutes(filter: RouteFilter): Promise<number> {
    const rows = this.routes(filter);
    let count = 0;
    while (rows.next().done !== true) count++;
    return count;
  }
  kernel(): Iterator<KernelView, void> {
    return this.kernelViews.values() as Iterator<KernelView, void>;
  }
  readiness(): Readiness {
    return this.missing;
  }
  configuration(): object {
    return this.configurationView;
  }
  async reload(): Promise<ReloadReport> {
    return this.report;
  }
  peerAction(name: string, action: PeerAction, message: string | undefined): string {
    this.actions.push({ name, action, message });
    return `peer ${name}: ${DONE[action]}`;
  }
  async cleanup(): Promise<number> {
    return 5;
  }
  subscribe(listener: (event: EventView) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  emit(event: EventView): void {
    for (const listener of this.listeners) listener(event);
  }
  async metrics(): Promise<string> {
    return "starling_ready 1\n";
  }
}

function* exampleRoutes(filter: RouteFilter): Generator<RouteView, void> {
  for (const route of ROUTES) {
    if (filter.family !== undefined && route.family !== filter.family) continue;
    if (filter.prefix !== undefined && filter.longer !== true && route.prefix !== filter.prefix) continue;
    if (filter.peer !== undefined && filter.view !== "advertised" && route.peer !== filter.peer) continue;
    if (filter.community !== undefined && !route.communities.includes(filter.community)) continue;
    if (filter.origin !== undefined && route.source !== filter.origin) continue;
    yield filter.view === "advertised" ? { ...route, advertised: { nextHop: "10.0.0.1" } } : route;
  }
}

/** As many routes as asked for, each made when it is pulled. */
export function* manyRoutes(count: number, made: { count: number } = { count: 0 }): Generator<RouteView, void> {
  for (let index = 0; index < count; index++) {
    made.count++;
    const prefix = `${10 + (index >>> 16)}.${(index >>> 8) & 255}.${index & 255}.0/24`;
    yield exampleRoute({ prefix, asPath: "64512 65001 65002", communities: ["64512:10", "64512:20"] });
  }
}
