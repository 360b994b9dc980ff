/** A logarithmic axis: places of values, and ticks at round numbers. */

export interface LogScale {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  place(value: number): number;
}

/** Covers all values, from `start` to `end` on the page. Values must be above zero. */
export function logScale(values: readonly number[], start: number, end: number): LogScale {
  const from = Math.min(...values);
  const to = Math.max(...values);
  // Some room on both sides, so that no mark sits on the frame.
  const [low, high] = [Math.log10(from) - MARGIN, Math.log10(to) + MARGIN];
  const place = (value: number) => start + ((Math.log10(value) - low) / (high - low)) * (end - start);
  const decades = high - low;
  const steps = decades < 1.5 ? [1, 2, 5] : decades < 2.5 ? [1, 3] : [1];
  const ticks: number[] = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    for (const step of steps) {
      const tick = step * 10 ** power;
      if (Math.log10(tick) >= low && Math.log10(tick) <= high) ticks.push(tick);
    }
  }
  return { from: 10 ** low, to: 10 ** high, ticks, place };
}

const MARGIN = 0.12;
