/** `npm run check`: all that can be known of a change in seconds, with no services and no privileges. */

import { runChecks } from "./lib/checks.mjs";
import { setUp } from "./lib/setup.mjs";
import { bold, red, say, seconds } from "./lib/terminal.mjs";

await setUp();
const started = performance.now();
const { failed } = await runChecks({ withTests: true });
const took = seconds(performance.now() - started);
say(failed.length === 0 ? bold(`check passed in ${took}`) : red(`check failed after ${took}: ${failed.join(", ")}`));
process.exitCode = failed.length === 0 ? 0 : 1;
