/** BIRD in the lab: on a switch, or on a node as Calico runs it. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabNode } from "../test/harness/lab-node.ts";
import type { BackgroundProcess } from "../test/harness/process.ts";
import { waitFor } from "../test/harness/wait-for.ts";
import { LabError } from "./lab-error.ts";
import type { Programs } from "./programs.ts";

export class Bird {
  readonly node: LabNode;
  /** How to ask it: in front of a command of birdc. */
  readonly birdc: readonly string[];
  readonly #programs: Programs;
  readonly #command: readonly string[];
  #process: BackgroundProcess | undefined;

  readonly #name: string;

  constructor(
    node: LabNode,
    programs: Programs,
    configuration: string,
    /** `name`: of its files, so that there may be two on a node; `program`: if not the installed one; `options`: of it, beside where its files are. */
    {
      name = "bird",
      program = "bird",
      options = [],
    }: { name?: string; program?: string; options?: readonly string[] } = {},
  ) {
    this.node = node;
    this.#programs = programs;
    this.#name = name;
    const file = join(node.folder, `${name}.conf`);
    const socket = join(node.folder, `${name}.ctl`);
    writeFileSync(file, configuration);
    this.birdc = ["birdc", "-s", socket];
    this.#command = [program, "-f", "-c", file, "-s", socket, "-P", join(node.folder, `${name}.pid`), ...options];
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const bird = this.#programs.spawn(this.node, this.#command, this.#name);
    this.#process = bird;
    const answers = async () => !bird.isRunning || (await this.ask("show", "status"));
    await waitFor(answers, { what: `BIRD on ${this.node.name} to answer` });
    if (!bird.isRunning) throw new LabError(`BIRD on the ${this.node.name} ended by itself; its log says why`);
  }

  ask(...command: readonly string[]): Promise<string> {
    return this.node.exec([...this.birdc, ...command]);
  }

  /** Its sessions by name, in the words of its last column: "Established", "Active", ... */
  async sessions(): Promise<ReadonlyMap<string, string>> {
    const text = await this.ask("show", "protocols");
    const rows = text.matchAll(/^(\S+)\s+BGP\s+\S+\s+\S+\s+\S+[^\S\n]*(\S*)/gm);
    return new Map([...rows].map(([, name = "", state = ""]) => [name, state]));
  }

  /** As Calico's BIRD dies: at once, without a word to its peers. */
  async kill(): Promise<void> {
    await this.#process?.stop("SIGKILL");
  }
}
