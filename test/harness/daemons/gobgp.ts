/** Drives GoBGP in a lab: routes are added through its API, over loopback of the node. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabNode } from "../lab-node.ts";
import type { BackgroundProcess } from "../process.ts";
import { waitFor } from "../wait-for.ts";
import { gobgpConfiguration } from "./gobgp-configuration.ts";
import { gobgpLastError, gobgpNegotiation } from "./gobgp-session.ts";
import {
  asCommunity,
  asJson,
  asList,
  asNumber,
  asOrigin,
  asText,
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

/** GoBGP's numbers for the states of RFC 4271 section 8.2.2. */
const states = ["Unknown", "Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"];

/** A run of its client for each. */
const routesAtOnce = 8;

export class Gobgp implements Speaker {
  readonly daemon = "gobgp";
  readonly #node: LabNode;
  #spec: SpeakerSpec;
  readonly #file: string;
  #policies = 0;
  #process: BackgroundProcess | undefined;

  constructor(node: LabNode, spec: SpeakerSpec) {
    this.#node = node;
    this.#spec = spec;
    this.#file = join(node.folder, "gobgp.json");
  }

  get process(): BackgroundProcess {
    if (this.#process === undefined) throw new DaemonError("gobgp was not started");
    return this.#process;
  }

  async start(): Promise<void> {
    this.#write(true);
    const restart = this.#process !== undefined && this.#spec.peers.some((peer) => peer.gracefulRestart) ? ["-r"] : [];
    const api = ["--api-hosts", "127.0.0.1:50051", "--pprof-disable"];
    this.#process = this.#node.spawn(["gobgpd", "-t", "yaml", "-f", this.#file, ...api, ...restart], "gobgpd");
    await waitFor(() => this.command("global"), { what: "gobgpd to answer" });
    const routes = this.#spec.routes ?? [];
    for (let start = 0; start < routes.length; start += routesAtOnce) {
      await Promise.all(routes.slice(start, start + routesAtOnce).map((route) => this.announce(route)));
    }
    // A peer that were told first would have heard an End-of-RIB before the routes.
    for (const peer of this.#spec.peers) await this.command("neighbor", peer.address, "enable");
  }

  async stop(): Promise<void> {
    await this.process.stop("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.process.stop("SIGKILL");
  }

  async routes(family: FamilyName): Promise<SeenRoute[]> {
    const table = asJson(JSON.parse((await this.command("global", "rib", "-a", family, "-j")) || "{}"));
    return Object.entries(table).flatMap(([prefix, paths]) =>
      asList(paths).map((path) => routeOf(prefix, asJson(path))),
    );
  }

  async sessions(): Promise<SeenSession[]> {
    const neighbors = asList(JSON.parse(await this.command("neighbor", "-j"))).map(asJson);
    return this.#spec.peers.map((peer) => {
      const neighbor = neighbors.find((entry) => asJson(entry["conf"])["neighbor_address"] === peer.address) ?? {};
      const state = states[asNumber(asJson(neighbor["state"])["session_state"]) ?? 0] ?? "Unknown";
      return { peer: peer.address, state, established: state === "Established" };
    });
  }

  async announce(route: RouteSpec): Promise<void> {
    if (route.extendedCommunities !== undefined) await this.#addExtended(route.prefix, route.extendedCommunities);
    const words = ["origin", "igp"];
    if (route.nextHop !== undefined) words.push("nexthop", route.nextHop);
    if (route.asPath !== undefined) words.push("aspath", route.asPath.join(","));
    if (route.communities !== undefined) words.push("community", route.communities.join(","));
    if (route.largeCommunities !== undefined) words.push("large-community", route.largeCommunities.join(","));
    if (route.med !== undefined) words.push("med", String(route.med));
    if (route.localPref !== undefined) words.push("local-pref", String(route.localPref));
    await this.command("global", "rib", "add", route.prefix, ...words, "-a", familyOf(route.prefix));
  }

  async withdraw(prefix: string): Promise<void> {
    await this.command("global", "rib", "del", prefix, "-a", familyOf(prefix));
  }

  async reconfigure(change: Partial<SpeakerSpec>): Promise<void> {
    this.#spec = { ...this.#spec, ...change };
    this.#write(false);
    this.process.signal("SIGHUP");
  }

  async negotiated(address: string): Promise<SeenNegotiation> {
    return gobgpNegotiation(await this.command("neighbor", address));
  }

  async operate(address: string, action: SessionAction, message?: string): Promise<void> {
    const words = { disable: "disable", enable: "enable", refreshIn: "softresetin", refreshOut: "softresetout" };
    // Its "disable" loses the text.
    if (message !== undefined) await this.command("neighbor", address, "reset", "--reason", message);
    await this.command("neighbor", address, words[action]);
  }

  async lastError(address: string): Promise<string> {
    return gobgpLastError(this.process.output(), address);
  }

  /** The client has no word for them when it adds a route, but policies have: one for each statement. */
  async #addExtended(prefix: string, communities: readonly string[]): Promise<void> {
    for (const community of communities) {
      this.#policies += 1;
      const name = `extended-${this.#policies}`;
      await this.command("policy", "prefix", "add", name, prefix);
      await this.command("policy", "statement", "add", name);
      await this.command("policy", "statement", name, "add", "condition", "prefix", name);
      await this.command("policy", "statement", name, "add", "action", "ext-community", "add", extendedWord(community));
      await this.command("policy", "add", name, name);
      await this.command("global", "policy", "import", "add", name, "default", "accept");
    }
  }

  #write(isHeld: boolean): void {
    // JSON is YAML.
    writeFileSync(this.#file, JSON.stringify(gobgpConfiguration(this.#spec, isHeld), undefined, 2));
  }

  /** What the client `gobgp` prints for a command. */
  async command(...words: readonly string[]): Promise<string> {
    return await this.#node.exec(["gobgp", ...words]);
  }
}

/** Attributes stand in a list, by their type code. */
function routeOf(prefix: string, path: Json): SeenRoute {
  const list = asList(path["attrs"]).map(asJson);
  const attributes = new Map(list.map((entry) => [entry["type"], entry]));
  const attribute = (type: number) => attributes.get(type) ?? {};
  const peer = asText(path["neighbor-ip"]);
  return {
    prefix,
    best: path["best"] === true,
    peer: peer === "<nil>" || peer === "0.0.0.0" ? undefined : peer,
    pathId: undefined,
    nextHop: asText(attribute(3)["nexthop"] ?? attribute(14)["nexthop"]),
    asPath: asList(attribute(2)["as_paths"]).map(asJson).map(segmentText).filter(Boolean).join(" "),
    origin: asOrigin(attribute(1)["value"]),
    med: asNumber(attribute(4)["metric"]),
    localPref: asNumber(attribute(5)["value"]),
    communities: asList(attribute(8)["communities"]).map(asCommunity),
    extendedCommunities: asList(attribute(16)["value"]).map((value) => extendedText(asJson(value))),
    largeCommunities: asList(attribute(32)["value"])
      .map(asJson)
      .map((large) => `${large["ASN"]}:${large["LocalData1"]}:${large["LocalData2"]}`),
    originatorId: asText(attribute(9)["value"]),
    clusterList: asList(attribute(10)["value"]).map(String),
    // Only those have flags there, and octets for a value.
    unknownAttributes: list
      .filter((entry) => "flags" in entry)
      .map((entry) => ({
        type: Number(entry["type"]),
        flags: Number(entry["flags"]),
        value: Buffer.from(String(entry["value"]), "base64").toString("hex"),
      })),
  };
}

function segmentText(segment: Json): string {
  const numbers = asList(segment["asns"]).join(" ");
  return segment["segment_type"] === 1 ? `{${numbers}}` : numbers;
}

/** Route targets and route origins; the rest as it is. */
function extendedText(value: Json): string {
  const kind = { 2: "rt", 3: "ro" }[Number(value["subtype"])];
  if (kind === undefined || Number(value["type"]) > 2) return JSON.stringify(value);
  // A four-octet AS number has a point.
  const text = String(value["value"]).replace(/^(\d+)\.(\d+):/, (_, high, low) => `${high * 65536 + Number(low)}:`);
  return `${kind}:${text}`;
}

function extendedWord(community: string): string {
  return community
    .replace(/^ro:/, "soo:")
    .replace(/:(\d+):/, (whole, as) => (as > 0xffff ? `:${as >>> 16}.${as & 0xffff}:` : whole));
}
