/** The daemon: builds the layers from a configuration, joins them, changes them at a reload, and shows what they hold. */

import type { ListenResult } from "../bgp/listener.ts";
import { UsageError } from "../bgp/model/errors.ts";
import { type Family, familyName } from "../bgp/model/family.ts";
import { formatRouterId, type PeerId } from "../bgp/model/ids.ts";
import { CeaseSubcode } from "../bgp/model/messages.ts";
import type { Clock, RibSink, Timer } from "../bgp/model/ports.ts";
import { formatPrefix } from "../bgp/model/prefix.ts";
import type { PeerOptions } from "../bgp/options.ts";
import { Speaker } from "../bgp/speaker.ts";
import type { Transport } from "../bgp/transport.ts";
import { createAttributesCodec } from "../bgp/wire/attributes-codec.ts";
import { type Compiled, type CompiledPeer, compile } from "../config/compile.ts";
import { diffInSteps } from "../config/diff.ts";
import type { Config, PeerConfig } from "../config/model.ts";
import type { Problem } from "../config/problem.ts";
import type { DaemonLogger } from "../control/log.ts";
import type { EventView, SessionStateName } from "../control/views.ts";
import { Rib } from "../rib/rib.ts";
import type { KernelSide } from "./kernel-side.ts";
import type { Links } from "./links.ts";
import type { PeerIds } from "./peer-ids.ts";
import { Peers } from "./peers.ts";
import { RestartDeferral } from "./restart.ts";
import { Slices } from "./slices.ts";

export interface DaemonParts {
  readonly clock: Clock;
  readonly logger: DaemonLogger;
  readonly transport: Transport;
  readonly random: () => number;
  readonly links: Links;
  readonly kernel: KernelSide;
  readonly hostName: string;
  /** This process restarts one that did not take leave. */
  readonly restarting: boolean;
  observeConvergence(seconds: number): void;
}

/** Peers that are missing after a restart are waited for as long as this once the others are done. */
const RESTART_GRACE_MILLISECONDS = 10_000;
/** Less in a full mesh: what a missing peer would tell goes to nobody, so nobody is told an incomplete table. */
const MESH_GRACE_MILLISECONDS = 2_000;
/** The kernel's stale routes go only when what was selected had time to take their place. */
const SELECTION_MILLISECONDS = 5_000;
/** A peer that does not say when it has told everything is given this long. */
const TELL_MILLISECONDS = 5_000;
/** Less, if it tells nothing any more. */
const QUIET_MILLISECONDS = 1_000;

export class Daemon {
  readonly rib: Rib;
  readonly speaker: Speaker;
  readonly startedAt: number;
  /** What keeps it from listening, in words, where somebody knows. */
  obstacle: string | undefined;
  /** When the configuration became what it is; on the monotonic clock. */
  configuredAt: number;
  config: Config;
  /** From a peer. */
  hasHeardRoutes = false;
  /** What was wrong at the last reload, and went without effect. */
  problems: readonly Problem[] = [];
  readonly #parts: DaemonParts;
  readonly #peers: Peers;
  readonly #listeners = new Set<(event: EventView) => void>();
  #deferral: RestartDeferral | undefined;
  /** Until when OPENs say that this is a restart, if not everybody is back before. */
  #restartBits: Timer | undefined;
  #kernelHold: Timer | undefined;
  #isStarted = false;
  #isStopped = false;
  #isListening = false;
  /** The changes of the configuration, one after the other. */
  #busy: Promise<unknown> = Promise.resolve();
  /** At the last reload: the next one tries again. */
  #listenFailed = false;

  constructor(config: Config, parts: DaemonParts) {
    this.#parts = parts;
    this.config = config;
    this.startedAt = parts.clock.now();
    this.configuredAt = this.startedAt;
    this.#peers = new Peers({
      clock: parts.clock,
      logger: parts.logger,
      layers: () => this,
      gone: (id) => this.#deferral?.removed(id),
    });
    const compiled = this.#compile(config);
    const { clock, logger, kernel, links } = parts;
    this.rib = new Rib({
      options: { ...compiled.rib, resolveNextHops: kernel.fib !== undefined },
      clock,
      codec: createAttributesCodec(),
      createOutbox: (encoding, events) => this.speaker.createOutbox(encoding, events),
      forwarding: kernel.fib === undefined ? undefined : kernel,
      surroundings: links,
      events: {
        bestChanged: (family, prefix) => this.#bestChanged(family, prefix),
        limitReached: (peer, family, kind) => this.#limitReached(peer, family, kind),
        settled: (milliseconds) => parts.observeConvergence(milliseconds / 1000),
      },
    });
    kernel.rib = this.rib;
    kernel.linkLost = (link) =>
      this.speaker.linkDown(
        link.name,
        link.addresses.map(({ address }) => address),
      );
    this.speaker = new Speaker({
      options: compiled.speaker,
      clock,
      logger,
      random: parts.random,
      transport: parts.transport,
      rib: this.#sink(),
      events: {
        stateChanged: (peer, from, to, reason) => this.#stateChanged(peer, from, to, reason),
        acceptDynamic: (template, address) => this.#peers.accept(template, address),
        dynamicGone: (peer) => this.#peers.forget(peer),
      },
      linkLocalFor: (local, remote) => links.linkLocal(local, remote),
    });
  }

  /** Opens the listening sockets and begins to connect. Throws UsageError when an address cannot be had. */
  async start(): Promise<void> {
    const { clock, kernel, restarting, logger } = this.#parts;
    await this.#peers.addAll(this.config);
    // Thousands of peers take a while, in which one may be told to end.
    if (this.#isStopped) return;
    this.#isStarted = true;
    kernel.expectRoutes();
    const { originated, aggregates } = this.#compile(this.config);
    this.rib.setOriginated(originated);
    this.rib.setAggregates(aggregates);
    if (restarting) {
      this.rib.hold();
      kernel.hold();
    }
    const bound = deferralBound(this.config.kernel.pruneAfterMilliseconds);
    // A peer that comes late, when routes are selected already, is still to keep what it has of the run before (RFC 4724 §4.2).
    this.#restartBits = clock.after(bound, () => this.speaker.restartFinished());
    this.#deferral = new RestartDeferral(this.#peers.expected(), {
      clock,
      boundMilliseconds: bound,
      graceMilliseconds: this.config.peers.some(passesOn) ? RESTART_GRACE_MILLISECONDS : MESH_GRACE_MILLISECONDS,
      tellMilliseconds: TELL_MILLISECONDS,
      quietMilliseconds: QUIET_MILLISECONDS,
      select: (reason) => {
        if (restarting) logger.info({ reason }, "restart finished: routes are selected again");
        this.rib.release();
        // Those that come late may have the better way, and the kernel has it still.
        this.#kernelHold = clock.after(RESTART_GRACE_MILLISECONDS, () => kernel.release());
      },
      complete: () => {
        this.#kernelHold?.cancel();
        kernel.release();
        this.#restartBits?.cancel();
        this.speaker.restartFinished();
        // What was just told has still to be decided and written.
        clock.after(TELL_MILLISECONDS, () => kernel.resynchronised());
      },
    });
    this.#checkListening(await this.speaker.start());
    this.#isListening = true;
  }

  /** All addresses or nothing at the first start: who cannot be reached where he was meant to be should know at once. */
  #checkListening({ failures }: ListenResult): void {
    if (failures.length > 0) throw new UsageError(failures.map((failure) => failure.message).join("; "));
  }

  /** What is missing for readiness, in words. */
  readiness(): readonly string[] {
    const missing: string[] = [];
    if (!this.#isListening) missing.push(this.obstacle ?? "not listening for BGP connections yet");
    if (!this.#parts.kernel.isReady) missing.push("the kernel's routes have not been read yet");
    const { calico, kernel } = this.config;
    // Elsewhere who may not write routes is a reflector; a Calico node would draw traffic to pods that it does not reach others from.
    if (calico !== undefined && kernel.enabled && this.#parts.kernel.reason !== undefined)
      missing.push(`no routes are written to the kernel: ${this.#parts.kernel.reason}`);
    if (this.#parts.restarting && this.#deferral?.isSelecting === false)
      missing.push("restarting: waiting for the peers to tell their routes");
    return missing;
  }

  /** Route selection waits for peers after a restart: for how many, and in milliseconds since when and for how long at most. */
  recovery(): { readonly waitingFor: number; readonly elapsed: number; readonly bound: number } | undefined {
    if (!this.#parts.restarting || this.#deferral?.isSelecting) return undefined;
    const elapsed = this.#parts.clock.now() - this.startedAt;
    return {
      // Before the start nobody is asked yet, and on a Calico node perhaps nobody is known.
      waitingFor: this.#deferral?.waitingFor ?? this.#peers.size,
      elapsed,
      bound: deferralBound(this.config.kernel.pruneAfterMilliseconds),
    };
  }

  /** Without a Cease peers keep our routes for the graceful restart time. */
  async stop(cease: boolean): Promise<void> {
    this.#isStopped = true;
    this.#deferral?.stop();
    this.#restartBits?.cancel();
    this.#kernelHold?.cancel();
    this.#peers.stop();
    // First the kernel: what the end of the sessions does to the tables is not to reach it.
    this.rib.hold();
    await this.#parts.kernel.stop();
    await this.speaker.stop({ cease });
  }

  peerOptions(): readonly PeerOptions[] {
    return Array.from(this.#peers.all(), (peer) => peer.session);
  }

  compiledPeer(id: PeerId): CompiledPeer | undefined {
    return this.#peers.get(id);
  }

  subscribe(listener: (event: EventView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Goes over to another configuration, changing only what differs: in slices, and one change after the other. Returns what was done,
   * line by line. Before the start there is nothing to change yet.
   */
  apply(next: Config): Promise<readonly string[]> {
    const applied = this.#busy.then(() => (this.#isStarted ? this.#apply(next) : this.#replace(next)));
    this.#busy = applied.catch(() => undefined);
    return applied;
  }

  #replace(next: Config): readonly string[] {
    const compiled = this.#compile(next);
    this.config = next;
    this.configuredAt = this.#parts.clock.now();
    this.rib.reconfigure(this.#rules(compiled));
    this.speaker.reconfigure(compiled.speaker);
    return [];
  }

  async #apply(next: Config): Promise<readonly string[]> {
    const previous = this.config;
    const { clock, kernel } = this.#parts;
    const diff = await new Slices(clock).run(diffInSteps(this.#peers.comparedWith(previous, next), next));
    const compiled = this.#compile(next);
    this.config = next;
    this.configuredAt = clock.now();
    this.rib.reconfigure(this.#rules(compiled));
    if (diff.speaker || diff.listen) this.speaker.reconfigure(compiled.speaker);
    if (diff.learning && compiled.fib !== undefined) kernel.setLearning(compiled.fib);
    await this.#peers.change(diff, previous, next);
    if (diff.originate) this.rib.setOriginated(compiled.originated);
    if (diff.aggregates) this.rib.setAggregates(compiled.aggregates);
    const notes: string[] = [];
    if (diff.listen || this.#listenFailed) {
      const { failures } = await this.speaker.listen(compiled.speaker.listen);
      for (const failure of failures) notes.push(`listen: ${failure.message}`);
      this.#listenFailed = failures.length > 0;
    }
    if (diff.kernel) notes.push("kernel: takes effect when starling is started again");
    return [...diff.lines, ...notes];
  }

  #rules({ rib }: Compiled): Compiled["rib"] {
    return { ...rib, resolveNextHops: this.#parts.kernel.fib !== undefined };
  }

  #compile(config: Config): Compiled {
    return compile(config, {
      hostName: this.#parts.hostName,
      restarting: this.#parts.restarting,
    });
  }

  /** The tables' side, listened in on for what a restart waits for. */
  #sink(): RibSink {
    const { rib } = this;
    return {
      peerUp: (peer, facts) => {
        rib.peerUp(peer, facts);
        // RFC 4724 §4.1: two that restart at once do not wait for each other.
        const tells = facts.isRestarting ? [] : facts.families.map((f) => f.family);
        this.#deferral?.established(peer, facts.sendsEndOfRib ? tells : undefined);
        this.#peers.established(peer, facts);
      },
      peerDown: (peer, end) => {
        rib.peerDown(peer, this.#peers.lost(peer, end));
        this.#deferral?.lost(peer);
      },
      announce: (peer, attributes, prefixes) => {
        this.hasHeardRoutes = true;
        this.#deferral?.heard(peer);
        rib.announce(peer, attributes, prefixes);
      },
      withdraw: (peer, prefixes) => rib.withdraw(peer, prefixes),
      endOfRib: (peer, family) => {
        rib.endOfRib(peer, family);
        this.#deferral?.endOfRib(peer, family);
        this.#peers.endOfRib(peer, family);
      },
      refreshRequested: (peer, family, enhanced) => rib.refreshRequested(peer, family, enhanced),
      refreshBegin: (peer, family) => rib.refreshBegin(peer, family),
      refreshEnd: (peer, family) => rib.refreshEnd(peer, family),
    };
  }

  #stateChanged(peer: PeerId, from: SessionStateName, to: SessionStateName, reason: string | undefined): void {
    if (this.#listeners.size === 0) return;
    const name = this.ids.nameOf(peer) ?? "";
    this.#emit({ kind: "session", peer: name, from, to, reason: reason ?? null, at: this.#now() });
  }

  #bestChanged(family: Family, prefix: number): void {
    if (this.#listeners.size === 0) return;
    const { table } = this.rib.rib(family);
    const best = table.best(prefix);
    this.#emit({
      kind: "route",
      prefix: formatPrefix(table.prefixes.prefix(prefix)),
      change: best < 0 ? "withdrawn" : "best",
      peer: best < 0 ? null : (this.ids.nameOf(table.paths.peer(best)) ?? null),
      at: this.#now(),
    });
  }

  #emit(event: EventView): void {
    for (const listener of this.#listeners) listener(event);
  }

  #now(): string {
    return new Date(this.#parts.clock.wallTime()).toISOString();
  }

  /** RFC 4486 §4: maximum number of prefixes reached. */
  #limitReached(id: PeerId, family: Family, kind: "near" | "exceeded"): void {
    const peer = this.#peers.get(id);
    const limits = peer?.session.families.find((f) => f.family === family)?.maxPrefixes;
    if (peer === undefined || limits === undefined) return;
    const fields = { peer: peer.session.name, family: familyName(family), limit: limits.limit, action: limits.action };
    if (kind === "near") {
      this.#parts.logger.warn(fields, "peer is near its maximum number of prefixes");
      return;
    }
    this.#parts.logger.error(fields, "peer passed its maximum number of prefixes");
    if (limits.action !== "restart" && limits.action !== "shutdown") return;
    const again = limits.action === "restart" ? limits.restartSeconds : undefined;
    const reason = `more than ${limits.limit} ${familyName(family)} prefixes`;
    // Not from within the message that brought the last prefix.
    this.#parts.clock.soon(() => this.speaker.cease(id, CeaseSubcode.MaximumPrefixes, reason, again));
  }

  get ids(): PeerIds {
    return this.#peers.ids;
  }

  get routerId(): string {
    return formatRouterId(this.config.routerId);
  }
}

/** Routes of other peers are told to this one. */
function passesOn({ internal, routeReflectorClient }: PeerConfig): boolean {
  return !internal || routeReflectorClient;
}

/** The Selection_Deferral_Timer of RFC 4724 §4.1. */
function deferralBound(pruneAfterMilliseconds: number): number {
  return pruneAfterMilliseconds - Math.min(SELECTION_MILLISECONDS, pruneAfterMilliseconds / 2);
}
