/**
 * The outbound side of one update group (the Outbox of the tables): each UPDATE is encoded once into a shared log, and every
 * member writes from its own place in it. A member that falls too far behind is taken out of the log, and its owner brings
 * it up to date from the table.
 */

import { MessageLog, NOBODY, RunKind, SLAB_LENGTH, type SlabPool } from "./message-log.ts";
import { assertNever } from "./model/errors.ts";
import { familyName, SAFI_UNICAST } from "./model/family.ts";
import type { PeerId } from "./model/ids.ts";
import { RefreshSubtype } from "./model/messages.ts";
import type { Audience, Clock, Encoding, Logger, Outbox, OutboxEvents, Timer } from "./model/ports.ts";
import type { PrefixBatch } from "./model/prefix-batch.ts";
import { type MessageSink, OutboxMember } from "./outbox-member.ts";
import { RateLimitedLog } from "./rate-limited-log.ts";
import type { Task, Turns } from "./turns.ts";
import { encodeRouteRefresh } from "./wire/route-refresh.ts";
import { UpdateEncoder } from "./wire/update-encoder.ts";

export interface AdvertiserParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly turns: Turns;
  readonly pool: SlabPool;
  /** The session of a peer; undefined when it has none. */
  readonly sinkOf: (peer: PeerId) => MessageSink | undefined;
  /** Until `left` this outbox wants to be told when the peer's session takes more. */
  readonly joined: (peer: PeerId, outbox: Advertiser) => void;
  readonly left: (peer: PeerId, outbox: Advertiser) => void;
  /** How far a member may be behind, in octets. */
  readonly maxBacklog: number;
}

const LENGTH_AT = 16;
/** After a round of writing to all members messages gather for this many times as long, but never longer than this many milliseconds. */
const GATHER_FACTOR = 4;
const MAX_GATHER_MILLISECONDS = 10;
/** Octets for each that are worth a round at any time. */
const WORTH_A_ROUND = 16 * 1024;

export class Advertiser implements Outbox, Task {
  readonly #parts: AdvertiserParts;
  readonly #events: OutboxEvents;
  readonly #encoder: UpdateEncoder;
  readonly #log: MessageLog;
  readonly #members = new Map<PeerId, OutboxMember>();
  /** The same members, in the order in which they take turns. */
  readonly #ring: OutboxMember[] = [];
  #rotor = 0;
  /** Milliseconds that the round at work has taken, over several turns perhaps. */
  #roundTook = 0;
  /** Where the log ended after the last round, and until when small things wait for others. */
  #roundEnd = 0;
  #gatherUntil = 0;
  #gathering: Timer | undefined = undefined;
  /** Where messages for members that fell behind are made. */
  #scratch: Uint8Array | undefined = undefined;
  readonly #problems: RateLimitedLog<string>;

  constructor(encoding: Encoding, events: OutboxEvents, parts: AdvertiserParts) {
    this.#parts = parts;
    this.#events = events;
    this.#encoder = new UpdateEncoder(encoding);
    this.#log = new MessageLog(parts.pool);
    this.#problems = new RateLimitedLog(parts.clock, (problem, count) =>
      parts.logger.warn({ family: familyName(encoding.family), problem, count }, "routes not advertised"),
    );
  }

  get position(): number {
    return this.#log.position;
  }

  get slowest(): number {
    let slowest = this.#log.position;
    for (const member of this.#ring) {
      if (member.backlog === undefined && member.position < slowest) slowest = member.position;
    }
    return slowest;
  }

  announce(attributes: Uint8Array, prefixes: PrefixBatch, audience: Audience): void {
    const encoder = this.#encoder;
    this.#put(prefixes, audience, (from, out, at) => encoder.announce(attributes, prefixes, from, out, at));
    if (encoder.problem === undefined) return;
    // What stood before must not stand on: the peer would forward along a path that is gone.
    this.#problems.note(encoder.problem);
    this.withdraw(prefixes, audience);
  }

  withdraw(prefixes: PrefixBatch, audience: Audience): void {
    this.#put(prefixes, audience, (from, out, at) => this.#encoder.withdraw(prefixes, from, out, at));
  }

  join(peer: PeerId): void {
    this.leave(peer);
    const sink = this.#parts.sinkOf(peer);
    if (sink === undefined) return;
    const member = new OutboxMember(peer, sink, this.#log);
    member.startTelling(true, false);
    this.#members.set(peer, member);
    this.#ring.push(member);
    this.#parts.joined(peer, this);
  }

  joined(peer: PeerId): void {
    const member = this.#members.get(peer);
    if (member === undefined) return;
    const { endOfRib, endOfRefresh } = member.dueMarkers();
    if (endOfRib) this.#putMessage(member, this.#encoder.endOfRib(), 1);
    if (endOfRefresh) this.#putRefresh(member, RefreshSubtype.End);
    // It may have fallen behind over this, and then still is owed them.
    if (member.backlog === undefined) member.stopTelling();
  }

  refresh(peer: PeerId, enhanced: boolean): void {
    const member = this.#members.get(peer);
    if (member === undefined || member.backlog !== undefined) return;
    if (enhanced) this.#putRefresh(member, RefreshSubtype.Begin);
    if (member.backlog === undefined) member.startTelling(false, enhanced);
  }

  rejoin(peer: PeerId): void {
    const member = this.#members.get(peer);
    if (member?.backlog !== undefined) member.rejoin();
  }

  leave(peer: PeerId): void {
    const member = this.#members.get(peer);
    if (member === undefined) return;
    member.leave();
    this.#members.delete(peer);
    this.#ring.splice(this.#ring.indexOf(member), 1);
    this.#parts.left(peer, this);
    if (this.#ring.length > 0) return;
    this.#log.rest();
    this.#gathering?.cancel();
    this.#gathering = undefined;
    this.#parts.turns.forget(this);
  }

  /**
   * A write to each of a thousand members costs far more than what it says: the first change after a pause goes out at once, and what
   * comes while members are being written to waits a little for more.
   */
  flush(): void {
    if (this.#ring.length === 0 || this.#gathering !== undefined) return;
    const rest = this.#gatherUntil - this.#parts.clock.now();
    if (rest <= 0 || this.#log.position - this.#roundEnd >= WORTH_A_ROUND) this.#wake();
    else this.#gathering = this.#parts.clock.after(rest, () => this.#wake());
  }

  /** The session of this peer takes more. */
  drained(peer: PeerId): void {
    if (this.#members.has(peer)) this.#wake();
  }

  /** One member after the other, each time from where the last turn ended. */
  work(until: number): boolean {
    const { clock } = this.#parts;
    const started = clock.now();
    const hasMore = this.#serveAll(until);
    const now = clock.now();
    this.#roundTook += now - started;
    if (!hasMore) {
      this.#roundEnd = this.#log.position;
      this.#gatherUntil = now + Math.min(MAX_GATHER_MILLISECONDS, GATHER_FACTOR * this.#roundTook);
      this.#roundTook = 0;
    }
    return hasMore;
  }

  /** True if time was up before all had what there is. */
  #serveAll(until: number): boolean {
    let idle = 0;
    while (idle < this.#ring.length) {
      this.#rotor = this.#rotor >= this.#ring.length ? 0 : this.#rotor;
      const member = this.#ring[this.#rotor];
      this.#rotor++;
      if (member === undefined) return false;
      if (!this.#serve(member)) {
        idle++;
        continue;
      }
      idle = 0;
      if (this.#parts.clock.now() >= until) return true;
    }
    return false;
  }

  /** True if it did something. */
  #serve(member: OutboxMember): boolean {
    if (member.backlog === undefined && !member.hasUnread) return false;
    if (member.sink.isBlocked) return false;
    if (member.backlog !== undefined) return this.#serveBacklog(member, member.backlog);
    member.write();
    return true;
  }

  #serveBacklog(member: OutboxMember, backlog: OutboxMember["backlog"] & object): boolean {
    if (backlog.length === 0) {
      if (member.hasAsked) return false;
      member.hasAsked = true;
      this.#events.drained(member.peer);
      return true;
    }
    const chunk = backlog.shift();
    if (chunk !== undefined) member.sink.write(chunk.bytes, chunk.updates);
    return true;
  }

  #put(prefixes: PrefixBatch, audience: Audience, encode: (from: number, out: Uint8Array, at: number) => number): void {
    if (audience.kind === "only") {
      const member = this.#members.get(audience.peer);
      if (member === undefined) return;
      if (member.backlog !== undefined) {
        this.#putBehind(member, prefixes, encode);
        return;
      }
    }
    const kind = runKindOf(audience);
    const peer = whoseRun(audience);
    for (let i = 0; i < prefixes.count; i = this.#encoder.next) {
      const slab = this.#log.tail;
      const end = encode(i, slab.bytes, slab.used);
      const length = end - slab.used;
      if (length > 0) this.#log.append(kind, peer, length, countMessages(slab.bytes, slab.used, end));
      if (this.#encoder.next < prefixes.count) this.#turnOver();
    }
  }

  #putBehind(
    member: OutboxMember,
    prefixes: PrefixBatch,
    encode: (from: number, out: Uint8Array, at: number) => number,
  ): void {
    this.#scratch ??= new Uint8Array(SLAB_LENGTH);
    for (let i = 0; i < prefixes.count; i = this.#encoder.next) {
      const end = encode(i, this.#scratch, 0);
      if (end > 0) this.#give(member, this.#scratch.slice(0, end), countMessages(this.#scratch, 0, end));
    }
  }

  #putRefresh(member: OutboxMember, subtype: RefreshSubtype): void {
    const { family } = this.#encoder.encoding;
    this.#putMessage(member, encodeRouteRefresh({ afi: family, safi: SAFI_UNICAST, subtype }), 0);
    member.sink.countRouteRefresh();
  }

  /** For a member that reads the log; one that does not is told when it does again. */
  #putMessage(member: OutboxMember, message: Uint8Array, updates: number): void {
    if (this.#log.tail.used + message.length > this.#log.tail.bytes.length) this.#turnOver();
    if (member.backlog !== undefined) return;
    this.#log.tail.bytes.set(message, this.#log.tail.used);
    this.#log.append(RunKind.Only, member.peer, message.length, updates);
  }

  #give(member: OutboxMember, bytes: Uint8Array, updates: number): void {
    member.backlog?.push({ bytes, updates });
    member.hasAsked = false;
    this.#wake();
  }

  #wake(): void {
    this.#gathering?.cancel();
    this.#gathering = undefined;
    if (this.#ring.length > 0) this.#parts.turns.wake(this);
  }

  #turnOver(): void {
    this.#log.turnOver();
    const { maxBacklog } = this.#parts;
    const oldest = this.#log.position - maxBacklog;
    if (this.#log.start >= oldest) return;
    for (const member of this.#ring) {
      // One that is not blocked has merely not had its turn.
      if (member.backlog !== undefined || member.position >= oldest || !member.sink.isBlocked) continue;
      member.fallBehind();
      this.#events.lagging(member.peer);
    }
  }
}

function runKindOf(audience: Audience): RunKind {
  switch (audience.kind) {
    case "all":
      return RunKind.All;
    case "except":
      return RunKind.Except;
    case "only":
      return RunKind.Only;
    case "joining":
      return RunKind.Joining;
    default:
      return assertNever(audience);
  }
}

function whoseRun(audience: Audience): PeerId {
  if (audience.kind === "all") return NOBODY;
  return (audience.kind === "joining" ? audience.except : audience.peer) ?? NOBODY;
}

function countMessages(bytes: Uint8Array, from: number, to: number): number {
  let count = 0;
  for (let at = from; at < to; count++) {
    at += ((bytes[at + LENGTH_AT] as number) << 8) | (bytes[at + LENGTH_AT + 1] as number);
  }
  return count;
}
