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
import { exabgpEvents, exabgpSessions, exabgpTable } from "./exabgp-events.ts";
import { exabgpLastError, exabgpNegotiation } from "./exabgp-session.ts";
import {
  DaemonError,
  type FamilyName,
  familiesOf,
  familyOf,
  isInternal,
  type Json,
  type PeerSpec,
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
    for (const route of this.#spec.routes ?? []) await this.announce(route);
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
    const words = [`announce route ${route.prefix} next-hop ${route.nextHop ?? "self"} origin igp`];
    if (route.communities !== undefined) words.push(`community [ ${route.communities.join(" ")} ]`);
    if (route.extendedCommunities !== undefined) {
      words.push(`extended-community [ ${route.extendedCommunities.map(extendedWord).join(" ")} ]`);
    }
    if (route.largeCommunities !== undefined) words.push(`large-community [ ${route.largeCommunities.join(" ")} ]`);
    if (route.med !== undefined) words.push(`med ${route.med}`);
    if (route.localPref !== undefined) words.push(`local-preference ${route.localPref}`);
    const { asPath } = route;
    if (asPath === undefined) this.command(words.join(" "));
    else {
      // It sends a path as it is told to, even to external peers.
      for (const peer of this.#spec.peers) {
        const path = isInternal(this.#spec, peer) ? asPath : [this.#spec.asNumber, ...asPath];
        this.command(`neighbor ${peer.address} ${words.join(" ")} as-path [ ${path.join(" ")} ]`);
      }
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

/** In hexadecimal: its own words for communities that hold an address end up as others. RFC 4360, RFC 5668. */
function extendedWord(community: string): string {
  const [kind, administrator = "", assigned] = community.split(":");
  const bytes = Buffer.alloc(8);
  bytes[1] = kind === "rt" ? 2 : 3;
  if (administrator.includes(".") || Number(administrator) > 0xffff) {
    bytes[0] = administrator.includes(".") ? 1 : 2;
    if (bytes[0] === 1) bytes.set(administrator.split(".").map(Number), 2);
    else bytes.writeUInt32BE(Number(administrator), 2);
    bytes.writeUInt16BE(Number(assigned), 6);
  } else {
    bytes.writeUInt16BE(Number(administrator), 2);
    bytes.writeUInt32BE(Number(assigned), 4);
  }
  return `0x${bytes.toString("hex")}`;
}

function exabgpConfiguration(spec: SpeakerSpec, script: string): string {
  const lines = ["process api {", `  run ${script};`, "  encoder json;", "}"];
  for (const peer of spec.peers) lines.push(...neighborLines(spec, peer));
  return `${lines.join("\n")}\n`;
}

function neighborLines(spec: SpeakerSpec, peer: PeerSpec): string[] {
  const families = familiesOf(peer);
  const lines = [
    `neighbor ${peer.address} {`,
    `  router-id ${spec.routerId};`,
    `  local-address ${peer.localAddress ?? spec.listen?.[0] ?? "auto"};`,
    `  local-as ${spec.asNumber};`,
    `  peer-as ${peer.asNumber};`,
    `  hold-time ${peer.holdTime ?? 180};`,
    `  family { ${families.map((family) => `${family} unicast;`).join(" ")} }`,
    "  api { processes [ api ]; neighbor-changes; receive { parsed; open; update; notification; } " +
      "send { parsed; open; } }",
  ];
  if (peer.password !== undefined) lines.push(`  md5-password "${peer.password}";`);
  if (peer.passive) lines.push("  passive;");
  if (peer.port !== undefined) lines.push(`  connect ${peer.port};`);
  if (peer.ttlSecurity !== undefined) lines.push("  outgoing-ttl 255;", `  incoming-ttl ${256 - peer.ttlSecurity};`);
  else if (peer.multihop !== undefined && !isInternal(spec, peer)) lines.push(`  outgoing-ttl ${peer.multihop};`);
  const capabilities = ["route-refresh;"];
  if (peer.gracefulRestart !== undefined) capabilities.push(`graceful-restart ${peer.gracefulRestart};`);
  if (peer.addPath !== undefined) {
    capabilities.push(`add-path ${{ send: "send", receive: "receive", both: "send/receive" }[peer.addPath]};`);
  }
  if (peer.extendedNextHop) {
    capabilities.push("nexthop;");
    lines.push("  nexthop { ipv4 unicast ipv6; }");
  }
  if (peer.fourOctetAs === false) capabilities.push("asn4 disable;");
  capabilities.push(`extended-message ${peer.extendedMessages ? "enable" : "disable"};`);
  lines.push(`  capability { ${capabilities.join(" ")} }`);
  return [...lines, "}"];
}
