/** The daemon as the control socket and HTTP see it. */

import { FAMILIES, familyName } from "../bgp/model/family.ts";
import type { PeerId } from "../bgp/model/ids.ts";
import type { Clock } from "../bgp/model/ports.ts";
import { formatProblem } from "../config/problem.ts";
import { showConfig } from "../config/show.ts";
import type { Metrics } from "../control/metrics.ts";
import {
  type CalicoView,
  type DaemonView,
  type EventView,
  type KernelView,
  type PeerAction,
  type PeerView,
  type ReloadReport,
  type RouteFilter,
  type RouteView,
  type SummaryView,
  UsageError,
} from "../control/views.ts";
import { routes } from "../rib/routes.ts";
import { VERSION } from "../version.ts";
import type { Daemon } from "./daemon.ts";
import type { KernelSide } from "./kernel-side.ts";
import { kernelViews } from "./kernel-view.ts";
import type { Links } from "./links.ts";
import { peerView } from "./peer-view.ts";
import { type Names, routeQuery, routeView } from "./route-view.ts";

/** What is known of the datastore. */
export interface CalicoState {
  view(): CalicoView;
  readiness(): readonly string[];
}

export class View implements DaemonView {
  readonly #daemon: Daemon;
  readonly #kernel: KernelSide;
  readonly #clock: Clock;
  /** What the wall clock showed when the monotonic one began: so that a time once shown stays the same. */
  readonly #began: number;
  readonly #names: Names;
  readonly #reload: () => Promise<ReloadReport>;
  readonly #calico: () => CalicoState | undefined;
  metricsSource: Metrics | undefined;

  constructor(parts: {
    daemon: Daemon;
    kernel: KernelSide;
    links: Links;
    clock: Clock;
    reload: () => Promise<ReloadReport>;
    /** Undefined where Calico's resources are not asked for. */
    calico: () => CalicoState | undefined;
  }) {
    this.#daemon = parts.daemon;
    this.#kernel = parts.kernel;
    this.#clock = parts.clock;
    this.#began = parts.clock.wallTime() - parts.clock.now();
    this.#reload = parts.reload;
    this.#calico = parts.calico;
    this.#names = {
      peerName: (id) => parts.daemon.ids.nameOf(id),
      peerId: (name) => parts.daemon.ids.find(name),
      interfaceName: (index) => parts.links.interfaceName(index),
      now: () => this.#began + parts.clock.now(),
    };
  }

  summary(): SummaryView {
    const { daemon, kernel } = { daemon: this.#daemon, kernel: this.#kernel };
    // Ranges are no peers: who came from them is.
    const sessions = daemon.peerOptions().flatMap(({ id }) => daemon.speaker.peer(id) ?? []);
    const perFamily = (count: (family: (typeof FAMILIES)[number]) => number) =>
      Object.fromEntries(FAMILIES.map((f) => [familyName(f), count(f)])) as SummaryView["prefixes"];
    return {
      version: VERSION,
      asNumber: daemon.config.asNumber,
      routerId: daemon.routerId,
      uptime: Math.floor((this.#clock.now() - daemon.startedAt) / 1000),
      peers: {
        configured: sessions.length,
        established: sessions.filter(({ state }) => state === "Established").length,
      },
      prefixes: perFamily((f) => daemon.rib.rib(f).table.reachable),
      paths: perFamily((f) => daemon.rib.rib(f).table.paths.count),
      kernel: {
        enabled: kernel.fib !== undefined,
        routes: kernel.fib?.counters().routes ?? { ipv4: 0, ipv6: 0 },
        reason: kernel.reason ?? null,
      },
      calico: this.#calico()?.view() ?? null,
      waitingFor: this.starting(),
      memory: process.memoryUsage.rss(),
    };
  }

  peers(): readonly PeerView[] {
    return this.#daemon
      .peerOptions()
      .flatMap(({ id }) => this.#peer(id) ?? [])
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  peer(name: string): PeerView | undefined {
    const id = this.#daemon.ids.find(name);
    return id === undefined ? undefined : this.#peer(id);
  }

  *routes(filter: RouteFilter): Generator<RouteView | undefined, void> {
    for (const route of routes(this.#daemon.rib, routeQuery(filter, this.#names)))
      yield route === undefined ? undefined : routeView(route, this.#names);
  }

  async countRoutes(filter: RouteFilter): Promise<number> {
    let count = 0;
    let seen = 0;
    let sliceEnd = this.#clock.now() + 2;
    for (const route of routes(this.#daemon.rib, routeQuery(filter, this.#names))) {
      if (route !== undefined) count++;
      // Undefined stands for a thousand that did not match.
      if (route !== undefined && (++seen & 63) !== 0) continue;
      if (this.#clock.now() < sliceEnd) continue;
      await new Promise<void>((resolve) => this.#clock.soon(resolve));
      sliceEnd = this.#clock.now() + 2;
    }
    return count;
  }

  *kernel(): Generator<KernelView, void> {
    const { fib, reason } = this.#kernel;
    if (fib === undefined) throw new UsageError(`routes are not written to the kernel: ${reason}`);
    yield* kernelViews(fib, (index) => this.#names.interfaceName(index));
  }

  readiness(): readonly string[] {
    const starting = this.starting();
    return starting.length > 0 ? starting : this.#isolation();
  }

  /** What the start still lacks; whether peers answer is not part of it. */
  starting(): readonly string[] {
    return [...(this.#calico()?.readiness() ?? []), ...this.#daemon.readiness()];
  }

  /**
   * A Calico node with peers is ready when a session is up, as calico-node's own probe has it: a rolling update then stops at the
   * first node that cannot reach anybody, and does not take the next.
   */
  #isolation(): readonly string[] {
    if (this.#calico() === undefined) return [];
    const { speaker } = this.#daemon;
    const sessions = this.#daemon.peerOptions().flatMap(({ id }) => speaker.peer(id) ?? []);
    const isAlone = sessions.length > 0 && !sessions.some(({ state }) => state === "Established");
    return isAlone ? [`no session is up, of ${sessions.length}`] : [];
  }

  configuration(): object {
    return showConfig(this.#daemon.config, this.#daemon.problems);
  }

  reload(): Promise<ReloadReport> {
    return this.#reload();
  }

  peerAction(name: string, action: PeerAction, message: string | undefined): string {
    const { speaker, ids } = this.#daemon;
    const id = ids.find(name);
    if (id === undefined || speaker.peer(id) === undefined)
      throw new UsageError(`no peer is called ${name}. \`starling show peers\` lists them`);
    switch (action) {
      case "enable":
        speaker.enable(id);
        return `peer ${name}: enabled`;
      case "disable":
        speaker.disable(id, message);
        return `peer ${name}: disabled`;
      case "reset":
        speaker.reset(id, message);
        return `peer ${name}: reset`;
      case "refresh-in":
        return this.#refreshIn(id, name);
      default:
        this.#daemon.rib.resend(id);
        return `peer ${name}: all routes are sent again`;
    }
  }

  async cleanup(): Promise<number> {
    const { fib, reason } = this.#kernel;
    if (fib === undefined) throw new UsageError(`routes are not written to the kernel: ${reason}`);
    return fib.cleanup();
  }

  subscribe(listener: (event: EventView) => void): () => void {
    return this.#daemon.subscribe(listener);
  }

  async metrics(): Promise<string> {
    return (await this.metricsSource?.text()) ?? "";
  }

  #peer(id: PeerId): PeerView | undefined {
    const compiled = this.#daemon.compiledPeer(id);
    const session = this.#daemon.speaker.peer(id);
    if (compiled === undefined || session === undefined) return undefined;
    const view = peerView(compiled.session, session, this.#daemon.rib, compiled.rib.internal, this.#began);
    const problem = this.#daemon.problems.find(({ peer }) => peer === view.name);
    if (problem === undefined) return view;
    const left = `the configuration is wrong, so this peer stays as it was: ${formatProblem(problem)}`;
    return { ...view, lastError: view.lastError === null ? left : `${left}; ${view.lastError}` };
  }

  #refreshIn(id: PeerId, name: string): string {
    if (this.#daemon.speaker.peer(id)?.state !== "Established")
      throw new UsageError(`peer ${name} is not Established: there is nobody to ask`);
    if (!this.#daemon.speaker.requestRefresh(id))
      throw new UsageError(
        `peer ${name} has no route refresh capability (RFC 2918): \`starling peer ${name} reset\` has it send all routes again`,
      );
    return `peer ${name}: asked for all routes again`;
  }
}
