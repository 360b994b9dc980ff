/** Which goals the results reach, as a table in Markdown. */

import { figureTitle } from "../figures.ts";
import { type Verdict, verdicts } from "../goals.ts";
import type { Results } from "../results.ts";

/** Empty where the results hold nothing that has a goal. */
export function goalsTable(results: Results, daemon: string): string {
  const found = verdicts(results, daemon);
  if (found.length === 0) return "";
  const rows = found.map((verdict) => {
    const { label, must, aim, least, value, reached } = verdict;
    const limit = (number: number | undefined) =>
      number === undefined ? "" : `${least ? "≥" : "≤"} ${numberText(number)}`;
    return `| ${label} | ${whatOf(verdict)} | ${limit(must)} | ${limit(aim)} | ${numberText(value)} | ${reached === "no" ? "**no**" : reached} |`;
  });
  return `| case | figure | must | aim | measured | reached |\n| --- | --- | ---: | ---: | ---: | --- |\n${rows.join("\n")}\n`;
}

function whatOf({ figure, over }: Verdict): string {
  const title = figure === "octetsPerRoute" ? "octets of peak memory for a further route" : figureTitle(figure);
  return over === undefined ? title : `${title.replace(/ (s|MB|ms)$/, "")}, over ${over}'s`;
}

function numberText(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : value < 1000 ? 1 : 0 });
}
