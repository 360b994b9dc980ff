/** A whole benchmark: set-up, cases one after the other, and what is printed and written of them. */

import { writeFileSync } from "node:fs";
import { BenchError } from "./bench-error.ts";
import { selectDaemons } from "./daemons/catalogue.ts";
import type { Daemon } from "./daemons/daemon.ts";
import { thisMachine } from "./machine.ts";
import { Namespace } from "./namespace.ts";
import { progressLines } from "./report/progress-lines.ts";
import { textReport } from "./report/text-table.ts";
import type { CaseResult, Results } from "./results.ts";
import { type Case, Runner } from "./runner.ts";
import { installDaemons, prepareMachine } from "./set-up.ts";

export interface MeasureOptions {
  readonly rounds: number;
  readonly daemons: readonly string[];
  /** Seconds for one run of one daemon. */
  readonly timeout: number;
  readonly starling: readonly string[];
  readonly node: readonly string[];
  readonly nodeArgument: readonly string[];
  readonly json?: string;
  readonly keep: boolean;
}

/**
 * Measures sweeps of cases; a daemon that failed in one case of a sweep has no part in those after it. Resolves with what was
 * measured; a case that cannot be prepared is left out, and said to be.
 */
export async function measure(
  sweeps: readonly (readonly Case[])[],
  options: MeasureOptions,
  say: (line: string) => void,
): Promise<Results> {
  const tools = await prepareMachine();
  const selected = selectDaemons({
    names: options.daemons,
    executables: options.starling,
    nodes: options.node,
    nodeArguments: options.nodeArgument,
    tools,
  });
  const daemons = await installDaemons(selected, say);
  const { rounds, timeout, keep } = options;
  const head = {
    startedAt: new Date().toISOString(),
    machine: thisMachine(),
    versions: Object.fromEntries(daemons.map((daemon) => [daemon.name, daemon.version()])),
    rounds,
  };
  const runner = new Runner({ rounds, timeoutSeconds: timeout, tools, keep }, progressLines(say), () =>
    Namespace.create(),
  );
  const cases: CaseResult[] = [];
  for (const sweep of sweeps) {
    let able: readonly Daemon[] = daemons;
    for (const one of sweep) {
      const result = await orNothing(runner.run(one, able), one, say);
      if (result === undefined) continue;
      cases.push(result);
      const failed = result.daemons.filter(({ runs }) => runs.some((run) => "failure" in run));
      able = able.filter(({ name }) => !failed.some(({ daemon }) => daemon === name));
      // After each case: what was measured is not lost to an interruption.
      if (options.json !== undefined) {
        writeFileSync(options.json, `${JSON.stringify({ ...head, cases }, undefined, 2)}\n`);
      }
    }
  }
  if (cases.length === 0) throw new BenchError("nothing was measured");
  say(`\n${textReport({ ...head, cases })}`);
  return { ...head, cases };
}

async function orNothing(
  result: Promise<CaseResult>,
  { scenario }: Case,
  say: (line: string) => void,
): Promise<CaseResult | undefined> {
  try {
    return await result;
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    say(`\n${scenario.name} is left out: ${error.message}`);
    return undefined;
  }
}
