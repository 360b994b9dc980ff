/** Echo requests from one workload to another, counted. */

import type { LabNode } from "../test/harness/lab-node.ts";
import type { BackgroundProcess } from "../test/harness/process.ts";
import { waitFor } from "../test/harness/wait-for.ts";
import { LabError } from "./lab-error.ts";
import type { Programs } from "./programs.ts";

export interface PingCount {
  readonly sent: number;
  readonly received: number;
  /** Milliseconds; undefined when nothing came back. */
  readonly averageTime: number | undefined;
}

export const pingsPerSecond = 50;

/** Echo requests until it is told to stop, or as many as it was told. */
export class Pings {
  readonly #process: BackgroundProcess;

  /** `count`: as many, and no more; `rate`: a second. */
  constructor(
    node: LabNode,
    programs: Programs,
    address: string,
    { count, rate = pingsPerSecond }: { readonly count?: number; readonly rate?: number } = {},
  ) {
    const options = ["-n", "-i", String(1 / rate), "-W", "1"];
    if (count !== undefined) options.push("-c", String(count));
    this.#process = programs.spawn(node, ["ping", ...options, address], "ping");
  }

  /** Resolves once so many more answers have come. */
  async answers(count: number): Promise<void> {
    const wanted = this.#answered().size + count;
    await waitFor(() => this.#answered().size >= wanted, { what: `${count} more answers to pings` });
  }

  /** So far: those that were sent before one that was answered, and have no answer. */
  lost(): number {
    const answered = this.#answered();
    return [...answered].reduce((highest, at) => Math.max(highest, at), 0) - answered.size;
  }

  /** The most packets in a row that have no answer, between two that have one. */
  longestGap(): number {
    const answered = [...this.#answered()].sort((a, b) => a - b);
    return answered.reduce((longest, at, i) => Math.max(longest, at - (answered[i - 1] ?? at - 1) - 1), 0);
  }

  /** All were sent, and answered or given up. */
  async ended(): Promise<PingCount> {
    await this.#process.exited;
    return this.#counted((sent) => sent);
  }

  async stop(): Promise<PingCount> {
    await this.#process.stop("SIGINT");
    // The last may have been on its way when ping was stopped: then it is neither answered nor lost.
    return this.#counted((sent, answered) => (answered.has(sent) ? sent : sent - 1));
  }

  #counted(sentOf: (sent: number, answered: ReadonlySet<number>) => number): PingCount {
    const text = this.#process.output();
    const sent = /(\d+) packets transmitted/.exec(text)?.[1];
    if (sent === undefined) throw new LabError(`ping gave no count: ${text}`);
    const answered = this.#answered();
    const average = /= [\d.]+\/([\d.]+)\//.exec(text)?.[1];
    return {
      sent: sentOf(Number(sent), answered),
      received: answered.size,
      averageTime: average === undefined ? undefined : Number(average),
    };
  }

  /** The sequence numbers that came back. */
  #answered(): Set<number> {
    const answers = this.#process.output().matchAll(/ bytes from .* icmp_seq=(\d+)/g);
    return new Set([...answers].map((answer) => Number(answer[1])));
  }
}
