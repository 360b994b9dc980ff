/** YAML text to a plain value that knows where each key stands. The one door to js-yaml. */

import {
  boolCoreTag,
  constructFromEvents,
  dump,
  EVENT_ID,
  type Event,
  FAILSAFE_SCHEMA,
  getScalarValue,
  intCoreTag,
  nullCoreTag,
  parseEvents,
  YAMLException,
} from "js-yaml";
import type { KeyPath, Position } from "./problem.ts";

export interface YamlDocument {
  readonly value: unknown;
  /** Of the key or the value at the path; of the nearest ancestor that is written where the path itself is not. */
  locate(path: KeyPath, part: "key" | "value"): Position;
}

export type YamlResult =
  | { readonly kind: "document"; readonly document: YamlDocument }
  | { readonly kind: "error"; readonly message: string; readonly position: Position };

/**
 * YAML 1.2's core types without floats: no key takes one, and `1.10` must stay the asdot number 65546 rather than
 * become 1.1.
 */
const SCHEMA = FAILSAFE_SCHEMA.withTags(nullCoreTag, boolCoreTag, intCoreTag);
const MAX_DEPTH = 32;
/** After aliases are expanded: far above any real file, far below what a nest of anchors can claim to be. */
const MAX_NODES = 500_000;

export function parseYaml(text: string): YamlResult {
  const lines = new Lines(text);
  try {
    const events = parseEvents(text, { maxDepth: MAX_DEPTH });
    const documents = events.filter((event) => event.type === EVENT_ID.DOCUMENT).length;
    if (documents === 0) return failure("the file is empty; at least `asNumber: 64512` is needed", lines.position(0));
    if (documents > 1) return failure("the file holds several YAML documents; one is accepted", lines.position(0));
    const index = new PositionIndex(text, events);
    const [value] = constructFromEvents(events, { source: text, schema: SCHEMA });
    const locate = (path: KeyPath, part: "key" | "value") => lines.position(index.find(path, part));
    return { kind: "document", document: { value, locate } };
  } catch (thrown) {
    if (thrown instanceof TooLarge) return failure(thrown.message, lines.position(thrown.offset));
    if (!(thrown instanceof YAMLException)) throw thrown;
    return failure(describe(thrown.reason), lines.position(thrown.mark?.position ?? 0));
  }
}

/** For people: `config show`. */
export function formatYaml(value: unknown): string {
  return dump(value, { lineWidth: 120, noRefs: true });
}

function failure(message: string, position: Position): YamlResult {
  return { kind: "error", message, position };
}

/** js-yaml names unknown aliases and tags, which may be the beginning of an unquoted password. */
function describe(reason: string): string {
  if (reason.startsWith("unidentified alias")) {
    return "not valid YAML: an alias without its anchor; quote a value that begins with *";
  }
  if (/^unknown \w+ tag/.test(reason)) {
    return "not valid YAML: tags are not accepted; quote a value that begins with !";
  }
  const hint = reason.includes("tab characters")
    ? "; indent with spaces"
    : reason.includes("duplicated mapping key")
      ? "; each key may stand once"
      : "";
  return `not valid YAML: ${reason}${hint}`;
}

class TooLarge extends Error {
  override readonly name = "TooLarge";
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Offsets to lines and columns. */
class Lines {
  readonly #starts: number[] = [0];
  readonly #hasByteOrderMark: boolean;

  constructor(text: string) {
    this.#hasByteOrderMark = text.startsWith("\ufeff");
    for (const match of text.matchAll(/\r\n|\r|\n/g)) this.#starts.push(match.index + match[0].length);
  }

  position(offset: number): Position {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const column = offset - (this.#starts[low] ?? 0) + 1;
    return { line: low + 1, column: low === 0 && this.#hasByteOrderMark ? Math.max(1, column - 1) : column };
  }
}

/** Where each key and value of a document starts; also weighs the aliases before anything expands them. */
class PositionIndex {
  readonly #offsets = new Map<string, { readonly key: number; readonly value: number }>();
  readonly #source: string;
  readonly #events: readonly Event[];
  /** Nodes below each anchor, aliases expanded; undefined while the anchor's own node is still open. */
  readonly #weights = new Map<string, number | undefined>();
  #next = 0;

  constructor(source: string, events: readonly Event[]) {
    this.#source = source;
    this.#events = events;
    this.#next = 1;
    this.#node("", 0);
  }

  find(path: KeyPath, part: "key" | "value"): number {
    const keys = path.map(segment);
    for (let length = keys.length; length >= 0; length--) {
      const entry = this.#offsets.get(keys.slice(0, length).join(""));
      if (entry !== undefined) return part === "value" && length === keys.length ? entry.value : entry.key;
    }
    return 0;
  }

  /** Reads one node and all below it; returns how many nodes it stands for. */
  #node(path: string, key: number): number {
    const event = this.#events[this.#next++];
    if (event === undefined || event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT) return 0;
    if (event.type === EVENT_ID.ALIAS) {
      this.#offsets.set(path, { key, value: event.anchorStart - 1 });
      return this.#aliasWeight(event.anchorStart, event.anchorEnd);
    }
    const anchor = event.anchorStart < 0 ? undefined : this.#source.slice(event.anchorStart, event.anchorEnd);
    if (anchor !== undefined) this.#weights.set(anchor, undefined);
    const value = event.type === EVENT_ID.SCALAR ? event.valueStart : event.start;
    this.#offsets.set(path, { key, value: value < 0 ? key : value });
    let weight = 1;
    if (event.type === EVENT_ID.MAPPING) weight += this.#mapping(path);
    else if (event.type === EVENT_ID.SEQUENCE) weight += this.#sequence(path);
    if (weight > MAX_NODES) throw new TooLarge(`the file holds more than ${MAX_NODES} values`, Math.max(0, value));
    if (anchor !== undefined) this.#weights.set(anchor, weight);
    return weight;
  }

  #mapping(path: string): number {
    let weight = 0;
    for (;;) {
      const event = this.#events[this.#next];
      if (event === undefined || event.type === EVENT_ID.POP) break;
      if (event.type === EVENT_ID.SCALAR) {
        this.#next++;
        weight += this.#node(path + segment(getScalarValue(this.#source, event)), Math.max(0, event.valueStart));
      } else {
        // A key that is no scalar: the constructor refuses it, with its position.
        weight += this.#node(`${path}${segment("?")}`, startOf(event)) + this.#node(`${path}${segment("?")}`, 0);
      }
    }
    this.#next++;
    return weight;
  }

  #sequence(path: string): number {
    let weight = 0;
    for (let i = 0; ; i++) {
      const event = this.#events[this.#next];
      if (event === undefined || event.type === EVENT_ID.POP) break;
      weight += this.#node(path + segment(i), startOf(event));
    }
    this.#next++;
    return weight;
  }

  #aliasWeight(start: number, end: number): number {
    const name = this.#source.slice(start, end);
    if (!this.#weights.has(name)) return 1; // unknown: the constructor says so
    const weight = this.#weights.get(name);
    if (weight === undefined) throw new TooLarge(`the alias *${name} stands inside its own anchor`, start - 1);
    return weight;
  }
}

function startOf(event: Event): number {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      return Math.max(0, event.valueStart);
    case EVENT_ID.ALIAS:
      return event.anchorStart - 1;
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return Math.max(0, event.start);
    default:
      return 0;
  }
}

function segment(key: string | number): string {
  return typeof key === "number" ? `\u0000#${key}` : `\u0000.${key}`;
}
