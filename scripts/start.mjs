/** `npm start`: sets up, builds, and becomes `starling run`; what follows `--` goes to it (`npm start -- -c FILE`). */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildIfStale } from "./lib/build.mjs";
import { root } from "./lib/run.mjs";
import { setUp } from "./lib/setup.mjs";

await setUp();
await buildIfStale();

// In this process rather than a child, so that signals and the terminal are starling's own.
const executable = join(root, "bin", "starling.mjs");
process.argv = [process.execPath, executable, "run", ...process.argv.slice(2)];
// npm changes to the checkout; a relative FILE is relative to where the user stood.
if (process.env.INIT_CWD) process.chdir(process.env.INIT_CWD);
await import(pathToFileURL(executable).href);
