/** A network namespace of the benchmark's own, where every port is free and routes hurt nobody. */

import { execFileSync } from "node:child_process";
import { runCommand } from "../test/harness/process.ts";

/** The process that made it follows, and in one process only one stands at a time. */
const PREFIX = "starling-bench-";

export class Namespace {
  readonly name: string;
  #isGone = false;
  readonly #atExit = () => this.#removeAtOnce();

  private constructor(name: string) {
    this.name = name;
  }

  /**
   * With a loopback that has 127.0.0.0/8, and default routes by way of it, so that a daemon that looks next hops up in the
   * kernel finds all of them. Removed with the process, should nobody close it.
   */
  static async create(): Promise<Namespace> {
    await removeOrphans();
    const namespace = new Namespace(`${PREFIX}${process.pid}`);
    await runCommand(["ip", "netns", "add", namespace.name]);
    process.once("exit", namespace.#atExit);
    await namespace.ip("link", "set", "lo", "up");
    await namespace.ip("route", "add", "default", "dev", "lo");
    await namespace.ip("-6", "route", "add", "default", "dev", "lo");
    return namespace;
  }

  /** The command as it must be run to run in here. */
  inside(command: readonly string[]): string[] {
    return ["ip", "netns", "exec", this.name, ...command];
  }

  ip(...words: readonly string[]): Promise<string> {
    return runCommand(["ip", "-netns", this.name, ...words]);
  }

  /** Kills what still runs in it. Idempotent. */
  async close(): Promise<void> {
    if (this.#isGone) return;
    this.#isGone = true;
    process.off("exit", this.#atExit);
    await remove(this.name);
  }

  #removeAtOnce(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    const pids = execFileSync("ip", ["netns", "pids", this.name], { encoding: "utf8" }).split("\n").filter(Boolean);
    for (const pid of pids) kill(Number(pid));
    execFileSync("ip", ["netns", "del", this.name]);
  }
}

async function remove(name: string): Promise<void> {
  const pids = (await runCommand(["ip", "netns", "pids", name])).split("\n").filter(Boolean);
  for (const pid of pids) kill(Number(pid));
  await runCommand(["ip", "netns", "del", name]);
}

/** What a benchmark that was killed left behind: its process is no more. */
async function removeOrphans(): Promise<void> {
  for (const line of (await runCommand(["ip", "netns", "list"])).split("\n")) {
    const [name = ""] = line.split(" ", 1);
    const maker = Number(name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined);
    if (Number.isInteger(maker) && !isAlive(maker)) await remove(name);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile, with its parent.
  }
}
