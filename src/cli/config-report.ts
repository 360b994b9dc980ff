/** What `check` and `config show` say of a file, or of the embedded default where no file is named. */

import type { Clock } from "../bgp/model/ports.ts";
import { calicoNode, idleConfig, isIdle, openEnvironment } from "../config/calico/calico-node.ts";
import { readOnce } from "../config/calico/read-once.ts";
import { embeddedDefault } from "../config/defaults.ts";
import { accept, type Opened, openFile } from "../config/load.ts";
import { ConfigError, formatProblem, isError, isShown, type Problem } from "../config/problem.ts";
import { formatConfig, showConfig } from "../config/show.ts";
import { machine, machineOf } from "../config/surroundings.ts";
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

/** For what is said while it is waited for something: lines for standard error. */
type Tell = (text: string) => void;

export async function checkFile(path: string | undefined, clock: Clock, tell: Tell): Promise<CheckReport> {
  const { config, problems, note } = await load(path, clock, tell);
  const errors = problems.filter(isError);
  const warnings = problems.filter((problem) => !isError(problem));
  const peers = config?.peers.length ?? 0;
  const what = config === undefined ? "" : `AS ${config.asNumber}, ${peers} ${peers === 1 ? "peer" : "peers"}`;
  const headline = headlineOf(path ?? "", errors.length);
  return {
    document: { ok: errors.length === 0, file: path ?? null, problems: problems.map(documentOf) },
    summary:
      errors.length > 0 ? "" : `${path ?? nameOf(config)} is valid: ${what}\n${note === undefined ? "" : `${note}\n`}`,
    warnings: lines(warnings),
    headline,
    failure: errors.length === 0 ? undefined : [headline, ...errors.map(formatProblem)].join("\n"),
  };
}

function nameOf(config: Loaded["config"]): string {
  return config?.calico === undefined ? "the embedded default" : "what Calico's resources come to";
}

export interface ShowReport {
  /** Undefined: there is nothing that could be shown. */
  readonly text: string | undefined;
  /** What is wrong with the file, for standard error. */
  readonly failure: string;
}

/** Peers that are wrong are missing from what is shown, and told beside it. */
export async function showFile(path: string | undefined, json: boolean, clock: Clock, tell: Tell): Promise<ShowReport> {
  const { config, problems, note } = await load(path, clock, tell);
  const errors = problems.filter(isError);
  if (config === undefined) {
    return {
      text: undefined,
      failure: [headlineOf(path ?? "", errors.length), ...errors.map(formatProblem)].join("\n"),
    };
  }
  const comment = note ?? (path === undefined && config.calico === undefined ? BUILT_IN : undefined);
  const text = json
    ? `${JSON.stringify(showConfig(config, problems.filter(isShown)), null, 2)}\n`
    : `${comment === undefined ? "" : `# ${comment}\n`}${formatConfig(config)}`;
  return { text, failure: lines(problems) };
}

/** Somebody may take it for what a daemon that runs has. */
const BUILT_IN = "The built-in configuration, since no file was given: `-c FILE` shows what a file comes to.";

interface Read extends Pick<Loaded, "config" | "problems"> {
  /** Why this is not what one may expect. */
  readonly note?: string;
}

async function load(path: string | undefined, clock: Clock, tell: Tell): Promise<Read> {
  const opened = path === undefined ? openEnvironment() : openFile(path);
  if (opened !== undefined) {
    const loaded = opened.validate();
    if (loaded.calico === undefined || loaded.config === undefined) return loaded;
    return loadCalico(opened, loaded.calico, path, clock, tell);
  }
  // Which port the daemon may bind is its own finding; an ordinary user usually may not bind 179.
  const port = process.getuid?.() === 0 ? 179 : 1790;
  return { config: embeddedDefault({ port, kernel: false }, machine("/")), problems: [] };
}

async function loadCalico(
  opened: Opened,
  section: NonNullable<Loaded["calico"]>,
  path: string | undefined,
  clock: Clock,
  tell: Tell,
): Promise<Read> {
  try {
    const node = calicoNode(opened, section, path === undefined ? machine("/") : machineOf(path));
    if (!isIdle(node.options)) return await readOnce(node, clock, tell);
    return {
      config: idleConfig(accept(node.config.file)),
      problems: node.problems,
      note: idleNote(node.options.backend),
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: undefined, problems: error.problems };
  }
}

function idleNote(backend: string): string {
  return `Nothing to do: Calico's networking backend is ${backend}, not bird (CALICO_NETWORKING_BACKEND).`;
}

function headlineOf(path: string, errors: number): string {
  const what = errors === 1 ? "an error: correct it" : `${errors} errors: correct them`;
  if (path === "") return `calico/node's environment and the datastore have ${what} and run \`starling check\` again`;
  return `${path} has ${what} and run \`starling check -c ${path}\` again`;
}

function lines(problems: readonly Problem[]): string {
  return problems.map((problem) => `${formatProblem(problem)}\n`).join("");
}

function documentOf({ file, line, column, path, message, severity, peer }: Problem): object {
  return { file, line, column, path, message, severity, peer: peer ?? null };
}
