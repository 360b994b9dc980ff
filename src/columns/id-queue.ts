/** A first-in first-out queue of ids in one ring of numbers. */

export class IdQueue {
  #ring = new Int32Array(1024);
  #head = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(id: number): void {
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#count) & (this.#ring.length - 1)] = id;
    this.#count++;
  }

  /** The oldest id, or -1. */
  shift(): number {
    if (this.#count === 0) return -1;
    const id = this.#ring[this.#head] as number;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#count--;
    if (this.#count === 0 && this.#ring.length > 1 << 16) this.#ring = new Int32Array(1024);
    if (this.#count === 0) this.#head = 0;
    return id;
  }

  /** The oldest id, left in place; -1 when there is none. */
  peek(): number {
    return this.#count === 0 ? -1 : (this.#ring[this.#head] as number);
  }

  *values(): Generator<number> {
    for (let i = 0; i < this.#count; i++) yield this.#ring[(this.#head + i) & (this.#ring.length - 1)] as number;
  }

  #grow(): void {
    const wider = new Int32Array(this.#ring.length * 2);
    const tail = this.#ring.length - this.#head;
    wider.set(this.#ring.subarray(this.#head));
    wider.set(this.#ring.subarray(0, this.#head), tail);
    this.#ring = wider;
    this.#head = 0;
  }
}
