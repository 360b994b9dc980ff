/** What is wrong with a configuration, and where: never thrown one by one, always the whole list. */

/** How the path of a problem with Calico's resources begins. */
export const OF_RESOURCES = "calico:";

export type KeyPath = readonly (string | number)[];

export interface Position {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Position {
  /** "peers[0].timers.hold"; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong and what is accepted. */
  readonly message: string;
  readonly file: string;
  /** A warning does not stop anything. */
  readonly severity: "error" | "warning";
  /** The peer that the error is confined to: all others may go on without it. */
  readonly peer: string | undefined;
}

/** The operator's fault: a configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join("\n"));
    this.problems = problems;
  }
}

export function isError(problem: Problem): boolean {
  return problem.severity === "error";
}

/** What `config show` lists: errors, and of Calico's resources also what leads nowhere, since nobody checks those before they are stored. */
export function isShown(problem: Problem): boolean {
  return isError(problem) || problem.path.startsWith(OF_RESOURCES);
}

/** "starling.yaml:3:5: peers[0].address: ...", the form that editors and compilers made usual. */
export function formatProblem(problem: Problem): string {
  const where = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  const key = problem.path === "" ? "" : ` ${problem.path}:`;
  const severity = problem.severity === "warning" ? " warning:" : "";
  return oneLine(`${where}:${severity}${key} ${problem.message}`);
}

/** Names and values that others wrote are in it: they must neither steer a terminal nor look like another message. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function formatPath(path: KeyPath): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (/^[\w-]+$/.test(key)) text += text === "" ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
}

/** Collects what is found on the way through a file. */
export class ProblemList {
  readonly problems: Problem[] = [];
  readonly #file: string;
  readonly #locate: (path: KeyPath, part: "key" | "value") => Position;

  constructor(file: string, locate: (path: KeyPath, part: "key" | "value") => Position) {
    this.#file = file;
    this.#locate = locate;
  }

  error(path: KeyPath, message: string, peer?: string, part: "key" | "value" = "value"): void {
    this.#add("error", path, message, peer, part);
  }

  warn(path: KeyPath, message: string, peer?: string): void {
    this.#add("warning", path, message, peer, "value");
  }

  #add(
    severity: Problem["severity"],
    path: KeyPath,
    message: string,
    peer: string | undefined,
    part: "key" | "value",
  ): void {
    const { line, column } = this.#locate(path, part);
    this.problems.push({ file: this.#file, line, column, path: formatPath(path), message, severity, peer });
  }
}
