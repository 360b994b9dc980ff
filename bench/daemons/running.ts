/** A daemon at work in the benchmark's namespace: started, known to be ready, accounted for, and gone at the end. */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BenchError } from "../bench-error.ts";
import type { Namespace } from "../namespace.ts";
import { cpuSeconds, familyOf, isListening, memoryMegabytes } from "../process-accounts.ts";
import type { Daemon, Network } from "./daemon.ts";

/** Milliseconds. */
export interface EventLoopLag {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface StartOptions {
  readonly namespace: Namespace;
  /** For its files; made where missing. */
  readonly folder: string;
  /** Measure the event loop, where it has one that can be measured. */
  readonly probe: boolean;
  readonly signal: AbortSignal;
}

const POLL_MILLISECONDS = 2;
const LOG_LINES = 5;
const GRACE_MILLISECONDS = 5000;

export class RunningDaemon {
  readonly daemon: Daemon;
  /** From the start of its program to its listening. */
  readonly startSeconds: number;
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #pids: readonly number[];
  readonly #hasProbe: boolean;
  readonly #settles: boolean;

  private constructor(daemon: Daemon, child: ChildProcess, startSeconds: number, log: string, hasProbe: boolean) {
    this.daemon = daemon;
    this.startSeconds = startSeconds;
    this.#child = child;
    this.#log = log;
    this.#hasProbe = hasProbe;
    this.#pids = familyOf(child.pid ?? 0);
    // A profile is written at an orderly end.
    this.#settles = child.spawnargs.some((word) => /^--(cpu-)?prof/.test(word));
  }

  static async start(daemon: Daemon, network: Network, options: StartOptions): Promise<RunningDaemon> {
    mkdirSync(options.folder, { recursive: true });
    const launch = daemon.prepare(network, options.folder, { probe: options.probe });
    const log = join(options.folder, `${daemon.name}.log`);
    const output = openSync(log, "a");
    // A descriptor for every session, whatever the user's limit.
    const limited = ["sh", "-c", 'ulimit -n 65536; exec "$@"', "sh", ...launch.command];
    const [program = "", ...words] = options.namespace.inside(limited);
    const hasProbe = launch.hasProbe === true;
    const started = performance.now();
    const child = spawn(program, words, {
      cwd: options.folder,
      stdio: ["ignore", output, output, ...(hasProbe ? (["ipc"] as const) : [])],
    });
    closeSync(output);
    const isReady = () =>
      isListening(child.pid ?? 0, network.port) &&
      (launch.readyText === undefined || readFileSync(log, "utf8").includes(launch.readyText));
    while (!isReady()) {
      if (child.exitCode !== null || child.signalCode !== null) throw endedError(daemon.name, log);
      if (options.signal.aborted) {
        child.kill("SIGKILL");
        throw new BenchError(`${daemon.name} did not begin to listen${logEnd(log)}`);
      }
      await sleep(POLL_MILLISECONDS);
    }
    const seconds = (performance.now() - started) / 1000;
    return new RunningDaemon(daemon, child, seconds, log, hasProbe);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasProbe(): boolean {
    return this.#hasProbe;
  }

  /** Throws when the daemon has ended on its own. */
  check(): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw endedError(this.daemon.name, this.#log);
  }

  cpuSeconds(): number {
    return cpuSeconds(this.#pids);
  }

  peakMegabytes(): number {
    return memoryMegabytes(this.#pids, "VmHWM");
  }

  residentMegabytes(): number {
    return memoryMegabytes(this.#pids, "VmRSS");
  }

  /** Resolves when it has nothing to do: less than a tenth of a core in 300 ms, or after ten seconds whatever it does. */
  async quiet(): Promise<void> {
    for (let round = 0; round < 33; round++) {
      const before = this.cpuSeconds();
      await sleep(300);
      this.check();
      if (this.cpuSeconds() - before < 0.03) return;
    }
  }

  /** Lag of the event loop since the last reset; undefined where it is not measured. */
  async eventLoopLag(question: "read" | "reset"): Promise<EventLoopLag | undefined> {
    if (!this.#hasProbe) return undefined;
    const answer = new Promise<EventLoopLag>((resolve) =>
      this.#child.once("message", (message) => resolve(message as EventLoopLag)),
    );
    this.#child.send(question);
    return await Promise.race([answer, sleep(GRACE_MILLISECONDS).then(() => undefined)]);
  }

  /** What it said last, for a run that failed. */
  lastWords(): string {
    return logEnd(this.#log);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    if (this.#settles) {
      this.#child.kill("SIGTERM");
      await Promise.race([gone, sleep(GRACE_MILLISECONDS)]);
    }
    for (const pid of this.#pids.toReversed()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It ended with its parent.
      }
    }
    await gone;
  }
}

function endedError(name: string, log: string): BenchError {
  return new BenchError(`${name} ended${logEnd(log)}`);
}

function logEnd(log: string): string {
  if (!existsSync(log)) return "";
  const lines = readFileSync(log, "utf8").trimEnd().split("\n").slice(-LOG_LINES);
  return `: ${lines.join(" | ")}`;
}
