/**
 * Peers that get identical bytes (RFC 4271 §9.2 done once for all of them): what has changed for them, what they have been told,
 * who is still being told everything, and who has fallen behind.
 */

import type { AttrsId, PeerId } from "../bgp/model/ids.ts";
import type { Outbox } from "../bgp/model/ports.ts";
import { IdSet } from "../columns/id-columns.ts";
import { IdQueue } from "../columns/id-queue.ts";
import { AdjRibOut } from "./adj-rib-out.ts";
import type { AttributeTable } from "./attribute-table.ts";
import type { FamilyTable } from "./family-table.ts";
import { firstScanEnd, GroupMember, type Told } from "./group-member.ts";
import { GroupSlots } from "./group-slots.ts";
import type { Outbound, Usable } from "./outbound-port.ts";
import { RecentWithdrawals } from "./recent-withdrawals.ts";
import { Remainder } from "./remainder.ts";
import { RoundScan } from "./round-scan.ts";
import { SliceHolds } from "./slice-holds.ts";
import { StagedUpdates, To } from "./staged-updates.ts";

const SLICE = 1024;
/** How many that ask for little. */
const LONG_SLICE = SLICE * 16;
/** Long policies may take a while for each: time is looked at in between. */
const STEP = 128;
const NONE = 0 as AttrsId;
const NOBODY = 0 as PeerId;

export class UpdateGroup {
  readonly outbox: Outbox;
  readonly out: AdjRibOut;
  readonly #table: FamilyTable;
  readonly #slots: GroupSlots;
  readonly outbound: Outbound;
  readonly #usable: Usable;
  readonly #addPath: boolean;
  readonly #staged: StagedUpdates;
  readonly #members = new Map<PeerId, GroupMember>();
  readonly #pending = new IdSet();
  readonly #queue = new IdQueue();
  /** Over the prefix ids. */
  readonly #scan = new RoundScan();
  #joining = 0;
  readonly #lagging = new Set<GroupMember>();
  /** What it told those that went over to other groups. */
  readonly #departed = new Set<Remainder>();
  /** No UPDATE for now (RFC 4271 §9.2.1.1). */
  isPaused = false;
  /** Something was put into the outbox since this was last cleared. */
  hasWorked = false;
  #closed = false;
  #closedAt = 0;
  #emitting = false;
  readonly #fellBehind: PeerId[] = [];
  /** Slots withdrawn lately, held until every member has written the withdrawal: one that falls behind before needs them. */
  readonly #withdrawn = new RecentWithdrawals();
  /** By the slice at work; held until its messages are out, as other things are. */
  readonly #withdrawnNow: number[] = [];
  readonly #holds: SliceHolds;

  constructor(parts: {
    table: FamilyTable;
    attributes: AttributeTable;
    outbox: Outbox;
    outbound: Outbound;
    usable: Usable;
    addPath: boolean;
  }) {
    this.#table = parts.table;
    this.#slots = new GroupSlots(parts.table, parts.addPath);
    this.#holds = new SliceHolds(parts.table, this.#slots);
    this.outbox = parts.outbox;
    this.outbound = parts.outbound;
    this.#usable = parts.usable;
    this.#addPath = parts.addPath;
    this.out = new AdjRibOut(parts.attributes);
    this.#staged = new StagedUpdates(parts.table, parts.attributes);
  }

  get size(): number {
    return this.#members.size;
  }

  /** `told`: what `part` of the group that it comes from said. */
  join(peer: PeerId, told: readonly Told[] = []): void {
    this.outbox.join(peer);
    const member = new GroupMember(peer, told);
    this.#members.set(peer, member);
    this.#tellAll(member);
  }

  /** It leaves for another group, and takes with it what it has been told. */
  part(peer: PeerId): readonly Told[] {
    const member = this.#members.get(peer);
    if (member === undefined) return [];
    const slots = new Remainder(this.out, this.#slots);
    for (const slot of this.#withdrawn.values()) slots.setApart(slot);
    member.behind?.addTo(slots);
    this.#departed.add(slots);
    const done = () => {
      slots.letGo();
      this.#departed.delete(slots);
    };
    const all = [...member.told, { slots, done }];
    member.told = [];
    this.leave(peer);
    return all;
  }

  /** The peer asked for everything again (RFC 2918, RFC 7313). */
  refresh(peer: PeerId, enhanced: boolean): void {
    const member = this.#members.get(peer);
    if (member === undefined) return;
    if (member.behind !== undefined) {
      if (member.asked !== "enhanced") member.asked = enhanced ? "enhanced" : "plain";
      return;
    }
    this.outbox.refresh(peer, enhanced);
    this.#tellAll(member);
  }

  leave(peer: PeerId): void {
    const member = this.#members.get(peer);
    if (member === undefined) return;
    if (member.joining) this.#joining--;
    this.#lagging.delete(member);
    member.letGo();
    this.#members.delete(peer);
    this.outbox.leave(peer);
  }

  /** `count` destinations, each once, whose best path, or one of whose paths, changed: told at once if there is time, and they may be told. */
  take(prefixes: Int32Array, count: number, isTimeUp: () => boolean): void {
    if (this.#closed) return;
    let i = 0;
    if (!this.isPaused) {
      // What the scan comes to before any member's end it tells all: else each route went out twice when all come back at once.
      const scanEnd = this.#joining === this.#members.size ? firstScanEnd(this.#members.values()) : undefined;
      while (i < count) {
        const prefix = prefixes[i++] as number;
        if (scanEnd === undefined || !this.#scan.comesTo(prefix, scanEnd)) this.#consider(prefix, false);
        if (this.#staged.isFull) this.#emit();
        if (i % STEP === 0 && isTimeUp()) break;
      }
      this.#emit();
    }
    while (i < count) this.#defer(prefixes[i++] as number);
  }

  #defer(prefix: number): void {
    if (!this.#pending.add(prefix)) return;
    this.#table.hold(prefix);
    this.#queue.push(prefix);
  }

  /** Export rules changed: look at everything again; only differences go out. */
  reconsider(): void {
    this.outbound.clear();
    this.#scan.round();
  }

  /** One slice of work; true while there is more. */
  work(isTimeUp: () => boolean): boolean {
    if (this.#closed) return this.#teardown();
    this.#workPending(isTimeUp);
    if (this.#scan.isWalking) this.#workScan(isTimeUp);
    this.#emit();
    if (this.#joining > 0) this.#endScans();
    return this.settle() || this.#queue.count > 0 || this.#joining > 0 || this.#scan.isWalking;
  }

  /** OutboxEvents.lagging: what the log dropped for this member, it must get from the table. */
  lagging(peer: PeerId): void {
    if (this.#emitting) this.#fellBehind.push(peer);
    else this.#startBehind(peer);
  }

  /** OutboxEvents.drained: more of what it missed, or back to the log. */
  drained(peer: PeerId): void {
    const member = this.#members.get(peer);
    const behind = member?.behind;
    if (member === undefined || behind === undefined) return;
    for (let n = 0; n < SLICE; n++) {
      const slot = behind.next();
      if (slot < 0) break;
      const attrs = this.out.source(slot) === peer ? NONE : this.out.attrs(slot);
      this.#staged.stage(this.#slots.prefix(slot), this.#slots.identifier(slot), attrs, To.Only, peer);
      if (behind.take(slot)) this.#holds.addSlot(slot);
    }
    while (this.#staged.count === 0 && member.told.length > 0) this.#takeBack(member);
    const isTold = this.#staged.count === 0;
    this.#emit();
    if (!isTold) return;
    member.behind = undefined;
    this.#lagging.delete(member);
    this.outbox.rejoin(peer);
    // Its End-of-RIB may have been among what was dropped; one too many does no harm (RFC 4724 §4).
    this.outbox.joined(peer);
    const { asked } = member;
    member.asked = undefined;
    if (asked !== undefined) this.refresh(peer, asked === "enhanced");
  }

  /** Nobody is left: gives everything back, in slices, through `work`. */
  close(): void {
    this.#closed = true;
    this.outbound.clear();
  }

  /** Closed, and nothing of it is left. */
  get isGone(): boolean {
    return this.#closed && this.#departed.size === 0 && this.#queue.count === 0 && this.#closedAt >= this.#slots.end;
  }

  /** What stands advertised of this path to that member; for people. */
  advertisedPath(prefix: number, path: number, peer: PeerId): AttrsId | undefined {
    if (!this.#addPath && path !== this.#table.best(prefix)) return undefined;
    const slot = this.#addPath ? path : prefix;
    return this.out.attrs(slot) === NONE || this.out.source(slot) === peer ? undefined : this.out.attrs(slot);
  }

  #tellAll(member: GroupMember): void {
    if (!member.joining) this.#joining++;
    member.joining = true;
    member.scanEnd = this.#scan.round();
  }

  #workPending(isTimeUp: () => boolean): void {
    for (let n = 1; n <= SLICE && this.#queue.count > 0; n++) {
      const prefix = this.#queue.shift();
      this.#pending.delete(prefix);
      // Once decided it comes again.
      if (!this.#isUndecided(prefix)) this.#consider(prefix, false);
      this.#holds.addPrefix(prefix);
      if (this.#staged.isFull) this.#emit();
      if (n % STEP === 0 && isTimeUp()) return;
    }
  }

  #workScan(isTimeUp: () => boolean): void {
    const scan = this.#scan;
    for (let n = 1; n <= SLICE && scan.isWalking; n++) {
      if (n % STEP === 0 && isTimeUp()) return;
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
      this.#holds.addPrefix(prefix);
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
      if (!member.joining || !this.#scan.hasPassed(member.scanEnd)) continue;
      this.#takeBack(member);
      this.#emit();
      // It may have fallen behind over this; then it is joining no more.
      if (member.told.length > 0 || !member.joining) continue;
      member.joining = false;
      this.#joining--;
      this.outbox.joined(peer);
      this.hasWorked = true;
    }
  }

  /** A slice of what other groups told this member and this one does not; its `told` is empty at the end. */
  #takeBack(member: GroupMember): void {
    for (let n = 0; n < LONG_SLICE && member.told.length > 0 && !this.#staged.isFull; n++) {
      const [told, ...others] = member.told as readonly [Told, ...Told[]];
      const slot = told.slots.next();
      if (slot < 0) {
        told.done();
        member.told = others;
        continue;
      }
      if (this.out.attrs(slot) === NONE || this.out.source(slot) === member.peer) {
        this.#staged.stage(this.#slots.prefix(slot), this.#slots.identifier(slot), NONE, To.Only, member.peer);
        this.#slots.hold(slot);
        this.#withdrawnNow.push(slot);
      }
      if (told.slots.take(slot)) this.#holds.addSlot(slot);
    }
  }

  #consider(prefix: number, telling: boolean): void {
    if (!this.#addPath) {
      const best = this.#table.best(prefix);
      this.#compare(prefix, prefix, best < 0 ? NONE : this.outbound.attributesFor(best), telling);
      return;
    }
    const paths = this.#table.paths;
    for (let path = this.#table.first(prefix); path >= 0; path = paths.next(path)) {
      this.#compare(path, prefix, this.#usable(path) ? this.outbound.attributesFor(path) : NONE, telling);
      if (this.#staged.isFull) this.#emit();
    }
  }

  /** RFC 4271 §9.2: puts out what differs from what stands advertised. */
  #compare(slot: number, prefix: number, attrs: AttrsId, telling: boolean): void {
    const before = this.out.attrs(slot);
    const beforeSource = this.out.source(slot);
    const source = attrs === NONE ? NOBODY : this.outbound.notTold;
    const identifier = this.#slots.identifier(slot);
    if (attrs === before && source === beforeSource) {
      if (!telling || attrs === NONE) return;
      if (this.#members.get(source)?.joining) this.#staged.stage(prefix, identifier, attrs, To.JoiningExcept, source);
      else this.#staged.stage(prefix, identifier, attrs, To.Joining, NOBODY);
      return;
    }
    if (this.#lagging.size > 0 || this.#departed.size > 0) this.#setApart(slot, attrs === NONE);
    if (attrs === NONE) {
      this.#stage(beforeSource, prefix, identifier, attrs);
      this.#withdrawnNow.push(slot);
    } else {
      // A member never hears its own route; when the best path moves to or from it, it alone gets the difference.
      if (before !== NONE && source !== beforeSource && this.#members.has(source))
        this.#staged.stage(prefix, identifier, NONE, To.Only, source);
      if (before !== attrs || telling) this.#stage(source, prefix, identifier, attrs);
      else if (this.#members.has(beforeSource)) this.#staged.stage(prefix, identifier, attrs, To.Only, beforeSource);
      if (before === NONE) this.#slots.hold(slot);
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
    for (const peer of this.#fellBehind.splice(0)) this.#startBehind(peer);
    for (const slot of this.#withdrawnNow) this.#withdrawn.add(slot, this.outbox.position);
    this.#withdrawnNow.length = 0;
    this.#holds.release();
  }

  /** Lets go of what every member has been told is gone; true while there is more. Call after the outbox was flushed. */
  settle(outbox: Pick<Outbox, "slowest" | "position"> = this.outbox): boolean {
    return this.#withdrawn.settle(outbox, LONG_SLICE, this.#slots);
  }

  #startBehind(peer: PeerId): void {
    const member = this.#members.get(peer);
    if (member === undefined || member.behind !== undefined) return;
    const behind = new Remainder(this.out, this.#slots);
    for (const slot of this.#withdrawn.values()) behind.setApart(slot);
    for (const slot of this.#withdrawnNow) behind.setApart(slot);
    member.behind = behind;
    this.#lagging.add(member);
    if (member.joining) {
      member.joining = false;
      this.#joining--;
    }
  }

  /** A slot changes: who fell behind gets its state when it reads again; who went away may have to have it taken back. */
  #setApart(slot: number, isGone: boolean): void {
    for (const { behind } of this.#lagging) if (isGone || behind?.isAhead(slot) === false) behind?.setApart(slot);
    if (isGone) for (const told of this.#departed) if (told.isAhead(slot)) told.setApart(slot);
  }

  /** Members that went to other groups may still need to know what they had been told here: that is waited for. */
  #teardown(): boolean {
    for (let n = 0; n < LONG_SLICE && this.#queue.count > 0; n++) this.#table.release(this.#queue.shift());
    if (this.#queue.count > 0 || this.settle({ slowest: 0, position: 0 })) return true;
    if (this.#departed.size > 0) return false;
    const { end } = this.#slots;
    for (let n = 0; n < LONG_SLICE && this.#closedAt < end; n++, this.#closedAt++) {
      if (this.out.attrs(this.#closedAt) === NONE) continue;
      this.out.set(this.#closedAt, NONE, NOBODY);
      this.#slots.release(this.#closedAt);
    }
    return this.#closedAt < end;
  }
}
