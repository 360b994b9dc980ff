import { describe, expect, it } from "vitest";
import { logScale } from "../../../bench/plot/log-scale.ts";
import { barsOf, plotsOf } from "../../../bench/plot/plots.ts";
import { markdownReport, replaceBetweenMarks } from "../../../bench/report/markdown.ts";
import { textReport } from "../../../bench/report/text-table.ts";
import type { CaseResult, Results } from "../../../bench/results.ts";
import { type Run, summarise } from "../../../bench/statistics.ts";

function caseOf(K: number, seconds: Readonly<Record<string, number | string>>): CaseResult {
  const runs = new Map(
    Object.entries(seconds).map(([daemon, value]): [string, Run[]] => [
      daemon,
      [
        typeof value === "string"
          ? { round: 1, failure: value }
          : {
              round: 1,
              figures: { seconds: value, cpuSeconds: value, peakMegabytes: 30, lagP50: 0.1, lagP99: 2, lagMax: 3 },
              notes: daemon === "bird" ? ["a remark"] : [],
            },
      ],
    ]),
  );
  const daemons = [...runs].map(([daemon, own]) => ({
    daemon,
    runs: own,
    summary: summarise(own, new Map(daemon === "bird" ? [] : [["bird", runs.get("bird") ?? []]])),
  }));
  return { scenario: "reflect", label: `reflect K=${K} P=4`, parameters: { K, P: 4, family: "ipv4" }, daemons };
}

const results: Results = {
  startedAt: "2026-01-01T00:00:00.000Z",
  machine: {
    name: "host",
    cpu: "a CPU",
    cores: 2,
    memoryGigabytes: 8,
    kernel: "Linux 6",
    system: "Debian",
    loadAverage: 0,
  },
  versions: { starling: "1.0.0 on Node 20", bird: "2.0" },
  rounds: 1,
  cases: [
    caseOf(100, { starling: 0.5, bird: 1, frr: 2 }),
    caseOf(1000, { starling: 5, bird: 10, frr: 20 }),
    caseOf(4000, { starling: 20, bird: 160, frr: "no result in 60 s" }),
  ],
};

describe("tables of results", () => {
  it("the terminal's has ratios, remarks, and what failed", () => {
    const lines = textReport(results).split("\n");
    expect(lines.find((line) => line.includes("starling  0.50 / 0.50 / 1.00"))).toContain("0.500");
    expect(lines).toContain("  bird: a remark");
    expect(lines).toContain("  frr       no result in 60 s");
  });

  it("the one in Markdown has a row for each daemon, all of as many cells as the head", () => {
    const rows = markdownReport({ ...results, cases: results.cases.slice(0, 1) })
      .split("\n")
      .filter((line) => line.startsWith("|"));
    expect(rows).toHaveLength(5);
    expect(new Set(rows.map((row) => row.split("|").length)).size).toBe(1);
  });

  it("goes between its marks, and says when there are none", () => {
    const document = "before\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nafter\n";
    expect(replaceBetweenMarks(document, "x", "new\n")).toBe(
      "before\n<!-- bench:x -->\n\nnew\n\n<!-- /bench:x -->\nafter\n",
    );
    expect(() => replaceBetweenMarks(document, "y", "new")).toThrow("no marks <!-- bench:y -->");
  });
});

describe("plots of results", () => {
  it("a sweep becomes a line for each daemon that has results", () => {
    const plots = plotsOf(results);
    expect([...plots.keys()]).toEqual(["clients-time.svg", "clients-cpu.svg", "clients-memory.svg"]);
    const svg = plots.get("clients-time.svg") ?? "";
    expect(svg.match(/<polyline/g)).toHaveLength(3);
    // Three points, and two where a run failed.
    expect(
      [...svg.matchAll(/<polyline class="line" points="([^"]*)"/g)].map(([, points]) => points?.split(" ").length),
    ).toEqual([3, 3, 2]);
    expect(svg).toContain("prefers-color-scheme:dark");
  });

  it("less than three points are none", () => {
    expect(plotsOf({ ...results, cases: results.cases.slice(0, 2) }).size).toBe(0);
  });

  it("cases become bars with their figures", () => {
    const svg = barsOf(results).get("bars-time.svg") ?? "";
    expect(svg.match(/class="bar"/g)).toHaveLength(8);
    expect(svg).toContain(">160.000 s<");
  });

  it("a logarithmic axis keeps proportions and has round ticks", () => {
    const scale = logScale([10, 1000], 0, 100);
    expect(scale.place(100)).toBeCloseTo(50);
    expect(scale.place(10)).toBeGreaterThan(0);
    expect(scale.ticks).toEqual([10, 30, 100, 300, 1000]);
  });
});
