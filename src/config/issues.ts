/** zod's findings as problems of the file: each with its key path, what is wrong, and what is accepted. */

import type * as z from "zod";
import { alternatives, jsonSchema, knownKeys } from "./json-schema.ts";
import { suggestion } from "./nearest.ts";
import type { KeyPath, ProblemList } from "./problem.ts";
import { nameValue } from "./scalars.ts";
import { LATER_KEYS } from "./schema.ts";

type Issue = z.core.$ZodIssue;

/** `base` is where the parsed value stands in the file. */
export function reportIssues(
  issues: readonly Issue[],
  base: KeyPath,
  problems: ProblemList,
  peer: string | undefined,
): void {
  for (const issue of issues) report(issue, base, problems, peer);
}

function report(issue: Issue, base: KeyPath, problems: ProblemList, peer: string | undefined): void {
  const path = [...base, ...plainPath(issue.path)];
  switch (issue.code) {
    case "unrecognized_keys":
      for (const key of issue.keys) problems.error([...path, key], unknownKey(path, key), peer, "key");
      return;
    case "invalid_union": {
      const branch = mostLikelyBranch(issue.errors);
      if (branch === undefined) problems.error(path, issue.message, peer);
      else reportIssues(branch, path, problems, peer);
      return;
    }
    case "invalid_type":
      problems.error(path, wrongType(issue), peer, issue.input === undefined ? "key" : "value");
      return;
    default:
      problems.error(path, issue.message, peer);
  }
}

/** zod's own words begin with "Invalid input"; a schema's own words already say what is accepted. */
function wrongType(issue: z.core.$ZodIssueInvalidType): string {
  if (issue.input === undefined && issue.message.startsWith("Invalid input: expected")) return "is missing";
  if (!issue.message.startsWith("Invalid input")) return issue.message;
  const accepted = issue.expected === "object" || issue.expected === "record" ? "a mapping of keys" : issue.expected;
  return `${nameValue(issue.input)} is not accepted; accepted: ${accepted}`;
}

/**
 * Of the shapes that a key may have, the one that was meant: the one whose findings lie deeper than the value itself, or that is not
 * about the value's type. None: the value fits no shape at all, and the union's own message says which there are.
 */
function mostLikelyBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((issues) =>
    issues.some(
      (issue) =>
        issue.path.length > 0 ||
        issue.code === "unrecognized_keys" ||
        issue.code === "custom" ||
        issue.code === "too_small" ||
        issue.code === "too_big",
    ),
  );
}

function unknownKey(parent: KeyPath, key: string): string {
  const later = laterPath(parent, key);
  if (Object.hasOwn(LATER_KEYS, later)) return `${LATER_KEYS[later]}; leave the key out`;
  const known = knownKeys(parent);
  const guess = suggestion(key, known);
  if (guess !== "") return `unknown key${guess}`;
  const inside = known.find((name) => knownKeys([...parent, name]).includes(key));
  if (inside !== undefined) return `unknown key here; it belongs into \`${inside}\``;
  if (parent[0] === "peerDefaults" || parent[0] === "templates") {
    const isPeerKey = alternatives(jsonSchema().$defs?.["peer"] ?? {}).some((node) => node.properties?.[key]);
    if (isPeerKey) return "unknown key here; it tells one peer from another and belongs into `peers`";
  }
  return `unknown key; accepted: ${known.join(", ")}`;
}

/** ["templates", "tor", "bfd"] as "templates.*.bfd", ["peers", 3, "bfd"] as "peers.bfd". */
function laterPath(parent: KeyPath, key: string): string {
  const [first, ...rest] = parent.filter((part) => typeof part === "string");
  if (first === undefined) return key;
  return [first, ...rest.map((part, i) => (first === "templates" && i === 0 ? "*" : part)), key].join(".");
}

function plainPath(path: readonly PropertyKey[]): KeyPath {
  return path.map((key) => (typeof key === "symbol" ? String(key) : key));
}
