/** A case as rows of text: what the table on the terminal and the one in Markdown both show. */

import { type FigureName, figureNames, figureTitle, formatFigure } from "../figures.ts";
import type { CaseResult, DaemonResult, Results } from "../results.ts";

export interface CaseRows {
  readonly head: readonly string[];
  readonly rows: readonly CaseRow[];
  /** What the runs remarked, once each. */
  readonly notes: readonly string[];
}

export type CaseRow =
  | { readonly daemon: string; readonly cells: readonly string[] }
  | { readonly daemon: string; readonly failure: string };

/** In the file alone: of use when a figure surprises. The lag has a column of its own. */
const UNSHOWN: readonly FigureName[] = ["firstSeconds", "generatorBusy", "lagP50", "lagP99", "lagMax"];
const LAG: readonly FigureName[] = ["lagP50", "lagP99", "lagMax"];
/** Those that are set against other daemons'. */
const COMPARED = {
  seconds: "time",
  cpuSeconds: "CPU",
  peakMegabytes: "memory",
  latencyP50: "p50",
  latencyP99: "p99",
} as const satisfies Partial<Record<FigureName, string>>;
type Compared = keyof typeof COMPARED;
const comparedNames = Object.keys(COMPARED) as readonly Compared[];

export function caseRows(result: CaseResult): CaseRows {
  const has = (name: FigureName) => result.daemons.some(({ summary }) => summary.median[name] !== undefined);
  const figures = figureNames.filter((name) => has(name) && !UNSHOWN.includes(name));
  const compared = comparedNames.filter(has);
  const references = [...new Set(result.daemons.flatMap(({ summary }) => Object.keys(summary.ratios)))];
  const lag = LAG.some(has) ? ["loop lag p50/p99/max ms"] : [];
  const head = [
    "daemon",
    ...references.map((name) => `x ${name}: ${compared.map((each) => COMPARED[each]).join(" / ")}`),
    ...figures.map(figureTitle),
    ...lag,
  ];
  const rows = result.daemons.map((entry): CaseRow => {
    const failure = failureOf(entry);
    if (failure !== undefined) return { daemon: entry.daemon, failure };
    const ratios = references.map((reference) => ratiosText(entry, reference, compared));
    const values = figures.map((name) => withSpread(entry, name));
    return { daemon: entry.daemon, cells: [...ratios, ...values, ...lag.map(() => lagText(entry))] };
  });
  return { head, rows, notes: notesOf(result) };
}

/** Undefined where at least one run gave figures. */
export function failureOf({ runs }: DaemonResult): string | undefined {
  const failures = runs.flatMap((run) => ("failure" in run ? [run.failure] : []));
  return failures.length === runs.length ? failures[0] : undefined;
}

/** "vm: 2 cores of …" */
export function machineText({ machine }: Results): string {
  const { name, cores, cpu, memoryGigabytes, system, kernel, loadAverage } = machine;
  return `${name}: ${cores} cores of ${cpu}, ${memoryGigabytes} GB, ${system}, ${kernel}; load average ${loadAverage.toFixed(1)}`;
}

/** "starling 0.1.0 on Node 20.20.2, bird 2.0.12" */
export function versionsText({ versions }: Results): string {
  return Object.entries(versions)
    .map(([daemon, version]) => `${daemon} ${version}`)
    .join(", ");
}

/** How to read the cells. */
export function legend({ rounds }: Results): string {
  const spread = rounds === 1 ? "one round" : `medians of ${rounds} rounds, in brackets the least and the most`;
  return `${spread}; "x": over that daemon's figure in the same round; memory is peak resident, 1 MB = 10^6 octets`;
}

/** "0.33 / 1.00 / 14.8" */
function ratiosText({ summary }: DaemonResult, reference: string, compared: readonly FigureName[]): string {
  const ratios = summary.ratios[reference];
  if (ratios === undefined) return "";
  return compared.map((name) => ratioText(ratios[name])).join(" / ");
}

function ratioText(value: number | undefined): string {
  if (value === undefined) return "-";
  return value.toFixed(value < 0.1 ? 3 : value < 10 ? 2 : 1);
}

function lagText({ summary }: DaemonResult): string {
  if (summary.median.lagMax === undefined) return "";
  return LAG.map((name) => formatFigure(name, summary.median[name] ?? 0)).join(" / ");
}

function withSpread({ summary, runs }: DaemonResult, name: FigureName): string {
  const middle = summary.median[name];
  if (middle === undefined) return "";
  const text = formatFigure(name, middle);
  const least = formatFigure(name, summary.minimum[name] ?? middle);
  const most = formatFigure(name, summary.maximum[name] ?? middle);
  return runs.length === 1 || least === most ? text : `${text} (${least}-${most})`;
}

function notesOf(result: CaseResult): string[] {
  const notes = result.daemons.flatMap(({ daemon, runs }) =>
    runs.flatMap((run) => ("notes" in run ? run.notes.map((note) => `${daemon}: ${note}`) : [])),
  );
  return [...new Set(notes)];
}
