/** House rules for files that no linter has: one idea a file, so at most 400 lines, named for it, introduced by a sentence. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const folders = ["src", "test", "bench", "lab", "scripts", "bin"];
const longest = 400;

/**
 * Returns what is wrong, one line each.
 * @param {string} root
 * @returns {string[]}
 */
export function fileProblems(root) {
  const problems = [];
  for (const folder of folders) {
    for (const path of sourceFiles(join(root, folder))) {
      const name = relative(root, path);
      const text = readFileSync(path, "utf8");
      const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
      if (lines > longest) problems.push(`${name}: ${lines} lines, at most ${longest}: split it by idea`);
      if (/(^|\/)(index|utils?|helpers?|misc|common)\.[a-z]+$/.test(name)) {
        problems.push(`${name}: name the file for its one idea`);
      }
      // A test says what it is about in its outermost describe.
      if (!name.endsWith(".test.ts") && !/^(#!.*\n)?\/\*\*/.test(text)) {
        problems.push(`${name}: the first line says in a sentence what the file is`);
      }
    }
  }
  return problems;
}

function sourceFiles(folder) {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|mjs|cjs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}
