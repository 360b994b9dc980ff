import { describe, expect, it } from "vitest";
import { median, type Run, summarise } from "../../../bench/statistics.ts";

const run = (round: number, seconds: number, peakMegabytes?: number): Run => ({
  round,
  figures: peakMegabytes === undefined ? { seconds } : { seconds, peakMegabytes },
  notes: [],
});

describe("median", () => {
  it.each([
    ["of three", [3, 1, 2], 2],
    ["of an even number", [4, 1, 3, 2], 2.5],
    ["of one", [7], 7],
    ["of none", [], Number.NaN],
  ])("%s", (_name, values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe("summary of runs", () => {
  it("has median, least and most of each figure", () => {
    const { median: middle, minimum, maximum } = summarise([run(1, 3, 10), run(2, 1, 30), run(3, 2, 20)], new Map());
    expect(middle).toEqual({ seconds: 2, peakMegabytes: 20 });
    expect(minimum).toEqual({ seconds: 1, peakMegabytes: 10 });
    expect(maximum).toEqual({ seconds: 3, peakMegabytes: 30 });
  });

  it("takes ratios within a round, and of these the median", () => {
    const ours = [run(1, 10), run(2, 2), run(3, 3)];
    const theirs = [run(1, 10), run(2, 1), run(3, 30)];
    // 1, 2 and 0.1: the ratio of the medians would be 3 / 10.
    expect(summarise(ours, new Map([["bird", theirs]])).ratios).toEqual({ bird: { seconds: 1 } });
  });

  it("leaves out failed runs, on either side, and figures that are zero", () => {
    const ours: Run[] = [run(1, 4), { round: 2, failure: "no result in 60 s" }, run(3, 6)];
    const theirs: Run[] = [run(1, 2), run(2, 1), { round: 3, failure: "ended" }];
    const { median: middle, ratios } = summarise(
      ours,
      new Map([
        ["bird", theirs],
        ["frr", [run(1, 0), run(3, 3)]],
      ]),
    );
    expect(middle).toEqual({ seconds: 5 });
    expect(ratios).toEqual({ bird: { seconds: 2 }, frr: { seconds: 2 } });
  });
});
