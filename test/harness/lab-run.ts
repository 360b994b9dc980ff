/** Plays a lab as `npm run lab` does, and tells what it printed and what it left behind. */

import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { canMakeNetworks } from "./netns.ts";
import { findProgram, runCommand } from "./process.ts";
import { waitFor } from "./wait-for.ts";

const script = fileURLToPath(new URL("../../scripts/lab.mjs", import.meta.url));

export const canPlay = canMakeNetworks() && findProgram("bird") !== undefined && findProgram("ping") !== undefined;

export class LabRun {
  readonly child: ChildProcess;
  output = "";
  readonly #status: Promise<number | string>;

  constructor(args: readonly string[], program: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    const [first = "", ...rest] = [...program, process.execPath, script, ...args];
    const environment = { ...process.env, NO_COLOR: "1", ...env };
    this.child = spawn(first, rest, { stdio: ["ignore", "pipe", "pipe"], env: environment });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.#status = new Promise((resolve) => {
      this.child.on("close", (code, signal) => resolve(code ?? signal ?? "unknown"));
    });
  }

  /** With what it printed: the reason, should the status be another. */
  async ended(): Promise<{ status: number | string; output: string }> {
    return { status: await this.#status, output: this.output };
  }

  async says(text: string): Promise<void> {
    await waitFor(() => this.output.includes(text), { what: `the lab to say "${text}"`, timeout: 60_000 });
  }

  /** Namespaces, folders and programs of this run. */
  async leftovers(): Promise<string[]> {
    const namespaces = (await runCommand(["ip", "netns", "list"])).split("\n");
    const folders = readdirSync(tmpdir());
    const programs = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(commandLine);
    const mark = new RegExp(`starling-(lab-)?${this.child.pid}-lab-`);
    return [...namespaces, ...folders, ...programs].filter((line) => mark.test(line));
  }
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
