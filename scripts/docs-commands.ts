/** Writes the generated parts of docs/commands.md; with --check it only says whether they are up to date. */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CommandsDocument } from "./lib/commands-document.ts";

const path = fileURLToPath(new URL("../docs/commands.md", import.meta.url));
const document = new CommandsDocument();
const before = readFileSync(path, "utf8");
const after = await document.refresh(before);
await document.close();

if (before === after) console.log("docs/commands.md is up to date");
else if (process.argv.includes("--check")) {
  console.error("docs/commands.md is stale: run `npx tsx scripts/docs-commands.ts` and commit what it changes");
  process.exitCode = 1;
} else {
  writeFileSync(path, after);
  console.log("docs/commands.md is rewritten");
}
