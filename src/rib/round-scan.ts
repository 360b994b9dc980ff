/** A walk round and round over ids, which goes on while somebody still has to be shown all of them. */

/** Before which id the walk stands, and in which lap. */
export interface ScanPlace {
  readonly id: number;
  readonly lap: number;
}

export class RoundScan {
  #at = 0;
  #lap = 0;
  /** There is work until it has passed this place. */
  #end: ScanPlace = { id: 0, lap: -1 };

  /** The id that it stands before. */
  get at(): number {
    return this.#at;
  }

  get isWalking(): boolean {
    return !this.hasPassed(this.#end);
  }

  /** Everything from here on, once round; returns where that ends. */
  round(): ScanPlace {
    this.#end = { id: this.#at, lap: this.#lap + 1 };
    return this.#end;
  }

  hasPassed({ id, lap }: ScanPlace): boolean {
    return this.#lap > lap || (this.#lap === lap && this.#at >= id);
  }

  /** It will be at this id once more before it has passed that place. */
  comesTo(id: number, { id: endId, lap: endLap }: ScanPlace): boolean {
    const lap = id >= this.#at ? this.#lap : this.#lap + 1;
    return lap < endLap || (lap === endLap && id < endId);
  }

  step(): void {
    this.#at++;
  }

  /** There are no ids beyond. */
  wrap(): void {
    this.#at = 0;
    this.#lap++;
  }
}
