/** Writes network-order fields into a buffer that grows; lengths are reserved and patched once they are known. */

/** Octets up to which a loop copies faster. */
const LOOPED = 192;

export class Writer {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    const at = this.#take(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.#take(2);
    const b = this.#bytes;
    b[at] = value >>> 8;
    b[at + 1] = value;
  }

  u24(value: number): void {
    const at = this.#take(3);
    const b = this.#bytes;
    b[at] = value >>> 16;
    b[at + 1] = value >>> 8;
    b[at + 2] = value;
  }

  u32(value: number): void {
    const at = this.#take(4);
    const b = this.#bytes;
    b[at] = value >>> 24;
    b[at + 1] = value >>> 16;
    b[at + 2] = value >>> 8;
    b[at + 3] = value;
  }

  bytes(value: Uint8Array): void {
    const at = this.#take(value.length);
    this.#bytes.set(value, at);
  }

  /** The octets of `value` from `from` to `end`. */
  range(value: Uint8Array, from: number, end: number): void {
    let at = this.#take(end - from);
    const b = this.#bytes;
    for (let i = from; i < end; i++) b[at++] = value[i] ?? 0;
  }

  /** Leaves `length` octets open for a field that is patched later; returns where. */
  reserve(length: number): number {
    const at = this.#take(length);
    this.#bytes.fill(0, at, at + length);
    return at;
  }

  patch8(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  patch16(at: number, value: number): void {
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }

  /** Makes room for `length` octets at `at` and moves what follows: a length field that turned out to need another octet. */
  widen(at: number, length: number): void {
    const end = this.#take(length);
    this.#bytes.copyWithin(at + length, at, end);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Forgets everything from `length` on. */
  truncate(length: number): void {
    if (length < this.#length) this.#length = length;
  }

  /** Copies what was written so far to `out` at `at`; returns where it ends. */
  copyTo(out: Uint8Array, at: number): number {
    const length = this.#length;
    const b = this.#bytes;
    // What stands around the prefixes of an UPDATE is so short that a loop beats what `set` costs before its first octet.
    if (length > LOOPED) out.set(b.subarray(0, length), at);
    else for (let i = 0; i < length; i++) out[at + i] = b[i] as number;
    return at + length;
  }

  /** What was written so far, as a view that is valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** What was written so far, as a copy of its own. */
  toBytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #take(length: number): number {
    const at = this.#length;
    const end = at + length;
    if (end > this.#bytes.length) this.#grow(end);
    this.#length = end;
    return at;
  }

  #grow(needed: number): void {
    const wider = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    wider.set(this.#bytes);
    this.#bytes = wider;
  }
}
