/** Byte strings in shared slabs: 16-octet steps, freed chunks kept by size for the next string of that size. */

const SLAB_BYTES = 1 << 18;
const UNIT = 16;
const LARGEST = 4096;

/** A handle is a positive number; 0 is never one. Strings longer than LARGEST have a slab of their own. */
export class ByteStore {
  readonly #slabs: Uint8Array[] = [];
  readonly #free: number[][] = [];
  /** Handles of freed large slabs' places, so that slab numbers are used again. */
  readonly #freeSlabs: number[] = [];
  #used = SLAB_BYTES;
  #current = -1;

  /** Copies `bytes` in. The caller keeps the length: `view` and `free` want it back. */
  put(bytes: Uint8Array): number {
    const units = Math.max(1, Math.ceil(bytes.length / UNIT));
    if (bytes.length > LARGEST) return this.#putLarge(bytes);
    const handle = this.#free[units]?.pop() ?? this.#take(units);
    const { slab, offset } = this.#locate(handle);
    slab.set(bytes, offset);
    return handle;
  }

  /** Valid until `free`; not a copy. */
  view(handle: number, length: number): Uint8Array {
    const { slab, offset } = this.#locate(handle);
    return slab.subarray(offset, offset + length);
  }

  equals(handle: number, length: number, bytes: Uint8Array): boolean {
    if (length !== bytes.length) return false;
    const { slab, offset } = this.#locate(handle);
    for (let i = 0; i < length; i++) if (slab[offset + i] !== bytes[i]) return false;
    return true;
  }

  free(handle: number, length: number): void {
    if (length > LARGEST) {
      const number = Math.floor(handle / (SLAB_BYTES / UNIT)) - 1;
      this.#slabs[number] = new Uint8Array(0);
      this.#freeSlabs.push(number);
      return;
    }
    const units = Math.max(1, Math.ceil(length / UNIT));
    const list = this.#free[units];
    if (list === undefined) this.#free[units] = [handle];
    else list.push(handle);
  }

  #take(units: number): number {
    if (this.#used + units * UNIT > SLAB_BYTES) {
      this.#current = this.#addSlab(new Uint8Array(SLAB_BYTES));
      this.#used = 0;
    }
    const handle = (this.#current + 1) * (SLAB_BYTES / UNIT) + this.#used / UNIT;
    this.#used += units * UNIT;
    return handle;
  }

  #putLarge(bytes: Uint8Array): number {
    return (this.#addSlab(bytes.slice()) + 1) * (SLAB_BYTES / UNIT);
  }

  #addSlab(slab: Uint8Array): number {
    const number = this.#freeSlabs.pop() ?? this.#slabs.length;
    this.#slabs[number] = slab;
    return number;
  }

  #locate(handle: number): { slab: Uint8Array; offset: number } {
    const perSlab = SLAB_BYTES / UNIT;
    const number = Math.floor(handle / perSlab) - 1;
    return { slab: this.#slabs[number] as Uint8Array, offset: (handle % perSlab) * UNIT };
  }
}
