/** One family's destinations and paths together: which paths a destination has, which is best, and how long it must be remembered. */

import type { Family } from "../bgp/model/family.ts";
import type { PathId, PrefixId } from "../bgp/model/ids.ts";
import { IdColumn } from "../columns/id-columns.ts";
import { PrefixTable } from "../columns/prefix-table.ts";
import { PathStore } from "./path-store.ts";

const Field = { First: 0, Best: 1 } as const;

/**
 * A destination lives as long as something holds it: each of its paths, a place in a queue, an update group that has
 * advertised it, the kernel. Whoever holds releases; the last release forgets the prefix and its id may be used again.
 */
export class FamilyTable {
  readonly family: Family;
  readonly prefixes: PrefixTable;
  readonly paths = new PathStore();
  /** A column of its own: without a kernel to write there are no targets. */
  readonly #targets = new IdColumn();
  /** Destinations that have a best path. */
  reachable = 0;

  constructor(family: Family) {
    this.family = family;
    this.prefixes = new PrefixTable(family, 2);
  }

  hold(prefix: number): void {
    this.prefixes.hold(prefix);
  }

  release(prefix: number): void {
    this.prefixes.release(prefix);
  }

  /** The first path of the chain, or -1. Removed paths may still be in it. */
  first(prefix: number): number {
    return this.prefixes.get(prefix, Field.First) - 1;
  }

  setFirst(prefix: number, path: number): void {
    this.prefixes.set(prefix, Field.First, path + 1);
  }

  /** The path that the last decision chose, or -1. */
  best(prefix: number): number {
    return this.prefixes.get(prefix, Field.Best) - 1;
  }

  setBest(prefix: number, path: number): void {
    const before = this.prefixes.get(prefix, Field.Best);
    if (before === 0 && path >= 0) this.reachable++;
    if (before !== 0 && path < 0) this.reachable--;
    this.prefixes.set(prefix, Field.Best, path + 1);
  }

  /** Number of the forwarding target that the kernel was last asked for; 0 for none. */
  target(prefix: number): number {
    return this.#targets.get(prefix);
  }

  setTarget(prefix: number, target: number): void {
    this.#targets.set(prefix, target);
  }

  /** True if it forgot a removed path: once no update group has it out any more and the decision has passed over it. */
  reclaim(path: PathId): boolean {
    const prefix: PrefixId = this.paths.prefix(path);
    if (!this.paths.isRemoved(path) || this.paths.advertisers(path) > 0 || this.best(prefix) === path) return false;
    this.setFirst(prefix, this.paths.unlink(this.first(prefix), path));
    this.release(prefix);
    return true;
  }
}
