/** Drives FRR in a lab: zebra for next hops and interfaces, bgpd for BGP, vtysh over sockets in the node's own folder. */

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabNode } from "../lab-node.ts";
import { type BackgroundProcess, runCommand } from "../process.ts";
import { waitFor } from "../wait-for.ts";
import {
  changedPeerLines,
  frrConfiguration,
  networkLines,
  routeMapLines,
  withoutNetworkLines,
} from "./frr-configuration.ts";
import { frrNegotiation } from "./frr-session.ts";
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

const programs = "/usr/lib/frr";
/** vtysh takes its commands as arguments: so many at a time. */
const prefixesAtOnce = 200;

export class Frr implements Speaker {
  readonly daemon = "frr";
  readonly #node: LabNode;
  #spec: SpeakerSpec;
  readonly #folder: string;
  #zebra: BackgroundProcess | undefined;
  #process: BackgroundProcess | undefined;

  constructor(node: LabNode, spec: SpeakerSpec) {
    this.#node = node;
    this.#spec = spec;
    this.#folder = join(node.folder, "frr");
  }

  get process(): BackgroundProcess {
    if (this.#process === undefined) throw new DaemonError("frr was not started");
    return this.#process;
  }

  async start(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    // Both daemons shed root and then make their sockets here.
    chmodSync(this.#folder, 0o777);
    const file = (name: string) => join(this.#folder, name);
    writeFileSync(file("zebra.conf"), `hostname ${this.#node.name}\nlog stdout\n`);
    writeFileSync(file("bgpd.conf"), frrConfiguration(this.#spec, this.#node.name));
    const common = (name: string) => [
      ...[`${programs}/${name}`, "-f", file(`${name}.conf`), "-i", file(`${name}.pid`)],
      ...["--vty_socket", this.#folder, "-P", "0", "-z", file("zserv.api")],
    ];
    if (!this.#zebra?.isRunning) {
      this.#zebra = this.#node.spawn(common("zebra"), "zebra");
      await waitFor(() => this.command("show version"), { what: "zebra to answer" });
    }
    // -l implies -n, so a speaker that writes the kernel listens everywhere.
    const listen = this.#spec.kernel ? [] : ["-n", ...(this.#spec.listen ?? []).flatMap((address) => ["-l", address])];
    this.#process = this.#node.spawn([...common("bgpd"), ...listen], "bgpd");
    await waitFor(async () => asJson(JSON.parse(await this.command("show bgp summary json"))), {
      what: "bgpd to answer",
    });
  }

  async stop(): Promise<void> {
    await this.process.stop("SIGTERM");
    await this.#zebra?.stop("SIGTERM");
  }

  /** bgpd alone: zebra keeps the routes that it wrote, which is what a crash of bgpd means. */
  async kill(): Promise<void> {
    await this.process.stop("SIGKILL");
  }

  async routes(family: FamilyName): Promise<SeenRoute[]> {
    const table = JSON.parse(await this.command(`show bgp ${family} unicast json`));
    const prefixes = Object.keys(asJson(asJson(table)["routes"]));
    const routes: SeenRoute[] = [];
    for (let start = 0; start < prefixes.length; start += prefixesAtOnce) {
      const some = prefixes.slice(start, start + prefixesAtOnce);
      const text = await this.command(...some.map((prefix) => `show bgp ${family} unicast ${prefix} json`));
      // One document after the other, each closed by a brace at the margin.
      for (const document of text.split(/(?<=^\})\s*$/m).filter((part) => part.trim() !== "")) {
        const entry = asJson(JSON.parse(document));
        for (const path of asList(entry["paths"])) routes.push(routeOf(String(entry["prefix"]), asJson(path)));
      }
    }
    return routes;
  }

  async sessions(): Promise<SeenSession[]> {
    const neighbors = await this.#neighbors();
    return this.#spec.peers.map((peer) => {
      const state = asText(asJson(neighbors[peer.address])["bgpState"]) ?? "unknown";
      return { peer: peer.address, state, established: state === "Established" };
    });
  }

  async announce(route: RouteSpec): Promise<void> {
    await this.#configure([...routeMapLines(route), ...networkLines(this.#spec, route)]);
  }

  async withdraw(prefix: string): Promise<void> {
    await this.#configure(withoutNetworkLines(this.#spec, prefix));
  }

  /** The sessions' parameters alone. */
  async reconfigure(change: Partial<SpeakerSpec>): Promise<void> {
    const before = this.#spec;
    this.#spec = { ...this.#spec, ...change };
    await this.#configure(changedPeerLines(before, this.#spec));
  }

  async negotiated(address: string): Promise<SeenNegotiation> {
    return frrNegotiation(asJson((await this.#neighbors())[address]));
  }

  async operate(address: string, action: SessionAction, message?: string): Promise<void> {
    const inBgp = (line: string) => this.#configure([`router bgp ${this.#spec.asNumber}`, line]);
    const shutdown = `neighbor ${address} shutdown`;
    if (action === "disable") await inBgp(message === undefined ? shutdown : `${shutdown} message ${message}`);
    else if (action === "enable") await inBgp(`no ${shutdown}`);
    else
      await this.command(`clear bgp ${familyOf(address)} unicast ${address} ${action === "refreshIn" ? "in" : "out"}`);
  }

  async lastError(address: string): Promise<string> {
    const neighbor = asJson((await this.#neighbors())[address]);
    const parts = [
      neighbor["lastNotificationReason"],
      neighbor["lastShutdownDescription"] ?? neighbor["lastResetDueTo"],
    ];
    return parts.filter((part) => part !== undefined).join(": ");
  }

  async #neighbors(): Promise<Json> {
    return asJson(JSON.parse(await this.command("show bgp neighbors json")));
  }

  /** What vtysh prints for commands. */
  async command(...commands: readonly string[]): Promise<string> {
    return await runCommand(["vtysh", "--vty_socket", this.#folder, ...commands.flatMap((command) => ["-c", command])]);
  }

  async #configure(lines: readonly string[]): Promise<void> {
    const answer = await this.command("configure terminal", ...lines);
    if (/Unknown command|Invalid|not found/i.test(answer)) throw new DaemonError(`frr refused: ${answer}`);
  }
}

function routeOf(prefix: string, path: Json): SeenRoute {
  const peer = asText(asJson(path["peer"])["peerId"]);
  const hops = asList(path["nexthops"]).map(asJson);
  const aspath = asText(asJson(path["aspath"])["string"]) ?? "";
  const list = (name: string) => asList(asJson(path[name])["list"]).map(String);
  return {
    prefix,
    best: asJson(path["bestpath"])["overall"] === true,
    peer: peer === undefined || peer === "0.0.0.0" || peer === "::" ? undefined : peer,
    pathId: asNumber(path["addpathRxId"]) || undefined,
    nextHop: asText((hops.find((hop) => hop["scope"] !== "link-local") ?? hops[0])?.["ip"]),
    asPath: aspath === "Local" ? "" : aspath.replaceAll(",", " "),
    origin: asOrigin(path["origin"]),
    med: asNumber(path["metric"] ?? path["med"]),
    localPref: asNumber(path["locPrf"]),
    communities: list("community").map(asCommunity),
    extendedCommunities: extendedOf(asText(asJson(path["extendedCommunity"])["string"])),
    largeCommunities: list("largeCommunity"),
    originatorId: asText(path["originatorId"]),
    clusterList: list("clusterList"),
  };
}

/** "RT:65000:1 SoO:65000:2" */
function extendedOf(text: string | undefined): string[] {
  const words = (text ?? "").split(" ").filter(Boolean);
  return words.map((word) => word.replace(/^RT:/, "rt:").replace(/^SoO:/, "ro:"));
}
