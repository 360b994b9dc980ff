/** The file rules of `npm run check`, each proven by a planted violation. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { fileProblems } from "../../../scripts/lib/file-rules.mjs";

const root = mkdtempSync(join(tmpdir(), "starling-files-"));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const head = "/** What this is. */\n";

describe("file rules", () => {
  it.each([
    ["a file of 400 lines", "src/rib/long.ts", head + "\n".repeat(399), []],
    ["a file of 401 lines", "src/rib/long.ts", head + "\n".repeat(400), ["src/rib/long.ts: 401 lines"]],
    ["no sentence at the top", "scripts/x.mjs", "export {};\n", ["scripts/x.mjs: the first line"]],
    ["a sentence below the interpreter", "bin/x.mjs", `#!/usr/bin/env node\n${head}`, []],
    ["a file for everything", "src/rib/utils.ts", head, ["src/rib/utils.ts: name the file"]],
    ["a file of another kind", "src/rib/data.json", "{}", []],
  ])("%s", (_name, path, text, wanted) => {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
    const problems = fileProblems(root);
    expect(problems).toHaveLength(wanted.length);
    wanted.forEach((start, index) => {
      expect(problems[index]).toContain(start);
    });
  });
});
