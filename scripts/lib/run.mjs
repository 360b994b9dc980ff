/** Runs other programs for the scripts: with their output shown, or kept until it is known whether it matters. */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout, whatever the working directory. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** The command-line program of an installed development package, started by this very Node. */
export function tool(...path) {
  return [process.execPath, join(root, "node_modules", ...path)];
}

/**
 * Resolves with {status, output, milliseconds}, never rejects: a program that cannot be started has status 127.
 * `inherit` shows the output as it comes; otherwise it is kept.
 */
export function run(command, { cwd = root, env = {}, inherit = false, signal } = {}) {
  const [program, ...args] = command;
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      signal,
      stdio: inherit ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (chunk) => {
      output += chunk;
    };
    child.stdout?.setEncoding("utf8").on("data", keep);
    child.stderr?.setEncoding("utf8").on("data", keep);
    const end = (status) => resolve({ status, output, milliseconds: performance.now() - started });
    child.on("error", (error) => {
      output += `${program}: ${error.message}\n`;
      end(127);
    });
    child.on("close", (status) => end(status ?? 1));
  });
}

/** Where a program is on PATH (and in the sbin folders, which an ordinary user's PATH leaves out). */
export function which(program) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}
