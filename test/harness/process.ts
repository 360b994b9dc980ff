/** Programs that a test runs: to their end, or in the background with what they print kept in a file. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export class CommandError extends Error {
  override readonly name = "CommandError";
}

export interface CommandOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds; default 30,000. */
  readonly timeout?: number;
}

/** Runs a program to its end and returns its standard output; a status other than 0 throws, with what it printed. */
export function runCommand(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        encoding: "utf8",
        env: { ...process.env, ...options.env },
        maxBuffer: 1 << 28,
        timeout: options.timeout ?? 30_000,
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new CommandError(`${command.join(" ")}: status ${error.code ?? error.signal}\n${stdout}${stderr}`));
      },
    );
    // A program that ends without reading closes the pipe; its status tells the story.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
  });
}

/** Where a program is, the folders of system administration included. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return names
    .flatMap((name) => (name.startsWith("/") ? [name] : folders.map((folder) => `${folder}/${name}`)))
    .find((path) => existsSync(path));
}

/** A program in the background. */
export class BackgroundProcess {
  readonly name: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | string>;
  #status: number | string | undefined;

  constructor(name: string, command: readonly string[], logFile: string, env: Readonly<Record<string, string>> = {}) {
    const [program = "", ...args] = command;
    this.name = name;
    this.logFile = logFile;
    const log = openSync(logFile, "a");
    this.#child = spawn(program, args, { stdio: ["ignore", log, log], env: { ...process.env, ...env } });
    closeSync(log);
    this.#exited = new Promise((resolve) => {
      const end = (status: number | string) => {
        this.#status = status;
        resolve(status);
      };
      this.#child.on("error", (error) => end(error.message));
      this.#child.on("exit", (code, signal) => end(code ?? signal ?? "unknown"));
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new CommandError(`${this.name} did not start: ${this.#status}`);
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#status === undefined;
  }

  /** Resolves with the exit status, or the signal's name. */
  get exited(): Promise<number | string> {
    return this.#exited;
  }

  output(): string {
    return readFileSync(this.logFile, "utf8");
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child.kill(signal);
  }

  /** Asks it to stop, and after `timeout` milliseconds kills it; resolves when it is gone. */
  async stop(signal: NodeJS.Signals = "SIGTERM", timeout = 10_000): Promise<number | string> {
    this.signal(signal);
    const patience = new AbortController();
    const late = sleep(timeout, "late", { signal: patience.signal }).catch(() => "in time");
    if ((await Promise.race([this.#exited, late])) === "late") this.signal("SIGKILL");
    patience.abort();
    return await this.#exited;
  }
}
