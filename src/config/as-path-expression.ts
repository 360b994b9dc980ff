/**
 * AS-path expressions: a regular expression over the path's text ("65001 65002 {65003 65004}"), as in other routers.
 *
 * Digits and blanks stand for themselves; `.` is any character, `[0-9 ]` and `[^...]` classes, `( )` groups, `|` or,
 * `* + ? {n} {n,} {n,m}` repeat, `^` and `$` the ends; `_` is a border between AS numbers: a blank, a bracket, or either end.
 * Brackets of sets are written `\{ \} \( \) \[ \]`. Nothing else: what is left can be matched in one pass over the text.
 */

/** Every character that formatAsPath writes; a class or `.` never means any other. */
export const ALPHABET = "0123456789 {}()[]";
const BRACKETS = "{}()[]";
const MAX_LENGTH = 512;
const MAX_REPEAT = 64;

export type Expression =
  | { readonly kind: "set"; readonly members: ReadonlySet<string> }
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | { readonly kind: "sequence"; readonly parts: readonly Expression[] }
  | { readonly kind: "choice"; readonly options: readonly Expression[] }
  | { readonly kind: "repeat"; readonly part: Expression; readonly min: number; readonly max: number };

export class AsPathSyntaxError extends Error {
  override readonly name = "AsPathSyntaxError";
}

/** Throws AsPathSyntaxError. */
export function parseAsPathExpression(source: string): Expression {
  if (source.length > MAX_LENGTH) throw new AsPathSyntaxError(`longer than ${MAX_LENGTH} characters`);
  return new ExpressionParser(source).parse();
}

class ExpressionParser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Expression {
    const whole = this.#choice(0);
    if (this.#at < this.#source.length) throw this.#error("this ) closes nothing");
    return whole;
  }

  #choice(depth: number): Expression {
    if (depth > 32) throw this.#error("groups are nested too deeply");
    const options = [this.#sequence(depth)];
    while (this.#take("|")) options.push(this.#sequence(depth));
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: "choice", options };
  }

  #sequence(depth: number): Expression {
    const parts: Expression[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      parts.push(this.#repeated(depth));
    }
    return { kind: "sequence", parts };
  }

  #repeated(depth: number): Expression {
    const part = this.#atom(depth);
    const bounds = this.#quantifier();
    if (bounds === undefined) return part;
    if (this.#quantifier() !== undefined) throw this.#error("one repetition may not follow another");
    return { kind: "repeat", part, ...bounds };
  }

  #quantifier(): { readonly min: number; readonly max: number } | undefined {
    if (this.#take("*")) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take("+")) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take("?")) return { min: 0, max: 1 };
    if (this.#peek() !== "{") return undefined;
    const match = /^\{(\d{1,3})(,(\d{1,3})?)?\}/.exec(this.#source.slice(this.#at));
    if (match === null) throw this.#error("{ begins {n}, {n,} or {n,m}; the bracket of a set is written \\{");
    const min = Number(match[1]);
    const upTo = match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3]);
    const max = match[2] === undefined ? min : upTo;
    const largest = max === Number.POSITIVE_INFINITY ? min : max;
    if (max < min || largest > MAX_REPEAT)
      throw this.#error(`repetitions go from small to large, at most ${MAX_REPEAT}`);
    this.#at += match[0].length;
    return { min, max };
  }

  #atom(depth: number): Expression {
    const next = this.#peek();
    this.#at++;
    switch (next) {
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case "_":
        return { kind: "choice", options: [setOf(` ${BRACKETS}`), { kind: "start" }, { kind: "end" }] };
      case ".":
        return setOf(ALPHABET);
      case "(": {
        const inner = this.#choice(depth + 1);
        if (!this.#take(")")) throw this.#error("a ( without its )");
        return inner;
      }
      case "[":
        return this.#class();
      case "\\": {
        const escaped = this.#peek() ?? "";
        this.#at++;
        if (escaped === "d") return setOf("0123456789");
        if (escaped === "" || !BRACKETS.includes(escaped)) throw this.#error("\\ stands before a bracket or d only");
        return setOf(escaped);
      }
      default:
        if (next !== undefined && "0123456789 ".includes(next)) return setOf(next);
        this.#at--;
        throw this.#error(`${JSON.stringify(next)} means nothing here`);
    }
  }

  #class(): Expression {
    const negated = this.#take("^");
    const members = new Set<string>();
    while (!this.#take("]")) {
      const match = /^(?:(\d)-(\d)|([\d ])|\\([{}()[\]])|([{}()]))/.exec(this.#source.slice(this.#at));
      if (match === null) throw this.#error("a class holds digits, ranges of digits, blanks and brackets, then ]");
      const [whole, from, to] = match;
      this.#at += whole.length;
      if (from !== undefined && to !== undefined) {
        if (from > to) throw this.#error(`the range ${from}-${to} runs backwards`);
        for (let digit = Number(from); digit <= Number(to); digit++) members.add(String(digit));
      } else members.add(match[3] ?? match[4] ?? match[5] ?? "");
    }
    if (members.size === 0) throw this.#error("an empty class");
    return { kind: "set", members: negated ? new Set([...ALPHABET].filter((c) => !members.has(c))) : members };
  }

  #peek(): string | undefined {
    return this.#source[this.#at];
  }

  #take(character: string): boolean {
    if (this.#source[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #error(message: string): AsPathSyntaxError {
    return new AsPathSyntaxError(`${message} (at character ${Math.min(this.#at, this.#source.length) + 1})`);
  }
}

function setOf(characters: string): Expression {
  return { kind: "set", members: new Set(characters) };
}
