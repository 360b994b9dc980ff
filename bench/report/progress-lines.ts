/** What is printed while it runs: a line for each run, with the figures that matter most. */

import { type FigureName, figureTitle, formatFigure } from "../figures.ts";
import type { Progress } from "../runner.ts";

const shown: readonly FigureName[] = [
  "seconds",
  "cpuSeconds",
  "peakMegabytes",
  "residentMegabytes",
  "slowdown",
  "latencyP50",
  "latencyP99",
  "cpuPercent",
  "routesPerSecond",
  "lagP99",
  "lagMax",
  "generatorBusy",
];
const NAME_WIDTH = 18;

export function progressLines(say: (line: string) => void): Progress {
  return {
    begins(label, notes) {
      say(`\n${label}${notes.map((note) => `\n  (${note})`).join("")}`);
    },
    ran(daemon, run) {
      const head = `  round ${run.round}  ${daemon.padEnd(NAME_WIDTH)}`;
      if ("failure" in run) {
        say(`${head} ${run.failure}`);
        return;
      }
      const parts = shown.flatMap((name) => {
        const value = run.figures[name];
        return value === undefined ? [] : [`${figureTitle(name)} ${formatFigure(name, value)}`];
      });
      say(`${head} ${[...parts, ...run.notes].join(", ")}`);
    },
    leftOut(daemon, why) {
      say(`  ${daemon} is left out: ${why}`);
    },
    kept(folder) {
      say(`  configuration files and logs: ${folder}`);
    },
  };
}
