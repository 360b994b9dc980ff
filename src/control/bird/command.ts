/** One line from a client of BIRD's control socket as a command, or what is wrong with it in the words that BIRD has for it. */

import { parseAddress, sameAddress } from "../../bgp/model/address.ts";
import { Family } from "../../bgp/model/family.ts";
import { formatPrefix, type Prefix, parsePrefix } from "../../bgp/model/prefix.ts";
import type { BirdFamily, BirdSelection } from "./bird-view.ts";
import { expand } from "./command-words.ts";
import { Code, type Line } from "./reply.ts";

/** One protocol by its name, some by a pattern, or all. */
export type Which =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "pattern"; readonly pattern: string }
  | { readonly kind: "all" };

export interface RouteCommand {
  readonly kind: "routes";
  readonly prefix: string | undefined;
  readonly address: string | undefined;
  readonly protocol: string | undefined;
  readonly selection: BirdSelection;
  readonly isPrimary: boolean;
  readonly withAttributes: boolean;
  /** Rows, rows and their count, or the count alone. */
  readonly show: "rows" | "stats" | "count";
}

export type Operation = "enable" | "disable" | "restart" | "reload" | "reload in" | "reload out";

export type Command =
  | { readonly kind: "status" | "memory" | "restrict" | "accepted" | "confirm" | "configure" }
  | { readonly kind: "protocols"; readonly which: Which; readonly withDetails: boolean }
  | { readonly kind: "interfaces"; readonly isSummary: boolean }
  | { readonly kind: "symbols"; readonly what: string | undefined }
  | { readonly kind: "static"; readonly protocol: string | undefined }
  | RouteCommand
  | { readonly kind: "operate"; readonly operation: Operation; readonly which: Which }
  /** Understood, and answered with this. */
  | { readonly kind: "refusal"; readonly line: Line; readonly changes: boolean };

const SYNTAX: Command = refusal("syntax error");
const NAME = /^[^\s"'{}();=]+$/;
const ALL: Which = { kind: "all" };

export function parseCommand(text: string, family: BirdFamily): Command {
  const tokens = tokenise(text);
  const meant = tokens === undefined ? undefined : expand(tokens);
  if (meant?.kind !== "words") return SYNTAX;
  const [verb = "", ...rest] = meant.words;
  switch (verb) {
    case "show":
      return parseShow(rest[0] ?? "", rest.slice(1), family);
    case "configure":
      return parseConfigure(rest);
    case "enable":
    case "disable":
    case "restart":
      return operate(verb, rest);
    case "reload":
      return rest[0] === "in" || rest[0] === "out" ? operate(`reload ${rest[0]}`, rest.slice(1)) : operate(verb, rest);
    case "debug":
    case "mrtdump":
    case "dump":
    case "echo":
      return rest.length > 0 ? { kind: "accepted" } : SYNTAX;
    case "restrict":
      return rest.length === 0 ? { kind: "restrict" } : SYNTAX;
    case "down":
      return refusal(
        "starling is not shut down from here: send it SIGTERM (`systemctl stop starling`)",
        Code.AccessDenied,
        true,
      );
    case "eval":
      return refusal("eval: starling has no filter language; `starling explain PREFIX` says how a route was judged");
    default:
      // add, delete and flush: `roa` is all that they are for.
      return refusal("No ROA table defined");
  }
}

function parseShow(what: string, rest: readonly string[], family: BirdFamily): Command {
  switch (what) {
    case "status":
    case "memory":
      return rest.length === 0 ? { kind: what } : SYNTAX;
    case "protocols": {
      const withDetails = rest[0] === "all";
      const which = parseWhich(withDetails ? rest.slice(1) : rest, true);
      return which === undefined ? SYNTAX : { kind: "protocols", which, withDetails };
    }
    case "interfaces":
      if (rest.length === 0) return { kind: "interfaces", isSummary: false };
      return rest.length === 1 && isShort(rest[0], "summary") ? { kind: "interfaces", isSummary: true } : SYNTAX;
    case "route":
      return parseRoute(rest, family);
    case "symbols":
      return rest.length <= 1 ? { kind: "symbols", what: rest[0] } : SYNTAX;
    case "static":
      return rest.length <= 1 ? { kind: "static", protocol: rest[0] } : SYNTAX;
    case "roa":
      return refusal("No ROA table defined");
    case "bfd":
      return isShort(rest[0], "sessions") ? refusal("There is no BFD protocol running") : SYNTAX;
    default:
      return refusal(`There is no ${what === "babel" ? "Babel" : what.toUpperCase()} protocol running`);
  }
}

/** The clauses come in any order. */
function parseRoute(words: readonly string[], family: BirdFamily): Command {
  let command: RouteCommand = {
    kind: "routes",
    prefix: undefined,
    address: undefined,
    protocol: undefined,
    selection: { kind: "table" },
    isPrimary: false,
    withAttributes: false,
    show: "rows",
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    switch (word) {
      case "all":
        command = { ...command, withAttributes: true };
        break;
      case "primary":
        command = { ...command, isPrimary: true };
        break;
      case "filtered":
        command = { ...command, selection: { kind: "filtered" } };
        break;
      case "count":
      case "stats":
        command = { ...command, show: word };
        break;
      case "filter":
      case "where":
        return refusal(
          `${word}: starling has no filter language; ask for a prefix, \`for\` an address or \`protocol\` NAME, or use \`starling show routes\``,
          Code.ConfigurationError,
        );
      case "for": {
        const address = words[++i];
        if (address === undefined) return SYNTAX;
        if (parseAddress(address)?.family === familyOf(family)) {
          command = { ...command, address };
          break;
        }
        const prefix = parsePrefix(address);
        if (prefix?.family !== familyOf(family)) return refusal("IP address expected");
        command = { ...command, address: formatPrefix(prefix).split("/")[0] };
        break;
      }
      case "table": {
        const table = words[++i];
        if (table === undefined || !NAME.test(table)) return SYNTAX;
        if (table !== "master") return refusal(`${table} is not a table`);
        break;
      }
      case "protocol":
      case "export":
      case "preexport":
      case "noexport": {
        const name = words[++i];
        if (name === undefined || !NAME.test(name)) return SYNTAX;
        if (word === "protocol") command = { ...command, protocol: name };
        else command = { ...command, selection: { kind: word, to: name } };
        break;
      }
      default: {
        if (i > 0 || !/[.:]/.test(word)) return refusal("IP address expected");
        const [, length] = word.split("/");
        if (length === undefined) return SYNTAX;
        if (Number(length) > (family === "ipv4" ? 32 : 128)) return refusal(`Invalid prefix length ${length}`);
        const prefix = parsePrefix(word);
        if (prefix?.family !== familyOf(family) || hasHostBits(word, prefix)) return refusal("Invalid prefix");
        command = { ...command, prefix: formatPrefix(prefix) };
      }
    }
  }
  return command;
}

function parseConfigure(words: readonly string[]): Command {
  const [first, ...rest] = words;
  const mode = ["soft", "check", "confirm", "undo", "timeout"].find((each) => each === first);
  const others = mode === undefined ? words : rest;
  switch (mode) {
    case "confirm":
      return others.length === 0 ? { kind: "confirm" } : SYNTAX;
    case "undo":
    case "timeout":
      return refusal(
        `configure ${mode}: starling does not go back on its own; put the file of before in its place and reload`,
        Code.ConfigurationError,
        true,
      );
    case "check":
      return refusal(
        "configure check: `starling check -c FILE` checks a file, with each problem and its place",
        Code.ConfigurationError,
      );
    default:
      if (others.length === 0) return { kind: "configure" };
      if (others.length > 1 || !isQuoted(others[0])) return SYNTAX;
      return refusal(
        `configure "${unquoted(others[0] ?? "")}": starling reads the file that it was started with and no other`,
        Code.ConfigurationError,
        true,
      );
  }
}

function operate(operation: Operation, words: readonly string[]): Command {
  const which = parseWhich(words, false);
  return which === undefined ? SYNTAX : { kind: "operate", operation, which };
}

function parseWhich(words: readonly string[], orNone: boolean): Which | undefined {
  const [word] = words;
  if (word === undefined) return orNone ? ALL : undefined;
  if (words.length > 1) return undefined;
  if (isQuoted(word)) return { kind: "pattern", pattern: unquoted(word) };
  if (!orNone && word === "all") return ALL;
  return NAME.test(word) && word !== "all" ? { kind: "name", name: word } : undefined;
}

/** Quoted text stays in its quotes; undefined where a quote is not closed. */
function tokenise(text: string): readonly string[] | undefined {
  const tokens: readonly string[] = text.match(/"[^"]*"|[^\s"]+|"/g) ?? [];
  return tokens.includes('"') ? undefined : tokens;
}

function isShort(word: string | undefined, whole: string): boolean {
  return word !== undefined && word !== "" && whole.startsWith(word);
}

function isQuoted(word: string | undefined): boolean {
  return word?.startsWith('"') ?? false;
}

function unquoted(word: string): string {
  return word.slice(1, -1);
}

function hasHostBits(text: string, prefix: Prefix): boolean {
  const address = parseAddress(text.split("/")[0] ?? "");
  return address === undefined || !sameAddress(address, prefix);
}

function familyOf(family: BirdFamily): Family {
  return family === "ipv4" ? Family.Ipv4 : Family.Ipv6;
}

function refusal(text: string, code: Code = Code.Wrong, changes = false): Command {
  return { kind: "refusal", line: { code, text }, changes };
}
