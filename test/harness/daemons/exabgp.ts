/**
 * Drives ExaBGP in a lab. It keeps no table: commands go in through a pipe, and what it receives comes out as one JSON
 * document a line, from which the table is added up here.
 */

import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabNode } from "../lab-node.ts";
import type { BackgroundProcess } from "../process.ts";
import { waitFor } from "../wait-for.ts";
import { exabgpConfiguration, exabgpRoute } from "./exabgp-configuration.ts";
import { exabgpEvents, exabgpSessions, exabgpTable } from "./exabgp-events.ts";
import { exabgpLastError, exabgpNegotiation } from "./exabgp-session.ts";
import {
  DaemonError,
  type FamilyName,
  familyOf,
  type Json,
  type RouteSpec,
  type SeenNegotiation,
  type SeenRoute,
  type SeenSession,
  type SessionAction,
  type Speaker,
  type SpeakerSpec,
} from "./speaker.ts";

export class Exabgp implements Speaker {
  readonly daemon = "exabgp";
  readonly #node: LabNode;
  #spec: SpeakerSpec;
  readonly #file: string;
  readonly #script: string;
  readonly #pipe: string;
  readonly #events: string;
  #process: BackgroundProcess | undefined;

  constructor(node: LabNode, spec: SpeakerSpec) {
    this.#node = node;
    this.#spec = spec;
    this.#file = join(node.folder, "exabgp.conf");
    this.#script = join(node.folder, "exabgp-api.sh");
    this.#pipe = join(node.folder, "exabgp.commands");
    this.#events = join(node.folder, "exabgp.events");
  }

  get process(): BackgroundProcess {
    if (this.#process === undefined) throw new DaemonError("exabgp was not started");
    return this.#process;
  }

  async start(): Promise<void> {
    for (const path of [this.#pipe, this.#events]) rmSync(path, { force: true });
    execFileSync("mkfifo", [this.#pipe]);
    // Held open for reading and writing, so that the pipe does not end when one writer does.
    writeFileSync(this.#script, `#!/bin/sh\nexec 3<> ${this.#pipe}\ncat <&3 &\nexec cat > ${this.#events}\n`, {
      mode: 0o755,
    });
    this.#write();
    const { peers, listen = peers.flatMap((peer) => peer.localAddress ?? []) } = this.#spec;
    this.#process = this.#node.spawn(["exabgp", this.#file], "exabgp", {
      exabgp_daemon_user: "root",
      exabgp_api_cli: "false",
      exabgp_api_ack: "false",
      exabgp_tcp_bind: listen.join(" "),
    });
    await waitFor(() => existsSync(this.#events), { what: "exabgp to start its process" });
  }

  async stop(): Promise<void> {
    await this.process.stop("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.process.stop("SIGKILL");
  }

  async routes(family: FamilyName): Promise<SeenRoute[]> {
    return exabgpTable(this.events(), family);
  }

  async sessions(): Promise<SeenSession[]> {
    const states = exabgpSessions(this.events());
    return this.#spec.peers.map((peer) => {
      const state = states.get(peer.address) ?? "Idle";
      return { peer: peer.address, state, established: state === "Established" };
    });
  }

  async announce(route: RouteSpec): Promise<void> {
    for (const peer of this.#spec.peers) {
      this.command(`neighbor ${peer.address} announce ${exabgpRoute(this.#spec, peer, route)}`);
    }
  }

  async withdraw(prefix: string): Promise<void> {
    this.command(`withdraw route ${prefix}`);
  }

  async reconfigure(change: Partial<SpeakerSpec>): Promise<void> {
    this.#spec = { ...this.#spec, ...change };
    this.#write();
    this.process.signal("SIGUSR1");
  }

  async negotiated(address: string): Promise<SeenNegotiation> {
    return exabgpNegotiation(this.events(), address);
  }

  /** It ends a session only to begin the next, with a text of its own. */
  async operate(address: string, action: SessionAction): Promise<void> {
    const words = {
      disable: "teardown 2",
      enable: "",
      refreshIn: `announce route-refresh ${familyOf(address)} unicast`,
      refreshOut: "flush adj-rib out",
    };
    if (words[action] !== "") this.command(`neighbor ${address} ${words[action]}`);
  }

  async lastError(address: string): Promise<string> {
    return exabgpLastError(this.events(), address);
  }

  /** All that it reported since it started. */
  events(): Json[] {
    return existsSync(this.#events) ? exabgpEvents(readFileSync(this.#events, "utf8")) : [];
  }

  /** A line of ExaBGP's API. */
  command(line: string): void {
    appendFileSync(this.#pipe, `${line}\n`);
  }

  #write(): void {
    writeFileSync(this.#file, exabgpConfiguration(this.#spec, this.#script));
  }
}
