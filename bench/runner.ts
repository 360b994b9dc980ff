/** Runs cases with daemons by turns, A B C and again A B C, so that whatever else the machine does meets all of them. */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BenchError } from "./bench-error.ts";
import type { Daemon } from "./daemons/daemon.ts";
import type { Namespace } from "./namespace.ts";
import type { NativeTools } from "./native/build.ts";
import type { CaseResult } from "./results.ts";
import type { Companion, Parameters, PreparedCase, RunContext, Scenario } from "./scenarios/scenario.ts";
import { type Run, summarise } from "./statistics.ts";

/** Those that others are compared with. */
const REFERENCES = ["bird", "frr"];

export interface RunnerOptions {
  readonly rounds: number;
  /** For one run of one daemon. */
  readonly timeoutSeconds: number;
  readonly tools: NativeTools;
  /** Keep configuration files and logs, and say where. */
  readonly keep: boolean;
}

export interface Progress {
  begins(label: string, notes: readonly string[]): void;
  ran(daemon: string, run: Run): void;
  leftOut(daemon: string, why: string): void;
  kept(folder: string): void;
}

export interface Case {
  readonly scenario: Scenario;
  readonly parameters: Parameters;
}

export class Runner {
  readonly #options: RunnerOptions;
  readonly #progress: Progress;
  readonly #newNamespace: () => Promise<Namespace>;

  constructor(options: RunnerOptions, progress: Progress, newNamespace: () => Promise<Namespace>) {
    this.#options = options;
    this.#progress = progress;
    this.#newNamespace = newNamespace;
  }

  /** Throws a BenchError where the case cannot be prepared. */
  async run({ scenario, parameters }: Case, daemons: readonly Daemon[]): Promise<CaseResult> {
    const folder = mkdtempSync(join(tmpdir(), "starling-bench-"));
    const label = labelOf(scenario, parameters);
    const atExit = () => rmSync(folder, { recursive: true, force: true });
    if (!this.#options.keep) process.once("exit", atExit);
    try {
      const prepared = await scenario.prepare({ ...scenario.defaults, ...parameters }, folder);
      this.#progress.begins(label, prepared.notes);
      const runs = await this.#rounds(this.#contenders(prepared, daemons), folder);
      const references = new Map(REFERENCES.flatMap((name) => pair(name, runs.get(name))));
      const results = [...runs].map(([daemon, own]) => ({
        daemon,
        runs: own,
        summary: summarise(own, new Map([...references].filter(([name]) => name !== daemon))),
      }));
      return { scenario: scenario.name, label, parameters: { ...scenario.defaults, ...parameters }, daemons: results };
    } finally {
      process.off("exit", atExit);
      if (this.#options.keep) this.#progress.kept(folder);
      else atExit();
    }
  }

  async #rounds(contenders: readonly Companion[], folder: string): Promise<Map<string, Run[]>> {
    const runs = new Map<string, Run[]>(contenders.map(({ name }) => [name, []]));
    for (let round = 1; round <= this.#options.rounds; round++) {
      for (const contender of contenders) {
        const own = runs.get(contender.name) ?? [];
        // What failed once is not tried again: a hung daemon costs its time only once.
        if (own.some((run) => "failure" in run)) continue;
        const run = await this.#once(contender, round, join(folder, `${contender.name}-${round}`));
        own.push(run);
        this.#progress.ran(contender.name, run);
      }
    }
    return runs;
  }

  /** The daemons that have a part in it, and what else is measured. */
  #contenders(prepared: PreparedCase, daemons: readonly Daemon[]): Companion[] {
    const contenders: Companion[] = [];
    for (const daemon of daemons) {
      const why = prepared.cannot?.(daemon);
      if (why !== undefined) this.#progress.leftOut(daemon.name, why);
      else contenders.push({ name: daemon.name, run: (context) => prepared.run({ ...context, daemon }) });
    }
    return [...contenders, ...(prepared.beside ?? [])];
  }

  async #once(contender: Companion, round: number, folder: string): Promise<Run> {
    mkdirSync(folder);
    const { timeoutSeconds, tools } = this.#options;
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), timeoutSeconds * 1000);
    // A namespace for each run: no connection of the last one lingers in it.
    const namespace = await this.#newNamespace();
    const context: RunContext = { namespace, folder, tools, signal: timeout.signal };
    try {
      return { round, ...(await contender.run(context)) };
    } catch (error) {
      if (!(error instanceof BenchError)) throw error;
      return { round, failure: timeout.signal.aborted ? `no result in ${timeoutSeconds} s` : error.message };
    } finally {
      clearTimeout(timer);
      await namespace.close();
    }
  }
}

function labelOf(scenario: Scenario, parameters: Parameters): string {
  const all: Record<string, number | string> = {};
  for (const [name, value] of Object.entries(scenario.defaults)) {
    const chosen = parameters[name] ?? value;
    // Of words, only what differs from the usual needs saying.
    if (typeof value === "number" || chosen !== value) all[name] = chosen;
  }
  return [scenario.name, ...Object.entries(all).map(([name, value]) => `${name}=${value}`)].join(" ");
}

function pair<Value>(name: string, value: Value | undefined): [string, Value][] {
  return value === undefined ? [] : [[name, value]];
}
