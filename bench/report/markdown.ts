/** Results as Markdown, put into a document between two marks. */

import { BenchError } from "../bench-error.ts";
import type { CaseResult, Results } from "../results.ts";
import { caseRows, legend, machineText, versionsText } from "./case-rows.ts";
import { perRouteText } from "./per-route.ts";

/** A heading and a table for each case. */
export function markdownReport(results: Results): string {
  const head = [`${machineText(results)}.`, `${versionsText(results)}.`, `Cells: ${legend(results)}.`];
  const further = perRouteText(results);
  const end = further === undefined ? [] : [`${further}\n`];
  return [`${head.join("\n")}\n`, ...results.cases.map(caseSection), ...end].join("\n");
}

function caseSection(result: CaseResult): string {
  const { head, rows, notes } = caseRows(result);
  const lines = [
    `### ${result.label}`,
    "",
    `| ${head.join(" | ")} |`,
    `| --- |${" ---: |".repeat(head.length - 1)}`,
    ...rows.map((row) => `| ${[row.daemon, ...("cells" in row ? row.cells : [row.failure])].join(" | ")} |`),
    ...(notes.length > 0 ? ["", ...notes.map((note) => `- ${note}`)] : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** Replaces what stands between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`. Throws a BenchError where a mark is missing. */
export function replaceBetweenMarks(document: string, name: string, text: string): string {
  const [open, close] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [document.indexOf(open), document.indexOf(close)];
  if (from < 0 || to < from) throw new BenchError(`the document has no marks ${open} and ${close}`);
  return `${document.slice(0, from + open.length)}\n\n${text.trim()}\n\n${document.slice(to)}`;
}
