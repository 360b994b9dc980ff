/** What a run can measure, and how each figure is shown. */

interface FigureInfo {
  readonly title: string;
  readonly unit: string;
  readonly digits: number;
}

/** In the order of the table's columns. */
export const FIGURES = {
  seconds: { title: "time", unit: "s", digits: 3 },
  cpuSeconds: { title: "CPU", unit: "s", digits: 2 },
  peakMegabytes: { title: "peak memory", unit: "MB", digits: 0 },
  residentMegabytes: { title: "memory", unit: "MB", digits: 0 },
  firstSeconds: { title: "first receiver", unit: "s", digits: 3 },
  referenceSeconds: { title: "time without", unit: "s", digits: 3 },
  slowdown: { title: "with / without", unit: "", digits: 2 },
  latencyP50: { title: "latency p50", unit: "ms", digits: 2 },
  latencyP99: { title: "latency p99", unit: "ms", digits: 2 },
  latencyMax: { title: "latency max", unit: "ms", digits: 2 },
  lost: { title: "lost", unit: "", digits: 0 },
  cpuPercent: { title: "CPU", unit: "% of a core", digits: 2 },
  routesPerSecond: { title: "routes", unit: "/s", digits: 0 },
  updates: { title: "UPDATEs received", unit: "", digits: 0 },
  megabytes: { title: "received", unit: "MB", digits: 1 },
  lagP50: { title: "loop lag p50", unit: "ms", digits: 1 },
  lagP99: { title: "loop lag p99", unit: "ms", digits: 1 },
  lagMax: { title: "loop lag max", unit: "ms", digits: 1 },
  generatorBusy: { title: "generator busy", unit: "", digits: 2 },
} as const satisfies Record<string, FigureInfo>;

export type FigureName = keyof typeof FIGURES;

export type Figures = Readonly<Partial<Record<FigureName, number>>>;

export const figureNames = Object.keys(FIGURES) as readonly FigureName[];

/** "1.234", "62", "305,000". */
export function formatFigure(name: FigureName, value: number): string {
  const { digits } = FIGURES[name];
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** "time s". */
export function figureTitle(name: FigureName): string {
  const { title, unit } = FIGURES[name];
  return unit === "" ? title : `${title} ${unit}`;
}
