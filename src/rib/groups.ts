/** The update groups: which peers get identical bytes, and the turns in which each group works. */

import type { NegotiatedFamily } from "../bgp/model/capability.ts";
import { FAMILIES, type Family } from "../bgp/model/family.ts";
import type { PeerId } from "../bgp/model/ids.ts";
import type { Clock, Encoding, OutboxFactory, SessionFacts } from "../bgp/model/ports.ts";
import type { AttributeTable } from "./attribute-table.ts";
import type { LocRib } from "./loc-rib.ts";
import { groupKey, type OutboundContext, PolicyOutbound } from "./outbound.ts";
import type { RibPeer } from "./rib-peer.ts";
import { UpdateGroup } from "./update-group.ts";

interface Entry {
  key: string;
  readonly family: Family;
  readonly group: UpdateGroup;
  readonly outbound: PolicyOutbound;
  /** RFC 4271 §9.2.1.1: no UPDATE before this time. */
  notBefore: number;
  intervalMilliseconds: number;
}

interface Move {
  readonly peer: RibPeer;
  readonly facts: SessionFacts;
  readonly family: NegotiatedFamily;
  readonly from: Entry;
  readonly key: string;
}

/** Its session has not ended since, nor begun anew. */
function isStillThere({ peer, facts, family, from }: Move): boolean {
  return peer.facts === facts && peer.family(family.family).group === from.group;
}

export class Groups {
  readonly #attributes: AttributeTable;
  readonly #context: OutboundContext;
  readonly #createOutbox: OutboxFactory;
  readonly #rib: (family: Family) => LocRib;
  readonly #wake: () => void;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  /** The same, in the order in which they take turns. */
  readonly #turns: Entry[] = [];
  readonly #closing = new Set<UpdateGroup>();
  readonly #worked = new Set<UpdateGroup>();

  constructor(parts: {
    attributes: AttributeTable;
    context: OutboundContext;
    createOutbox: OutboxFactory;
    rib: (family: Family) => LocRib;
    clock: Clock;
    wake: () => void;
  }) {
    this.#attributes = parts.attributes;
    this.#context = parts.context;
    this.#createOutbox = parts.createOutbox;
    this.#rib = parts.rib;
    this.#clock = parts.clock;
    this.#wake = parts.wake;
  }

  get count(): number {
    return this.#entries.size;
  }

  join(peer: RibPeer, facts: SessionFacts, family: NegotiatedFamily): void {
    const entry = this.#entryFor(peer, facts, family);
    peer.family(family.family).group = entry.group;
    entry.outbound.addMember(peer.options.id, facts.remoteAddress);
    entry.group.join(peer.options.id);
  }

  leave(peer: RibPeer): void {
    for (const family of FAMILIES) {
      const state = peer.family(family);
      if (state.group === undefined) continue;
      this.#leave(peer.options.id, state.group);
      state.group = undefined;
    }
  }

  /**
   * These peers' export rules may have changed. A group whose members all changed alike keeps what it has told them and sends
   * only differences; a peer that parts from its group is told the differences by the group it comes to. One step a peer: sessions may
   * come and go in between.
   */
  *regroup(peers: readonly RibPeer[]): Generator<undefined, void> {
    let moving: Move[] = [];
    for (const peer of peers) {
      yield;
      for (const family of peer.facts?.families ?? []) {
        const from = this.#find(peer.family(family.family).group);
        const facts = peer.facts;
        if (from === undefined || facts === undefined) continue;
        const key = groupKey(peer.options, facts, family);
        if (key !== from.key) moving.push({ peer, facts, family, from, key });
      }
    }
    moving = moving.filter(isStillThere);
    for (const from of new Set(moving.map((m) => m.from))) {
      const leaving = moving.filter((m) => m.from === from);
      const first = leaving[0];
      if (first === undefined) continue;
      const alike = leaving.length === from.group.size && leaving.every((m) => m.key === first.key);
      if (alike && !this.#entries.has(first.key)) {
        this.#entries.delete(from.key);
        from.key = first.key;
        this.#entries.set(first.key, from);
        from.outbound.setTarget(first.peer.options, first.facts, first.family);
        from.intervalMilliseconds = first.peer.options.advertisementSeconds * 1000;
        this.#enlist(from);
        from.group.reconsider();
        continue;
      }
      for (const m of leaving) {
        if (isStillThere(m)) this.#move(m.peer, m.facts, m.family, from.group);
        yield;
      }
    }
    this.#wake();
  }

  /** Peers that routes come from changed in what export rules ask of them (RFC 4456: client, cluster, identifier). */
  forgetSources(): void {
    for (const entry of this.#entries.values()) entry.outbound.clear();
  }

  /** Something that all export rules may depend on changed. */
  reconsiderAll(): void {
    for (const entry of this.#entries.values()) entry.group.reconsider();
    this.#wake();
  }

  /** One slice of each group; true while there is more. */
  work(isTimeUp: () => boolean): boolean {
    let more = false;
    const now = this.#clock.now();
    for (let left = this.#turns.length; left > 0; left--) {
      const entry = this.#turns.shift();
      if (entry === undefined) break;
      this.#turns.push(entry);
      if (entry.notBefore > now) continue;
      entry.group.isPaused = false;
      const busy = entry.group.work(isTimeUp);
      if (busy) more = true;
      if (busy || entry.group.hasWorked) this.#worked.add(entry.group);
      if (!busy && entry.intervalMilliseconds > 0 && entry.group.hasWorked) this.#pause(entry, now);
      entry.group.hasWorked = false;
      // The others come first the next time.
      if (left > 1 && isTimeUp()) return true;
    }
    for (const group of this.#closing) {
      if (group.work(isTimeUp)) more = true;
      else if (group.isGone) this.#closing.delete(group);
    }
    return more;
  }

  flush(): void {
    for (const group of this.#worked) {
      group.outbox.flush();
      if (group.settle()) this.#wake();
    }
    this.#worked.clear();
  }

  #pause(entry: Entry, now: number): void {
    entry.notBefore = now + entry.intervalMilliseconds;
    entry.group.isPaused = true;
    this.#clock.after(entry.intervalMilliseconds, () => this.#wake());
  }

  #move(peer: RibPeer, facts: SessionFacts, family: NegotiatedFamily, from: UpdateGroup): void {
    const id: PeerId = peer.options.id;
    const told = from.part(id);
    this.#leave(id, from);
    const to = this.#entryFor(peer, facts, family);
    peer.family(family.family).group = to.group;
    to.outbound.addMember(id, facts.remoteAddress);
    to.group.join(id, told);
  }

  /** Which decisions it hears of. */
  #enlist({ group, outbound, family }: Entry): void {
    const rib = this.#rib(family);
    rib.groups.delete(group);
    rib.attentiveGroups.delete(group);
    (outbound.isAttentive ? rib.attentiveGroups : rib.groups).add(group);
  }

  #find(group: UpdateGroup | undefined): Entry | undefined {
    for (const entry of this.#entries.values()) if (entry.group === group) return entry;
    return undefined;
  }

  #entryFor(peer: RibPeer, facts: SessionFacts, family: NegotiatedFamily): Entry {
    const key = groupKey(peer.options, facts, family);
    const found = this.#entries.get(key);
    if (found !== undefined) return found;
    const rib = this.#rib(family.family);
    const outbound = new PolicyOutbound(this.#attributes, rib.table, this.#context, peer.options, facts, family);
    let group: UpdateGroup | undefined;
    const encoding: Encoding = {
      family: family.family,
      fourOctetAs: facts.fourOctetAs,
      addPath: family.addPathSend,
      extendedNextHop: family.extendedNextHop,
      maxMessageLength: facts.maxMessageLength,
    };
    const outbox = this.#createOutbox(encoding, {
      lagging: (id) => group?.lagging(id),
      drained: (id) => {
        group?.drained(id);
        outbox.flush();
        this.#wake();
      },
    });
    group = new UpdateGroup({
      table: rib.table,
      attributes: this.#attributes,
      outbox,
      outbound,
      usable: (path) => rib.isUsable(path),
      addPath: family.addPathSend,
    });
    const entry: Entry = {
      key,
      family: family.family,
      group,
      outbound,
      notBefore: 0,
      intervalMilliseconds: peer.options.advertisementSeconds * 1000,
    };
    this.#entries.set(key, entry);
    this.#turns.push(entry);
    this.#enlist(entry);
    return entry;
  }

  #leave(peer: PeerId, group: UpdateGroup): void {
    group.leave(peer);
    // A group that closes may have waited for this.
    this.#wake();
    const entry = this.#find(group);
    entry?.outbound.removeMember(peer);
    if (entry === undefined || group.size > 0) return;
    this.#entries.delete(entry.key);
    this.#turns.splice(this.#turns.indexOf(entry), 1);
    const rib = this.#rib(entry.family);
    rib.groups.delete(group);
    rib.attentiveGroups.delete(group);
    group.close();
    this.#closing.add(group);
  }
}
