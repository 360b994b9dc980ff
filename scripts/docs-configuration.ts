/** Writes docs/configuration.md; with --check only says whether it is up to date. */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configurationReference } from "./configuration-reference.ts";

const path = fileURLToPath(new URL("../docs/configuration.md", import.meta.url));
const text = configurationReference();

if (process.argv.includes("--check")) {
  if (readFileSync(path, "utf8") !== text) {
    console.error("docs/configuration.md is stale: run npx tsx scripts/docs-configuration.ts");
    process.exitCode = 1;
  }
} else {
  writeFileSync(path, text);
}
