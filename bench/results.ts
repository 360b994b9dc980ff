/** What a whole benchmark measured: the JSON file, from which tables and plots are made. */

import type { Machine } from "./machine.ts";
import type { Parameters } from "./scenarios/scenario.ts";
import type { Run, Summary } from "./statistics.ts";

export interface DaemonResult {
  readonly daemon: string;
  readonly runs: readonly Run[];
  readonly summary: Summary;
}

export interface CaseResult {
  readonly scenario: string;
  /** "reflect K=1000 P=10" */
  readonly label: string;
  readonly parameters: Parameters;
  readonly daemons: readonly DaemonResult[];
}

export interface Results {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly machine: Machine;
  /** By daemon. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly cases: readonly CaseResult[];
}
