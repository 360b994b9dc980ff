/** The filter of `show routes` and /api/v1/routes: from loose input to a RouteFilter that means something. */

import { didYouMean } from "./nearest.ts";
import { type RouteFilter, UsageError } from "./views.ts";

const FAMILIES = ["ipv4", "ipv6"] as const;
const VIEWS = ["received", "accepted", "advertised"] as const;
const ORIGINS = ["peer", "static", "kernel", "calico"] as const;
const KEYS = ["family", "prefix", "longer", "for", "peer", "view", "origin", "community"] as const;

/** Whether the peer exists and the prefix is one is for the daemon to say; here: types, words and combinations. */
export function parseRouteFilter(input: Readonly<Record<string, unknown>>): RouteFilter {
  for (const key of Object.keys(input)) {
    if (!(KEYS as readonly string[]).includes(key)) {
      throw new UsageError(`unknown route filter "${key}"${didYouMean(key, KEYS)}; known: ${KEYS.join(", ")}`);
    }
  }
  const filter: RouteFilter = {
    family: oneOf(input, "family", FAMILIES),
    prefix: text(input, "prefix"),
    longer: flag(input, "longer"),
    for: text(input, "for"),
    peer: text(input, "peer"),
    view: oneOf(input, "view", VIEWS),
    origin: oneOf(input, "origin", ORIGINS),
    community: text(input, "community"),
  };
  if (filter.longer === true && filter.prefix === undefined) {
    throw new UsageError("longer needs a prefix to look within, such as 10.0.0.0/8");
  }
  if (filter.for !== undefined && filter.prefix !== undefined) {
    throw new UsageError("a prefix and an address to look up (for) exclude each other");
  }
  if (filter.view !== undefined && filter.peer === undefined) {
    throw new UsageError(`${filter.view} needs a peer: routes are ${filter.view} from one session's point of view`);
  }
  return filter;
}

/** The views that may be asked for as a flag: `?peer=a&received`. */
export function viewFlag(name: string): RouteFilter["view"] {
  return VIEWS.find((view) => view === name);
}

function text(input: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = input[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" || value === "" || value.length > 256) {
    throw new UsageError(`${key} takes a text of at most 256 characters`);
  }
  return value;
}

function flag(input: Readonly<Record<string, unknown>>, key: string): boolean | undefined {
  const value = input[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw new UsageError(`${key} is true or false`);
  return value;
}

function oneOf<Word extends string>(
  input: Readonly<Record<string, unknown>>,
  key: string,
  words: readonly Word[],
): Word | undefined {
  const value = text(input, key);
  if (value === undefined) return undefined;
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) {
    throw new UsageError(`${key} cannot be "${value}"${didYouMean(value, words)} It is one of ${words.join(", ")}`);
  }
  return word;
}
