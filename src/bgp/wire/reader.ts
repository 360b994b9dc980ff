/** Reads network-order fields from a byte range, every one of them bounds-checked. */

/** The range ended inside a field. Never leaves bgp/wire: whoever reads turns it into the outcome that its RFC asks for. */
export class Truncated extends Error {
  override readonly name = "Truncated";
}

export class Reader {
  readonly #bytes: Uint8Array;
  #end: number;
  #at: number;

  constructor(bytes: Uint8Array, from = 0, end = bytes.length) {
    if (from > end || end > bytes.length) throw new Truncated(`range ${from}..${end} of ${bytes.length} octets`);
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  u16(): number {
    const at = this.#take(2);
    const b = this.#bytes;
    return ((b[at] ?? 0) << 8) | (b[at + 1] ?? 0);
  }

  u24(): number {
    const at = this.#take(3);
    const b = this.#bytes;
    return ((b[at] ?? 0) << 16) | ((b[at + 1] ?? 0) << 8) | (b[at + 2] ?? 0);
  }

  u32(): number {
    const at = this.#take(4);
    const b = this.#bytes;
    return (((b[at] ?? 0) << 24) | ((b[at + 1] ?? 0) << 16) | ((b[at + 2] ?? 0) << 8) | (b[at + 3] ?? 0)) >>> 0;
  }

  /** A view: copy what outlives the message. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A reader of the next `length` octets alone. */
  slice(length: number): Reader {
    const at = this.#take(length);
    return new Reader(this.#bytes, at, at + length);
  }

  /** Reads from `from` to `end` of the same octets from here on: a loop over many short ranges needs one reader. */
  window(from: number, end: number): void {
    if (from > end || end > this.#bytes.length)
      throw new Truncated(`range ${from}..${end} of ${this.#bytes.length} octets`);
    this.#at = from;
    this.#end = end;
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw new Truncated(`${length} octets wanted, ${this.#end - at} left`);
    this.#at = at + length;
    return at;
  }
}
