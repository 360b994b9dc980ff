/** A walk round and round over ids, which goes on while somebody still has to be shown all of them. */

export class RoundScan {
  #at = 0;
  #lap = 0;
  /** There is work until it has passed this place in this lap. */
  #to = 0;
  #toLap = -1;

  /** The id that it stands before. */
  get at(): number {
    return this.#at;
  }

  get isWalking(): boolean {
    return !this.hasPassed(this.#to, this.#toLap);
  }

  /** Everything from here on, once round; returns where that ends. */
  round(): { readonly to: number; readonly lap: number } {
    this.#to = this.#at;
    this.#toLap = this.#lap + 1;
    return { to: this.#to, lap: this.#toLap };
  }

  hasPassed(to: number, lap: number): boolean {
    return this.#lap > lap || (this.#lap === lap && this.#at >= to);
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
