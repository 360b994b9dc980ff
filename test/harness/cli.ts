/** Runs a command in this process against a control socket of the example network. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { registerConfigCommands } from "../../src/cli/config-commands.ts";
import { type ProgramParts, type RunOptions, runProgram } from "../../src/cli/program.ts";
import { type ControlSocket, openControlSocket } from "../../src/control/control-socket.ts";
import { EXAMPLE_NOW, ExampleView } from "./example-view.ts";
import { MemoryLog } from "./memory-log.ts";
import { systemClock } from "./system-clock.ts";

export interface CliResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Collects what is written, and may break like a real descriptor. */
class Sink extends Writable {
  text = "";
  readonly isTTY: boolean;
  readonly #limit: number;
  readonly #failure: string;

  constructor(isTTY: boolean, limit = Number.POSITIVE_INFINITY, failure = "EPIPE") {
    super();
    this.isTTY = isTTY;
    this.#limit = limit;
    this.#failure = failure;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.text += chunk.toString();
    const isBroken = this.text.length > this.#limit;
    setImmediate(() => done(isBroken ? Object.assign(new Error(this.#failure), { code: this.#failure }) : null));
  }
}

export class Cli {
  readonly view = new ExampleView();
  readonly path: string;
  readonly runs: RunOptions[] = [];
  environment: Record<string, string | undefined> = {};
  isTTY = false;
  /** Characters after which standard output fails, and with what. */
  breaksAfter: number | undefined;
  failure = "EPIPE";
  readonly #directory = mkdtempSync(join(tmpdir(), "starling-cli-"));
  #socket: ControlSocket | undefined;

  constructor() {
    this.path = join(this.#directory, "starling.sock");
  }

  async listen(): Promise<void> {
    const options = { path: this.path, view: this.view, clock: systemClock, log: new MemoryLog() };
    this.#socket = await openControlSocket(options);
  }

  /** Where to put files that commands are to read. */
  get directory(): string {
    return this.#directory;
  }

  async close(): Promise<void> {
    await this.#socket?.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Words as in a shell, without quoting. */
  async run(line: string): Promise<CliResult> {
    return this.runWords(line.split(" ").filter((word) => word !== ""));
  }

  async runWords(words: readonly string[]): Promise<CliResult> {
    const stdout = new Sink(this.isTTY, this.breaksAfter, this.failure);
    const stderr = new Sink(this.isTTY);
    const parts: ProgramParts = {
      terminal: {
        stdout,
        stderr,
        environment: { STARLING_SOCKET: this.path, ...this.environment },
        wallTime: () => EXAMPLE_NOW,
      },
      registerConfigCommands: (program) => registerConfigCommands(program, systemClock),
      cleanupKernel: async () => 3,
      runDaemon: async (options) => {
        this.runs.push(options);
        return 0;
      },
    };
    const status = await runProgram(words, parts);
    await new Promise((resolve) => setImmediate(resolve));
    return { status, stdout: stdout.text, stderr: stderr.text };
  }
}
