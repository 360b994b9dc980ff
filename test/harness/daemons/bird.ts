/** Drives BIRD 2 in a lab: routes are static ones in its file, changed by reconfiguring, which keeps sessions up. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabNode } from "../lab-node.ts";
import { type BackgroundProcess, runCommand } from "../process.ts";
import { waitFor } from "../wait-for.ts";
import { parseBirdRoutes } from "./bird-routes.ts";
import {
  DaemonError,
  type FamilyName,
  familiesOf,
  familyOf,
  isInternal,
  type PeerSpec,
  type RouteSpec,
  type SeenRoute,
  type SeenSession,
  type Speaker,
  type SpeakerSpec,
} from "./speaker.ts";

export class Bird implements Speaker {
  readonly daemon = "bird";
  readonly #node: LabNode;
  readonly #spec: SpeakerSpec;
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
      const block = new RegExp(`^peer${index} .*(?:\\n[ \\t].*|\\n(?=\\n))*`, "m").exec(text)?.[0] ?? "";
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

  /** What `birdc` prints for a command. */
  async command(command: string): Promise<string> {
    return await runCommand(["birdc", "-s", this.#socket, ...command.split(" ")]);
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

function birdConfiguration(spec: SpeakerSpec, routes: readonly RouteSpec[]): string {
  const lines = ["log stderr all;", `router id ${spec.routerId};`, "protocol device { scan time 1; }"];
  lines.push("protocol direct { ipv4; ipv6; }");
  for (const family of ["ipv4", "ipv6"] as const) {
    const own = routes.filter((route) => familyOf(route.prefix) === family);
    lines.push(`protocol static own_${family} {`, `  ${family};`, ...own.map(staticRoute), "}");
    if (spec.kernel) {
      const what = "if source = RTS_BGP then accept; reject;";
      lines.push(`protocol kernel { ${family} { import none; export filter { ${what} }; }; persist; merge paths on; }`);
    }
  }
  spec.peers.forEach((peer, index) => {
    lines.push(...peerProtocol(spec, peer, index));
  });
  return `${lines.join("\n")}\n`;
}

function staticRoute(route: RouteSpec): string {
  const sets = [
    ...[...(route.asPath ?? [])].reverse().map((as) => `bgp_path.prepend(${as});`),
    ...(route.communities ?? []).map((community) => `bgp_community.add((${community.replace(":", ",")}));`),
    ...(route.largeCommunities ?? []).map((large) => `bgp_large_community.add((${large.replaceAll(":", ",")}));`),
    ...(route.med === undefined ? [] : [`bgp_med = ${route.med};`]),
    ...(route.localPref === undefined ? [] : [`bgp_local_pref = ${route.localPref};`]),
    "bgp_origin = ORIGIN_IGP;",
  ];
  const target = route.nextHop === undefined ? "blackhole" : `recursive ${route.nextHop}`;
  if (route.nextHop !== undefined) sets.push(`bgp_next_hop = ${route.nextHop};`);
  return `  route ${route.prefix} ${target} { ${sets.join(" ")} };`;
}

/** Towards external peers BIRD drops a MED that the export filter itself did not set. */
const exported =
  "if source = RTS_STATIC && defined(bgp_med) then bgp_med = bgp_med; if source ~ [RTS_BGP, RTS_STATIC] then accept; reject;";

function peerProtocol(spec: SpeakerSpec, peer: PeerSpec, index: number): string[] {
  const internal = isInternal(spec, peer);
  const local = peer.localAddress === undefined ? "" : `${peer.localAddress} `;
  const port = peer.port === undefined ? "" : ` port ${peer.port}`;
  const lines = [
    `protocol bgp peer${index} {`,
    `  local ${local}as ${spec.asNumber};`,
    `  neighbor ${peer.address}${port} as ${peer.asNumber};`,
    "  connect delay time 1; connect retry time 2; error wait time 1, 5;",
  ];
  const hops = peer.ttlSecurity ?? peer.multihop;
  if (hops !== undefined && hops > 1) lines.push(`  multihop ${hops};`);
  else lines.push(internal && peer.ttlSecurity === undefined ? "  multihop;" : "  direct;");
  if (peer.ttlSecurity !== undefined) lines.push("  ttl security on;");
  if (peer.password !== undefined) lines.push(`  password "${peer.password}";`);
  if (peer.passive) lines.push("  passive on;");
  if (peer.holdTime !== undefined) lines.push(`  hold time ${peer.holdTime};`);
  if (peer.routeReflectorClient) lines.push("  rr client;", `  rr cluster id ${spec.clusterId ?? spec.routerId};`);
  if (peer.extendedMessages) lines.push("  enable extended messages on;");
  lines.push(
    peer.gracefulRestart === undefined
      ? "  graceful restart off;"
      : `  graceful restart on; graceful restart time ${peer.gracefulRestart};`,
  );
  for (const family of familiesOf(peer)) {
    lines.push(`  ${family} {`, "    import all;", `    export filter { ${exported} };`);
    if (peer.nextHopSelf) lines.push("    next hop self;");
    if (peer.extendedNextHop) lines.push("    extended next hop on;");
    if (peer.addPath !== undefined)
      lines.push(`    add paths ${{ send: "tx", receive: "rx", both: "on" }[peer.addPath]};`);
    lines.push("  };");
  }
  return [...lines, "}"];
}
