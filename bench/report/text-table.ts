/** The table at the end: a block for each case, a line for each daemon. */

import type { CaseResult, Results } from "../results.ts";
import { caseRows, legend, machineText, versionsText } from "./case-rows.ts";
import { perRouteText } from "./per-route.ts";

export function textReport(results: Results): string {
  const lines = [machineText(results), versionsText(results), legend(results)];
  for (const result of results.cases) lines.push("", result.label, ...caseTable(result));
  const further = perRouteText(results);
  if (further !== undefined) lines.push("", further);
  return `${lines.join("\n")}\n`;
}

function caseTable(result: CaseResult): string[] {
  const { head, rows, notes } = caseRows(result);
  const cells = [head, ...rows.map((row) => ("cells" in row ? [row.daemon, ...row.cells] : [row.daemon]))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)));
  const lines = [
    line(head),
    ...rows.map((row, index) => ("cells" in row ? line(cells[index + 1] ?? []) : failed(row))),
  ];
  function failed({ daemon, failure }: { readonly daemon: string; readonly failure: string }): string[] {
    return [daemon.padEnd(widths[0] ?? 0), failure];
  }
  return [...lines.map((parts) => `  ${parts.join("  ").trimEnd()}`), ...notes.map((note) => `  ${note}`)];
}
