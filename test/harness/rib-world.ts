/**
 * A speaker's surroundings with a memory of what happened, told twice: to tables that live through everything in its order, and, in
 * `retell`, to fresh tables that are told only what it came to. Both must end up with the same.
 */

import { ipv4 } from "../../src/bgp/model/address.ts";
import { attributesWith, type PathAttributes } from "../../src/bgp/model/attributes.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { asn, type PeerId, routerId } from "../../src/bgp/model/ids.ts";
import type { SessionEnd, SessionFacts } from "../../src/bgp/model/ports.ts";
import { formatPrefix, type Prefix } from "../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import type { Aggregate, OriginatedRoute, RibOptions, RibPeerOptions } from "../../src/rib/options.ts";
import type { Policy } from "../../src/rib/policy/policy.ts";
import type { KernelPath } from "../../src/rib/route-lookup.ts";
import { viewOf } from "./canonical.ts";
import { facts, peerOptions, RibBench } from "./rib-bench.ts";
import {
  ATTRIBUTES,
  KERNEL_PATHS,
  KERNEL_PREFIXES,
  KERNEL_RULES,
  KINDS,
  type Kind,
  LINKS,
  PREFIXES,
  PRIORITIES,
  SLOTS,
  TAG,
} from "./rib-world-kinds.ts";
import { type Held, keyOf, Slot, TELL_SECONDS } from "./rib-world-slot.ts";

export class World {
  readonly bench: RibBench;
  readonly policies: readonly Policy[];
  readonly #options: Partial<RibOptions>;
  readonly #slots: Slot[] = [];
  readonly #leaving: PeerId[] = [];
  readonly #free: PeerId[] = [];
  #nextId = 1;
  #originated: readonly OriginatedRoute[] = [];
  #aggregates: readonly Aggregate[] = [];
  readonly #kernel = new Map<string, { prefix: Prefix; source: "kernel" | "connected"; path: KernelPath }>();
  readonly #links = new Set<number>(LINKS);
  #rules: Pick<RibOptions, "maxPaths" | "priorities" | "kernelRules"> = {
    maxPaths: 1,
    priorities: undefined,
    kernelRules: [],
  };

  constructor(options: Partial<RibOptions>, policies: readonly Policy[]) {
    this.#options = options;
    this.policies = policies;
    this.bench = new RibBench(options);
    // One round of work each turn, so that there is something between any two.
    this.bench.clock.tick = 3;
    for (const link of this.#links) this.bench.upLinks.add(link);
    for (let slot = 0; slot < SLOTS; slot++) {
      this.#slots.push(new Slot());
      this.add(slot);
    }
  }

  /** A peer in this slot, with a number that was free. */
  add(slot: number): void {
    const s = this.#slot(slot);
    if (s.id !== undefined) return;
    this.#look();
    s.id = this.#free.pop() ?? (this.#nextId++ as PeerId);
    s.router = routerId(s.id);
    this.bench.rib.addPeer(this.#peerOptions(slot));
  }

  remove(slot: number): void {
    const s = this.#slot(slot);
    if (s.id === undefined) return;
    if (s.up) this.down(slot, "flush");
    this.bench.rib.removePeer(s.id);
    this.#leaving.push(s.id);
    s.id = undefined;
    s.fresh.clear();
    s.stale.clear();
    s.retention = undefined;
    this.#look();
  }

  /** `another`: it has another router id now. `preserved`: it says that it kept its routes (RFC 4724 §4.2). */
  up(slot: number, another: boolean, preserved: boolean): void {
    const s = this.#slot(slot);
    if (s.id === undefined || s.up) return;
    s.up = true;
    if (another) s.router = routerId(s.router + 100);
    this.bench.rib.peerUp(s.id, this.#facts(slot, preserved));
    if (!preserved) s.confirm();
    if (s.retention?.kind === "restart")
      s.retention = { ...s.retention, until: this.bench.clock.time + TELL_SECONDS * 1000 };
  }

  down(slot: number, how: "flush" | "restart" | "both" | "longLived"): void {
    const s = this.#slot(slot);
    if (s.id === undefined || !s.up) return;
    s.up = false;
    s.confirmed = undefined;
    const kept = { staleSeconds: how === "longLived" ? 0 : 60, longLivedSeconds: how === "restart" ? 0 : 90 };
    const end: SessionEnd =
      how === "flush" ? { kind: "flush" } : { kind: "retain", families: [{ family: Family.Ipv4, ...kept }] };
    this.bench.rib.peerDown(s.id, end);
    s.stale = how === "flush" ? new Map() : new Map(s.fresh);
    s.fresh.clear();
    const now = this.bench.clock.time;
    if (how === "flush") s.retention = undefined;
    else if (how === "longLived") s.longLive(now + 90_000);
    else s.retention = { kind: "restart", until: now + 60_000, longLivedSeconds: kept.longLivedSeconds };
  }

  announce(slot: number, held: Held): void {
    const s = this.#slot(slot);
    if (s.id === undefined || !s.up) return;
    const mine = { ...held, pathId: KINDS[slot]?.addPath ? held.pathId : 0 };
    this.bench.rib.announce(s.id, viewOf(attributesOf(slot, mine.choice)), batchOf(mine));
    s.stale.delete(keyOf(mine));
    s.fresh.set(keyOf(mine), mine);
    s.confirmed?.add(keyOf(mine));
  }

  withdraw(slot: number, held: Held): void {
    const s = this.#slot(slot);
    if (s.id === undefined || !s.up) return;
    const mine = { ...held, pathId: KINDS[slot]?.addPath ? held.pathId : 0 };
    this.bench.rib.withdraw(s.id, batchOf(mine));
    s.stale.delete(keyOf(mine));
    s.fresh.delete(keyOf(mine));
  }

  endOfRib(slot: number): void {
    const s = this.#slot(slot);
    if (s.id === undefined || !s.up) return;
    this.bench.rib.endOfRib(s.id, Family.Ipv4);
    s.confirm();
  }

  refreshBegin(slot: number): void {
    const s = this.#slot(slot);
    if (s.id === undefined || !s.up) return;
    this.bench.rib.refreshBegin(s.id, Family.Ipv4);
    if (s.retention !== undefined) return;
    s.confirmed ??= new Set();
    s.refreshUntil = this.bench.clock.time + TELL_SECONDS * 1000;
  }

  refreshEnd(slot: number): void {
    const s = this.#slot(slot);
    if (s.id === undefined || !s.up) return;
    this.bench.rib.refreshEnd(s.id, Family.Ipv4);
    s.endRefresh();
  }

  refreshRequested(slot: number, enhanced: boolean): void {
    const s = this.#slot(slot);
    if (s.id === undefined || !s.up) return;
    this.bench.outboxOf(s.id)?.forget(s.id);
    this.bench.rib.refreshRequested(s.id, Family.Ipv4, enhanced);
  }

  read(slot: number, count: number): void {
    const { id } = this.#slot(slot);
    if (id !== undefined) this.bench.outboxOf(id)?.read(id, count);
  }

  lag(slot: number): void {
    const { id } = this.#slot(slot);
    if (id !== undefined) this.bench.outboxOf(id)?.lag(id);
  }

  /** Other policies for some peers, as a reload brings them. */
  reload(slots: readonly number[], importing: number, exporting: number): void {
    for (const slot of slots) this.#slot(slot).policies = { importing, exporting };
    const known = slots.filter((slot) => this.#slot(slot).id !== undefined);
    this.bench.rib.updatePeers(known.map((slot) => this.#peerOptions(slot)));
  }

  /** By their places in the lists of priorities and rules. */
  reconfigure(maxPaths: number, priorities: number, rules: number): void {
    this.#rules = { maxPaths, priorities: PRIORITIES[priorities], kernelRules: KERNEL_RULES[rules] ?? [] };
    this.bench.rib.reconfigure(this.#ribOptions());
  }

  originate(which: readonly { prefix: number; kind: OriginatedRoute["kind"]; source: "static" | "calico" }[]): void {
    this.#originated = which.map(({ prefix: index, kind, source }) => {
      const nextHop = kind === "via" ? ipv4(0x0b000001) : undefined;
      const communities = kind === "blackhole" ? [TAG] : [];
      const attributes = attributesWith(nextHop ?? ipv4(0), { communities });
      return { prefix: PREFIXES[index] as Prefix, source, kind, nextHop, attributes };
    });
    this.bench.rib.setOriginated(this.#originated);
  }

  aggregate(which: readonly { prefix: number; summaryOnly: boolean }[]): void {
    this.#aggregates = which.map(({ prefix: index, summaryOnly }) => ({
      prefix: PREFIXES[index] as Prefix,
      summaryOnly,
    }));
    this.bench.rib.setAggregates(this.#aggregates);
  }

  kernel(index: number, source: "kernel" | "connected", choice: number | undefined): void {
    const route = KERNEL_PREFIXES[index] as Prefix;
    const path = choice === undefined ? undefined : KERNEL_PATHS[choice];
    const key = `${index} ${source}`;
    if (path === undefined) this.#kernel.delete(key);
    else this.#kernel.set(key, { prefix: route, source, path });
    this.bench.rib.kernelRoute(route, source, path, true);
  }

  link(index: number, up: boolean): void {
    if (up) this.#links.add(index);
    else this.#links.delete(index);
    if (up) this.bench.upLinks.add(index);
    else this.bench.upLinks.delete(index);
    this.bench.rib.linkChanged(index);
  }

  pass(seconds: number): void {
    this.bench.clock.pass(seconds * 1000);
    const now = this.bench.clock.time;
    for (const s of this.#slots) {
      const { retention } = s;
      if (s.refreshUntil <= now) s.endRefresh();
      if (retention === undefined || retention.until > now) continue;
      if (retention.kind === "restart" && retention.longLivedSeconds > 0 && !s.up)
        s.longLive(now + retention.longLivedSeconds * 1000);
      if (s.retention !== undefined && s.retention.until <= now) s.confirm();
    }
    this.#look();
  }

  /** Everybody reads all there is. */
  settle(): void {
    for (let i = 0; i < 4; i++) {
      this.bench.clock.settle();
      for (const { id } of this.#slots) if (id !== undefined) this.bench.outboxOf(id)?.knows(id);
    }
    this.#look();
  }

  /** What can be seen from outside, in lines. */
  describe(): readonly string[] {
    const lines: string[] = [];
    const slotOf = new Map(this.#slots.flatMap(({ id }, slot) => (id === undefined ? [] : [[id, slot] as const])));
    for (const r of this.bench.routes()) {
      const from = r.source === "peer" ? `slot ${slotOf.get(r.peer)}` : r.source;
      const marks = `${r.best ? " best" : ""}${r.stale ? " stale" : ""} ${r.reason ?? ""}`;
      lines.push(`route ${formatPrefix(r.prefix)}#${r.pathId} from ${from}${marks} ${JSON.stringify(r.attributes)}`);
    }
    for (const [slot, { id, up }] of this.#slots.entries()) {
      if (id === undefined || !up) continue;
      const outbox = this.bench.outboxOf(id);
      const view = outbox?.knows(id) ?? new Map<string, string>();
      for (const [key, attributes] of view) lines.push(`slot ${slot} knows ${key.replace(/#.*/, "")} ${attributes}`);
      const ended = (outbox?.members.get(id)?.ends ?? 0) > 0;
      const state = this.bench.rib.peer(id)?.family(Family.Ipv4);
      lines.push(`slot ${slot} ended ${ended} received ${state?.received} accepted ${state?.accepted}`);
      lines.push(`slot ${slot} preferred ${state?.preferred}`);
      lines.push(`slot ${slot} counts ${state?.group?.out.countFor(id)} of ${view.size}`);
    }
    for (const [text, target] of this.bench.kernel) lines.push(`kernel ${text} ${target}`);
    const { table, own } = this.bench.rib.rib(Family.Ipv4);
    lines.push(`reachable ${table.reachable} own ${JSON.stringify(own)}`);
    return lines.sort();
  }

  /** Fresh tables that are told what it all came to. */
  retell(): World {
    const other = new World(this.#options, this.policies);
    other.#tell(this);
    return other;
  }

  #tell(from: World): void {
    for (const [slot, s] of from.#slots.entries()) {
      if (s.id === undefined) this.remove(slot);
      else this.#slot(slot).router = s.router;
    }
    this.settle();
    for (const [slot, s] of from.#slots.entries()) this.reload([slot], s.policies.importing, s.policies.exporting);
    this.#rules = from.#rules;
    this.bench.rib.reconfigure(this.#ribOptions());
    for (const link of LINKS) this.link(link, from.#links.has(link));
    for (const { prefix: text, source, path } of from.#kernel.values()) {
      this.bench.rib.kernelRoute(text, source, path, true);
    }
    this.bench.rib.setOriginated(from.#originated);
    this.settle();
    for (const [slot, s] of from.#slots.entries()) {
      if (s.id === undefined) continue;
      if (s.stale.size > 0) {
        this.up(slot, false, true);
        for (const held of s.stale.values()) this.announce(slot, held);
        const isLong = s.retention?.kind === "longLived";
        this.down(slot, isLong ? "longLived" : "restart");
      }
      if (s.up) this.up(slot, false, true);
      for (const held of s.fresh.values()) this.announce(slot, held);
      if (s.stale.size === 0 && s.up) this.endOfRib(slot);
    }
    this.bench.rib.setAggregates(from.#aggregates);
    this.settle();
  }

  /** Everybody leaves and everything is taken back: how much the tables still hold then. */
  leftBehind(): readonly number[] {
    for (let slot = 0; slot < SLOTS; slot++) this.remove(slot);
    this.originate([]);
    this.aggregate([]);
    for (const { prefix: text, source } of this.#kernel.values())
      this.bench.rib.kernelRoute(text, source, undefined, false);
    this.settle();
    const { rib } = this.bench;
    const { table } = rib.rib(Family.Ipv4);
    return [
      table.prefixes.count,
      table.paths.count,
      table.reachable,
      rib.attributes.count,
      rib.groups.count,
      rib.nextHops.count,
      this.bench.kernel.size,
      this.#leaving.length,
    ];
  }

  #slot(slot: number): Slot {
    return this.#slots[slot] as Slot;
  }

  /** Numbers of peers that are gone for good may be given to others. */
  #look(): void {
    for (const id of this.#leaving.splice(0)) {
      if (!this.bench.rib.isForgotten(id)) {
        this.#leaving.push(id);
        continue;
      }
      this.bench.rib.forget(id);
      this.#free.push(id);
    }
  }

  #ribOptions(): RibOptions {
    return {
      asNumber: asn(65000),
      routerId: routerId(99),
      clusterId: routerId(99),
      alwaysCompareMed: false,
      resolveNextHops: false,
      ...this.#options,
      ...this.#rules,
    };
  }

  #peerOptions(slot: number): RibPeerOptions {
    const { id, policies } = this.#slot(slot);
    const { internal, client } = KINDS[slot] as Kind;
    const chosen = (index: number) => (index === 0 ? [] : [this.policies[index - 1] as Policy]);
    return peerOptions(id as PeerId, {
      internal,
      peerAs: asn(internal ? 65000 : 65100 + slot),
      routeReflectorClient: client,
      importPolicies: chosen(policies.importing),
      exportPolicies: chosen(policies.exporting),
    });
  }

  #facts(slot: number, preserved: boolean): SessionFacts {
    const { internal, addPath, longLived } = KINDS[slot] as Kind;
    const { id, router } = this.#slot(slot);
    return facts(id as PeerId, {
      internal,
      peerAs: asn(internal ? 65000 : 65100 + slot),
      remoteRouterId: router,
      remoteAddress: ipv4(0x0a000000 + slot),
      families: [{ family: Family.Ipv4, addPathReceive: addPath, addPathSend: addPath, extendedNextHop: false }],
      longLivedStale: longLived ? [Family.Ipv4] : [],
      forwardingPreserved: preserved ? [Family.Ipv4] : [],
    });
  }
}

function attributesOf(slot: number, choice: number): PathAttributes {
  return (ATTRIBUTES[slot] as readonly PathAttributes[])[choice] as PathAttributes;
}

function batchOf(held: Held): PrefixBatch {
  const batch = new PrefixBatch(Family.Ipv4);
  batch.add(PREFIXES[held.prefix] as Prefix, held.pathId);
  return batch;
}
