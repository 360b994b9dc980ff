/** Runs the test suites, each with a report of its own, and adds them up. */

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, run, tool } from "./run.mjs";
import { bold, colourEnvironment, marks, say, seconds } from "./terminal.mjs";

/** Where each suite leaves `<name>.json`, and interop its table of what was proven against what. */
const resultsFolder = join(root, "test-results");

/**
 * From the quick to the slow: the cause of a failure shows in the first suite that it breaks. `privileged` ones live in
 * network namespaces throughout, which takes root.
 */
export const suites = [
  { name: "unit", project: "unit" },
  { name: "scenario", project: "unit" },
  { name: "kernel", project: "system", privileged: true },
  { name: "system", project: "system" },
  { name: "interop", project: "system", privileged: true },
];

/**
 * Runs one suite and shows its progress, one line a file.
 * @returns {Promise<{passed: number, failed: number, skipped: number}>}
 */
export async function runSuite({ name, project }, signal) {
  const report = join(resultsFolder, `${name}.json`);
  mkdirSync(resultsFolder, { recursive: true });
  rmSync(report, { force: true });
  if (name === "interop") rmSync(join(resultsFolder, "interop.jsonl"), { force: true });
  say(bold(`\n${name} tests`));
  const command = [...tool("vitest", "vitest.mjs"), "run", "--project", project, "--passWithNoTests", `test/${name}/`];
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const { status, milliseconds } = await run([...command, ...reporters], {
    inherit: true,
    signal,
    env: colourEnvironment,
  });
  const counts = countReport(report, status);
  const mark = counts.failed === 0 ? marks.passed : marks.failed;
  say(`${mark} ${name}: ${summary(counts)} in ${seconds(milliseconds)}`);
  return counts;
}

/** "12 passed, 0 failed, 3 skipped". */
export function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** A file that cannot be loaded fails without one failed test, and a run that was cut short leaves no report. */
function countReport(report, status) {
  let json;
  try {
    json = JSON.parse(readFileSync(report, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const broken = json.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = json.numFailedTests + broken;
  return {
    passed: json.numPassedTests,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: json.numPendingTests + json.numTodoTests,
  };
}
