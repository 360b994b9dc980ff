/** `npm run docs:interop`: writes docs/interop.md from what the interop tests of the last run proved. */

import { readFileSync, writeFileSync } from "node:fs";
import { interopTable } from "./lib/interop-table.ts";
import { root } from "./lib/run.mjs";
import { fail, say } from "./lib/terminal.mjs";

const results = `${root}/test-results/interop.jsonl`;

let text: string;
try {
  text = readFileSync(results, "utf8");
} catch {
  fail("no results of interop tests: run `npm test` first, as root where network namespaces can be made");
}
writeFileSync(
  `${root}/docs/interop.md`,
  interopTable(
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  ),
);
say("docs/interop.md written");
