/** Makes the checkout ready to run: checks Node, installs packages, builds. Does nothing where nothing has changed. */

import { buildIfStale } from "./lib/build.mjs";
import { setUp } from "./lib/setup.mjs";

await setUp();
await buildIfStale();
