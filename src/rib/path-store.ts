/**
 * The paths of one family: each peer's entries (its AdjRibIn) chained from the destination they belong to.
 * A received path that policy or a loop check rejected stays here too, without accepted attributes.
 */

import type { AttrsId, PathId, PeerId, PrefixId } from "../bgp/model/ids.ts";
import { IdColumn } from "../columns/id-columns.ts";
import { Records } from "../columns/records.ts";
import type { RouteSource } from "./policy/policy.ts";

/** Word 0 is the chain's link, so that it may also link the free list; a free record has no prefix. */
const Field = {
  Next: 0,
  Prefix: 1,
  Received: 2,
  Accepted: 3,
  Peer: 4,
  Flags: 5,
  Since: 6,
} as const;
const STRIDE = 7;

/** Flags: epoch in bits 0-15, reason in 16-20, source in 21-23, then these. */
const REASON_AT = 16;
const SOURCE_AT = 21;
const TOUCHED = 1 << 24;
const REMOVED = 1 << 25;
const BLACKHOLE = 1 << 26;

/** So many that no peer can begin as many sessions and refreshes before a walk over the paths has passed. */
export const EPOCHS = 0x10000;
const EPOCH = EPOCHS - 1;

const SOURCES: readonly RouteSource[] = ["peer", "static", "kernel", "connected", "calico", "aggregate"];

export class PathStore {
  readonly #records = new Records(STRIDE);
  /** Beside the records, because only add-path (RFC 7911) needs them. */
  readonly #identifiers = new IdColumn();
  readonly #advertisers = new IdColumn();
  #count = 0;

  /** Paths that are not removed. */
  get count(): number {
    return this.#count;
  }

  get end(): number {
    return this.#records.end;
  }

  /** A new path in front of the chain that `next` begins, without attributes yet; the owner stores the id as the chain's head. */
  add(prefix: PrefixId, next: number, peer: PeerId, identifier: number, source: RouteSource): PathId {
    const id = this.#records.allocate();
    const page = this.#records.page(id);
    const at = this.#records.offset(id);
    page[at + Field.Prefix] = prefix + 1;
    page[at + Field.Next] = next + 1;
    page[at + Field.Peer] = peer;
    this.#identifiers.set(id, identifier);
    page[at + Field.Flags] = SOURCES.indexOf(source) << SOURCE_AT;
    this.#count++;
    return id as PathId;
  }

  isLive(id: number): boolean {
    return id < this.#records.end && this.#records.get(id, Field.Prefix) > 0 && !this.isRemoved(id);
  }

  /** The path of `peer` with that Path Identifier in the chain from `head`, or -1. Removed paths do not count. */
  find(head: number, peer: PeerId, identifier: number): number {
    for (let id = head; id >= 0; ) {
      const page = this.#records.page(id);
      const at = this.#records.offset(id);
      if (
        page[at + Field.Peer] === peer &&
        ((page[at + Field.Flags] as number) & REMOVED) === 0 &&
        this.#identifiers.get(id) === (identifier | 0)
      ) {
        return id;
      }
      id = (page[at + Field.Next] as number) - 1;
    }
    return -1;
  }

  /** The next path of the same destination, or -1. */
  next(id: number): number {
    return this.#records.get(id, Field.Next) - 1;
  }

  /** Out of the books, but in its chain until `unlink`: an add-path update group may still have to withdraw it. */
  markRemoved(id: number): void {
    this.#setFlag(id, REMOVED | TOUCHED, true);
    this.#count--;
  }

  /** Takes a removed path out of the chain from `head` and forgets it; returns the new head. */
  unlink(head: number, id: number): number {
    const after = this.next(id);
    let newHead = head;
    if (head === id) newHead = after;
    else {
      let at = head;
      while (this.next(at) !== id) at = this.next(at);
      this.#records.set(at, Field.Next, after + 1);
    }
    this.#records.set(id, Field.Prefix, 0);
    this.#advertisers.set(id, 0);
    this.#records.free(id);
    return newHead;
  }

  prefix(id: number): PrefixId {
    return (this.#records.get(id, Field.Prefix) - 1) as PrefixId;
  }

  peer(id: number): PeerId {
    return this.#records.get(id, Field.Peer) as PeerId;
  }

  /** The Path Identifier that the peer gave (RFC 7911), or which of our own sources it is. */
  identifier(id: number): number {
    return this.#identifiers.get(id) >>> 0;
  }

  /** As the peer sent it. */
  received(id: number): AttrsId {
    return this.#records.get(id, Field.Received) as AttrsId;
  }

  /** What came with an announcement: attributes, the session's epoch, whether it asks for a blackhole, and when. It is touched then. */
  announce(id: number, received: AttrsId, accepted: AttrsId, epoch: number, blackhole: boolean, since: number): void {
    const page = this.#records.page(id);
    const at = this.#records.offset(id);
    const flags = (page[at + Field.Flags] as number) & ~(EPOCH | BLACKHOLE);
    page[at + Field.Received] = received;
    page[at + Field.Accepted] = accepted;
    page[at + Field.Flags] = flags | (epoch & EPOCH) | (blackhole ? BLACKHOLE : 0) | TOUCHED;
    page[at + Field.Since] = since;
  }

  /** Neither attributes as they came nor as they were accepted. */
  clearAttributes(id: number): void {
    this.#records.set(id, Field.Received, 0);
    this.#records.set(id, Field.Accepted, 0);
  }

  /** After import policy; 0 when it was not accepted. */
  accepted(id: number): AttrsId {
    return this.#records.get(id, Field.Accepted) as AttrsId;
  }

  setAccepted(id: number, attrs: AttrsId): void {
    this.#records.set(id, Field.Accepted, attrs);
  }

  source(id: number): RouteSource {
    return SOURCES[(this.#records.get(id, Field.Flags) >>> SOURCE_AT) & 7] as RouteSource;
  }

  /** Seconds on the RIB's own clock since the path last changed. */
  since(id: number): number {
    return this.#records.get(id, Field.Since);
  }

  epoch(id: number): number {
    return this.#records.get(id, Field.Flags) & EPOCH;
  }

  /** The destination was decided: true if the path was touched before. */
  settle(id: number): boolean {
    const page = this.#records.page(id);
    const at = this.#records.offset(id) + Field.Flags;
    const flags = page[at] as number;
    page[at] = flags & ~TOUCHED;
    return (flags & TOUCHED) !== 0;
  }

  /** Why the decision process, or import, passed it over; a code of the owner's, 0 to 31. */
  reason(id: number): number {
    return (this.#records.get(id, Field.Flags) >>> REASON_AT) & 31;
  }

  setReason(id: number, reason: number): void {
    this.#records.set(
      id,
      Field.Flags,
      (this.#records.get(id, Field.Flags) & ~(31 << REASON_AT)) | (reason << REASON_AT),
    );
  }

  /** Packets to it are to be dropped, as the peer asked and policy agreed (RFC 7999 §3.3). */
  isBlackhole(id: number): boolean {
    return (this.#records.get(id, Field.Flags) & BLACKHOLE) !== 0;
  }

  setBlackhole(id: number, blackhole: boolean): void {
    this.#setFlag(id, BLACKHOLE, blackhole);
  }

  isRemoved(id: number): boolean {
    return (this.#records.get(id, Field.Flags) & REMOVED) !== 0;
  }

  /** Something about the path changed since its destination was last decided. */
  isTouched(id: number): boolean {
    return (this.#records.get(id, Field.Flags) & TOUCHED) !== 0;
  }

  touch(id: number): void {
    this.#setFlag(id, TOUCHED, true);
  }

  /** How many hold the path beside its chain: add-path update groups that have it out, and members that missed its withdrawal. */
  advertisers(id: number): number {
    return this.#advertisers.get(id);
  }

  addAdvertisers(id: number, difference: 1 | -1): void {
    this.#advertisers.set(id, this.#advertisers.get(id) + difference);
  }

  #setFlag(id: number, flag: number, on: boolean): void {
    const flags = this.#records.get(id, Field.Flags);
    this.#records.set(id, Field.Flags, on ? flags | flag : flags & ~flag);
  }
}
