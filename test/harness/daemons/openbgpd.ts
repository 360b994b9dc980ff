/** Drives OpenBGPD in a lab; it wants a folder under /run for its chroot, which it gets in a /run of its own. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabNode } from "../lab-node.ts";
import { type BackgroundProcess, runCommand } from "../process.ts";
import { waitFor } from "../wait-for.ts";
import { openbgpdLastError, openbgpdNegotiation } from "./openbgpd-session.ts";
import {
  asCommunity,
  asJson,
  asList,
  asNumber,
  asOrigin,
  asText,
  DaemonError,
  type FamilyName,
  familiesOf,
  type Json,
  type PeerSpec,
  type RouteSpec,
  type SeenAttribute,
  type SeenNegotiation,
  type SeenRoute,
  type SeenSession,
  type SessionAction,
  type Speaker,
  type SpeakerSpec,
} from "./speaker.ts";

export class Openbgpd implements Speaker {
  readonly daemon = "openbgpd";
  readonly #node: LabNode;
  #spec: SpeakerSpec;
  readonly #file: string;
  readonly #socket: string;
  #process: BackgroundProcess | undefined;

  constructor(node: LabNode, spec: SpeakerSpec) {
    this.#node = node;
    this.#spec = spec;
    this.#file = join(node.folder, "openbgpd.conf");
    this.#socket = join(node.folder, "openbgpd.sock");
  }

  get process(): BackgroundProcess {
    if (this.#process === undefined) throw new DaemonError("openbgpd was not started");
    return this.#process;
  }

  async start(): Promise<void> {
    this.#write(true);
    // The node's programs have mounts of their own, so this /run is this daemon's alone.
    const run = `mount -t tmpfs tmpfs /run && mkdir /run/openbgpd && exec bgpd -d -v -f ${this.#file}`;
    this.#process = this.#node.spawn(["sh", "-c", run], "openbgpd");
    await waitFor(() => this.command("show", "neighbor"), { what: "openbgpd to answer" });
    // Its route engine takes what comes before that for routes of peers that it knows nothing of.
    await waitFor(() => this.process.output().includes("RDE reconfigured"), { what: "openbgpd to be ready" });
    for (const route of this.#spec.routes ?? []) await this.announce(route);
    for (const peer of this.#spec.peers) await this.#bgpctl("neighbor", peer.address, "up");
  }

  async stop(): Promise<void> {
    await this.process.stop("SIGTERM");
  }

  /** The parent; its three children end when they lose it. */
  async kill(): Promise<void> {
    await this.process.stop("SIGKILL");
  }

  async routes(family: FamilyName): Promise<SeenRoute[]> {
    const rib = await this.command("show", "rib", "detail", family === "ipv4" ? "inet" : "inet6");
    return asList(asJson(rib)["rib"]).map((entry) => routeOf(asJson(entry)));
  }

  async sessions(): Promise<SeenSession[]> {
    const neighbors = await this.#neighbors();
    return this.#spec.peers.map((peer) => {
      const state = asText(neighbors.get(peer.address)?.["state"]) ?? "unknown";
      return { peer: peer.address, state, established: state === "Established" };
    });
  }

  async announce(route: RouteSpec): Promise<void> {
    if (route.asPath?.some((as) => as !== this.#spec.asNumber)) {
      throw new DaemonError("openbgpd originates routes with its own AS number only");
    }
    const words: string[] = [];
    for (const community of route.communities ?? []) words.push("community", community);
    for (const community of route.extendedCommunities ?? []) {
      const [kind = "", ...value] = community.split(":");
      words.push("ext-community", kind === "ro" ? "soo" : kind, value.join(":"));
    }
    for (const community of route.largeCommunities ?? []) words.push("large-community", community);
    if (route.asPath !== undefined) words.push("prepend-self", String(route.asPath.length));
    if (route.med !== undefined) words.push("med", String(route.med));
    if (route.localPref !== undefined) words.push("localpref", String(route.localPref));
    if (route.nextHop !== undefined) words.push("nexthop", route.nextHop);
    await this.#bgpctl("network", "add", route.prefix, ...words);
  }

  async withdraw(prefix: string): Promise<void> {
    await this.#bgpctl("network", "delete", prefix);
  }

  async reconfigure(change: Partial<SpeakerSpec>): Promise<void> {
    this.#spec = { ...this.#spec, ...change };
    this.#write(false);
    await this.#bgpctl("reload");
    // One that waits after a failure does not try what is new before its time.
    for (const { peer, established } of await this.sessions()) {
      if (!established) await this.#bgpctl("neighbor", peer, "up");
    }
  }

  async negotiated(address: string): Promise<SeenNegotiation> {
    return openbgpdNegotiation((await this.#neighbors()).get(address) ?? {});
  }

  /** It has no command that sends its own routes again. */
  async operate(address: string, action: SessionAction, message?: string): Promise<void> {
    if (action === "refreshOut") throw new DaemonError("openbgpd sends its routes again only when asked by the peer");
    const words = { disable: "down", enable: "up", refreshIn: "refresh" };
    await this.#bgpctl("neighbor", address, words[action], ...(message === undefined ? [] : [message]));
  }

  async lastError(address: string): Promise<string> {
    return openbgpdLastError((await this.#neighbors()).get(address) ?? {});
  }

  /** What bgpctl answers, in JSON. */
  async command(...words: readonly string[]): Promise<unknown> {
    return JSON.parse(await this.#bgpctl("-j", ...words));
  }

  async #neighbors(): Promise<Map<string, Json>> {
    const neighbors = asList(asJson(await this.command("show", "neighbor"))["neighbors"]).map(asJson);
    return new Map(neighbors.map((neighbor) => [String(neighbor["remote_addr"]), neighbor]));
  }

  #write(isHeld: boolean): void {
    // It refuses a configuration that others may read.
    writeFileSync(this.#file, openbgpdConfiguration(this.#spec, this.#socket, isHeld), { mode: 0o600 });
  }

  #bgpctl(...words: readonly string[]): Promise<string> {
    return runCommand(["bgpctl", "-s", this.#socket, ...words]);
  }
}

/** `isHeld`: no session is begun until it is told to. */
function openbgpdConfiguration(spec: SpeakerSpec, socket: string, isHeld: boolean): string {
  const lines = [`AS ${spec.asNumber}`, `router-id ${spec.routerId}`, `socket "${socket}"`, "connect-retry 1"];
  for (const address of spec.listen ?? []) lines.push(`listen on ${address}`);
  lines.push(`fib-update ${spec.kernel ? "yes" : "no"}`);
  for (const peer of spec.peers) lines.push(...neighborLines(spec, peer, isHeld));
  lines.push("allow from any", "allow to any");
  return `${lines.join("\n")}\n`;
}

function neighborLines(spec: SpeakerSpec, peer: PeerSpec, isHeld: boolean): string[] {
  const lines = [`neighbor ${peer.address} {`, `  remote-as ${peer.asNumber}`, "  announce enhanced refresh yes"];
  for (const [name, family] of [
    ["IPv4", "ipv4"],
    ["IPv6", "ipv6"],
  ] as const) {
    lines.push(`  announce ${name} ${familiesOf(peer).includes(family) ? "unicast" : "none"}`);
  }
  if (peer.localAddress !== undefined) lines.push(`  local-address ${peer.localAddress}`);
  if (peer.port !== undefined) lines.push(`  port ${peer.port}`);
  if (peer.password !== undefined) lines.push(`  tcp md5sig password ${peer.password}`);
  const hops = peer.ttlSecurity ?? peer.multihop;
  if (hops !== undefined && hops > 1) lines.push(`  multihop ${hops}`);
  if (peer.ttlSecurity !== undefined) lines.push("  ttl-security yes");
  if (peer.fourOctetAs === false) lines.push("  announce as-4byte no");
  if (isHeld) lines.push("  down");
  if (peer.passive) lines.push("  passive");
  if (peer.holdTime !== undefined) lines.push(`  holdtime ${peer.holdTime}`);
  if (peer.routeReflectorClient) lines.push(`  route-reflector ${spec.clusterId ?? spec.routerId}`);
  if (peer.nextHopSelf) lines.push("  set nexthop self");
  if (peer.addPath === "send" || peer.addPath === "both") lines.push("  announce add-path send all");
  if (peer.addPath === "receive" || peer.addPath === "both") lines.push("  announce add-path recv yes");
  lines.push(`  announce restart ${peer.gracefulRestart === undefined ? "no" : "yes"}`);
  return [...lines, "}"];
}

function routeOf(route: Json): SeenRoute {
  const neighbor = asJson(route["neighbor"]);
  const attributes = asList(route["attributes"]).map(asJson);
  const attribute = (key: string) => attributes.find((entry) => key in entry)?.[key];
  return {
    prefix: String(route["prefix"]),
    best: route["best"] === true,
    peer: neighbor["description"] === "LOCAL" ? undefined : asText(neighbor["remote_addr"]),
    pathId: asNumber(route["path_id"]),
    nextHop: asText(route["exit_nexthop"]),
    // "65001 { 65003 65004 }"
    asPath: (asText(route["aspath"]) ?? "").replace(/\{ | \}/g, (brace) => brace.trim()),
    origin: asOrigin(route["origin"]),
    // It shows 0 where there is none.
    med: asNumber(route["metric"]) || undefined,
    localPref: asNumber(route["localpref"]),
    communities: asList(route["communities"]).map(asCommunity),
    extendedCommunities: asList(route["extended_communities"]).map((text) =>
      String(text).replace(/^soo /, "ro ").replace(" ", ":"),
    ),
    largeCommunities: asList(route["large_communities"]).map(String),
    originatorId: asText(attribute("originator")),
    clusterList: asList(attribute("cluster_list")).map(String),
    unknownAttributes: attributes.flatMap(unknownOf),
  };
}

function unknownOf(attribute: Json): SeenAttribute[] {
  const type = /^Unknown Attribute #(\d+)/.exec(String(attribute["type"]))?.[1];
  if (type === undefined) return [];
  const { optional, transitive, partial } = asJson(attribute["flags"]);
  const flags = (optional ? 0x80 : 0) | (transitive ? 0x40 : 0) | (partial ? 0x20 : 0);
  return [{ type: Number(type), flags, value: String(attribute["data"]) }];
}
