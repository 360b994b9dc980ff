/** Messages and captures of other projects, which lie beside the checkout and are not part of it. Tests skip without them. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";

const ROOT = new URL("../../../../shared/data/", import.meta.url);

/** The rows of a JSON Lines file; none when it is not there. */
export function rowsOf<Row>(file: string): readonly Row[] {
  if (!existsSync(new URL(file, ROOT))) return [];
  const lines = readFileSync(new URL(file, ROOT), "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Row);
}

/** A describe that is skipped, with the reason in its name, when the file is not there. */
export function describeData(file: string, name: string, tests: () => void): void {
  if (existsSync(new URL(file, ROOT))) describe(name, tests);
  else describe.skip(`${name}: skipped, ${fileURLToPath(new URL(file, ROOT))} is not there`, tests);
}
