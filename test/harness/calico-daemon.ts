/** A daemon whose configuration comes from Calico's resources, asked as a user asks it. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { PeerView, SummaryView } from "../../src/control/views.ts";
import { executable } from "./attacked-daemon.ts";
import { BackgroundProcess, runCommand } from "./process.ts";

export class CalicoDaemon {
  readonly #folder = mkdtempSync(join(tmpdir(), "starling-calico-"));
  readonly #socket = join(this.#folder, "starling.sock");

  /** The node of that name; `environment` says where the resources are. Ends with the test. */
  constructor(name: string, environment: Readonly<Record<string, string>>) {
    const file = join(this.#folder, "starling.yaml");
    const sockets = {
      socket: this.#socket,
      birdSocket: join(this.#folder, "4.ctl"),
      bird6Socket: join(this.#folder, "6.ctl"),
    };
    // A reflector: whatever comes of it, this machine's routes are left alone.
    const config = { calico: { role: "route-reflector" }, control: sockets, http: false, log: { format: "json" } };
    writeFileSync(file, JSON.stringify(config));
    const words = [process.execPath, executable, "run", "-c", file];
    const running = new BackgroundProcess(name, words, join(this.#folder, "log"), { NODENAME: name, ...environment });
    onTestFinished(async () => {
      await running.stop("SIGKILL");
      rmSync(this.#folder, { recursive: true });
    });
  }

  async peers(): Promise<readonly PeerView[]> {
    return JSON.parse(await this.#ask("peers"));
  }

  async summary(): Promise<SummaryView> {
    return JSON.parse(await this.#ask("summary"));
  }

  async states(): Promise<string[]> {
    return (await this.peers()).map(({ name, state }) => `${name} ${state}`);
  }

  #ask(what: string): Promise<string> {
    return runCommand([process.execPath, executable, "show", what, "--json"], {
      env: { STARLING_SOCKET: this.#socket },
    });
  }
}
