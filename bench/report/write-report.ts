/** `npm run bench -- report`: tables into bench/RESULTS.md, plots into docs/images. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BenchError } from "../bench-error.ts";
import { barsOf, plotsOf } from "../plot/plots.ts";
import type { Results } from "../results.ts";
import { goalsTable } from "./goals-table.ts";
import { markdownReport, replaceBetweenMarks } from "./markdown.ts";

const document = fileURLToPath(new URL("../RESULTS.md", import.meta.url));
const images = fileURLToPath(new URL("../../docs/images/", import.meta.url));

/**
 * Each file's tables stand between marks of its own name: those of results.json between `<!-- bench:results -->` and its end.
 * Sweeps become lines; the first file that has none becomes bars. Throws a BenchError for a file that cannot be read.
 */
export function writeReport(files: readonly string[], say: (line: string) => void): void {
  let markdown = readFileSync(document, "utf8");
  mkdirSync(images, { recursive: true });
  const plots = new Map<string, string>();
  for (const file of files) {
    const results = readResults(file);
    const name = basename(file, ".json");
    const lines = plotsOf(results);
    // A sweep goes where no goal was set.
    const goals = lines.size > 0 ? "" : goalsTable(results, "starling");
    const sections = goals === "" ? [] : [`### Goals\n\n${goals}`];
    markdown = replaceBetweenMarks(markdown, name, [markdownReport(results), ...sections].join("\n"));
    const drawn = lines.size > 0 ? lines : barsOf(results);
    for (const [name, svg] of drawn) if (!plots.has(name)) plots.set(name, svg);
  }
  writeFileSync(document, markdown);
  for (const [name, svg] of plots) writeFileSync(join(images, name), svg);
  say(`written: bench/RESULTS.md${[...plots.keys()].map((name) => `, docs/images/${name}`).join("")}`);
}

function readResults(file: string): Results {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Results;
  } catch (error) {
    throw new BenchError(`${file} holds no results: ${error instanceof Error ? error.message : error}`);
  }
}
