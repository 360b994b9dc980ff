/** What the figures were measured on. */

import { readFileSync } from "node:fs";
import { availableParallelism, cpus, hostname, loadavg, release, totalmem, type } from "node:os";

export interface Machine {
  readonly name: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly kernel: string;
  readonly system: string;
  /** Of the last minute, before the first run. */
  readonly loadAverage: number;
}

export function thisMachine(): Machine {
  return {
    name: hostname(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 1e9),
    kernel: `${type()} ${release()}`,
    system: systemName(),
    loadAverage: loadavg()[0] ?? 0,
  };
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown";
  } catch {
    return "unknown";
  }
}
