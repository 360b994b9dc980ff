/**
 * `npm test`: sets up what is missing, then checks the code and runs every test. The last line is the sum,
 * "N passed, N failed"; the exit status says the same.
 */

import { buildIfStale } from "./lib/build.mjs";
import { runChecks } from "./lib/checks.mjs";
import { installDebianPackages } from "./lib/debian.mjs";
import { setUp } from "./lib/setup.mjs";
import { runSuite, suites, summary } from "./lib/suites.mjs";
import { bold, marks, say, seconds } from "./lib/terminal.mjs";

/** All of it stays below half an hour, whatever hangs. */
const longest = AbortSignal.timeout(29 * 60_000);

// What stops before the tests (no network, a build that fails) must not look like a run without failures.
let lastLine = "0 passed, 1 failed";
process.on("exit", () => say(lastLine));

const started = performance.now();
await setUp();
await installDebianPackages();
await buildIfStale();
const isRoot = process.getuid?.() === 0;

say(bold("\ncode"));
const checks = await runChecks({ withTests: false });
const total = { passed: checks.passed.length, failed: checks.failed.length, skipped: 0 };
for (const suite of suites) {
  if (suite.privileged && !isRoot) {
    say(`\n${marks.skipped} ${suite.name} tests are skipped: they need root, for network namespaces`);
    continue;
  }
  if (longest.aborted) {
    say(`${marks.failed} ${suite.name}: no time left`);
    total.failed += 1;
    continue;
  }
  const counts = await runSuite(suite, longest);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}

say(`\n${seconds(performance.now() - started)}; reports are in test-results/`);
lastLine = summary(total);
process.exitCode = total.failed === 0 ? 0 : 1;
