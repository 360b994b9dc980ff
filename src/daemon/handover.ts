/**
 * Sessions that others take the place of, as when reflectors take over from a full mesh: make before break. The old ones stay until
 * the new ones have told everything and no destination rests on the old ones alone, or until the time for that is over.
 */

import type { Family } from "../bgp/model/family.ts";
import type { PeerId } from "../bgp/model/ids.ts";
import type { Clock, SessionEnd, Timer } from "../bgp/model/ports.ts";
import { RestartDeferral } from "./restart.ts";

export interface HandoverParts {
  readonly clock: Clock;
  /** No destination rests on these peers alone. */
  readonly isCovered: (leaving: ReadonlySet<PeerId>) => Promise<boolean>;
  /** These may go now. */
  readonly leave: (peers: readonly PeerId[]) => void;
}

/** After that the configuration has the last word. */
const BOUND_MILLISECONDS = 30_000;
/** A peer that does not say when it has told everything is given this long. */
const TELL_MILLISECONDS = 5_000;
/** The other side may still have to do its part: how often to look. */
const LOOK_MILLISECONDS = 250;

/** One change of the configuration. */
interface Change {
  readonly leaving: Set<PeerId>;
  readonly told: RestartDeferral;
  readonly bound: Timer;
  look: Timer | undefined;
}

export class Handover {
  readonly #parts: HandoverParts;
  readonly #changes = new Set<Change>();

  constructor(parts: HandoverParts) {
    this.#parts = parts;
  }

  /** `leaving` go once `coming` have told their routes. Those whose sessions stand need not be among them. */
  begin(leaving: Iterable<PeerId>, coming: Iterable<PeerId>): void {
    const { clock } = this.#parts;
    // From within its own constructor it may say that there is nobody to wait for.
    let change: Change | undefined;
    let isTold = false;
    const told = new RestartDeferral(coming, {
      clock,
      boundMilliseconds: BOUND_MILLISECONDS,
      graceMilliseconds: BOUND_MILLISECONDS,
      tellMilliseconds: TELL_MILLISECONDS,
      quietMilliseconds: TELL_MILLISECONDS,
      select: () => {},
      complete: () => {
        isTold = true;
        if (change !== undefined) this.#lookSoon(change);
      },
    });
    const bound = clock.after(BOUND_MILLISECONDS, () => {
      if (change !== undefined) this.#finish(change);
    });
    change = { leaving: new Set(leaving), told, bound, look: undefined };
    this.#changes.add(change);
    if (isTold) this.#lookSoon(change);
  }

  isLeaving(peer: PeerId): boolean {
    for (const { leaving } of this.#changes) if (leaving.has(peer)) return true;
    return false;
  }

  /** All that are still there and will not be. */
  get leaving(): ReadonlySet<PeerId> {
    return new Set([...this.#changes].flatMap(({ leaving }) => [...leaving]));
  }

  /** It stays after all, or is gone already. */
  forget(peer: PeerId): void {
    for (const change of this.#changes) {
      change.told.removed(peer);
      if (change.leaving.delete(peer) && change.leaving.size === 0) this.#end(change);
    }
  }

  established(peer: PeerId, families: readonly Family[] | undefined): void {
    for (const { told } of this.#changes) told.established(peer, families);
  }

  endOfRib(peer: PeerId, family: Family): void {
    for (const { told } of this.#changes) told.endOfRib(peer, family);
  }

  lost(peer: PeerId): void {
    for (const { told } of this.#changes) told.lost(peer);
  }

  /**
   * RFC: the routes of a session that ended with a NOTIFICATION are gone (RFC 4271 §8.2.2).
   * Ours: a peer that is about to go has been told to go, too. Where it is first, its routes stay until ours have their replacement.
   */
  endOf(peer: PeerId, families: readonly Family[], end: SessionEnd): SessionEnd {
    if (!this.isLeaving(peer) || end.kind === "retain") return end;
    const staleSeconds = BOUND_MILLISECONDS / 1000;
    return { kind: "retain", families: families.map((family) => ({ family, staleSeconds, longLivedSeconds: 0 })) };
  }

  /** Nobody waits any longer, and nobody is sent away. */
  stop(): void {
    for (const change of this.#changes) this.#end(change);
  }

  #lookSoon(change: Change): void {
    change.look = this.#parts.clock.after(LOOK_MILLISECONDS, () => void this.#look(change));
  }

  async #look(change: Change): Promise<void> {
    const isCovered = await this.#parts.isCovered(this.leaving);
    if (!this.#changes.has(change)) return;
    if (isCovered) this.#finish(change);
    else this.#lookSoon(change);
  }

  #finish(change: Change): void {
    this.#end(change);
    this.#parts.leave([...change.leaving]);
  }

  #end(change: Change): void {
    this.#changes.delete(change);
    change.told.stop();
    change.bound.cancel();
    change.look?.cancel();
  }
}
