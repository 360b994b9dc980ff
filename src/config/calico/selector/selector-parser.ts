/**
 * Calico's language of selectors over labels:
 *
 *   or      = and *("||" and)
 *   and     = term *("&&" term)
 *   term    = *"!" ("(" or ")" / "all()" / "global()" / "has(" label ")" / label operation)
 *   operation = ("==" / "!=" / "contains" / "starts with" / "ends with") text / ["not"] "in" "{" [text *("," text)] "}"
 *   text    = "..." / '...', without escapes
 */

export type Expression =
  | { readonly kind: "all" }
  | { readonly kind: "has"; readonly label: string }
  | { readonly kind: "compare"; readonly label: string; readonly operator: Comparison; readonly text: string }
  | { readonly kind: "in"; readonly label: string; readonly texts: readonly string[] }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "and" | "or"; readonly of: readonly Expression[] };

export type Comparison = "equals" | "contains" | "startsWith" | "endsWith";

/** What is wrong with a selector and at which character, in words. */
export class SelectorSyntaxError extends Error {
  override readonly name = "SelectorSyntaxError";
}

/** As the custom resources have it. */
const MAX_LENGTH = 1024;
/** No selector that a person writes nests as deep; a deeper one only costs stack. */
const MAX_DEPTH = 64;

const SPACE = /\s*/y;
const LABEL = /[a-zA-Z0-9_./-]{1,512}/y;
const CALL = /(all|global)\(\s*\)/y;
const HAS = /has\(\s*([a-zA-Z0-9_./-]{1,512})\s*\)/y;
const TEXT = /"([^"]*)"|'([^']*)'/y;
const OPERATOR = /==|!=|contains\b|starts\s+with\b|ends\s+with\b|not\s+in\b|in\b/y;
const ALL: Expression = { kind: "all" };

/** Throws SelectorSyntaxError. An empty selector selects everything. */
export function parseSelector(written: string): Expression {
  if (written.length > MAX_LENGTH) throw new SelectorSyntaxError(`longer than ${MAX_LENGTH} characters`);
  const parser = new Parser(written);
  return parser.atEnd ? ALL : parser.whole();
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#take(SPACE);
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  whole(): Expression {
    const expression = this.#or(0);
    if (!this.atEnd) this.#fail("&& or ||");
    return expression;
  }

  #or(depth: number): Expression {
    return this.#series("or", "||", () => this.#series("and", "&&", () => this.#term(depth)));
  }

  #series(kind: "and" | "or", between: string, next: () => Expression): Expression {
    const first = next();
    const of = [first];
    while (this.#takeSign(between)) of.push(next());
    return of.length === 1 ? first : { kind, of };
  }

  #term(depth: number): Expression {
    let isNegated = false;
    while (this.#takeSign("!")) isNegated = !isNegated;
    const term = this.#operation(depth);
    return isNegated ? { kind: "not", of: term } : term;
  }

  #operation(depth: number): Expression {
    if (this.#takeSign("(")) {
      if (depth >= MAX_DEPTH) throw new SelectorSyntaxError(`more than ${MAX_DEPTH} parentheses in each other`);
      const inner = this.#or(depth + 1);
      if (!this.#takeSign(")")) this.#fail('")"');
      return inner;
    }
    // global() means "in no namespace", which nodes and pools never are.
    if (this.#take(CALL) !== undefined) return ALL;
    const has = this.#take(HAS)?.[1];
    if (has !== undefined) return { kind: "has", label: has };
    const label = this.#take(LABEL)?.[0];
    if (label === undefined) this.#fail('a label, all(), has(label), "!" or "("');
    return this.#comparison(label);
  }

  #comparison(label: string): Expression {
    const operator = this.#take(OPERATOR)?.[0].replace(/\s+/, " ");
    switch (operator) {
      case "==":
        return { kind: "compare", label, operator: "equals", text: this.#string() };
      case "!=":
        return { kind: "not", of: { kind: "compare", label, operator: "equals", text: this.#string() } };
      case "contains":
        return { kind: "compare", label, operator: "contains", text: this.#string() };
      case "starts with":
        return { kind: "compare", label, operator: "startsWith", text: this.#string() };
      case "ends with":
        return { kind: "compare", label, operator: "endsWith", text: this.#string() };
      case "in":
        return { kind: "in", label, texts: this.#set() };
      case "not in":
        return { kind: "not", of: { kind: "in", label, texts: this.#set() } };
      default:
        return this.#fail("==, !=, in, not in, contains, starts with or ends with");
    }
  }

  #string(): string {
    const match = this.#take(TEXT);
    return match === undefined ? this.#fail("a text in quotes") : (match[1] ?? match[2] ?? "");
  }

  #set(): readonly string[] {
    if (!this.#takeSign("{")) this.#fail('"{"');
    if (this.#takeSign("}")) return [];
    const texts = [this.#string()];
    while (this.#takeSign(",")) texts.push(this.#string());
    if (!this.#takeSign("}")) this.#fail('"," or "}"');
    return texts;
  }

  #takeSign(sign: string): boolean {
    if (!this.#text.startsWith(sign, this.#at)) return false;
    // "!=" belongs to an operation; no operation begins with "!".
    this.#at += sign.length;
    this.#take(SPACE);
    return true;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    if (pattern !== SPACE) this.#take(SPACE);
    return match;
  }

  #fail(expected: string): never {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    const found = rest === "" ? "the end" : JSON.stringify(rest);
    throw new SelectorSyntaxError(`expected ${expected} at character ${this.#at + 1}, found ${found}`);
  }
}
