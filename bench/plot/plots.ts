/** Which plots results give: cost against clients and against routes, and the main cases side by side. */

import { type FigureName, formatFigure } from "../figures.ts";
import { machineText } from "../report/case-rows.ts";
import type { CaseResult, Results } from "../results.ts";
import { barChart } from "./bar-chart.ts";
import { lineChart, type Series } from "./line-chart.ts";

/** Fewer are no line. */
const POINTS = 3;

const SWEEPS = [
  {
    scenario: "reflect",
    parameter: "K",
    file: "clients",
    xTitle: "clients (log)",
    what: "Reflecting 4 blocks of each client to all others",
  },
  {
    scenario: "full",
    parameter: "M",
    file: "routes",
    xTitle: "routes (log)",
    what: "A table from one peer to another",
  },
] as const;
const FIGURES = [
  { name: "seconds", file: "time", yTitle: "seconds until all have all (log)", what: "time" },
  { name: "cpuSeconds", file: "cpu", yTitle: "CPU seconds of the daemon (log)", what: "CPU time" },
  { name: "peakMegabytes", file: "memory", yTitle: "peak resident memory in MB (log)", what: "memory" },
] as const;
const BAR_FIGURES = [
  { name: "seconds", file: "bars-time", unit: "s", title: "Seconds until all have all" },
  { name: "peakMegabytes", file: "bars-memory", unit: "MB", title: "Peak resident memory" },
] as const;

/** File names (without folder) and documents; none for what the results do not hold. */
export function plotsOf(results: Results): Map<string, string> {
  const plots = new Map<string, string>();
  for (const sweep of SWEEPS) {
    const cases = results.cases.filter(({ scenario }) => scenario === sweep.scenario);
    for (const figure of FIGURES) {
      const series = seriesOf(sweepOf(cases, sweep.parameter), sweep.parameter, figure.name);
      if (series.length === 0) continue;
      plots.set(
        `${sweep.file}-${figure.file}.svg`,
        lineChart({
          title: `${sweep.what}: ${figure.what}`,
          subtitle: subtitle(results),
          xTitle: sweep.xTitle,
          yTitle: figure.yTitle,
          series,
        }),
      );
    }
  }
  return plots;
}

/** The cases of a whole benchmark as bars. */
export function barsOf(results: Results): Map<string, string> {
  const plots = new Map<string, string>();
  const cases = results.cases.filter(({ scenario }) => scenario === "reflect" || scenario === "full");
  for (const { name, file, unit, title } of BAR_FIGURES) {
    const groups = cases.map((result) => ({
      label: result.label,
      bars: result.daemons.flatMap(({ daemon, summary }) => {
        const value = summary.median[name];
        return value === undefined || value <= 0
          ? []
          : [{ daemon, value, text: `${formatFigure(name, value)} ${unit}` }];
      }),
    }));
    if (groups.length > 0)
      plots.set(`${file}.svg`, barChart({ title: `${title} (log)`, subtitle: subtitle(results), groups }));
  }
  return plots;
}

/** Those that differ from the first in this parameter alone. */
function sweepOf(cases: readonly CaseResult[], parameter: string): CaseResult[] {
  const rest = (result: CaseResult) => JSON.stringify({ ...result.parameters, [parameter]: undefined });
  const [first] = cases;
  return first === undefined ? [] : cases.filter((result) => rest(result) === rest(first));
}

function seriesOf(cases: readonly CaseResult[], parameter: string, figure: FigureName): Series[] {
  if (cases.length < POINTS) return [];
  const daemons = [...new Set(cases.flatMap((result) => result.daemons.map(({ daemon }) => daemon)))];
  return daemons.flatMap((daemon) => {
    const points = cases.flatMap((result) => {
      const value = result.daemons.find((entry) => entry.daemon === daemon)?.summary.median[figure];
      // Too little to be measured, or no result.
      return value === undefined || value <= 0 ? [] : [[Number(result.parameters[parameter]), value] as const];
    });
    return points.length === 0 ? [] : [{ daemon, points: points.toSorted(([a], [b]) => a - b) }];
  });
}

function subtitle(results: Results): string {
  return `medians of ${results.rounds}; ${machineText(results).replace(/;.*$/, "")}`;
}
