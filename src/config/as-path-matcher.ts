/**
 * Finds an AS-path expression in a text in one pass: a nondeterministic automaton (Thompson's construction) whose sets of states
 * become the states of a deterministic one as they are met. No text, however long, takes more than a step per character.
 */

import { ALPHABET, AsPathSyntaxError, type Expression, parseAsPathExpression } from "./as-path-expression.ts";

interface Node {
  /** Consumes one character of this set, then goes on to `next`. */
  readonly members: ReadonlySet<string> | undefined;
  /** Goes on without consuming: always, or only at that end of the text. */
  readonly condition: "always" | "start" | "end" | undefined;
  next: readonly number[];
}

/** Transitions by symbol; -1 where not yet computed. */
interface State {
  readonly nodes: readonly number[];
  readonly accepts: boolean;
  readonly acceptsAtEnd: boolean;
  readonly transitions: Int32Array;
}

const MAX_NODES = 1024;
/** Beyond this the cache starts again: memory stays bounded whatever paths come by. */
const MAX_STATES = 512;
const SYMBOLS = new Map([...ALPHABET].map((character, i) => [character.charCodeAt(0), i]));

export class AsPathMatcher {
  readonly source: string;
  readonly #nodes: Node[] = [];
  readonly #accept: number;
  readonly #entry: number;
  readonly #states: State[] = [];
  readonly #ids = new Map<string, number>();

  /** Throws AsPathSyntaxError. */
  constructor(source: string) {
    this.source = source;
    this.#accept = this.#node(undefined, undefined, []);
    this.#entry = this.#build(parseAsPathExpression(source), this.#accept);
  }

  test(text: string): boolean {
    if (this.#states.length > MAX_STATES) {
      this.#states.length = 0;
      this.#ids.clear();
    }
    let state = this.#initial(text.length === 0);
    for (let i = 0; i < text.length; i++) {
      if (state.accepts) return true;
      const symbol = SYMBOLS.get(text.charCodeAt(i));
      if (symbol === undefined) return false;
      const known = state.transitions[symbol] ?? -1;
      const next = known >= 0 ? this.#states[known] : undefined;
      state = next ?? this.#step(state, symbol);
    }
    return state.accepts || state.acceptsAtEnd;
  }

  #initial(isEmpty: boolean): State {
    return this.#state(this.#closure([this.#entry], true, isEmpty));
  }

  /** A match may begin at any character: the entry joins after each. */
  #step(from: State, symbol: number): State {
    const character = ALPHABET[symbol] ?? "";
    const reached = new Set<number>([this.#entry]);
    for (const id of from.nodes) {
      const node = this.#nodes[id];
      if (node?.members?.has(character) === true) for (const next of node.next) reached.add(next);
    }
    const state = this.#state(this.#closure([...reached], false, false));
    from.transitions[symbol] = this.#ids.get(state.nodes.join()) ?? -1;
    return state;
  }

  #state(nodes: readonly number[]): State {
    const key = nodes.join();
    const known = this.#states[this.#ids.get(key) ?? -1];
    if (known !== undefined) return known;
    const state: State = {
      nodes,
      accepts: nodes.includes(this.#accept),
      acceptsAtEnd: this.#closure(nodes, false, true).includes(this.#accept),
      transitions: new Int32Array(ALPHABET.length).fill(-1),
    };
    this.#ids.set(key, this.#states.length);
    this.#states.push(state);
    return state;
  }

  /** All that can be reached without consuming; in order, so that equal sets have equal keys. */
  #closure(from: readonly number[], atStart: boolean, atEnd: boolean): readonly number[] {
    const seen = new Set(from);
    const open = [...from];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const node = this.#nodes[id];
      const passes =
        node?.condition === "always" ||
        (node?.condition === "start" && atStart) ||
        (node?.condition === "end" && atEnd);
      if (node === undefined || !passes) continue;
      for (const next of node.next) {
        if (seen.has(next)) continue;
        seen.add(next);
        open.push(next);
      }
    }
    return [...seen].sort((a, b) => a - b);
  }

  /** Built from the end: returns the node that begins `expression` and goes on to `next`. */
  #build(expression: Expression, next: number): number {
    switch (expression.kind) {
      case "set":
        return this.#node(expression.members, undefined, [next]);
      case "start":
      case "end":
        return this.#node(undefined, expression.kind, [next]);
      case "sequence":
        return expression.parts.reduceRight((after, part) => this.#build(part, after), next);
      case "choice":
        return this.#node(
          undefined,
          "always",
          expression.options.map((option) => this.#build(option, next)),
        );
      case "repeat":
        return this.#repeat(expression.part, expression.min, expression.max, next);
    }
  }

  #repeat(part: Expression, min: number, max: number, next: number): number {
    let entry = next;
    if (max === Number.POSITIVE_INFINITY) {
      entry = this.#node(undefined, "always", []);
      const loop = this.#nodes[entry];
      const again = this.#build(part, entry);
      if (loop !== undefined) loop.next = [again, next];
    } else {
      for (let i = min; i < max; i++) entry = this.#node(undefined, "always", [this.#build(part, entry), next]);
    }
    for (let i = 0; i < min; i++) entry = this.#build(part, entry);
    return entry;
  }

  #node(members: ReadonlySet<string> | undefined, condition: Node["condition"], next: readonly number[]): number {
    if (this.#nodes.length >= MAX_NODES) throw new AsPathSyntaxError("too many repetitions of too large groups");
    return this.#nodes.push({ members, condition, next }) - 1;
  }
}
