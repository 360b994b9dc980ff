/** Medians and spreads of rounds, and ratios between daemons of the same round. */

import { type FigureName, type Figures, figureNames } from "./figures.ts";

/** What one daemon did in one round. */
export type Run =
  | { readonly round: number; readonly figures: Figures; readonly notes: readonly string[] }
  | { readonly round: number; readonly failure: string };

export interface Summary {
  readonly median: Figures;
  readonly minimum: Figures;
  readonly maximum: Figures;
  /** By reference daemon: this one's figure over that one's, of the same round, and of these the median. */
  readonly ratios: Readonly<Record<string, Figures>>;
}

/** The mean of the middle two where there is no middle one; NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] ?? Number.NaN;
  return Number.isInteger(half) ? ((sorted[half - 1] ?? Number.NaN) + upper) / 2 : upper;
}

/** `references`: the runs of the daemons that this one is compared with. */
export function summarise(runs: readonly Run[], references: ReadonlyMap<string, readonly Run[]>): Summary {
  const measured = runs.flatMap((run) => ("figures" in run ? [run] : []));
  const over = (combine: (values: readonly number[]) => number): Figures =>
    eachFigure((name) => {
      const values = measured.flatMap(({ figures }) => figures[name] ?? []);
      return values.length === 0 ? undefined : combine(values);
    });
  const ratios: Record<string, Figures> = {};
  for (const [daemon, others] of references) {
    ratios[daemon] = eachFigure((name) => {
      const values = measured.flatMap(({ round, figures }) => {
        const other = others.find((run) => run.round === round);
        const theirs = other !== undefined && "figures" in other ? other.figures[name] : undefined;
        const ours = figures[name];
        return theirs === undefined || theirs === 0 || ours === undefined ? [] : [ours / theirs];
      });
      return values.length === 0 ? undefined : median(values);
    });
  }
  return {
    median: over(median),
    minimum: over((values) => Math.min(...values)),
    maximum: over((values) => Math.max(...values)),
    ratios,
  };
}

function eachFigure(value: (name: FigureName) => number | undefined): Figures {
  const figures: Partial<Record<FigureName, number>> = {};
  for (const name of figureNames) {
    const found = value(name);
    if (found !== undefined) figures[name] = found;
  }
  return figures;
}
