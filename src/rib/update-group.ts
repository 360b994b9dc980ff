/**
 * Peers that get identical bytes (RFC 4271 §9.2 done once for all of them): what has changed for them, what they have been told,
 * who is still being told everything, and who has fallen behind.
 */

import type { AttrsId, PathId, PeerId } from "../bgp/model/ids.ts";
import type { Outbox } from "../bgp/model/ports.ts";
import { IdSet } from "../columns/id-columns.ts";
import { IdQueue } from "../columns/id-queue.ts";
import { AdjRibOut } from "./adj-rib-out.ts";
import type { AttributeTable } from "./attribute-table.ts";
import type { FamilyTable } from "./family-table.ts";
import { RecentWithdrawals } from "./recent-withdrawals.ts";
import { RoundScan } from "./round-scan.ts";
import { StagedUpdates, To } from "./staged-updates.ts";

/** What a path becomes on its way out to this group. */
export interface Outbound {
  /** 0 when the path must not go out. The id is only lent: retain it to keep it. */
  attributesFor(path: number): AttrsId;
  /** Policy or session facts changed: forget what was worked out. */
  clear(): void;
}

/** May this path be sent where all paths are (RFC 7911): accepted, current, its next hop reachable. */
export type Usable = (path: number) => boolean;

interface Member {
  /** It has not been told the whole table yet: it will have been when the scan is at this place again, one lap on. */
  joining: boolean;
  scanTo: number;
  scanToLap: number;
  /** Slots whose state it has not been told since it fell behind; undefined while it reads the shared log. */
  missed: IdSet | undefined;
  missedFrom: number;
  /** Slots that another group had told it: those that this one does not advertise are withdrawn at the end of its scan. */
  told: IdSet | undefined;
}

const SLICE = 1024;
const NONE = 0 as AttrsId;
const NOBODY = 0 as PeerId;

export class UpdateGroup {
  readonly outbox: Outbox;
  readonly out: AdjRibOut;
  readonly #table: FamilyTable;
  readonly #outbound: Outbound;
  readonly #usable: Usable;
  readonly #addPath: boolean;
  readonly #staged: StagedUpdates;
  readonly #members = new Map<PeerId, Member>();
  readonly #pending = new IdSet();
  readonly #queue = new IdQueue();
  /** Over the prefix ids. */
  readonly #scan = new RoundScan();
  #joining = 0;
  #lagging = 0;
  /** Something was put into the outbox since this was last cleared. */
  hasWorked = false;
  #closed = false;
  #closedAt = 0;
  #emitting = false;
  readonly #fellBehind: PeerId[] = [];
  /** Slots withdrawn lately, held until every member has written the withdrawal: one that falls behind before needs them. */
  readonly #withdrawn = new RecentWithdrawals();
  /** What the slice at work holds until its messages are out. */
  readonly #withdrawnNow: number[] = [];
  readonly #prefixesNow: number[] = [];
  readonly #slotsNow: number[] = [];

  constructor(parts: {
    table: FamilyTable;
    attributes: AttributeTable;
    outbox: Outbox;
    outbound: Outbound;
    usable: Usable;
    addPath: boolean;
  }) {
    this.#table = parts.table;
    this.outbox = parts.outbox;
    this.#outbound = parts.outbound;
    this.#usable = parts.usable;
    this.#addPath = parts.addPath;
    this.out = new AdjRibOut(parts.attributes);
    this.#staged = new StagedUpdates(parts.table, parts.attributes);
  }

  get size(): number {
    return this.#members.size;
  }

  /** `told`: what `told()` of the group it comes from said. */
  join(peer: PeerId, told?: IdSet): void {
    this.outbox.join(peer);
    const member: Member = { joining: false, scanTo: 0, scanToLap: 0, missed: undefined, missedFrom: 0, told };
    this.#members.set(peer, member);
    this.#tellAll(member);
  }

  /** The slots that this member has been told of, each held until the group that it goes to has dealt with it. */
  told(peer: PeerId): IdSet {
    const told = new IdSet();
    for (let slot = 0; slot < this.#slotEnd; slot++)
      if (this.out.attrs(slot) !== NONE && this.out.source(slot) !== peer && told.add(slot)) this.#holdSlot(slot);
    for (const slot of this.#withdrawn.values()) if (told.add(slot)) this.#holdSlot(slot);
    for (const slot of this.#members.get(peer)?.missed?.values(this.#slotEnd) ?? [])
      if (told.add(slot)) this.#holdSlot(slot);
    return told;
  }

  /** The peer asked for everything again (RFC 2918, RFC 7313). */
  refresh(peer: PeerId, enhanced: boolean): void {
    const member = this.#members.get(peer);
    if (member === undefined || member.missed !== undefined) return;
    this.outbox.refresh(peer, enhanced);
    this.#tellAll(member);
  }

  leave(peer: PeerId): void {
    const member = this.#members.get(peer);
    if (member === undefined) return;
    if (member.joining) this.#joining--;
    if (member.missed !== undefined) this.#lagging--;
    for (const slots of [member.missed, member.told])
      for (const slot of slots?.values(this.#slotEnd) ?? []) this.#releaseSlot(slot);
    this.#members.delete(peer);
    this.outbox.leave(peer);
  }

  /** A destination's best path, or one of its paths, changed. */
  changed(prefix: number): void {
    if (this.#closed || !this.#pending.add(prefix)) return;
    this.#table.hold(prefix);
    this.#queue.push(prefix);
  }

  /** Export rules changed: look at everything again; only differences go out. */
  reconsider(): void {
    this.#outbound.clear();
    this.#scan.round();
  }

  /** One slice of work; true while there is more. */
  work(): boolean {
    if (this.#closed) return this.#teardown();
    this.#workPending();
    if (this.#scan.isWalking) this.#workScan();
    this.#emit();
    if (this.#joining > 0) this.#endScans();
    this.settle();
    return this.#queue.count > 0 || this.#scan.isWalking;
  }

  /** OutboxEvents.lagging: what the log dropped for this member, it must get from the table. */
  lagging(peer: PeerId): void {
    if (this.#emitting) this.#fellBehind.push(peer);
    else this.#startMissing(peer);
  }

  /** OutboxEvents.drained: more of what it missed, or back to the log. */
  drained(peer: PeerId): void {
    const member = this.#members.get(peer);
    if (member?.missed === undefined) return;
    if (member.missed.count === 0) {
      member.missed = undefined;
      this.#lagging--;
      this.outbox.rejoin(peer);
      // Its End-of-RIB may have been among what was dropped; one too many does no harm (RFC 4724 §4).
      this.outbox.joined(peer);
      return;
    }
    for (let n = 0; n < SLICE && member.missed.count > 0; n++) {
      let slot = member.missed.next(member.missedFrom, this.#slotEnd);
      if (slot < 0) slot = member.missed.next(0, this.#slotEnd);
      member.missedFrom = slot + 1;
      member.missed.delete(slot);
      const attrs = this.out.source(slot) === peer ? NONE : this.out.attrs(slot);
      this.#staged.stage(this.#prefixOf(slot), this.#identifierOf(slot), attrs, To.Only, peer);
      this.#slotsNow.push(slot);
    }
    this.#emit();
  }

  /** Nobody is left: gives everything back, in slices, through `work`. */
  close(): void {
    this.#closed = true;
    this.#outbound.clear();
  }

  /** What stands advertised of this path to that member; for people. */
  advertisedPath(prefix: number, path: number, peer: PeerId): AttrsId | undefined {
    if (!this.#addPath && path !== this.#table.best(prefix)) return undefined;
    const slot = this.#addPath ? path : prefix;
    return this.out.attrs(slot) === NONE || this.out.source(slot) === peer ? undefined : this.out.attrs(slot);
  }

  get #slotEnd(): number {
    return this.#addPath ? this.#table.paths.end : this.#table.prefixes.end;
  }

  #tellAll(member: Member): void {
    if (!member.joining) this.#joining++;
    member.joining = true;
    const end = this.#scan.round();
    member.scanTo = end.to;
    member.scanToLap = end.lap;
  }

  #workPending(): void {
    for (let n = 0; n < SLICE && this.#queue.count > 0; n++) {
      const prefix = this.#queue.shift();
      this.#pending.delete(prefix);
      // Once decided it comes again.
      if (!this.#isUndecided(prefix)) this.#consider(prefix, false);
      this.#prefixesNow.push(prefix);
      if (this.#staged.isFull) this.#emit();
    }
  }

  #workScan(): void {
    const scan = this.#scan;
    for (let n = 0; n < SLICE && scan.isWalking; n++) {
      const prefix = scan.at;
      if (prefix >= this.#table.prefixes.end) {
        scan.wrap();
        continue;
      }
      const isLive = this.#table.prefixes.isLive(prefix);
      // Whoever joins must be told what it comes to: the scan waits.
      if (isLive && this.#isUndecided(prefix)) return;
      scan.step();
      if (!isLive) continue;
      // Held while it is looked at: the slice may be emptied, and with it go the holds of what was withdrawn.
      this.#table.hold(prefix);
      this.#consider(prefix, this.#joining > 0);
      this.#prefixesNow.push(prefix);
      if (this.#staged.isFull) this.#emit();
    }
  }

  /** Its best path was withdrawn or refused since, and no other has been chosen yet. */
  #isUndecided(prefix: number): boolean {
    const best = this.#table.best(prefix);
    return !this.#addPath && best >= 0 && this.#table.paths.accepted(best) === NONE;
  }

  #endScans(): void {
    for (const [peer, member] of this.#members) {
      if (!member.joining || !this.#scan.hasPassed(member.scanTo, member.scanToLap)) continue;
      member.joining = false;
      this.#joining--;
      this.#withdrawTold(peer, member);
      this.outbox.joined(peer);
      this.hasWorked = true;
    }
  }

  #withdrawTold(peer: PeerId, member: Member): void {
    const told = member.told;
    if (told === undefined) return;
    member.told = undefined;
    for (const slot of told.values(this.#slotEnd)) {
      if (this.out.attrs(slot) === NONE || this.out.source(slot) === peer)
        this.#staged.stage(this.#prefixOf(slot), this.#identifierOf(slot), NONE, To.Only, peer);
      this.#slotsNow.push(slot);
      if (this.#staged.isFull) this.#emit();
    }
    this.#emit();
  }

  #consider(prefix: number, telling: boolean): void {
    if (!this.#addPath) {
      const best = this.#table.best(prefix);
      this.#compare(prefix, prefix, best, best < 0 ? NONE : this.#outbound.attributesFor(best), telling);
      return;
    }
    const paths = this.#table.paths;
    for (let path = this.#table.first(prefix); path >= 0; path = paths.next(path)) {
      this.#compare(path, prefix, path, this.#usable(path) ? this.#outbound.attributesFor(path) : NONE, telling);
      if (this.#staged.isFull) this.#emit();
    }
  }

  /** RFC 4271 §9.2: puts out what differs from what stands advertised. */
  #compare(slot: number, prefix: number, path: number, attrs: AttrsId, telling: boolean): void {
    const before = this.out.attrs(slot);
    const beforeSource = this.out.source(slot);
    const source = attrs === NONE ? NOBODY : this.#table.paths.peer(path);
    const identifier = this.#identifierOf(slot);
    if (attrs === before && source === beforeSource) {
      if (!telling || attrs === NONE) return;
      if (this.#members.get(source)?.joining) this.#staged.stage(prefix, identifier, attrs, To.JoiningExcept, source);
      else this.#staged.stage(prefix, identifier, attrs, To.Joining, NOBODY);
      return;
    }
    if (this.#lagging > 0) this.#missed(slot);
    if (attrs === NONE) {
      this.#stage(beforeSource, prefix, identifier, attrs);
      this.#withdrawnNow.push(slot);
    } else {
      // A member never hears its own route; when the best path moves to or from it, it alone gets the difference.
      if (before !== NONE && source !== beforeSource && this.#members.has(source))
        this.#staged.stage(prefix, identifier, NONE, To.Only, source);
      if (before !== attrs || telling) this.#stage(source, prefix, identifier, attrs);
      else if (this.#members.has(beforeSource)) this.#staged.stage(prefix, identifier, attrs, To.Only, beforeSource);
      if (before === NONE) this.#holdSlot(slot);
    }
    this.out.set(slot, attrs, source);
  }

  /** To all members but the one that the route comes from. */
  #stage(source: PeerId, prefix: number, identifier: number, attrs: AttrsId): void {
    if (this.#members.has(source)) this.#staged.stage(prefix, identifier, attrs, To.Except, source);
    else this.#staged.stage(prefix, identifier, attrs, To.All, NOBODY);
  }

  #emit(): void {
    this.#emitting = true;
    if (this.#staged.count > 0) this.hasWorked = true;
    this.#staged.emit(this.outbox);
    this.#emitting = false;
    for (const peer of this.#fellBehind.splice(0)) this.#startMissing(peer);
    for (const slot of this.#withdrawnNow) this.#withdrawn.add(slot, this.outbox.position);
    this.#withdrawnNow.length = 0;
    for (const prefix of this.#prefixesNow) this.#table.release(prefix);
    this.#prefixesNow.length = 0;
    for (const slot of this.#slotsNow) this.#releaseSlot(slot);
    this.#slotsNow.length = 0;
  }

  /** Lets go of what every member has been told is gone; call after the outbox was flushed. */
  settle(): void {
    const { slowest, position } = this.outbox;
    for (let slot = this.#withdrawn.take(slowest, position); slot >= 0; slot = this.#withdrawn.take(slowest, position))
      this.#releaseSlot(slot);
  }

  #startMissing(peer: PeerId): void {
    const member = this.#members.get(peer);
    if (member === undefined || member.missed !== undefined) return;
    const missed = new IdSet();
    for (let slot = 0; slot < this.#slotEnd; slot++) {
      if (this.out.attrs(slot) !== NONE && missed.add(slot)) this.#holdSlot(slot);
    }
    for (const slot of this.#withdrawn.values()) if (missed.add(slot)) this.#holdSlot(slot);
    for (const slot of this.#withdrawnNow) if (missed.add(slot)) this.#holdSlot(slot);
    for (const slot of member.told?.values(this.#slotEnd) ?? []) if (!missed.add(slot)) this.#releaseSlot(slot);
    member.told = undefined;
    member.missed = missed;
    member.missedFrom = 0;
    this.#lagging++;
    if (member.joining) {
      member.joining = false;
      this.#joining--;
    }
  }

  /** A member that fell behind gets this slot's state when it reads again. */
  #missed(slot: number): void {
    for (const member of this.#members.values()) if (member.missed?.add(slot)) this.#holdSlot(slot);
  }

  #teardown(): boolean {
    for (let prefix = this.#queue.shift(); prefix >= 0; prefix = this.#queue.shift()) this.#table.release(prefix);
    for (const slot of this.#withdrawn.clear()) this.#releaseSlot(slot);
    const end = this.#slotEnd;
    for (let n = 0; n < SLICE * 16 && this.#closedAt < end; n++, this.#closedAt++) {
      if (this.out.attrs(this.#closedAt) === NONE) continue;
      this.out.set(this.#closedAt, NONE, NOBODY);
      this.#releaseSlot(this.#closedAt);
    }
    return this.#closedAt < end;
  }

  #prefixOf(slot: number): number {
    return this.#addPath ? this.#table.paths.prefix(slot) : slot;
  }

  /** RFC 7911 §3 leaves Path Identifiers to the sender; the path's own id is unique, and never 0. */
  #identifierOf(slot: number): number {
    return this.#addPath ? slot + 1 : 0;
  }

  #holdSlot(slot: number): void {
    if (this.#addPath) this.#table.paths.addAdvertisers(slot, 1);
    else this.#table.hold(slot);
  }

  #releaseSlot(slot: number): void {
    if (this.#addPath) {
      this.#table.paths.addAdvertisers(slot, -1);
      this.#table.reclaim(slot as PathId);
    } else this.#table.release(slot);
  }
}
