/** starling in the lab: as its executable, asked over its control socket. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ControlClient } from "../src/cli/control-client.ts";
import type { PeerView, RouteView } from "../src/control/views.ts";
import type { LabNode } from "../test/harness/lab-node.ts";
import type { BackgroundProcess } from "../test/harness/process.ts";
import { waitFor } from "../test/harness/wait-for.ts";
import { LabError } from "./lab-error.ts";
import type { Programs } from "./programs.ts";

const executable = fileURLToPath(new URL("../bin/starling.mjs", import.meta.url));

export class Starling {
  readonly node: LabNode;
  readonly socket: string;
  readonly #programs: Programs;
  readonly #file: string;
  readonly #client: ControlClient;
  readonly #options: readonly string[];
  #process: BackgroundProcess | undefined;

  /** `options`: of `starling run`, beside its file. */
  constructor(
    node: LabNode,
    programs: Programs,
    configuration: (socket: string) => string,
    options: readonly string[] = [],
  ) {
    this.node = node;
    this.#options = options;
    this.#programs = programs;
    this.socket = join(node.folder, "starling.sock");
    this.#file = join(node.folder, "starling.yaml");
    this.#client = new ControlClient(this.socket);
    writeFileSync(this.#file, configuration(this.socket));
  }

  get name(): string {
    return this.node.name;
  }

  /** Ended, by itself or by the lab. */
  get hasEnded(): boolean {
    return this.#process?.isRunning === false;
  }

  launch(): void {
    const command = [process.execPath, executable, "run", "--config", this.#file, ...this.#options];
    this.#process = this.#programs.spawn(this.node, command, "starling");
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    this.launch();
    await waitFor(async () => this.hasEnded || (await this.peers()), { what: `starling on ${this.name} to answer` });
    this.assertRunning();
  }

  assertRunning(): BackgroundProcess {
    if (this.#process?.isRunning !== true)
      throw new LabError(`starling on ${this.name} is not running; its log says why`);
    return this.#process;
  }

  peers(): Promise<readonly PeerView[]> {
    return this.#client.call<readonly PeerView[]>("peers");
  }

  async routes(filter: { readonly prefix?: string; readonly origin?: string }): Promise<RouteView[]> {
    const routes: RouteView[] = [];
    for await (const texts of this.#client.rows("routes", filter)) {
      for (const text of texts) routes.push(JSON.parse(text) as RouteView);
    }
    return routes;
  }

  /** `kill -9`: no word to anybody. */
  async kill(): Promise<void> {
    await this.assertRunning().stop("SIGKILL");
  }

  /** Asks it to end, as its service would be stopped. Resolves when it is gone. */
  async shutDown(): Promise<void> {
    const status = await this.assertRunning().stop("SIGTERM");
    if (status !== 0) throw new LabError(`starling on ${this.name} ended with ${status} when it was asked to stop`);
  }
}
