#!/usr/bin/env node
/** birdcl: BIRD's client by its own name, for starling's `control.birdSocket`; starts what `npm run build` made. */

import { existsSync } from "node:fs";

const built = new URL("../dist/birdcl.mjs", import.meta.url);

if (existsSync(built)) await import(built.href);
else {
  process.stderr.write("birdcl: starling is not built yet: run `npm run build` in its checkout\n");
  process.exitCode = 1;
}
