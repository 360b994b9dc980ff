/** The file's value as written, before any schema: what null means in it. */

import type { KeyPath, Position } from "./problem.ts";

export interface Written {
  readonly value: unknown;
  readonly file: string;
  readonly worldReadable: boolean;
  readonly locate: (path: KeyPath, part: "key" | "value") => Position;
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The keys that are written without a value or as null. */
export function nullKeys(value: unknown): readonly string[] {
  return isMapping(value) ? Object.keys(value).filter((key) => value[key] === null) : [];
}

/**
 * Null, and a key with nothing after it, mean the default: such keys are left out. Below `families` a key with nothing after it
 * means that family with its defaults.
 */
export function withoutNulls(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutNulls(item));
  if (!isMapping(value)) return value;
  const isFamilies = key === "families";
  const entries = Object.entries(value).flatMap(([name, inner]) => {
    if (inner === null) return isFamilies ? [[name, true] as const] : [];
    return [[name, withoutNulls(inner, name)] as const];
  });
  return Object.fromEntries(entries);
}
