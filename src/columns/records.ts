/** Fixed-width records of 32-bit words in pages: the memory under every table. Pages never move, so growth never copies. */

const PAGE_SHIFT = 13;
const PAGE_RECORDS = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_RECORDS - 1;

/** Word 0 of a free record links the free list; every other word of a new record is 0. */
export class Records {
  readonly stride: number;
  readonly #pages: Int32Array[] = [];
  #free = -1;
  #end = 0;
  #count = 0;

  constructor(stride: number) {
    this.stride = stride;
  }

  /** Records in use. */
  get count(): number {
    return this.#count;
  }

  /** Every id ever given is below. */
  get end(): number {
    return this.#end;
  }

  allocate(): number {
    this.#count++;
    const id = this.#free;
    if (id >= 0) {
      this.#free = this.get(id, 0) - 1;
      const page = this.#pages[id >>> PAGE_SHIFT] as Int32Array;
      const at = (id & PAGE_MASK) * this.stride;
      page.fill(0, at, at + this.stride);
      return id;
    }
    if (this.#end >>> PAGE_SHIFT === this.#pages.length) this.#pages.push(new Int32Array(PAGE_RECORDS * this.stride));
    return this.#end++;
  }

  free(id: number): void {
    this.#count--;
    this.set(id, 0, this.#free + 1);
    this.#free = id;
  }

  get(id: number, field: number): number {
    return (this.#pages[id >>> PAGE_SHIFT] as Int32Array)[(id & PAGE_MASK) * this.stride + field] as number;
  }

  set(id: number, field: number, value: number): void {
    (this.#pages[id >>> PAGE_SHIFT] as Int32Array)[(id & PAGE_MASK) * this.stride + field] = value;
  }

  /** The page that holds `id`, for loops that read several words of one record; its first word is at `offset(id)`. */
  page(id: number): Int32Array {
    return this.#pages[id >>> PAGE_SHIFT] as Int32Array;
  }

  offset(id: number): number {
    return (id & PAGE_MASK) * this.stride;
  }
}
