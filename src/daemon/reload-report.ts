/** What is wrong with a configuration, and what a reload did, in the log and in its report. */

import { acceptForReload } from "../config/load.ts";
import type { Config } from "../config/model.ts";
import { ConfigError, formatProblem, isError, type Problem } from "../config/problem.ts";
import type { DaemonLogger } from "../control/log.ts";
import type { ReloadReport } from "../control/views.ts";

/** Of what a change of the resources did, in the log. */
const SHOWN_CHANGES = 20;

export function logProblems(logger: DaemonLogger, problems: readonly Problem[]): void {
  for (const problem of problems) {
    const fields = { path: problem.path, ...(problem.peer === undefined ? {} : { peer: problem.peer }) };
    if (isError(problem)) logger.error(fields, `configuration: ${formatProblem(problem)}`);
    else logger.warn(fields, `configuration: ${formatProblem(problem)}`);
  }
}

/** One change may concern every peer of thousands. */
export function few(changes: readonly string[]): readonly string[] {
  const more = changes.length - SHOWN_CHANGES;
  return more <= 0 ? changes : [...changes.slice(0, SHOWN_CHANGES), `and ${more} more`];
}

export function refused(path: string, message: string): ReloadReport {
  return { ok: false, changes: [], problems: [{ path, message }] };
}

/** The path stands beside the message. */
export function reported(problems: readonly Problem[]): ReloadReport["problems"] {
  return problems.map((problem) => ({ path: problem.path, message: formatProblem({ ...problem, path: "" }) }));
}

/** A peer of the file that is wrong stays as it was, unless that stands in the way of what the resources say now. */
export function withPeersOf(current: Config, next: Config, problems: readonly Problem[]): Config {
  try {
    return acceptForReload(current, { config: next, problems });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return next;
  }
}
