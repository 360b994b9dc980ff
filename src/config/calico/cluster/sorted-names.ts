/** Names in order, of which one at a time comes or goes. */

export class SortedNames {
  readonly #names: string[] = [];

  get names(): readonly string[] {
    return this.#names;
  }

  /** Whether it was not there. */
  add(name: string): boolean {
    const at = this.#indexOf(name);
    if (this.#names[at] === name) return false;
    this.#names.splice(at, 0, name);
    return true;
  }

  /** Whether it was there. */
  delete(name: string): boolean {
    const at = this.#indexOf(name);
    if (this.#names[at] !== name) return false;
    this.#names.splice(at, 1);
    return true;
  }

  /** Where the name is, or belongs. */
  #indexOf(name: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#names[middle] ?? "") < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
