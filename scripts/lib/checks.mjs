/** The checks of the code: format and lint, types, dependency rules, unused code, file rules and the unit tests. */

import { availableParallelism } from "node:os";
import { fileProblems } from "./file-rules.mjs";
import { root, run, tool } from "./run.mjs";
import { marks, say, stepLine } from "./terminal.mjs";

const plain = { FORCE_COLOR: "0", NO_COLOR: "1" };

const unitTests = {
  name: "unit tests",
  run: () => run([...tool("vitest", "vitest.mjs"), "run", "--project", "unit"], { env: plain }),
};

/** In the order of their length, the longest first, so that two processors end at about the same time. */
const steps = [
  unitTests,
  { name: "types", run: () => run([...tool("typescript", "bin", "tsc"), "--project", "."], { env: plain }) },
  { name: "unused code", run: () => run([...tool("knip", "bin", "knip.js"), "--no-progress"], { env: plain }) },
  {
    name: "dependency rules",
    run: () =>
      run(
        [
          ...tool("dependency-cruiser", "bin", "dependency-cruise.mjs"),
          ...["--config", ".dependency-cruiser.cjs", "--no-progress", "src", "test", "bench", "lab"],
        ],
        { env: plain },
      ),
  },
  {
    name: "format and lint",
    run: () => run([...tool("@biomejs", "biome", "bin", "biome"), "check", "--error-on-warnings", "."], { env: plain }),
  },
  { name: "file rules", run: checkFiles },
];

async function checkFiles() {
  const started = performance.now();
  const problems = fileProblems(root);
  return {
    status: problems.length === 0 ? 0 : 1,
    output: problems.map((line) => `${line}\n`).join(""),
    milliseconds: performance.now() - started,
  };
}

/**
 * Prints each step as it ends, the output of a step only where it failed. Returns the names of either kind.
 * @param {{withTests: boolean}} options
 */
export async function runChecks({ withTests }) {
  const waiting = steps.filter((step) => withTests || step !== unitTests);
  const passed = [];
  const failed = [];
  const worker = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const { status, output, milliseconds } = await step.run();
      say(stepLine(status === 0 ? marks.passed : marks.failed, step.name, milliseconds));
      (status === 0 ? passed : failed).push(step.name);
      if (status !== 0) say(output.trimEnd().replace(/^/gm, "    "));
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
  return { passed, failed };
}
