/** A running starling under attack, and a peer in good standing that must not notice: how every test of bad input begins and ends. */

import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { ControlClient } from "../../src/cli/control-client.ts";
import type { PeerView, RouteView, SummaryView } from "../../src/control/views.ts";
import { HealthyPeer } from "./healthy-peer.ts";
import { BackgroundProcess, runCommand } from "./process.ts";
import { waitFor } from "./wait-for.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
export const executable = join(checkout, "bin", "starling.mjs");

/** One line of the daemon's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly peer?: string;
  readonly from?: string;
  readonly to?: string;
  readonly reason?: string;
  readonly count?: number;
}

export interface DaemonSetup {
  /** Entries of `peers` besides the healthy one. */
  readonly peers?: readonly object[];
  /** Replaces top-level keys of the file. */
  readonly file?: Readonly<Record<string, unknown>>;
  /** Put before the command: another program that starts it. */
  readonly launcher?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export const ownAs = 64512;
/** Set by the daemon itself; the healthy peer must hear of them and never of their end. */
const ORIGINATED = ["198.18.1.0/24", "198.18.2.0/24", "198.18.3.0/24"];

let build: Promise<string> | undefined;

/** A test must never run what was built from other sources. */
export async function built(): Promise<void> {
  build ??= runCommand([process.execPath, join(checkout, "scripts", "setup.mjs")], { timeout: 120_000 });
  await build;
}

/** A port of the loopback addresses that nobody has now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

export class AttackedDaemon implements AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly file: string;
  readonly socket: string;
  readonly #setup: DaemonSetup;
  readonly #killAtExit = () => this.process.signal("SIGKILL");
  #process: BackgroundProcess | undefined;
  #healthy: HealthyPeer | undefined;
  #runs = 0;
  #memoryBefore = 0;

  private constructor(name: string, port: number, setup: DaemonSetup) {
    this.folder = mkdtempSync(join(tmpdir(), `starling-bad-${name}-`));
    this.port = port;
    this.file = join(this.folder, "starling.yaml");
    this.socket = join(this.folder, "starling.sock");
    this.#setup = setup;
  }

  /** Runs, with the healthy peer's session Established. */
  static async start(name: string, setup: DaemonSetup = {}): Promise<AttackedDaemon> {
    await built();
    const daemon = new AttackedDaemon(name, await freePort(), setup);
    daemon.write();
    await daemon.run();
    await daemon.connectHealthyPeer();
    // What a first look at everything allocates is no growth.
    await daemon.peers();
    await sleep(200);
    daemon.#memoryBefore = daemon.memory();
    return daemon;
  }

  get process(): BackgroundProcess {
    if (this.#process === undefined) throw new TypeError("the daemon was not started");
    return this.#process;
  }

  get healthy(): HealthyPeer {
    if (this.#healthy === undefined) throw new TypeError("the healthy peer was not connected");
    return this.#healthy;
  }

  get client(): ControlClient {
    return new ControlClient(this.socket);
  }

  /** Writes the configuration, with other keys where given. */
  write(keys: Readonly<Record<string, unknown>> = {}): void {
    const healthy = {
      name: "healthy",
      address: HealthyPeer.address,
      asNumber: ownAs,
      passive: true,
      routeReflectorClient: true,
      timers: { hold: 3 },
    };
    const file = {
      asNumber: ownAs,
      routerId: "10.255.0.1",
      listen: { addresses: ["127.0.0.1"], port: this.port },
      peers: [healthy, ...(this.#setup.peers ?? [])],
      originate: ORIGINATED.map((prefix) => ({ prefix, blackhole: true })),
      kernel: { enabled: false },
      control: { socket: this.socket },
      http: false,
      log: { format: "json" },
      ...this.#setup.file,
      ...keys,
    };
    // JSON is YAML. Renamed into place: a reload must never read half of it.
    writeFileSync(`${this.file}.new`, JSON.stringify(file));
    renameSync(`${this.file}.new`, this.file);
  }

  /** Starts the process, also again. */
  async run(): Promise<void> {
    const command = [...(this.#setup.launcher ?? []), process.execPath, executable, "run", "--config", this.file];
    this.#runs++;
    this.#process = new BackgroundProcess(
      "starling",
      command,
      join(this.folder, `starling-${this.#runs}.log`),
      this.#setup.env,
    );
    process.once("exit", this.#killAtExit);
    await waitFor(
      () => {
        if (!this.process.isRunning) return true;
        // After a kill it waits for its peers, and serves them.
        const isReady = (missing: readonly string[]) => missing.every((what) => what.startsWith("restarting"));
        return this.client.call<readonly string[]>("readiness").then(isReady);
      },
      { what: "starling to answer", timeout: 20_000 },
    );
    expect(this.process.isRunning, `starling ended at once:\n${this.process.output()}`).toBe(true);
  }

  async connectHealthyPeer(): Promise<void> {
    this.#healthy = await HealthyPeer.start(this.port, ORIGINATED);
  }

  summary(): Promise<SummaryView> {
    return this.client.call<SummaryView>("summary");
  }

  peers(): Promise<readonly PeerView[]> {
    return this.client.call<readonly PeerView[]>("peers");
  }

  async peer(name: string): Promise<PeerView> {
    return await this.client.call<PeerView>("peer", { name });
  }

  async routes(filter: Readonly<Record<string, unknown>>): Promise<RouteView[]> {
    const routes: RouteView[] = [];
    for await (const rows of this.client.rows("routes", filter)) for (const row of rows) routes.push(JSON.parse(row));
    return routes;
  }

  /** Resident, in MiB. */
  memory(): number {
    return memoryOf(this.process.pid);
  }

  log(): LogLine[] {
    return this.process
      .output()
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
  }

  /** The lines of one peer's session, as "From -> To: reason". */
  story(peer: string): string[] {
    return this.log().flatMap(({ msg, peer: name, from, to, reason }) =>
      msg === "session state" && name === peer ? [`${from} -> ${to}: ${reason}`] : [],
    );
  }

  /**
   * What holds after every attack: the daemon answers at once, the healthy peer's session is the one that it was, with its routes
   * in both directions and with keepalives in time, nothing in the log says that starling itself failed, and its memory has
   * grown by at most `growth` MiB.
   */
  async expectUnharmed(growth: number): Promise<string> {
    expect(this.process.isRunning, `starling ended:\n${this.process.output().slice(-2000)}`).toBe(true);
    const asked = performance.now();
    const summary = await this.summary();
    const answered = performance.now() - asked;
    expect(answered).toBeLessThan(2000);
    const healthy = await this.peer("healthy");
    expect(healthy).toMatchObject({ state: "Established", transitions: 1, lastError: null });
    this.healthy.expectUntouched();
    const routes = await this.routes({ peer: "healthy", view: "accepted" });
    expect(routes.map((route) => route.prefix).sort()).toEqual(HealthyPeer.prefixes);
    expect(this.log().filter((line) => line.level === "error")).toEqual([]);
    const grown = await this.#grownBy(growth);
    expect(grown, "growth of the daemon's memory in MiB").toBeLessThan(growth);
    const gap = Math.round(this.healthy.longestSilence);
    return `memory ${this.#memoryBefore.toFixed(0)} -> ${this.memory().toFixed(0)} MiB, keepalives at most ${gap} ms apart, summary of ${summary.paths.ipv4} paths in ${answered.toFixed(0)} ms`;
  }

  /** Garbage goes when its time has come, not when the attack ends. */
  async #grownBy(bound: number): Promise<number> {
    const grown = () => this.memory() - this.#memoryBefore;
    for (let i = 0; i < 50 && grown() >= bound; i++) await sleep(200);
    return grown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#healthy?.stop();
    process.off("exit", this.#killAtExit);
    await this.#process?.stop("SIGKILL");
    if (!process.env["STARLING_KEEP_LABS"]) rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The resident set of a process, in MiB. */
export function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
