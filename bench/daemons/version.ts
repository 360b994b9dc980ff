/** Reads a program's version from what it prints. */

import { spawnSync } from "node:child_process";

/** The first thing that looks like a version; "unknown" where there is none. Some print it on standard error. */
export function versionOf(command: readonly string[]): string {
  const [program = "", ...args] = command;
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return /\d+(?:\.\d+)+/.exec(`${stdout ?? ""}${stderr ?? ""}`)?.[0] ?? "unknown";
}
