/**
 * Text to resources: YAML or JSON, several documents, and lists as `calicoctl get -o yaml` and `kubectl get -o yaml` print them. The
 * text is cut into its documents and the items of its lists first, so that a large one is read in slices and that what is wrong in
 * one item leaves the others alone.
 */

import { parseYaml } from "../../yaml.ts";
import { jsonItems } from "./json-items.ts";
import { isFields, isShallow, type StoredForm, TOO_DEEP, toStoredForm } from "./stored-form.ts";

/** Lines of a text, as they stand there. */
export interface Piece {
  readonly text: string;
  /** Of its first character; counts from 1. */
  readonly line: number;
  /** What an item takes from its list: raw lists of the API server name kind and version there alone. */
  readonly inherited: Inherited | undefined;
}

interface Inherited {
  readonly apiVersion: unknown;
  readonly kind: string | undefined;
}

export interface Found {
  readonly form: StoredForm;
  /** Within the piece, beginning at 0. */
  readonly line: number;
}

const LIST = /^(\w*)List$/;
/** An item that names an anchor of another cannot be read alone. */
const ANCHOR = /(^|[\s[{,:-])[&*][\w-]/m;

/** The documents of a text, and of a list its items one by one; undefined in between, for whoever works in slices. */
export function* piecesOf(text: string): Generator<Piece | undefined> {
  const first = firstOf(text);
  if (first === "{" || first === "[") {
    const cut = yield* jsonItems(text);
    const inherited = cut === undefined ? undefined : listOf(parseJson(cut.around));
    if (cut !== undefined && (inherited !== undefined || first === "[")) {
      for (const item of cut.items) yield { ...item, inherited };
      return;
    }
  }
  for (const document of documentsOf(text)) {
    if (/^(?!\s*(#|$|---\s*$|\.\.\.|%))/m.test(document.text)) yield* itemsOf(document);
  }
}

/** Every resource of a piece, or what is wrong with it. */
export function resourcesOf({ text, inherited }: Piece): Found[] {
  const first = firstOf(text);
  const json = first === "{" || first === "[" ? parseJson(text) : undefined;
  // YAML has a limit of its own.
  if (!isShallow(json)) return [{ form: TOO_DEEP, line: 0 }];
  if (json !== undefined) return [...flatten(json, inherited, () => 0)];
  const yaml = parseYaml(text);
  if (yaml.kind === "error") {
    return [{ form: { kind: "wrong", message: yaml.message }, line: yaml.position.line - 1 }];
  }
  const { document } = yaml;
  return [...flatten(document.value, inherited, (path) => document.locate(path, "value").line - 1)];
}

function* flatten(
  value: unknown,
  inherited: Inherited | undefined,
  lineOf: (path: readonly (string | number)[]) => number,
  path: readonly (string | number)[] = [],
): Generator<Found> {
  if (value === null || value === undefined) return;
  const list = listOf(value);
  const items = Array.isArray(value) ? value : list === undefined ? undefined : (value as { items: unknown })["items"];
  if (items === undefined) {
    yield { form: toStoredForm(withInherited(value, inherited)), line: lineOf(path) };
  } else if (Array.isArray(items)) {
    const steps = list === undefined ? path : [...path, "items"];
    for (const [index, item] of items.entries()) yield* flatten(item, list ?? inherited, lineOf, [...steps, index]);
  } else if (items !== null) {
    yield { form: { kind: "wrong", message: "the `items` of this list are no list" }, line: lineOf(path) };
  }
}

/** What a list says of its items; undefined if it is none. What has no kind at all, and items, can be nothing else. */
function listOf(value: unknown): Inherited | undefined {
  if (!isFields(value)) return undefined;
  if (value["kind"] === undefined && Array.isArray(value["items"])) return { apiVersion: undefined, kind: undefined };
  if (typeof value["kind"] !== "string") return undefined;
  const match = LIST.exec(value["kind"]);
  return match === null ? undefined : { apiVersion: value["apiVersion"], kind: match[1] || undefined };
}

function withInherited(value: unknown, inherited: Inherited | undefined): unknown {
  if (inherited?.kind === undefined || !isFields(value) || "kind" in value) return value;
  return { apiVersion: inherited.apiVersion, kind: inherited.kind, ...value };
}

/** YAML 1.2 §9.1.2: no content of any kind has a line that begins with one of the markers. */
function* documentsOf(text: string): Generator<Piece> {
  let start = 0;
  let line = 1;
  let nextStart = 0;
  let nextEnd = 0;
  for (;;) {
    // Each is looked for once, however many of the other come before it.
    if (nextStart <= start) nextStart = nextMarker(text, "---", start);
    if (nextEnd <= start) nextEnd = nextMarker(text, "...", start);
    const end = Math.min(nextStart, nextEnd);
    const document = text.slice(start, end);
    yield { text: document, line, inherited: undefined };
    if (end === text.length) return;
    line += linesIn(document);
    start = end;
  }
}

/** Where the next line begins that has the marker; the text's end where there is none. */
function nextMarker(text: string, marker: string, from: number): number {
  for (let at = text.indexOf(`\n${marker}`, from); at >= 0; at = text.indexOf(`\n${marker}`, at + 1)) {
    const after = text[at + 1 + marker.length];
    if (after === undefined || /\s/.test(after)) return at + 1;
  }
  return text.length;
}

/** The items of a list in block style; the document as it is where it is something else. */
function* itemsOf(document: Piece): Generator<Piece | undefined> {
  // The end of a document, which may stand before the next, is no part of it.
  const text = document.text.replace(/^\.\.\.[^\n]*/, "");
  const opening = /^items:[ \t]*(?:#.*)?\r?\n(?:[ \t]*(?:#.*)?\r?\n)*( *)-(?=[ \t\r\n])/m.exec(text);
  const [matched, indent] = opening ?? [];
  if (opening === null || matched === undefined || indent === undefined) {
    yield { ...document, text };
    return;
  }
  const begin = opening.index + matched.length - indent.length - 1;
  // An item goes on in lines that are indented more, blank, or comments: anything else is the next item, or the list's end.
  const edge = new RegExp(`^(?:${indent}-(?=[ \\t\\r\\n])| {0,${indent.length}}(?=[^ \\t\\r\\n#]))`, "gm");
  const starts: number[] = [];
  let end = text.length;
  edge.lastIndex = begin;
  for (let match = edge.exec(text); match !== null; match = edge.exec(text)) {
    yield undefined;
    const last = starts.at(-1);
    if (last !== undefined && ANCHOR.test(text.slice(last, match.index))) break;
    if (!match[0].endsWith("-")) {
      end = match.index;
      break;
    }
    starts.push(match.index);
  }
  if (ANCHOR.test(text.slice(starts.at(-1), end))) {
    yield { ...document, text };
    return;
  }
  const around = parseYaml(`${text.slice(0, opening.index)}items: []\n${text.slice(end)}`);
  const inherited = around.kind === "document" ? listOf(around.document.value) : undefined;
  if (inherited === undefined) {
    yield { ...document, text };
    return;
  }
  let line = document.line + linesIn(text.slice(0, begin));
  for (const [index, start] of starts.entries()) {
    const item = text.slice(start, starts[index + 1] ?? end);
    yield { text: item, line, inherited };
    line += linesIn(item);
  }
}

/** The first character that is no blank. */
function firstOf(text: string): string | undefined {
  return /[^\s\ufeff]/.exec(text)?.[0];
}

function linesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
