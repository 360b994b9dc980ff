/**
 * The Outbox of one update group: UPDATEs encoded once into a shared log, from which each member writes at its own pace.
 * A member is a cursor; only one that fell behind, and so left the log, has anything encoded for it alone.
 */

import type { Outlet } from "./advertiser.ts";
import { MessageLog, type Run } from "./message-log.ts";
import { SAFI_UNICAST } from "./model/family.ts";
import type { PeerId } from "./model/ids.ts";
import { RefreshSubtype } from "./model/messages.ts";
import type { Audience, Encoding, Outbox, OutboxEvents } from "./model/ports.ts";
import type { PrefixBatch } from "./model/prefix-batch.ts";
import { encodeRouteRefresh } from "./wire/route-refresh.ts";
import { UpdateEncoder } from "./wire/update-encoder.ts";

export interface OutboxParts {
  outlet(peer: PeerId): Outlet | undefined;
  joined(outbox: GroupOutbox, peer: PeerId): void;
  left(outbox: GroupOutbox, peer: PeerId): void;
  soon(run: () => void): void;
  readonly maxLagBytes: number;
  /** The attributes do not fit the peers' messages; the prefixes are withdrawn instead. */
  unsendable(problem: string): void;
}

/** A stretch of the log in which a member takes the runs for those who are joining. */
interface Telling {
  readonly from: number;
  to: number;
  endOfRib: boolean;
  endOfRefresh: boolean;
}

interface Member {
  readonly outlet: Outlet;
  /** Number of the first run that it has not written or passed. */
  cursor: number;
  tellings: Telling[];
  isLagging: boolean;
  /** End markers that were dropped with its part of the log. */
  owesEndOfRib: boolean;
  owesEndOfRefresh: boolean;
}

/** Rounds in one turn that a lagging member may be fed. */
const FEEDS = 8;

export class GroupOutbox implements Outbox {
  readonly #encoder: UpdateEncoder;
  readonly #events: OutboxEvents;
  readonly #parts: OutboxParts;
  readonly #log = new MessageLog();
  readonly #members = new Map<PeerId, Member>();
  /** Lets each flush begin with another member. */
  #turn = 0;

  constructor(encoding: Encoding, events: OutboxEvents, parts: OutboxParts) {
    this.#encoder = new UpdateEncoder(encoding);
    this.#events = events;
    this.#parts = parts;
  }

  get position(): number {
    return this.#log.position;
  }

  get slowest(): number {
    let slowest = this.#log.position;
    for (const member of this.#members.values()) {
      if (member.isLagging) continue;
      slowest = Math.min(slowest, this.#positionOf(member));
    }
    return slowest;
  }

  announce(attributes: Uint8Array, prefixes: PrefixBatch, audience: Audience): void {
    this.#encode(audience, prefixes, (from, slab, at) => this.#encoder.announce(attributes, prefixes, from, slab, at));
    const { problem } = this.#encoder;
    if (problem === undefined) return;
    this.#parts.unsendable(problem);
    this.withdraw(prefixes, audience);
  }

  withdraw(prefixes: PrefixBatch, audience: Audience): void {
    this.#encode(audience, prefixes, (from, slab, at) => this.#encoder.withdraw(prefixes, from, slab, at));
  }

  join(peer: PeerId): void {
    const outlet = this.#parts.outlet(peer);
    if (outlet === undefined) return;
    this.#members.set(peer, {
      outlet,
      cursor: this.#log.seal(),
      tellings: [{ from: this.#log.end, to: Number.POSITIVE_INFINITY, endOfRib: true, endOfRefresh: false }],
      isLagging: false,
      owesEndOfRib: false,
      owesEndOfRefresh: false,
    });
    this.#parts.joined(this, peer);
  }

  refresh(peer: PeerId, enhanced: boolean): void {
    const member = this.#members.get(peer);
    if (member === undefined) return;
    const open = member.tellings.at(-1);
    if (open !== undefined && open.to === Number.POSITIVE_INFINITY) open.endOfRefresh ||= enhanced;
    else {
      member.tellings.push({
        from: this.#log.seal(),
        to: Number.POSITIVE_INFINITY,
        endOfRib: false,
        endOfRefresh: enhanced,
      });
    }
    if (enhanced) this.#only(peer, this.#refreshMarker(RefreshSubtype.Begin));
  }

  joined(peer: PeerId): void {
    const member = this.#members.get(peer);
    if (member === undefined) return;
    const open = member.tellings.at(-1);
    const isOpen = open !== undefined && open.to === Number.POSITIVE_INFINITY;
    if (member.owesEndOfRib || (isOpen && open.endOfRib)) this.#only(peer, this.#encoder.endOfRib());
    if (member.owesEndOfRefresh || (isOpen && open.endOfRefresh))
      this.#only(peer, this.#refreshMarker(RefreshSubtype.End));
    member.owesEndOfRib = false;
    member.owesEndOfRefresh = false;
    if (isOpen) open.to = this.#log.seal();
  }

  rejoin(peer: PeerId): void {
    const member = this.#members.get(peer);
    if (member === undefined) return;
    member.isLagging = false;
    member.cursor = this.#log.seal();
  }

  leave(peer: PeerId): void {
    if (!this.#members.delete(peer)) return;
    this.#parts.left(this, peer);
    this.#trim();
  }

  flush(): void {
    const members = [...this.#members.values()];
    const start = this.#turn++ % Math.max(1, members.length);
    for (let i = 0; i < members.length; i++) {
      const member = members[(start + i) % members.length] as Member;
      if (!member.outlet.isBlocked) this.#write(member);
      if (!member.isLagging && this.#log.position - this.#positionOf(member) > this.#parts.maxLagBytes)
        this.#fallBehind(member);
    }
    this.#trim();
  }

  /** The member's socket takes more. */
  resume(peer: PeerId): void {
    const member = this.#members.get(peer);
    if (member === undefined) return;
    if (member.isLagging) this.#feed(member);
    else this.#write(member);
    this.#trim();
  }

  #encode(
    audience: Audience,
    prefixes: PrefixBatch,
    encode: (from: number, slab: Uint8Array, at: number) => number,
  ): void {
    const alone = audience.kind === "only" ? this.#members.get(audience.peer) : undefined;
    if (audience.kind === "only" && alone === undefined) return;
    const log = alone?.isLagging ? new MessageLog() : this.#log;
    const { maxMessageLength } = this.#encoder.encoding;
    for (let from = 0; from < prefixes.count; from = this.#encoder.next) {
      const { slab, at } = log.room(maxMessageLength);
      log.commit(encode(from, slab, at), audience);
    }
    if (alone?.isLagging) for (let n = 0; n < log.end; n++) this.#send(alone, log.run(n) as Run);
  }

  #only(peer: PeerId, message: Uint8Array): void {
    const member = this.#members.get(peer);
    if (member?.isLagging) member.outlet.isBlocked = !member.outlet.sink.write(message, 1);
    else this.#log.append(message, { kind: "only", peer });
  }

  #refreshMarker(subtype: RefreshSubtype): Uint8Array {
    return encodeRouteRefresh({ afi: this.#encoder.encoding.family, safi: SAFI_UNICAST, subtype });
  }

  /** Everything that the member wants and its socket takes, in pieces as large as the slabs allow. */
  #write(member: Member): void {
    if (member.isLagging || member.cursor >= this.#log.end) return;
    const { sink } = member.outlet;
    this.#log.seal();
    sink.cork();
    while (!member.outlet.isBlocked && member.cursor < this.#log.end) {
      const first = this.#log.run(member.cursor) as Run;
      if (!this.#wants(member, first, member.cursor)) {
        member.cursor++;
        continue;
      }
      let { end, messages } = first;
      let next = member.cursor + 1;
      for (let run = this.#log.run(next); run !== undefined; run = this.#log.run(++next)) {
        if (run.slab !== first.slab || run.start !== end || !this.#wants(member, run, next)) break;
        end = run.end;
        messages += run.messages;
      }
      member.cursor = next;
      if (!sink.write(first.slab.subarray(first.start, end), messages)) member.outlet.isBlocked = true;
    }
    sink.uncork();
    while (member.tellings[0] !== undefined && member.tellings[0].to <= member.cursor) member.tellings.shift();
  }

  #wants(member: Member, run: Run, number: number): boolean {
    switch (run.kind) {
      case "all":
        return true;
      case "except":
        return run.peer !== member.outlet.peer;
      case "only":
        return run.peer === member.outlet.peer;
      default:
        return run.peer !== member.outlet.peer && member.tellings.some((t) => number >= t.from && number < t.to);
    }
  }

  #send(member: Member, run: Run): void {
    const taken = member.outlet.sink.write(run.slab.subarray(run.start, run.end), run.messages);
    if (!taken) member.outlet.isBlocked = true;
  }

  #positionOf(member: Member): number {
    return this.#log.run(member.cursor)?.position ?? this.#log.position;
  }

  #fallBehind(member: Member): void {
    member.isLagging = true;
    member.owesEndOfRib ||= member.tellings.some((t) => t.endOfRib);
    member.owesEndOfRefresh ||= member.tellings.some((t) => t.endOfRefresh);
    member.tellings = [];
    this.#events.lagging(member.outlet.peer);
    if (!member.outlet.isBlocked) this.#parts.soon(() => this.resume(member.outlet.peer));
  }

  #feed(member: Member): void {
    for (let i = 0; i < FEEDS && member.isLagging && !member.outlet.isBlocked; i++)
      this.#events.drained(member.outlet.peer);
    if (member.outlet.isBlocked) return;
    if (member.isLagging) this.#parts.soon(() => this.resume(member.outlet.peer));
    else this.#write(member);
  }

  #trim(): void {
    let first = this.#log.end;
    for (const member of this.#members.values()) if (!member.isLagging) first = Math.min(first, member.cursor);
    this.#log.forget(first);
  }
}
