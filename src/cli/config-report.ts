/** What `check` and `config show` say of a file, or of the embedded default where no file is named. */

import { embeddedDefault } from "../config/defaults.ts";
import { loadFile } from "../config/load.ts";
import { formatProblem, isError, type Problem } from "../config/problem.ts";
import { formatConfig, showConfig } from "../config/show.ts";
import { machine } from "../config/surroundings.ts";
import type { Loaded } from "../config/validate.ts";

export { jsonSchema } from "../config/json-schema.ts";

export interface CheckReport {
  readonly document: object;
  readonly summary: string;
  readonly warnings: string;
  /** The first line: what is wrong and what to do. */
  readonly headline: string;
  /** The headline and every error; undefined if the file is right. */
  readonly failure: string | undefined;
}

export function checkFile(path: string | undefined): CheckReport {
  const { config, problems } = load(path);
  const errors = problems.filter(isError);
  const warnings = problems.filter((problem) => !isError(problem));
  const peers = config?.peers.length ?? 0;
  const what = config === undefined ? "" : `AS ${config.asNumber}, ${peers} ${peers === 1 ? "peer" : "peers"}`;
  const headline = headlineOf(path ?? "", errors.length);
  return {
    document: { ok: errors.length === 0, file: path ?? null, problems: problems.map(documentOf) },
    summary: errors.length > 0 ? "" : `${path ?? "the embedded default"} is valid: ${what}\n`,
    warnings: lines(warnings),
    headline,
    failure: errors.length === 0 ? undefined : [headline, ...errors.map(formatProblem)].join("\n"),
  };
}

export interface ShowReport {
  /** Undefined: there is nothing that could be shown. */
  readonly text: string | undefined;
  /** What is wrong with the file, for standard error. */
  readonly failure: string;
}

/** Peers that are wrong are missing from what is shown, and told beside it. */
export function showFile(path: string | undefined, json: boolean): ShowReport {
  const { config, problems } = load(path);
  const errors = problems.filter(isError);
  if (config === undefined) {
    return {
      text: undefined,
      failure: [headlineOf(path ?? "", errors.length), ...errors.map(formatProblem)].join("\n"),
    };
  }
  const text = json ? `${JSON.stringify(showConfig(config, errors), null, 2)}\n` : formatConfig(config);
  return { text, failure: lines(problems) };
}

function load(path: string | undefined): Loaded {
  if (path !== undefined) return loadFile(path);
  // Which port the daemon may bind is its own finding; an ordinary user usually may not bind 179.
  const port = process.getuid?.() === 0 ? 179 : 1790;
  return { config: embeddedDefault({ port, kernel: false }, machine("/")), problems: [], calico: undefined };
}

function headlineOf(path: string, errors: number): string {
  const what = errors === 1 ? "an error: correct it" : `${errors} errors: correct them`;
  return `${path} has ${what} and run \`starling check -c ${path}\` again`;
}

function lines(problems: readonly Problem[]): string {
  return problems.map((problem) => `${formatProblem(problem)}\n`).join("");
}

function documentOf({ file, line, column, path, message, severity, peer }: Problem): object {
  return { file, line, column, path, message, severity, peer: peer ?? null };
}
