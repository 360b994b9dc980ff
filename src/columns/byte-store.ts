/** Byte strings in shared slabs: 16-octet steps, freed chunks kept by size for the next string of that size. */

const SLAB_BYTES = 1 << 18;
const UNIT = 16;
const LARGEST = 4096;
const LOOPED = 192;
const PER_SLAB = SLAB_BYTES / UNIT;

/** A handle is a positive number; 0 is never one. Strings longer than LARGEST have a slab of their own. */
export class ByteStore {
  readonly #slabs: Uint8Array[] = [];
  readonly #free: number[][] = [];
  /** Handles of freed large slabs' places, so that slab numbers are used again. */
  readonly #freeSlabs: number[] = [];
  #used = SLAB_BYTES;
  #current = -1;

  /** Copies `bytes` in, from `from` to `end`. The caller keeps the length: `view` and `free` want it back. */
  put(bytes: Uint8Array, from = 0, end = bytes.length): number {
    const length = end - from;
    if (length > LARGEST) return (this.#addSlab(bytes.slice(from, end)) + 1) * PER_SLAB;
    const units = unitsOf(length);
    const handle = this.#free[units]?.pop() ?? this.#take(units);
    const slab = this.slab(handle);
    const at = this.offset(handle);
    // Most strings are so short that a loop beats what `set` costs before its first octet.
    if (length > LOOPED) slab.set(bytes.subarray(from, end), at);
    else for (let i = 0; i < length; i++) slab[at + i] = bytes[from + i] as number;
    return handle;
  }

  /** Valid until `free`; not a copy. */
  view(handle: number, length: number): Uint8Array {
    const offset = this.offset(handle);
    return this.slab(handle).subarray(offset, offset + length);
  }

  /** The octets that the string stands among, from `offset` on: a view that costs nothing. */
  slab(handle: number): Uint8Array {
    return this.#slabs[Math.floor(handle / PER_SLAB) - 1] as Uint8Array;
  }

  offset(handle: number): number {
    return (handle % PER_SLAB) * UNIT;
  }

  /** The same as `bytes` between `from` and `end`. */
  equals(handle: number, length: number, bytes: Uint8Array, from = 0, end = bytes.length): boolean {
    if (length !== end - from) return false;
    const slab = this.slab(handle);
    const at = this.offset(handle);
    for (let i = 0; i < length; i++) if (slab[at + i] !== bytes[from + i]) return false;
    return true;
  }

  free(handle: number, length: number): void {
    if (length > LARGEST) {
      const number = Math.floor(handle / PER_SLAB) - 1;
      this.#slabs[number] = new Uint8Array(0);
      this.#freeSlabs.push(number);
      return;
    }
    const units = unitsOf(length);
    const list = this.#free[units];
    if (list === undefined) this.#free[units] = [handle];
    else list.push(handle);
  }

  #take(units: number): number {
    if (this.#used + units * UNIT > SLAB_BYTES) {
      this.#current = this.#addSlab(new Uint8Array(SLAB_BYTES));
      this.#used = 0;
    }
    const handle = (this.#current + 1) * PER_SLAB + this.#used / UNIT;
    this.#used += units * UNIT;
    return handle;
  }

  #addSlab(slab: Uint8Array): number {
    const number = this.#freeSlabs.pop() ?? this.#slabs.length;
    this.#slabs[number] = slab;
    return number;
  }
}

function unitsOf(length: number): number {
  return Math.max(1, Math.ceil(length / UNIT));
}
