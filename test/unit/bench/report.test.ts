import { describe, expect, it } from "vitest";
import { verdicts } from "../../../bench/goals.ts";
import { logScale } from "../../../bench/plot/log-scale.ts";
import { barsOf, plotsOf } from "../../../bench/plot/plots.ts";
import { goalsTable } from "../../../bench/report/goals-table.ts";
import { markdownReport, replaceBetweenMarks } from "../../../bench/report/markdown.ts";
import { perRoute } from "../../../bench/report/per-route.ts";
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
    expect(lines.find((line) => /^ {2}starling +0\.50 \/ 0\.50 \/ 1\.00 /.test(line))).toContain("0.500");
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

describe("goals", () => {
  const withLag = (seconds: Readonly<Record<string, number>>) => ({ ...results, cases: [caseOf(1000, seconds)] });

  it("compares with another daemon in the same round, and tells the aim from the must", () => {
    const ten = { ...withLag({ starling: 1, bird: 20 }) };
    const cases = ten.cases.map((one) => ({ ...one, parameters: { K: 1000, P: 10, family: "ipv4" } }));
    const found = verdicts({ ...ten, cases }, "starling");
    expect(found.map(({ figure, over, value, reached }) => [figure, over, value, reached])).toEqual([
      ["seconds", "bird", 0.05, "must"],
      ["cpuSeconds", "bird", 0.05, "must"],
      ["peakMegabytes", undefined, 30, "aim"],
      ["lagP99", undefined, 2, "aim"],
    ]);
  });

  it("says what is not reached, and nothing of what was not measured", () => {
    const base = withLag({ starling: 30, bird: 20 });
    const cases = base.cases.map((one) => ({
      ...one,
      scenario: "full",
      parameters: { M: 200_000, S: 4, R: 4, family: "ipv4" },
    }));
    expect(verdicts({ ...base, cases }, "starling").map(({ figure, reached }) => [figure, reached])).toEqual([
      ["seconds", "no"],
      ["lagP99", "aim"],
    ]);
    expect(verdicts({ ...base, cases }, "gobgpd")).toEqual([]);
    expect(goalsTable({ ...base, cases }, "starling")).toContain("| time, over bird's | ≤ 1 | ≤ 0.5 | 1.5 | **no** |");
  });

  it("a further route is what two tables differ by", () => {
    const sized = (M: number, peakMegabytes: number): CaseResult => {
      const runs: Run[] = [{ round: 1, figures: { peakMegabytes }, notes: [] }];
      const summary = summarise(runs, new Map());
      const parameters = { M, S: 1, R: 1, family: "ipv4" };
      return { scenario: "full", label: `full M=${M}`, parameters, daemons: [{ daemon: "starling", runs, summary }] };
    };
    const two = { ...results, cases: [sized(1_000_000, 180), sized(200_000, 100)] };
    expect(perRoute(two)).toEqual({ from: 200_000, to: 1_000_000, daemons: [{ daemon: "starling", octets: 100 }] });
    expect(perRoute({ ...two, cases: two.cases.slice(1) })).toBeUndefined();
    expect(verdicts(two, "starling").at(-1)).toMatchObject({ figure: "octetsPerRoute", value: 100, reached: "must" });
  });
});
