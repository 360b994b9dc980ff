/**
 * `npm run bench`: measures starling beside other BGP daemons. bench/RESULTS.md has what came of it, `npm run bench -- --help`
 * its scenarios and options.
 */

import { delimiter } from "node:path";
import { buildIfStale } from "./lib/build.mjs";
import { setUp } from "./lib/setup.mjs";

const needsNoBuild = process.argv.some((word) => /^(-h|--help|--starling(=.*)?)$/.test(word));
await setUp();
if (!needsNoBuild) await buildIfStale();
// The benchmark is TypeScript, and shares the product's encoder.
const { register } = await import("tsx/esm/api");
register();
// Not every root has the folders of system administration on its PATH; bird is there.
process.env.PATH = [process.env.PATH, "/usr/local/sbin", "/usr/sbin", "/sbin"].join(delimiter);
const { runBench } = await import("../bench/program.ts");
process.exit(await runBench(process.argv.slice(2)));
