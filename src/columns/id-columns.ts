/** Words by id in pages that appear when they are first written: a column beside a table that somebody else owns. */

const PAGE_SHIFT = 13;
const PAGE_MASK = (1 << PAGE_SHIFT) - 1;

export class IdColumn {
  readonly #pages: (Int32Array | undefined)[] = [];

  /** 0 where nothing was written. */
  get(id: number): number {
    const page = this.#pages[id >>> PAGE_SHIFT];
    return page === undefined ? 0 : (page[id & PAGE_MASK] as number);
  }

  set(id: number, value: number): void {
    let page = this.#pages[id >>> PAGE_SHIFT];
    if (page === undefined) {
      if (value === 0) return;
      page = new Int32Array(1 << PAGE_SHIFT);
      this.#pages[id >>> PAGE_SHIFT] = page;
    }
    page[id & PAGE_MASK] = value;
  }
}

/** One bit by id. */
export class IdSet {
  readonly #words = new IdColumn();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  has(id: number): boolean {
    return (this.#words.get(id >>> 5) & (1 << (id & 31))) !== 0;
  }

  /** True if it was not there. */
  add(id: number): boolean {
    const word = this.#words.get(id >>> 5);
    const bit = 1 << (id & 31);
    if ((word & bit) !== 0) return false;
    this.#words.set(id >>> 5, word | bit);
    this.#count++;
    return true;
  }

  /** True if it was there. */
  delete(id: number): boolean {
    const word = this.#words.get(id >>> 5);
    const bit = 1 << (id & 31);
    if ((word & bit) === 0) return false;
    this.#words.set(id >>> 5, word & ~bit);
    this.#count--;
    return true;
  }

  /** The members below `end`, in order. One that is deleted meanwhile may still come. */
  *values(end: number): Generator<number> {
    for (let id = this.next(0, end); id >= 0; id = this.next(id + 1, end)) yield id;
  }

  /** The lowest member at or after `from` and below `end`, or -1. */
  next(from: number, end: number): number {
    for (let id = from; id < end; ) {
      const word = this.#words.get(id >>> 5) >>> (id & 31);
      if (word !== 0) {
        const found = id + (31 - Math.clz32(word & -word));
        return found < end ? found : -1;
      }
      id = ((id >>> 5) + 1) << 5;
    }
    return -1;
  }
}
