import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Results } from "../../bench/results.ts";
import { scenarios } from "../../bench/scenarios/catalogue.ts";
import { mrtFile } from "../harness/mrt.ts";
import { canMakeNetworks } from "../harness/netns.ts";
import { findProgram } from "../harness/process.ts";

const script = fileURLToPath(new URL("../../scripts/bench.mjs", import.meta.url));
const hasBird = findProgram("bird") !== undefined;
const canMeasure = canMakeNetworks() && process.getuid?.() === 0 && findProgram("cc", "gcc", "clang") !== undefined;
const usual = hasBird ? ["starling", "bird"] : ["starling"];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "starling-bench-test-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function bench(...words: readonly string[]): Promise<{ readonly results: Results; readonly output: string }> {
  const file = join(folder, `${words.join("-").replace(/[^a-z0-9]+/gi, "-")}.json`);
  const options = ["--scale", "small", "--rounds", "1", "--daemons", usual.join(","), "--json", file];
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...words, ...options], { timeout: 110_000 });
  return { results: JSON.parse(readFileSync(file, "utf8")), output: stdout };
}

/** No run may have failed, and each of its figures is a number; how large is another question. */
function expectFigures(results: Results, daemons: readonly string[]): void {
  for (const { label, daemons: measured } of results.cases) {
    const failures = measured.flatMap(({ daemon, runs }) =>
      runs.flatMap((run) => ("failure" in run ? [`${label}, ${daemon}: ${run.failure}`] : [])),
    );
    expect(failures).toEqual([]);
    expect(measured.map(({ daemon }) => daemon)).toEqual(expect.arrayContaining([...daemons]));
    for (const { summary, runs } of measured) {
      expect(runs).toHaveLength(1);
      const values = Object.values(summary.median);
      expect(values.length).toBeGreaterThan(0);
      expect(values.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
    }
  }
}

describe.runIf(canMeasure)("npm run bench, small: every scenario converges with every daemon", () => {
  for (const { name, cases } of scenarios) {
    it.runIf(name !== "mrt" || mrtFile(String(cases.small[0]?.["file"])) !== undefined)(name, async () => {
      const { results, output } = await bench(name);
      expect(results.cases).toHaveLength(cases.small.length);
      expectFigures(results, usual);
      expect(results.versions["starling"]).toMatch(/^\d+\.\d+\.\d+ on Node \d+/);
      for (const { label } of results.cases) expect(output).toContain(label);
    });
  }

  it("sweeps for the plots", async () => {
    const { results } = await bench("scaling");
    expect(results.cases.map(({ scenario }) => scenario)).toEqual(["reflect", "reflect", "full", "full"]);
    expectFigures(results, usual);
  });

  it("follows pods' routes from one kernel to peers and to another kernel", async () => {
    const words = ["pods", "--rate", "50", "--seconds", "1", "--peers", "2"];
    const { stdout } = await promisify(execFile)(process.execPath, [script, ...words], { timeout: 110_000 });
    for (const what of ["to each of 2 peers", "to the last of the peers", "to the kernel of another node"])
      expect(stdout).toMatch(new RegExp(`${what} +p50 +[0-9.]+ +p99 +[0-9.]+ +max +[0-9.]+\\n`));
    expect(stdout).toMatch(/CPU time for each: \d+ us on the pods' node, \d+ us on the other\n/);
  });

  it("leaves no namespace behind", async () => {
    await bench("reflect");
    const { stdout } = await promisify(execFile)("ip", ["netns", "list"]);
    const orphaned = stdout
      .split("\n")
      .flatMap((line) => /^starling-bench-(\d+)/.exec(line)?.[1] ?? [])
      .filter((pid) => !isAlive(Number(pid)));
    expect(orphaned).toEqual([]);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
