/** Resources of one kind by name. What is equal to what was there keeps its identity, and counts as no change. */

import { isDeepStrictEqual } from "node:util";

export class Table<T> {
  readonly #values = new Map<string, T>();
  #version = 0;
  #sorted: readonly T[] | undefined;

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  get(name: string): T | undefined {
    return this.#values.get(name);
  }

  /** Undefined takes the entry away. */
  put(name: string, value: T | undefined): void {
    const before = this.#values.get(name);
    if (value === before || isDeepStrictEqual(value, before)) return;
    if (value === undefined) this.#values.delete(name);
    else this.#values.set(name, value);
    this.#version++;
    this.#sorted = undefined;
  }

  names(): IterableIterator<string> {
    return this.#values.keys();
  }

  /** By name. The same array until something changes. */
  sorted(): readonly T[] {
    this.#sorted ??= [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
    return this.#sorted;
  }
}
