/**
 * The restarting speaker of RFC 4724 §4.1: route selection waits until the peers have told what they have, so that the kernel
 * keeps the routes of the run before and nobody is told of an empty table.
 *
 * RFC: waits for the End-of-RIB of all peers, or for the Selection_Deferral_Timer.
 * Ours: waits for those that came back. Peers that have not by the time that the others are done get a little longer, and then no
 * peer that is dead holds up the rest.
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
  readonly done: (reason: string) => void;
}

export class RestartDeferral {
  readonly #options: RestartOptions;
  /** Peers that are expected back and have not come. */
  readonly #missing: Set<PeerId>;
  /** Families that a peer which came back has still to end. */
  readonly #open = new Map<PeerId, Set<Family>>();
  #bound: Timer | undefined;
  #grace: Timer | undefined;
  #isOver = false;

  constructor(expected: Iterable<PeerId>, options: RestartOptions) {
    this.#options = options;
    this.#missing = new Set(expected);
    this.#bound = options.clock.after(options.boundMilliseconds, () => this.#end("the time for it is over"));
    this.#check();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** `families`: those whose End-of-RIB is to come; none if the peer sends no such marker. */
  established(peer: PeerId, families: Iterable<Family>): void {
    this.#missing.delete(peer);
    this.#open.set(peer, new Set(families));
    this.#check();
  }

  endOfRib(peer: PeerId, family: Family): void {
    this.#open.get(peer)?.delete(family);
    this.#check();
  }

  /** It is gone again, or was taken out of the configuration. */
  lost(peer: PeerId): void {
    this.#missing.delete(peer);
    this.#open.delete(peer);
    this.#check();
  }

  stop(): void {
    this.#bound?.cancel();
    this.#grace?.cancel();
    this.#isOver = true;
  }

  #check(): void {
    if (this.#isOver) return;
    const waiting = [...this.#open.values()].some((families) => families.size > 0);
    if (waiting) {
      this.#grace?.cancel();
      this.#grace = undefined;
    } else if (this.#missing.size === 0) this.#end("all peers are back and have told their routes");
    else {
      this.#grace ??= this.#options.clock.after(this.#options.graceMilliseconds, () =>
        this.#end(`${this.#missing.size} peers have not come back`),
      );
    }
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.stop();
    this.#options.done(reason);
  }
}
