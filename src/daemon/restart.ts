/**
 * When a speaker that starts may believe its tables. Two things wait for the peers: after a restart, route selection (RFC 4724
 * §4.1), so that nobody is told of an empty table and the kernel keeps the routes of the run before; and in any case the removal of
 * what an earlier run left in the kernel.
 *
 * RFC: selection waits for the End-of-RIB of all peers, or for the Selection_Deferral_Timer.
 * Ours: it waits for those that came back, and a little for those that have not: no peer that is dead holds up the rest.
 */

import type { Family } from "../bgp/model/family.ts";
import type { PeerId } from "../bgp/model/ids.ts";
import type { Clock, Timer } from "../bgp/model/ports.ts";

export interface RestartOptions {
  readonly clock: Clock;
  /** The Selection_Deferral_Timer. */
  readonly boundMilliseconds: number;
  /** How long peers that are still missing are waited for once all others are done. */
  readonly graceMilliseconds: number;
  /** How long a peer that sends no End-of-RIB is given to tell its routes at most. */
  readonly tellMilliseconds: number;
  /** One that tells nothing for so long has told everything. */
  readonly quietMilliseconds: number;
  /** Routes may be selected; called once. */
  readonly select: (reason: string) => void;
  /** Every peer is back and has told its routes; called at most once. */
  readonly complete: () => void;
}

export class RestartDeferral {
  readonly #options: RestartOptions;
  /** Peers that are expected and have not come. */
  readonly #missing: Set<PeerId>;
  /** Families that a peer which came back has still to end, or the guess when one that does not say so is done. */
  readonly #open = new Map<PeerId, Set<Family> | Guess>();
  /** Of these, those who have not: there may be thousands, and each says so several times. */
  readonly #telling = new Set<PeerId>();
  readonly #bound: Timer;
  #grace: Timer | undefined;
  #isSelecting = false;
  #isComplete = false;

  constructor(expected: Iterable<PeerId>, options: RestartOptions) {
    this.#options = options;
    this.#missing = new Set(expected);
    this.#bound = options.clock.after(options.boundMilliseconds, () => this.#select("the time for it is over"));
    this.#check();
  }

  get isSelecting(): boolean {
    return this.#isSelecting;
  }

  /** Peers that have not come back, or not told everything. */
  get waitingFor(): number {
    return this.#missing.size + this.#open.size;
  }

  /** `families`: those whose End-of-RIB is to come; undefined if the peer sends no such marker. */
  established(peer: PeerId, families: Iterable<Family> | undefined): void {
    if (this.#isComplete) return;
    this.#missing.delete(peer);
    this.#close(peer);
    const open = families === undefined ? new Guess(this.#options, () => this.#done(peer)) : new Set(families);
    this.#open.set(peer, open);
    if (!(open instanceof Set) || open.size > 0) this.#telling.add(peer);
    this.#check();
  }

  /** It tells something. */
  heard(peer: PeerId): void {
    if (this.#isComplete) return;
    const open = this.#open.get(peer);
    if (open instanceof Guess) open.heard();
  }

  endOfRib(peer: PeerId, family: Family): void {
    if (this.#isComplete) return;
    const open = this.#open.get(peer);
    if (open instanceof Set && open.delete(family) && open.size === 0) this.#telling.delete(peer);
    this.#check();
  }

  /** It is gone again. */
  lost(peer: PeerId): void {
    if (this.#isComplete || !this.#close(peer)) return;
    this.#missing.add(peer);
    this.#check();
  }

  /** It will not come back: taken out of the configuration, or one from a range that has gone. */
  removed(peer: PeerId): void {
    this.#missing.delete(peer);
    this.#done(peer);
  }

  stop(): void {
    this.#bound.cancel();
    this.#grace?.cancel();
    for (const peer of this.#open.keys()) this.#close(peer);
    this.#isSelecting = true;
    this.#isComplete = true;
  }

  #done(peer: PeerId): void {
    this.#close(peer);
    this.#check();
  }

  /** True if it was back. */
  #close(peer: PeerId): boolean {
    const open = this.#open.get(peer);
    if (open instanceof Guess) open.cancel();
    this.#telling.delete(peer);
    return this.#open.delete(peer);
  }

  #check(): void {
    if (this.#isComplete) return;
    if (this.#telling.size > 0) {
      this.#grace?.cancel();
      this.#grace = undefined;
    } else if (this.#missing.size === 0) {
      this.#select("all peers that are waited for are back");
      this.stop();
      this.#options.complete();
    } else if (!this.#isSelecting) {
      this.#grace ??= this.#options.clock.after(this.#options.graceMilliseconds, () =>
        this.#select(
          this.#missing.size === 1 ? "a peer has not come back" : `${this.#missing.size} peers have not come back`,
        ),
      );
    }
  }

  #select(reason: string): void {
    if (this.#isSelecting) return;
    this.#isSelecting = true;
    this.#bound.cancel();
    this.#grace?.cancel();
    this.#options.select(reason);
  }
}

/** When a peer that sends no End-of-RIB has told everything. */
class Guess {
  readonly #options: RestartOptions;
  readonly #done: () => void;
  readonly #end: number;
  #heardAt: number;
  #timer: Timer;

  constructor(options: RestartOptions, done: () => void) {
    this.#options = options;
    this.#done = done;
    this.#heardAt = options.clock.now();
    this.#end = this.#heardAt + options.tellMilliseconds;
    this.#timer = this.#arm();
  }

  /** Called for every message: the timer looks at it only when it goes off. */
  heard(): void {
    this.#heardAt = this.#options.clock.now();
  }

  cancel(): void {
    this.#timer.cancel();
  }

  #arm(): Timer {
    const { clock, quietMilliseconds } = this.#options;
    const due = Math.min(this.#end, this.#heardAt + quietMilliseconds);
    return clock.after(due - clock.now(), () => {
      const isQuiet = clock.now() >= Math.min(this.#end, this.#heardAt + quietMilliseconds);
      if (isQuiet) this.#done();
      else this.#timer = this.#arm();
    });
  }
}
