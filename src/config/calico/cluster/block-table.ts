/** The blocks of the pools by the node that has them. */

import { isDeepStrictEqual } from "node:util";
import type { Block } from "../resources/block-affinity.ts";

const NONE: readonly Block[] = [];

export class BlockTable {
  readonly #blocks = new Map<string, Block>();
  readonly #namesOfNode = new Map<string, Set<string>>();
  readonly #lists = new Map<string, readonly Block[]>();

  get(name: string): Block | undefined {
    return this.#blocks.get(name);
  }

  /** Undefined takes it away. */
  put(name: string, block: Block | undefined): void {
    const before = this.#blocks.get(name);
    if (isDeepStrictEqual(before, block)) return;
    if (before !== undefined) {
      this.#blocks.delete(name);
      this.#lists.delete(before.node);
      const names = this.#namesOfNode.get(before.node);
      names?.delete(name);
      if (names?.size === 0) this.#namesOfNode.delete(before.node);
    }
    if (block !== undefined) {
      this.#blocks.set(name, block);
      this.#lists.delete(block.node);
      const names = this.#namesOfNode.get(block.node) ?? new Set();
      names.add(name);
      this.#namesOfNode.set(block.node, names);
    }
  }

  /** Sorted as text. The same array until something changes. */
  of(node: string): readonly Block[] {
    const names = this.#namesOfNode.get(node);
    if (names === undefined) return NONE;
    const known = this.#lists.get(node);
    if (known !== undefined) return known;
    const blocks = [...names].flatMap((name) => this.#blocks.get(name) ?? []);
    const list = blocks.sort((a, b) => (a.cidr < b.cidr ? -1 : 1));
    this.#lists.set(node, list);
    return list;
  }
}
