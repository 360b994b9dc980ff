/** The table at the end: a block for each case, a line for each daemon, medians with their spread. */

import { type FigureName, figureNames, figureTitle, formatFigure } from "../figures.ts";
import type { CaseResult, DaemonResult, Results } from "../results.ts";

export function textReport(results: Results): string {
  const { machine, versions, rounds } = results;
  const lines = [
    `${machine.name}: ${machine.cores} cores of ${machine.cpu}, ${machine.memoryGigabytes} GB, ${machine.system}, ${machine.kernel}; load average ${machine.loadAverage.toFixed(1)}`,
    Object.entries(versions)
      .map(([daemon, version]) => `${daemon} ${version}`)
      .join(", "),
    `medians of ${rounds} round${rounds === 1 ? "" : "s"}${rounds === 1 ? "" : ", in brackets the least and the most"}; x: time, CPU and peak memory over that daemon's in the same round`,
  ];
  for (const result of results.cases) lines.push("", result.label, ...caseTable(result));
  return `${lines.join("\n")}\n`;
}

/** The figures that any daemon has in this case. */
export function figuresOf(result: CaseResult): FigureName[] {
  return figureNames.filter((name) => result.daemons.some(({ summary }) => summary.median[name] !== undefined));
}

/** Those that are compared with other daemons' where a case has them. */
const COMPARED: readonly FigureName[] = ["seconds", "cpuSeconds", "peakMegabytes"];

function caseTable(result: CaseResult): string[] {
  const figures = figuresOf(result);
  const references = [...new Set(result.daemons.flatMap(({ summary }) => Object.keys(summary.ratios)))];
  const rows = result.daemons.map((entry) => {
    const failure = failureOf(entry);
    if (failure !== undefined) return [entry.daemon, failure];
    const values = figures.map((name) => withSpread(entry, name));
    return [entry.daemon, ...references.map((reference) => ratiosText(entry, reference)), ...values];
  });
  return aligned([["daemon", ...references.map((name) => `x ${name}`), ...figures.map(figureTitle)], ...rows]);
}

/** "0.33 / 1.00 / 14.8": time, CPU and peak memory. */
function ratiosText({ summary }: DaemonResult, reference: string): string {
  const ratios = summary.ratios[reference];
  if (ratios === undefined) return "";
  return COMPARED.map((name) => ratios[name]?.toPrecision(3) ?? "-").join(" / ");
}

/** Undefined where at least one run gave figures. */
export function failureOf({ runs }: DaemonResult): string | undefined {
  const failures = runs.flatMap((run) => ("failure" in run ? [run.failure] : []));
  return failures.length === runs.length ? failures[0] : undefined;
}

function withSpread({ summary, runs }: DaemonResult, name: FigureName): string {
  const middle = summary.median[name];
  if (middle === undefined) return "";
  const text = formatFigure(name, middle);
  const [least, most] = [summary.minimum[name] ?? middle, summary.maximum[name] ?? middle];
  return runs.length === 1 || least === most
    ? text
    : `${text} (${formatFigure(name, least)}-${formatFigure(name, most)})`;
}

/** The first column to the left, figures to the right; a row of two cells is a name and a sentence. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const sentences = rows.filter((row, index) => index > 0 && row.length === 2 && (rows[0]?.length ?? 0) > 2);
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (sentences.includes(row) && column > 0 ? 0 : (row[column] ?? "").length))),
  );
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      if (column === 0) return cell.padEnd(widths[0] ?? 0);
      return sentences.includes(row) ? cell : cell.padStart(widths[column] ?? 0);
    });
    return `  ${cells.join("  ").trimEnd()}`;
  });
}
