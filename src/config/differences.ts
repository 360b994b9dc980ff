/** How two values of the file's own words differ, line by line, for people. */

import { isDeepStrictEqual } from "node:util";

const LONG = 120;

/** "timers.hold 90s -> 30s". */
export function differences(old: object, next: object, prefix = ""): string[] {
  const before = old as Readonly<Record<string, unknown>>;
  const after = next as Readonly<Record<string, unknown>>;
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => {
    const [a, b] = [before[key], after[key]];
    if (isDeepStrictEqual(a, b)) return [];
    const name = `${prefix}${key}`;
    if (isMapping(a) && isMapping(b)) return differences(a, b, `${name}.`);
    const [from, to] = [wordOf(a), wordOf(b)];
    return from.length + to.length > LONG ? [`${name} changed`] : [`${name} ${from} -> ${to}`];
  });
}

/** "originate added: 10.1.0.0/16, 10.2.0.0/16 and 3 more"; nothing for an empty list. */
export function listLine(what: string, items: readonly string[]): readonly string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, 5).join(", ");
  return [`${what}: ${shown}${items.length > 5 ? ` and ${items.length - 5} more` : ""}`];
}

function isMapping(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wordOf(value: unknown): string {
  if (value === null || value === undefined) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
