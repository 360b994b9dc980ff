/** Why the lab did not come to its end, with the last words of its daemons. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Interrupted } from "./interruption.ts";

const tailLines = 12;

export function complaint(reason: unknown, folder: string): string {
  if (reason instanceof Interrupted) return `${reason.message}: cleaning up\n`;
  const what = reason instanceof Error ? reason.message : String(reason);
  return `error: ${what}\n${logTails(folder)}\n`;
}

function logTails(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /\/(starling|bird6?)-\d+\.log$/.test(path))
    .sort()
    .map((path) => {
      const lines = readFileSync(join(folder, path), "utf8").trimEnd().split("\n");
      return `---- the end of ${path}\n${lines.slice(-tailLines).join("\n")}\n`;
    })
    .join("");
}
