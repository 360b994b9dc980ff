/** Drives BIRD 2 in a lab: routes are static ones in its file, changed by reconfiguring, which keeps sessions up. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabNode } from "../lab-node.ts";
import { type BackgroundProcess, runCommand } from "../process.ts";
import { waitFor } from "../wait-for.ts";
import { birdConfiguration } from "./bird-configuration.ts";
import { parseBirdRoutes } from "./bird-routes.ts";
import { parseBirdNegotiation } from "./bird-session.ts";
import {
  DaemonError,
  type FamilyName,
  type RouteSpec,
  type SeenNegotiation,
  type SeenRoute,
  type SeenSession,
  type SessionAction,
  type Speaker,
  type SpeakerSpec,
} from "./speaker.ts";

export class Bird implements Speaker {
  readonly daemon = "bird";
  readonly #node: LabNode;
  #spec: SpeakerSpec;
  readonly #routes: Map<string, RouteSpec>;
  readonly #file: string;
  readonly #socket: string;
  #process: BackgroundProcess | undefined;

  constructor(node: LabNode, spec: SpeakerSpec) {
    this.#node = node;
    this.#spec = spec;
    this.#routes = new Map((spec.routes ?? []).map((route) => [route.prefix, route]));
    this.#file = join(node.folder, "bird.conf");
    this.#socket = join(node.folder, "bird.ctl");
  }

  get process(): BackgroundProcess {
    if (this.#process === undefined) throw new DaemonError("bird was not started");
    return this.#process;
  }

  async start(): Promise<void> {
    this.#write();
    // -R: announces that this is a restart whose forwarding state was kept (RFC 4724), as Calico starts it.
    const restart = this.#spec.peers.some((peer) => peer.gracefulRestart !== undefined) ? ["-R"] : [];
    const pidFile = join(this.#node.folder, "bird.pid");
    const command = ["bird", "-f", "-c", this.#file, "-s", this.#socket, "-P", pidFile, ...restart];
    this.#process = this.#node.spawn(command, "bird");
    await waitFor(() => this.command("show status"), { what: "bird to answer" });
  }

  async stop(): Promise<void> {
    await this.process.stop("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.process.stop("SIGKILL");
  }

  async routes(family: FamilyName): Promise<SeenRoute[]> {
    const text = await this.command(`show route all table ${tableOf(family)}`);
    return parseBirdRoutes(text, (protocol) => this.#spec.peers[Number(/^peer(\d+)$/.exec(protocol)?.[1])]?.address);
  }

  async sessions(): Promise<SeenSession[]> {
    const text = await this.command("show protocols all");
    return this.#spec.peers.map((peer, index) => {
      const block = blockOf(text, index);
      const state = /BGP state: +(\S+)/.exec(block)?.[1] ?? "unknown";
      return { peer: peer.address, state, established: state === "Established" };
    });
  }

  async announce(route: RouteSpec): Promise<void> {
    this.#routes.set(route.prefix, route);
    await this.#reconfigure();
  }

  async withdraw(prefix: string): Promise<void> {
    this.#routes.delete(prefix);
    await this.#reconfigure();
  }

  async reconfigure(change: Partial<SpeakerSpec>): Promise<void> {
    this.#spec = { ...this.#spec, ...change };
    await this.#reconfigure();
  }

  async negotiated(address: string): Promise<SeenNegotiation> {
    return parseBirdNegotiation(await this.#show(address));
  }

  async operate(address: string, action: SessionAction, message?: string): Promise<void> {
    const name = this.#nameOf(address);
    const words = { disable: "disable", enable: "enable", refreshIn: "reload in", refreshOut: "reload out" }[action];
    await runCommand(["birdc", "-s", this.#socket, `${words} ${name}${message === undefined ? "" : ` "${message}"`}`]);
  }

  /** From its log, which alone has the words of RFC 9003. */
  async lastError(address: string): Promise<string> {
    const lines = this.process.output().split("\n");
    return lines.findLast((line) => line.includes(`${this.#nameOf(address)}: `) && /Received|Error/.test(line)) ?? "";
  }

  /** What `birdc` prints for a command. */
  async command(command: string): Promise<string> {
    return await runCommand(["birdc", "-s", this.#socket, ...command.split(" ")]);
  }

  async #show(address: string): Promise<string> {
    return await this.command(`show protocols all ${this.#nameOf(address)}`);
  }

  #nameOf(address: string): string {
    return `peer${this.#spec.peers.findIndex((peer) => peer.address === address)}`;
  }

  async #reconfigure(): Promise<void> {
    this.#write();
    const answer = await this.command("configure");
    if (!/Reconfigur/.test(answer)) throw new DaemonError(`bird refused its configuration: ${answer}`);
  }

  #write(): void {
    writeFileSync(this.#file, birdConfiguration(this.#spec, [...this.#routes.values()]));
  }
}

const tableOf = (family: FamilyName) => (family === "ipv4" ? "master4" : "master6");

/** What `show protocols all` says of one peer. */
function blockOf(text: string, index: number): string {
  return new RegExp(`^peer${index} .*(?:\\n[ \\t].*|\\n(?=\\n))*`, "m").exec(text)?.[0] ?? "";
}
