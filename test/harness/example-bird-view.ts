/** A small node as a BirdView: for the tests of BIRD's control socket. */

import type {
  BirdAttributes,
  BirdCounts,
  BirdFamily,
  BirdInterface,
  BirdProtocol,
  BirdRoute,
  BirdRouteQuery,
  BirdSession,
  BirdStaticRoute,
  BirdStatus,
  BirdView,
} from "../../src/control/bird/bird-view.ts";
import { type PeerAction, type ReloadReport, UsageError } from "../../src/control/views.ts";

/** In the time zone of the machine, as BIRD has it. */
export const BIRD_NOW = new Date(2026, 2, 5, 12, 0, 0).getTime();
const STARTED = new Date(2026, 2, 5, 8, 0, 1).getTime();
const LONG_AGO = new Date(2026, 1, 27, 23, 59, 59).getTime();

const NO_UPDATES = { announced: 0, filtered: 0, unchanged: 0, withdrawn: 0, withdrawnUnknown: 0 };

function birdSession(fields: Partial<BirdSession> = {}): BirdSession {
  return {
    state: "Active",
    lastError: undefined,
    address: "10.0.0.2",
    asNumber: 64512,
    importFilter: "ACCEPT",
    exportFilter: "ACCEPT",
    importLimit: undefined,
    established: undefined,
    filtered: 0,
    exported: 0,
    updates: NO_UPDATES,
    ...fields,
  };
}

function birdPeer(name: string, state: BirdProtocol["state"], session: Partial<BirdSession>): BirdProtocol {
  return { name, kind: "BGP", state, since: STARTED, session: birdSession(session) };
}

const attributes: BirdAttributes = {
  origin: "igp",
  asPath: "65001 65002",
  nextHop: "10.0.0.2",
  linkLocalNextHop: undefined,
  med: 7,
  localPref: 100,
  atomicAggregate: true,
  aggregator: { asNumber: 5, address: "1.2.3.4" },
  communities: [
    [64512, 10],
    [65535, 65281],
  ],
  extendedCommunities: ["(rt, 64512, 5)"],
  largeCommunities: [[64512, 1, 2]],
  originatorId: "10.0.0.9",
  clusterList: ["1.0.0.1", "1.0.0.2"],
  unknown: [{ type: 0xc0, value: "0102" }],
};

export function birdRoute(fields: Partial<BirdRoute> = {}): BirdRoute {
  return {
    prefix: "10.244.1.0/26",
    protocol: "Mesh_10_0_0_2",
    kind: "BGP",
    destination: "unicast",
    hops: [{ gateway: "10.0.0.2", interface: "eth0" }],
    since: STARTED,
    from: "10.0.0.2",
    isBest: true,
    isStale: false,
    preference: 100,
    reach: "near",
    origin: "igp",
    originAs: 65002,
    kernel: undefined,
    attributes: () => attributes,
    ...fields,
  };
}

const own = (name: string, kind: BirdProtocol["kind"]): BirdProtocol => ({
  name,
  kind,
  state: "up",
  since: LONG_AGO,
  session: undefined,
});

export class ExampleBirdView implements BirdView {
  recovery: BirdStatus["recovery"];
  report: ReloadReport = { ok: true, changes: [], problems: [] };
  readonly actions: string[] = [];
  refusal: string | undefined;
  peers: BirdProtocol[] = [
    birdPeer("Mesh_10_0_0_2", "up", {
      state: "Established",
      established: {
        routerId: "10.0.0.2",
        capabilities: ["refresh", "restart-able", "AS4"],
        traits: ["internal", "multihop", "AS4"],
        sourceAddress: "10.0.0.1",
        hold: { remaining: 191, total: 240 },
        keepalive: { remaining: 65, total: 80 },
      },
      exported: 9,
      updates: { announced: 8, filtered: 1, unchanged: 2, withdrawn: 3, withdrawnUnknown: 1 },
    }),
    birdPeer("Node_10_0_0_3", "start", { state: "Passive", address: "10.0.0.3" }),
    birdPeer("Global_10_0_0_4", "start", {
      address: "10.0.0.4",
      lastError: "Socket: Connection refused; the last session ended: hold timer expired",
      filtered: 2,
      importFilter: "f",
      importLimit: { limit: 4, isHit: true, action: "warn" },
    }),
    birdPeer("Global_10_0_0_5", "down", { state: "Down", address: "10.0.0.5", lastError: "Error: Disabled" }),
  ];
  makeRoutes: (query: BirdRouteQuery) => Iterable<BirdRoute | undefined> = () => [birdRoute()];
  readonly queries: BirdRouteQuery[] = [];

  status(): BirdStatus {
    return { routerId: "10.0.0.1", startedAt: STARTED, configuredAt: LONG_AGO, recovery: this.recovery };
  }

  *protocols(family: BirdFamily): Generator<BirdProtocol | undefined, void> {
    yield* [own("static1", "Static"), own("kernel1", "Kernel"), own("device1", "Device"), own("direct1", "Direct")];
    yield undefined;
    if (family === "ipv4") yield* this.peers;
  }

  protocol(family: BirdFamily, name: string): BirdProtocol | undefined {
    return [...this.protocols(family)].find((each) => each?.name === name);
  }

  counts(): BirdCounts {
    const counts: Record<string, { imported: number; preferred: number }> = {
      Mesh_10_0_0_2: { imported: 5, preferred: 4 },
      static1: { imported: 2, preferred: 2 },
    };
    return { networks: 6, routes: 7, forwarded: 3, of: (name) => counts[name] ?? { imported: 0, preferred: 0 } };
  }

  *routes(query: BirdRouteQuery): Generator<BirdRoute | undefined, void> {
    this.queries.push(query);
    yield* this.makeRoutes(query);
  }

  interfaces(): Iterable<BirdInterface> {
    return [
      { name: "lo", index: 1, isUp: true, addresses: [{ address: "127.0.0.1", length: 8, scope: "host" }] },
      {
        name: "eth0",
        index: 2,
        isUp: true,
        addresses: [
          { address: "10.0.0.1", length: 24, scope: "univ" },
          { address: "10.0.0.9", length: 24, scope: "univ" },
        ],
      },
      { name: "cali1", index: 3, isUp: false, addresses: [] },
    ];
  }

  statics(): Iterable<BirdStaticRoute> {
    return [
      { prefix: "10.244.0.0/26", nextHop: undefined, isUnreachable: false },
      { prefix: "10.97.0.0/24", nextHop: "10.0.0.2", isUnreachable: false },
    ];
  }

  memory(): { process: number; heap: number; tables: number } {
    return { process: 70 * 2 ** 20, heap: 13 * 2 ** 20, tables: 35 * 2 ** 10 };
  }

  reload(): Promise<ReloadReport> {
    return Promise.resolve(this.report);
  }

  act(peer: string, action: PeerAction): void {
    if (this.refusal !== undefined) throw new UsageError(this.refusal);
    this.actions.push(`${peer} ${action}`);
  }
}
