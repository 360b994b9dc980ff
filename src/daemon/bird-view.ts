/** The daemon as BIRD's control socket sees it. */

import { formatAddress, isLinkLocal } from "../bgp/model/address.ts";
import { Family } from "../bgp/model/family.ts";
import type { PeerId } from "../bgp/model/ids.ts";
import type { Clock } from "../bgp/model/ports.ts";
import { formatPrefix } from "../bgp/model/prefix.ts";
import type {
  BirdCounts,
  BirdFamily,
  BirdInterface,
  BirdProtocol,
  BirdRoute,
  BirdRouteQuery,
  BirdStaticRoute,
  BirdStatus,
  BirdView,
} from "../control/bird/bird-view.ts";
import type { PeerAction, ReloadReport } from "../control/views.ts";
import { birdRoutes, protocolOf } from "./bird-routes.ts";
import { birdSession } from "./bird-session.ts";
import type { Daemon } from "./daemon.ts";
import type { KernelSide } from "./kernel-side.ts";
import type { Links } from "./links.ts";

/** What BIRD runs beside its sessions, under the names that it gives them itself. */
const OWN_PROTOCOLS = { Static: "static1", Kernel: "kernel1", Device: "device1", Direct: "direct1" } as const;

const NOTHING = { imported: 0, preferred: 0 };

export interface BirdViewParts {
  readonly daemon: Daemon;
  readonly kernel: KernelSide;
  readonly links: Links;
  readonly clock: Clock;
  readonly reload: () => Promise<ReloadReport>;
  /** Throws UsageError where it cannot be done. */
  readonly act: (peer: string, action: PeerAction) => void;
}

export class DaemonBirdView implements BirdView {
  readonly #parts: BirdViewParts;
  /** What the wall clock showed when the monotonic one began. */
  readonly #began: number;

  constructor(parts: BirdViewParts) {
    this.#parts = parts;
    this.#began = parts.clock.wallTime() - parts.clock.now();
  }

  status(): BirdStatus {
    const { daemon } = this.#parts;
    const recovery = daemon.recovery();
    return {
      routerId: daemon.routerId,
      startedAt: this.#began + daemon.startedAt,
      configuredAt: this.#began + daemon.configuredAt,
      recovery: recovery && {
        waitingFor: recovery.waitingFor,
        elapsedSeconds: Math.min(seconds(recovery.elapsed), seconds(recovery.bound)),
        totalSeconds: seconds(recovery.bound),
      },
    };
  }

  *protocols(family: BirdFamily): Generator<BirdProtocol, void> {
    for (const name of Object.values(OWN_PROTOCOLS)) yield this.#own(name) as BirdProtocol;
    for (const { id } of this.#parts.daemon.peerOptions()) {
      const protocol = this.#peer(id, family);
      if (protocol !== undefined) yield protocol;
    }
  }

  protocol(family: BirdFamily, name: string): BirdProtocol | undefined {
    const id = this.#parts.daemon.ids.find(name);
    return (id === undefined ? undefined : this.#peer(id, family)) ?? this.#own(name);
  }

  counts(family: BirdFamily): BirdCounts {
    const { daemon, kernel } = this.#parts;
    const afi = familyOf(family);
    const { table, own } = daemon.rib.rib(afi);
    const shares = new Map<string, { imported: number; preferred: number }>();
    let routes = 0;
    const add = (name: string, accepted: number, best: number) => {
      const { imported, preferred } = shares.get(name) ?? NOTHING;
      shares.set(name, { imported: imported + accepted, preferred: preferred + best });
      routes += accepted;
    };
    for (const source of ["static", "calico", "aggregate", "kernel", "connected"] as const)
      add(protocolOf(source), own[source].accepted, own[source].preferred);
    for (const { id, name } of daemon.peerOptions()) {
      const counts = daemon.rib.peer(id)?.family(afi);
      if (counts !== undefined) add(name, counts.accepted, counts.preferred);
    }
    return {
      networks: table.reachable,
      routes,
      forwarded: kernel.fib?.counters().routes[family] ?? 0,
      of: (name) => shares.get(name) ?? NOTHING,
    };
  }

  routes(query: BirdRouteQuery): Generator<BirdRoute | undefined, void> {
    const { daemon, links, clock } = this.#parts;
    return birdRoutes(daemon, query, {
      interfaceName: (index) => links.interfaceName(index),
      now: () => this.#began + clock.now(),
    });
  }

  *interfaces(family: BirdFamily): Generator<BirdInterface> {
    for (const { index, name, up, addresses } of this.#parts.links.all()) {
      const own = addresses.filter(({ address }) => address.family === familyOf(family));
      // The address that others are to use comes first.
      own.sort((a, b) => Number(isLinkLocal(a.address)) - Number(isLinkLocal(b.address)));
      yield {
        name,
        index,
        isUp: up,
        addresses: own.map(({ address, length }) => ({
          address: formatAddress(address),
          length,
          scope: name === "lo" ? "host" : isLinkLocal(address) ? "link" : "univ",
        })),
      };
    }
  }

  *statics(family: BirdFamily): Generator<BirdStaticRoute> {
    for (const { prefix, blackhole, nextHop } of this.#parts.daemon.config.originate) {
      if (prefix.family !== familyOf(family)) continue;
      yield {
        prefix: formatPrefix(prefix),
        nextHop: nextHop === undefined ? undefined : formatAddress(nextHop),
        isUnreachable: !blackhole,
      };
    }
  }

  memory(): { process: number; heap: number; tables: number } {
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    return { process: rss, heap: heapUsed, tables: arrayBuffers };
  }

  reload(): Promise<ReloadReport> {
    return this.#parts.reload();
  }

  act(peer: string, action: PeerAction): void {
    this.#parts.act(peer, action);
  }

  #own(name: string): BirdProtocol | undefined {
    const { daemon, kernel } = this.#parts;
    const [kind] = Object.entries(OWN_PROTOCOLS).find(([, own]) => own === name) ?? [];
    if (kind === undefined) return undefined;
    const isDown = kind === "Kernel" && kernel.fib === undefined;
    return {
      name,
      kind: kind as keyof typeof OWN_PROTOCOLS,
      state: isDown ? "down" : "up",
      since: this.#began + daemon.startedAt,
      session: undefined,
    };
  }

  #peer(id: PeerId, family: BirdFamily): BirdProtocol | undefined {
    const { daemon } = this.#parts;
    const options = daemon.compiledPeer(id)?.session;
    const session = daemon.speaker.peer(id);
    if (options === undefined || session === undefined) return undefined;
    if (!options.families.some((f) => f.family === familyOf(family))) return undefined;
    const isUp = session.state === "Established";
    return {
      name: options.name,
      kind: "BGP",
      state: isUp ? "up" : session.enabled ? "start" : "down",
      // Who is disabled is so since he is Idle; whoever starts may have been Idle, Connect and Active in turns meanwhile.
      since: this.#began + (session.enabled ? session.cameOrWent : session.since),
      session: birdSession({ daemon, options, session, family: familyOf(family) }),
    };
  }
}

function familyOf(family: BirdFamily): Family {
  return family === "ipv4" ? Family.Ipv4 : Family.Ipv6;
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 1000);
}
