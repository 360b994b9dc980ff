/** `npm run check`: format and lint, types, dependency rules, unused code, file rules and unit tests. Seconds, no services. */

import { availableParallelism } from "node:os";
import { fileProblems } from "./lib/file-rules.mjs";
import { root, run, tool } from "./lib/run.mjs";
import { bold, marks, red, say, seconds, stepLine } from "./lib/terminal.mjs";

const plain = { FORCE_COLOR: "0", NO_COLOR: "1" };

/** In the order of their length, the longest first, so that two processors end at about the same time. */
const steps = [
  { name: "unit tests", run: () => run([...tool("vitest", "vitest.mjs"), "run", "--project", "unit"], { env: plain }) },
  { name: "types", run: () => run([...tool("typescript", "bin", "tsc"), "--project", "."], { env: plain }) },
  { name: "unused code", run: () => run([...tool("knip", "bin", "knip.js"), "--no-progress"], { env: plain }) },
  {
    name: "dependency rules",
    run: () =>
      run(
        [
          ...tool("dependency-cruiser", "bin", "dependency-cruise.mjs"),
          ...["--config", ".dependency-cruiser.cjs", "--no-progress", "src", "test", "bench"],
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

/** Prints each step as it ends; the output of a step only where it failed. Returns the names of those. */
async function runAll() {
  const waiting = [...steps];
  const failed = [];
  const worker = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const { status, output, milliseconds } = await step.run();
      if (status === 0) {
        say(stepLine(marks.passed, step.name, milliseconds));
      } else {
        failed.push(step.name);
        say(stepLine(marks.failed, step.name, milliseconds));
        say(output.trimEnd().replace(/^/gm, "    "));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
  return failed;
}

const started = performance.now();
const failed = await runAll();
const took = seconds(performance.now() - started);
if (failed.length > 0) {
  say(red(`check failed after ${took}: ${failed.join(", ")}`));
  process.exit(1);
}
say(bold(`check passed in ${took}`));
