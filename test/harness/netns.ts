/** Networks for tests: nodes are network namespaces, joined by virtual cables and switches, gone when the test ends. */

import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFailed, onTestFinished, type TestContext } from "vitest";
import { LabNode } from "./lab-node.ts";
import { CommandError, runCommand } from "./process.ts";

const namespacePrefix = "starling-";
const folderPrefix = "starling-lab-";
const tailLines = 40;

/** Interfaces that lie in two nodes: the first named for the second node, and the reverse, unless said otherwise. */
export interface LinkOptions {
  /** With prefix lengths: those of the first node, those of the second. */
  readonly addresses?: readonly [first: readonly string[], second: readonly string[]];
  readonly interfaces?: readonly [first: string, second: string];
}

let known: boolean | undefined;

/** Whether this process may make network namespaces: tests that need them skip otherwise. */
export function canMakeNetworks(): boolean {
  if (known === undefined) {
    try {
      execFileSync("unshare", ["--net", "ip", "link", "set", "lo", "up"], { stdio: "ignore" });
      known = true;
    } catch {
      known = false;
    }
  }
  return known;
}

/**
 * `await using lab = await Lab.create("reflection")`. Ends with the test, whichever way that ends, and with the process;
 * what a killed run left behind goes when the next lab is made. When the test fails, the end of each log is shown.
 */
export class Lab implements AsyncDisposable {
  /** For configuration files, sockets and logs. Kept when STARLING_KEEP_LABS is set. */
  readonly folder: string;
  readonly #name: string;
  readonly #nodes = new Map<string, LabNode>();
  #tails = "";
  #disposed: Promise<void> | undefined;

  private constructor(name: string) {
    this.#name = name;
    this.folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-${name}-`));
    // Daemons that shed root have their sockets below.
    chmodSync(this.folder, 0o755);
  }

  /** `context`: of the test, for tests that run side by side; vitest cannot tell them apart without. */
  static async create(name: string, context?: TestContext): Promise<Lab> {
    await removeLeftovers();
    const lab = new Lab(name);
    const atExit = () => lab.#removeAtOnce();
    process.once("exit", atExit);
    try {
      (context?.onTestFinished ?? onTestFinished)(() =>
        lab[Symbol.asyncDispose]().finally(() => process.off("exit", atExit)),
      );
      (context?.onTestFailed ?? onTestFailed)(() => {
        if (lab.#tails !== "") console.error(lab.#tails);
      });
    } catch {
      // Made outside a test, in beforeAll: whoever made it disposes of it.
    }
    return lab;
  }

  async node(name: string): Promise<LabNode> {
    const namespace = `${namespacePrefix}${process.pid}-${this.#name}-${name}`;
    await runCommand(["ip", "netns", "add", namespace]);
    const node = new LabNode(name, namespace, this.folder);
    this.#nodes.set(name, node);
    await node.prepare();
    return node;
  }

  async nodes<const Names extends readonly string[]>(...names: Names): Promise<{ [Index in keyof Names]: LabNode }> {
    const made: LabNode[] = [];
    for (const name of names) made.push(await this.node(name));
    return made as { [Index in keyof Names]: LabNode };
  }

  /** A cable between two nodes. Returns the names of its interfaces. */
  async link(first: LabNode, second: LabNode, options: LinkOptions = {}): Promise<[string, string]> {
    const interfaces = options.interfaces ?? [first.freeInterface(second.name), second.freeInterface(first.name)];
    const peer = ["peer", "name", interfaces[1], "netns", second.namespace];
    await first.ip("link", "add", "name", interfaces[0], "type", "veth", ...peer);
    await first.configure(interfaces[0], options.addresses?.[0] ?? []);
    await second.configure(interfaces[1], options.addresses?.[1] ?? []);
    await first.ready(interfaces[0]);
    await second.ready(interfaces[1]);
    return [interfaces[0], interfaces[1]];
  }

  /** A switch that joins nodes, each with its addresses; it lives in a node of its own, which is returned. */
  async bridge(name: string, members: readonly (readonly [node: LabNode, ...addresses: string[]])[]): Promise<LabNode> {
    const home = await this.node(name);
    await home.ip("link", "add", "switch", "type", "bridge");
    await home.ip("link", "set", "switch", "up");
    for (const [node, ...addresses] of members) {
      const [port] = await this.link(home, node, { addresses: [[], addresses] });
      await home.ip("link", "set", "dev", port, "master", "switch");
    }
    return home;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    this.#tails = logTails(this.folder);
    await Promise.all([...this.#nodes.values()].map((node) => removeNamespace(node.namespace)));
    if (!process.env["STARLING_KEEP_LABS"]) rmSync(this.folder, { recursive: true, force: true });
  }

  /** The process ends before the test did: nothing can be awaited any more. */
  #removeAtOnce(): void {
    if (this.#disposed !== undefined) return;
    for (const { namespace } of this.#nodes.values()) {
      try {
        const pids = execFileSync("ip", ["netns", "pids", namespace], { encoding: "utf8" }).split("\n").filter(Boolean);
        if (pids.length > 0) execFileSync("kill", ["-KILL", ...pids]);
        execFileSync("ip", ["netns", "del", namespace]);
      } catch {
        // The next lab's removeLeftovers finds it.
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function removeNamespace(namespace: string): Promise<void> {
  const pids = (await runCommand(["ip", "netns", "pids", namespace])).split("\n").filter(Boolean);
  if (pids.length > 0) await runCommand(["kill", "-KILL", ...pids]).catch(() => undefined);
  await runCommand(["ip", "netns", "del", namespace]);
}

/** What runs left behind that could not clean up: named by the process that made it, which is no more. */
async function removeLeftovers(): Promise<void> {
  const namespaces = await runCommand(["ip", "netns", "list"]);
  for (const line of namespaces.split("\n")) {
    const namespace = line.split(" ", 1)[0] ?? "";
    if (isDead(namespace, namespacePrefix)) await removeNamespace(namespace).catch(ignoreCommandError);
  }
  for (const folder of readdirSync(tmpdir())) {
    if (isDead(folder, folderPrefix)) rmSync(join(tmpdir(), folder), { recursive: true, force: true });
  }
}

function isDead(name: string, prefix: string): boolean {
  if (!name.startsWith(prefix)) return false;
  const pid = Number.parseInt(name.slice(prefix.length), 10);
  if (!Number.isInteger(pid)) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

/** Another run may have removed it first. */
function ignoreCommandError(error: unknown): void {
  if (!(error instanceof CommandError)) throw error;
}

function logTails(folder: string): string {
  const logs = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".log"));
  return logs
    .sort()
    .map((name) => {
      const lines = readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
      const omitted = lines.length > tailLines ? `  (${lines.length - tailLines} lines above)\n` : "";
      return `---- ${name}\n${omitted}${lines.slice(-tailLines).join("\n")}\n`;
    })
    .join("");
}
