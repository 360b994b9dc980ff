/** The daemon: builds the layers from a configuration, joins them, changes them at a reload, and shows what they hold. */

import { isDeepStrictEqual } from "node:util";
import type { ListenResult } from "../bgp/listener.ts";
import { UsageError } from "../bgp/model/errors.ts";
import { type Family, familyName } from "../bgp/model/family.ts";
import { formatRouterId, type PeerId } from "../bgp/model/ids.ts";
import { CeaseSubcode } from "../bgp/model/messages.ts";
import type { Clock, RibSink } from "../bgp/model/ports.ts";
import { formatPrefix } from "../bgp/model/prefix.ts";
import type { PeerOptions } from "../bgp/options.ts";
import { Speaker } from "../bgp/speaker.ts";
import type { Transport } from "../bgp/transport.ts";
import { createAttributesCodec } from "../bgp/wire/attributes-codec.ts";
import { type Compiled, type CompiledPeer, compile } from "../config/compile.ts";
import { diffConfig } from "../config/diff.ts";
import type { Config } from "../config/model.ts";
import type { Problem } from "../config/problem.ts";
import type { DaemonLogger } from "../control/log.ts";
import type { EventView, SessionStateName } from "../control/views.ts";
import { Rib } from "../rib/rib.ts";
import { DynamicPeers } from "./dynamic-peers.ts";
import type { KernelSide } from "./kernel-side.ts";
import type { Links } from "./links.ts";
import { PeerIds } from "./peer-ids.ts";
import { RestartDeferral } from "./restart.ts";

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
/** The kernel's stale routes go only when what was selected had time to take their place. */
const SELECTION_MILLISECONDS = 5_000;
/** A peer that does not say when it has told everything is given this long. */
const TELL_MILLISECONDS = 5_000;

export class Daemon {
  readonly ids = new PeerIds();
  readonly rib: Rib;
  readonly speaker: Speaker;
  readonly startedAt: number;
  /** When the configuration became what it is; on the monotonic clock. */
  configuredAt: number;
  config: Config;
  /** From a peer. */
  hasHeardRoutes = false;
  /** What was wrong at the last reload, and went without effect. */
  problems: readonly Problem[] = [];
  readonly #parts: DaemonParts;
  readonly #peers = new Map<PeerId, CompiledPeer>();
  readonly #dynamic: DynamicPeers;
  readonly #listeners = new Set<(event: EventView) => void>();
  #deferral: RestartDeferral | undefined;
  #isListening = false;
  /** At the last reload: the next one tries again. */
  #listenFailed = false;

  constructor(config: Config, parts: DaemonParts) {
    this.#parts = parts;
    this.config = config;
    this.startedAt = parts.clock.now();
    this.configuredAt = this.startedAt;
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
    this.#dynamic = new DynamicPeers(this.ids, {
      find: (id) => this.#peers.get(id),
      add: (peer) => this.#register(peer),
    });
    this.speaker = new Speaker({
      options: compiled.speaker,
      clock,
      logger,
      random: parts.random,
      transport: parts.transport,
      rib: this.#sink(),
      events: {
        stateChanged: (peer, from, to, reason) => this.#stateChanged(peer, from, to, reason),
        acceptDynamic: (template, address) => this.#dynamic.accept(template, address),
        dynamicGone: (peer) => this.#removed(peer),
      },
      linkLocalFor: (local, remote) => links.linkLocal(local, remote),
    });
    for (const peer of compiled.peers) this.#addCompiled(peer);
    for (const peer of compiled.peers) this.speaker.addPeer(peer.session);
    this.rib.setOriginated(compiled.originated);
    this.rib.setAggregates(compiled.aggregates);
  }

  /** Opens the listening sockets and begins to connect. Throws UsageError when an address cannot be had. */
  async start(): Promise<void> {
    const { clock, kernel, restarting, logger } = this.#parts;
    const expected = [...this.#peers.values()].filter(({ session }) => session.enabled);
    if (restarting) this.rib.hold();
    this.#deferral = new RestartDeferral(
      expected.map(({ session }) => session.id),
      {
        clock,
        boundMilliseconds: deferralBound(this.config.kernel.pruneAfterMilliseconds),
        graceMilliseconds: RESTART_GRACE_MILLISECONDS,
        tellMilliseconds: TELL_MILLISECONDS,
        select: (reason) => {
          if (restarting) logger.info({ reason }, "restart finished: routes are selected again");
          this.rib.release();
          this.speaker.restartFinished();
        },
        complete: () => {
          // What was just told has still to be decided and written.
          clock.after(TELL_MILLISECONDS, () => kernel.resynchronised());
        },
      },
    );
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
    if (!this.#isListening) missing.push("not listening for BGP connections yet");
    if (!this.#parts.kernel.isReady) missing.push("the kernel's routes have not been read yet");
    if (this.#parts.restarting && this.#deferral?.isSelecting === false)
      missing.push("restarting: waiting for the peers to tell their routes");
    return missing;
  }

  /** Route selection waits for peers after a restart: for how many, and in milliseconds since when and for how long at most. */
  recovery(): { readonly waitingFor: number; readonly elapsed: number; readonly bound: number } | undefined {
    const deferral = this.#deferral;
    if (!this.#parts.restarting || deferral === undefined || deferral.isSelecting) return undefined;
    const elapsed = this.#parts.clock.now() - this.startedAt;
    return {
      waitingFor: deferral.waitingFor,
      elapsed,
      bound: deferralBound(this.config.kernel.pruneAfterMilliseconds),
    };
  }

  /** Without a Cease peers keep our routes for the graceful restart time. */
  async stop(cease: boolean): Promise<void> {
    this.#deferral?.stop();
    // First the kernel: what the end of the sessions does to the tables is not to reach it.
    this.rib.hold();
    await this.#parts.kernel.stop();
    await this.speaker.stop({ cease });
  }

  peerOptions(): readonly PeerOptions[] {
    return [...this.#peers.values()].map((peer) => peer.session);
  }

  compiledPeer(id: PeerId): CompiledPeer | undefined {
    return this.#peers.get(id);
  }

  subscribe(listener: (event: EventView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Goes over to another configuration, changing only what differs. Returns what was done, line by line. */
  async apply(next: Config): Promise<readonly string[]> {
    const previous = this.config;
    const diff = diffConfig(previous, next);
    // Before names become numbers: theirs must not go to the peers that take their place.
    for (const id of this.#dynamic.displacedBy(next.peers)) this.speaker.removePeer(id);
    const compiled = this.#compile(next);
    this.config = next;
    this.configuredAt = this.#parts.clock.now();
    const byName = new Map(compiled.peers.map((peer) => [peer.session.name, peer]));
    for (const { name } of diff.removed) {
      const id = this.ids.find(name);
      if (id === undefined) continue;
      this.speaker.removePeer(id);
      this.#removed(id);
    }
    const rules = { ...compiled.rib, resolveNextHops: this.#parts.kernel.fib !== undefined };
    if (diff.speaker || diff.maxPaths || previous.clusterId !== next.clusterId) this.rib.reconfigure(rules);
    if (diff.speaker) this.speaker.reconfigure(compiled.speaker);
    const changed = diff.changed.flatMap(({ peer }) => byName.get(peer.name) ?? []);
    for (const peer of changed) this.#peers.set(peer.session.id, peer);
    this.rib.updatePeers([...changed, ...this.#dynamic.follow(changed)].map((peer) => peer.rib));
    for (const { peer, previous: old, restart } of diff.changed) {
      const session = byName.get(peer.name)?.session;
      if (session === undefined) continue;
      this.speaker.updatePeer(session, restart);
      if (restart || isDeepStrictEqual(old.families, peer.families)) continue;
      for (const id of [session.id, ...this.#dynamic.from(session.id)]) this.rib.checkLimits(id);
    }
    for (const { name } of diff.added) {
      const peer = byName.get(name);
      if (peer === undefined) continue;
      this.#addCompiled(peer);
      this.speaker.addPeer(peer.session);
    }
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

  #compile(config: Config): Compiled {
    return compile(config, {
      hostName: this.#parts.hostName,
      restarting: this.#parts.restarting,
      peerId: (name) => this.ids.idOf(name),
    });
  }

  #addCompiled(peer: CompiledPeer): void {
    this.#peers.set(peer.session.id, peer);
    this.rib.addPeer(peer.rib);
  }

  /** A peer from a range, new or with new rules: the tables know of it already in the second case. */
  #register(peer: CompiledPeer): void {
    this.#peers.set(peer.session.id, peer);
    if (this.rib.peer(peer.session.id) === undefined) this.rib.addPeer(peer.rib);
  }

  /** The peer is gone; its number is free again when none of its routes is left. */
  #removed(id: PeerId): void {
    this.#peers.delete(id);
    this.#dynamic.gone(id);
    this.#deferral?.removed(id);
    this.ids.forgetName(id);
    this.rib.removePeer(id);
    const look = () => {
      if (!this.rib.isForgotten(id)) {
        this.#parts.clock.after(1000, look);
        return;
      }
      this.rib.forget(id);
      this.ids.release(id);
    };
    look();
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
      },
      peerDown: (peer, end) => {
        rib.peerDown(peer, end);
        this.#deferral?.lost(peer);
      },
      announce: (peer, attributes, prefixes) => {
        this.hasHeardRoutes = true;
        rib.announce(peer, attributes, prefixes);
      },
      withdraw: (peer, prefixes) => rib.withdraw(peer, prefixes),
      endOfRib: (peer, family) => {
        rib.endOfRib(peer, family);
        this.#deferral?.endOfRib(peer, family);
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

  get routerId(): string {
    return formatRouterId(this.config.routerId);
  }
}

/** The Selection_Deferral_Timer of RFC 4724 §4.1. */
function deferralBound(pruneAfterMilliseconds: number): number {
  return pruneAfterMilliseconds - Math.min(SELECTION_MILLISECONDS, pruneAfterMilliseconds / 2);
}
