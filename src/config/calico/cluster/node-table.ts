/** The nodes of the cluster, and who of them has an address or is selected: kept up with every change of a node. */

import { isDeepStrictEqual } from "node:util";
import { type ClusterNode, mergeNode, type NodePart } from "../resources/node.ts";
import type { Selector } from "../selector/selector.ts";
import { SortedNames } from "./sorted-names.ts";

type Origin = "calico" | "kubernetes";

/** More selectors than BGPPeers ever have at a time; those of deleted ones go with the rest. */
const MAX_SELECTIONS = 1000;

export class NodeTable {
  readonly #parts: Readonly<Record<Origin, Map<string, NodePart>>> = { calico: new Map(), kubernetes: new Map() };
  readonly #nodes = new Map<string, ClusterNode>();
  readonly #names = new SortedNames();
  readonly #byAddress = new Map<string, SortedNames>();
  readonly #sharedAddresses = new Set<string>();
  readonly #selections = new Map<Selector, SortedNames>();
  #version = 0;
  #all: readonly ClusterNode[] | undefined;

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  get(name: string): ClusterNode | undefined {
    return this.#nodes.get(name);
  }

  part(origin: Origin, name: string): NodePart | undefined {
    return this.#parts[origin].get(name);
  }

  /** By name. The same array until something changes. */
  all(): readonly ClusterNode[] {
    this.#all ??= this.#of(this.#names);
    return this.#all;
  }

  /** Addresses that more than one node has, by mistake. */
  get sharedAddresses(): ReadonlySet<string> {
    return this.#sharedAddresses;
  }

  /** By name: more than one only by mistake. */
  withAddress(address: string): readonly ClusterNode[] {
    const names = this.#byAddress.get(address);
    return names === undefined ? [] : this.#of(names);
  }

  /** By name. */
  matching(selector: Selector): readonly ClusterNode[] {
    return this.#of(this.#selections.get(selector) ?? this.#select(selector));
  }

  countMatching(selector: Selector): number {
    return (this.#selections.get(selector) ?? this.#select(selector)).names.length;
  }

  /** Undefined takes it away. */
  put(origin: Origin, name: string, part: NodePart | undefined): void {
    if (part === undefined) this.#parts[origin].delete(name);
    else this.#parts[origin].set(name, part);
    const calico = this.#parts.calico.get(name);
    const kubernetes = this.#parts.kubernetes.get(name);
    const isGone = calico === undefined && kubernetes === undefined;
    this.#replace(name, isGone ? undefined : mergeNode(name, calico, kubernetes));
  }

  #replace(name: string, node: ClusterNode | undefined): void {
    const before = this.#nodes.get(name);
    if (isDeepStrictEqual(before, node)) return;
    this.#version++;
    this.#all = undefined;
    if (node === undefined) {
      this.#nodes.delete(name);
      this.#names.delete(name);
    } else {
      this.#nodes.set(name, node);
      this.#names.add(name);
    }
    for (const address of [before?.ipv4?.address, before?.ipv6?.address]) this.#loseAddress(address, name);
    for (const address of [node?.ipv4?.address, node?.ipv6?.address]) this.#gainAddress(address, name);
    for (const [selector, names] of this.#selections) {
      if (node !== undefined && selector.matches(node.labels)) names.add(name);
      else names.delete(name);
    }
  }

  #gainAddress(address: string | undefined, name: string): void {
    if (address === undefined) return;
    const names = this.#byAddress.get(address) ?? new SortedNames();
    names.add(name);
    this.#byAddress.set(address, names);
    if (names.names.length > 1) this.#sharedAddresses.add(address);
  }

  #loseAddress(address: string | undefined, name: string): void {
    const names = address === undefined ? undefined : this.#byAddress.get(address);
    if (address === undefined || names === undefined) return;
    names.delete(name);
    if (names.names.length === 0) this.#byAddress.delete(address);
    if (names.names.length <= 1) this.#sharedAddresses.delete(address);
  }

  #select(selector: Selector): SortedNames {
    if (this.#selections.size >= MAX_SELECTIONS) this.#selections.clear();
    const selected = new SortedNames();
    for (const name of this.#names.names) {
      const node = this.#nodes.get(name);
      if (node !== undefined && selector.matches(node.labels)) selected.add(name);
    }
    this.#selections.set(selector, selected);
    return selected;
  }

  #of({ names }: SortedNames): readonly ClusterNode[] {
    const nodes: ClusterNode[] = [];
    for (const name of names) {
      const node = this.#nodes.get(name);
      if (node !== undefined) nodes.push(node);
    }
    return nodes;
  }
}
