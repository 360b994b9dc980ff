/** The load generator of bench/native: a process that holds all sessions, told what to do line by line. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { BenchError } from "./bench-error.ts";
import type { FamilyName } from "./daemons/daemon.ts";
import type { Namespace } from "./namespace.ts";

/** Whole messages in a file. */
export interface Blob {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

export interface GeneratorSession {
  readonly local: string;
  readonly asNumber: number;
  readonly routerId: string;
  readonly families: readonly FamilyName[];
  /** Sent once the clock runs. */
  readonly blob?: Blob;
  /** The two halves of a flap. */
  readonly withdraw?: Blob;
  readonly again?: Blob;
  /** Counts the prefixes that it is told. */
  readonly receives: boolean;
  /** Reads so many octets a second at most. */
  readonly rate?: number;
}

export interface Received {
  readonly octets: number;
  readonly updates: number;
  readonly messages: number;
  readonly announced: number;
  readonly withdrawn: number;
}

export interface Converged {
  readonly seconds: number;
  readonly firstSeconds: number;
  readonly generatorCpu: number;
  /** CPU time over wall time. */
  readonly generatorBusy: number;
  readonly received: Received;
}

/** Milliseconds. */
export interface Churned {
  readonly samples: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
  readonly lost: number;
}

interface Events {
  readonly established: { readonly sessions: number; readonly seconds: number; readonly retries: number };
  readonly converged: Converged;
  readonly churned: Churned;
  readonly stats: {
    readonly established: number;
    readonly minimum: number;
    readonly maximum: number;
    readonly down: number;
  };
}

/** Beyond this share of a core the generator may be what limits the run. */
export const BUSY = 0.9;

export class Generator {
  readonly #child: ChildProcess;
  readonly #waiting: { readonly event: string; readonly resolve: (value: unknown) => void }[] = [];
  readonly #early: { readonly event: string }[] = [];
  readonly #troubles: string[] = [];
  readonly #failed: Promise<never>;

  constructor(program: string, namespace: Pick<Namespace, "inside">, signal: AbortSignal) {
    const [command = "", ...words] = namespace.inside([program]);
    this.#child = spawn(command, words, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on("line", (line) => this.#take(line));
    this.#failed = new Promise((_, reject) => {
      const fail = (text: string) => reject(new BenchError(text));
      this.#child.once("exit", (code, by) => fail(`the load generator ended (${code ?? by})${this.troubles()}`));
      this.#child.once("error", (error) => fail(`the load generator did not start: ${error.message}`));
      signal.addEventListener("abort", () => fail(`no result in time${this.troubles()}`), { once: true });
    });
    // Whoever waits hears of it; nobody has to.
    this.#failed.catch(() => undefined);
    this.#child.stdin?.on("error", () => undefined);
  }

  target(address: string, port: number): void {
    this.#tell(`target address=${address} port=${port}`);
  }

  session(session: GeneratorSession): void {
    const words = [`local=${session.local}`, `as=${session.asNumber}`, `routerid=${session.routerId}`, "hold=180"];
    for (const family of ["ipv4", "ipv6"] as const)
      words.push(`${family}=${session.families.includes(family) ? 1 : 0}`);
    for (const name of ["blob", "again", "withdraw"] as const) {
      const blob = session[name];
      if (blob !== undefined) words.push(`${name}=${blob.file} offset=${blob.offset} length=${blob.length}`);
    }
    if (session.receives) words.push("receive=1");
    if (session.rate !== undefined) words.push(`rate=${session.rate}`);
    this.#tell(`session ${words.join(" ")}`);
  }

  /** Resolves when all are Established. `window`: so many dials at a time. `resend`: each says its blob again at once. */
  connect(options: { readonly window?: number; readonly resend?: boolean } = {}): Promise<Events["established"]> {
    const window = options.window === undefined ? "" : ` window=${options.window}`;
    this.#tell(`connect${window}${options.resend ? " resend=1" : ""}`);
    return this.#event("established");
  }

  send(): void {
    this.#tell("send");
  }

  /** Resolves when every receiver (or every fast one) holds `count` prefixes, its own left out where `exceptOwn`. */
  expect(
    count: number,
    options: { readonly exceptOwn: boolean; readonly readers?: "fast" | "all" },
  ): Promise<Converged> {
    const readers = options.readers === undefined ? "" : ` readers=${options.readers}`;
    this.#tell(`expect count=${count}${options.exceptOwn ? " except-own=1" : ""}${readers}`);
    return this.#event("converged");
  }

  clock(): void {
    this.#tell("clock");
  }

  drop(): void {
    this.#tell("drop");
  }

  churn(session: number, events: number, intervalMilliseconds: number): Promise<Churned> {
    this.#tell(`churn session=${session} events=${events} interval=${intervalMilliseconds}`);
    return this.#event("churned");
  }

  stats(): Promise<Events["stats"]> {
    this.#tell("stats");
    return this.#event("stats");
  }

  /** What it complained about, as an end of a sentence; empty where it did not. */
  troubles(): string {
    return this.#troubles.length === 0 ? "" : `: ${this.#troubles.join("; ")}`;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }

  #tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  #event<Name extends keyof Events>(name: Name): Promise<Events[Name]> {
    const early = this.#early.findIndex(({ event }) => event === name);
    const [found] = early < 0 ? [] : this.#early.splice(early, 1);
    const event =
      found === undefined
        ? new Promise<unknown>((resolve) => this.#waiting.push({ event: name, resolve }))
        : Promise.resolve<unknown>(found);
    const answer = Promise.race([event as Promise<Events[Name]>, this.#failed]);
    // Two may be waited for at a time, one after the other: the first that fails tells of it.
    answer.catch(() => undefined);
    return answer;
  }

  #take(line: string): void {
    const message = JSON.parse(line) as { readonly event: string; readonly text?: string; readonly session?: number };
    if (message.event === "error") this.#troubles.push(message.text ?? "");
    else if (message.event === "down") this.#troubles.push(`session ${message.session} down: ${message.text}`);
    else {
      const index = this.#waiting.findIndex(({ event }) => event === message.event);
      const [waiting] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (waiting === undefined) this.#early.push(message);
      else waiting.resolve(message);
    }
  }
}
