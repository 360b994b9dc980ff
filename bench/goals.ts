/** What starling is meant to reach, and whether results say that it does. */

import type { FigureName } from "./figures.ts";
import { perRoute } from "./report/per-route.ts";
import type { CaseResult, Results } from "./results.ts";
import type { Parameters } from "./scenarios/scenario.ts";

interface Goal {
  readonly scenario: string;
  /** Those of the cases that it holds for; all of the scenario's without. */
  readonly parameters?: Parameters;
  readonly figures: readonly FigureName[];
  /** Times that daemon's figure, in the same round; a figure in its own unit without. */
  readonly over?: "bird" | "frr";
  readonly must: number;
  readonly aim?: number;
  /** The figure has to be at least that large. */
  readonly least?: boolean;
}

const TIME: readonly FigureName[] = ["seconds", "cpuSeconds"];
const ONE_TO_ONE = { S: 1, R: 1 };

const GOALS: readonly Goal[] = [
  { scenario: "reflect", parameters: { K: 1000, P: 10 }, figures: TIME, over: "frr", must: 0.7, aim: 0.4 },
  { scenario: "reflect", parameters: { K: 1000, P: 10 }, figures: TIME, over: "bird", must: 0.1 },
  { scenario: "reflect", parameters: { K: 1000, P: 10 }, figures: ["peakMegabytes"], must: 110, aim: 80 },
  { scenario: "reflect", parameters: { K: 2000, P: 4 }, figures: ["peakMegabytes"], must: 110, aim: 80 },
  ...[200_000, 1_000_000].flatMap((M): Goal[] => [
    { scenario: "full", parameters: { ...ONE_TO_ONE, M }, figures: TIME, over: "bird", must: 1.3, aim: 1 },
    { scenario: "full", parameters: { ...ONE_TO_ONE, M }, figures: TIME, over: "frr", must: 0.5 },
  ]),
  { scenario: "full", parameters: { S: 4, R: 4 }, figures: ["seconds"], over: "bird", must: 1, aim: 0.5 },
  { scenario: "churn", figures: ["latencyP50", "latencyP99"], over: "bird", must: 1 },
  { scenario: "storm", figures: ["seconds"], over: "frr", must: 1, aim: 0.5 },
  { scenario: "slow", figures: ["slowdown"], must: 1.1 },
  { scenario: "kernel", figures: ["routesPerSecond"], must: 200_000, least: true },
  { scenario: "kernel", figures: ["seconds"], over: "bird", must: 1 },
  { scenario: "idle", figures: ["cpuPercent"], must: 2, aim: 1 },
  { scenario: "startup", parameters: { K: 10 }, figures: ["seconds"], must: 0.3, aim: 0.15 },
  { scenario: "startup", parameters: { K: 10 }, figures: ["residentMegabytes"], must: 60, aim: 50 },
  ...["reflect", "full", "mrt", "churn", "storm", "slow", "kernel"].map(
    (scenario): Goal => ({ scenario, figures: ["lagP99"], must: 10, aim: 5 }),
  ),
];
/** One route in and one out. */
const OCTETS_PER_ROUTE = { must: 120, aim: 80 };

export interface Verdict {
  /** "reflect K=1000 P=10" */
  readonly label: string;
  readonly figure: FigureName | "octetsPerRoute";
  readonly over: string | undefined;
  readonly must: number;
  readonly aim: number | undefined;
  readonly least: boolean;
  readonly value: number;
  readonly reached: "aim" | "must" | "no";
}

/** Of the daemon (a build of starling), for all that the results hold; medians, and medians of ratios. */
export function verdicts(results: Results, daemon: string): Verdict[] {
  const found = results.cases.flatMap((result) =>
    GOALS.filter((goal) => isMeant(goal, result)).flatMap((goal) => judged(goal, result, daemon)),
  );
  const octets = perRoute(results)?.daemons.find((entry) => entry.daemon === daemon)?.octets;
  if (octets === undefined) return found;
  const goal = { ...OCTETS_PER_ROUTE, least: false };
  const reached = reachedBy(octets, goal);
  return [...found, { label: "full", figure: "octetsPerRoute", over: undefined, ...goal, value: octets, reached }];
}

function isMeant({ scenario, parameters = {} }: Goal, result: CaseResult): boolean {
  return (
    scenario === result.scenario &&
    Object.entries(parameters).every(([name, value]) => result.parameters[name] === value)
  );
}

function judged({ figures, over, must, aim, least = false }: Goal, result: CaseResult, daemon: string): Verdict[] {
  const summary = result.daemons.find((entry) => entry.daemon === daemon)?.summary;
  return figures.flatMap((figure) => {
    const value = over === undefined ? summary?.median[figure] : summary?.ratios[over]?.[figure];
    if (value === undefined) return [];
    const reached = reachedBy(value, { must, aim, least });
    return [{ label: result.label, figure, over, must, aim, least, value, reached }];
  });
}

function reachedBy(
  value: number,
  { must, aim, least }: { readonly must: number; readonly aim: number | undefined; readonly least: boolean },
): Verdict["reached"] {
  const holds = (limit: number) => (least ? value >= limit : value <= limit);
  if (aim !== undefined && holds(aim)) return "aim";
  return holds(must) ? "must" : "no";
}
