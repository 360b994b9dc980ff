/** Cuts a JSON array, or the `items` of a JSON object, into elements without parsing them: so that each can be parsed in its own turn. */

export interface JsonItems {
  readonly items: readonly { readonly text: string; readonly line: number }[];
  /** The text without the elements. */
  readonly around: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const NEWLINE = 0x0a;

/**
 * Undefined where there is no such list, or where the brackets do not match: the parser says what is wrong then. Yields after each
 * element.
 */
export function* jsonItems(text: string): Generator<undefined, JsonItems | undefined> {
  const items: { text: string; line: number }[] = [];
  const isArray = text.trimStart().startsWith("[");
  const itemDepth = isArray ? 1 : 2;
  let depth = 0;
  let key = "";
  let listStart = isArray ? 0 : -1;
  let listEnd = -1;
  let itemStart = -1;
  let itemLine = 0;
  let line = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === NEWLINE) line++;
    else if (code === QUOTE) {
      const end = stringEnd(text, at);
      if (end < 0) return undefined;
      if (listStart >= 0 && listEnd < 0 && depth === itemDepth) return undefined;
      if (depth === 1) key = text.slice(at + 1, end);
      at = end;
    } else if (code === 0x5b || code === 0x7b) {
      depth++;
      if (!isArray && depth === 2 && code === 0x5b && key === "items" && listStart < 0) listStart = at;
      if (listStart >= 0 && listEnd < 0 && depth === itemDepth + 1 && itemStart < 0) {
        itemStart = at;
        itemLine = line;
      }
    } else if (code === 0x5d || code === 0x7d) {
      if (listStart >= 0 && listEnd < 0) {
        if (depth === itemDepth + 1 && itemStart >= 0) {
          items.push({ text: text.slice(itemStart, at + 1), line: itemLine });
          itemStart = -1;
          yield undefined;
        } else if (depth === itemDepth) listEnd = at;
      }
      depth--;
    } else if (depth === itemDepth && listStart >= 0 && listEnd < 0 && code !== COMMA && code > 0x20) {
      return undefined; // an element that is neither object nor array
    }
  }
  if (depth !== 0 || listStart < 0 || listEnd < 0) return undefined;
  return { items, around: `${text.slice(0, listStart)}[${text.slice(listEnd)}` };
}

function stringEnd(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return -1;
}
