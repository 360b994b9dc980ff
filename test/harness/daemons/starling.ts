/** Drives starling itself as a user does: its executable, a configuration file, and its commands over the control socket. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ControlClient } from "../../../src/cli/control-client.ts";
import type { KernelView, PeerView, RouteView, SummaryView } from "../../../src/control/views.ts";
import type { LabNode } from "../lab-node.ts";
import { type BackgroundProcess, runCommand } from "../process.ts";
import { waitFor } from "../wait-for.ts";
import {
  asCommunity,
  DaemonError,
  type FamilyName,
  familiesOf,
  type PeerSpec,
  type RouteSpec,
  type SeenRoute,
  type SeenSession,
  type SessionAction,
  type Speaker,
  type SpeakerSpec,
} from "./speaker.ts";

const checkout = fileURLToPath(new URL("../../..", import.meta.url));
const executable = join(checkout, "bin", "starling.mjs");

/** What the common description has no word for, in the words of starling's own file. */
export interface StarlingExtras {
  /** Replaces top-level keys. */
  readonly file?: Readonly<Record<string, unknown>>;
  /** Replaces keys of single peers, by their address. */
  readonly peers?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Arguments of `starling run`. */
  readonly arguments?: readonly string[];
}

let build: Promise<string> | undefined;

export class Starling implements Speaker {
  readonly daemon = "starling";
  readonly socket: string;
  readonly file: string;
  readonly #node: LabNode;
  /** For what tests ask again and again: a process for each look would keep the machine from all else. */
  readonly #control: ControlClient;
  readonly #routes: Map<string, RouteSpec>;
  #spec: SpeakerSpec;
  #extras: StarlingExtras;
  #process: BackgroundProcess | undefined;

  constructor(node: LabNode, spec: SpeakerSpec, extras: StarlingExtras = {}) {
    this.#node = node;
    this.#spec = spec;
    this.#extras = extras;
    this.#routes = new Map((spec.routes ?? []).map((route) => [route.prefix, route]));
    this.file = join(node.folder, "starling.yaml");
    this.socket = join(node.folder, "starling.sock");
    this.#control = new ControlClient(this.socket);
  }

  get process(): BackgroundProcess {
    if (this.#process === undefined) throw new DaemonError("starling was not started");
    return this.#process;
  }

  async start(): Promise<void> {
    // A test must never run what was built from other sources.
    build ??= runCommand([process.execPath, join(checkout, "scripts", "setup.mjs")], { timeout: 120_000 });
    await build;
    this.#write();
    const run = ["run", "--config", this.file, ...(this.#extras.arguments ?? [])];
    this.#process = this.#node.spawn([process.execPath, executable, ...run], "starling");
    await waitFor(() => this.summary(), { what: "starling to answer" });
  }

  async stop(): Promise<void> {
    await this.process.stop("SIGTERM");
  }

  async kill(): Promise<void> {
    await this.process.stop("SIGKILL");
  }

  async routes(family: FamilyName, ...filter: readonly string[]): Promise<SeenRoute[]> {
    if (filter.length > 0) return (await this.routeViews("--family", family, ...filter)).map(routeOf);
    const routes: SeenRoute[] = [];
    for await (const rows of this.#control.rows("routes", { family })) {
      for (const row of rows) routes.push(routeOf(JSON.parse(row)));
    }
    return routes;
  }

  async sessions(): Promise<SeenSession[]> {
    const views = await this.peers();
    return this.#spec.peers.map((peer) => {
      const state = views.find((view) => view.address === peer.address)?.state ?? "Idle";
      return { peer: peer.address, state, established: state === "Established" };
    });
  }

  async announce(route: RouteSpec): Promise<void> {
    this.#routes.set(route.prefix, route);
    await this.reload();
  }

  async withdraw(prefix: string): Promise<void> {
    this.#routes.delete(prefix);
    await this.reload();
  }

  /** Takes over what was changed, and the rest as it was; returns what `starling reload` says. */
  async reload(spec: Partial<SpeakerSpec> = {}, extras: StarlingExtras = this.#extras): Promise<string> {
    this.#spec = { ...this.#spec, ...spec };
    this.#extras = extras;
    this.#write();
    return await this.command("reload");
  }

  async operate(address: string, action: SessionAction, message?: string): Promise<void> {
    const words = { disable: "disable", enable: "enable", refreshIn: "refresh-in", refreshOut: "refresh-out" };
    const params = { name: address, action: words[action], ...(message === undefined ? {} : { message }) };
    await this.#control.call("peerAction", params);
  }

  async routeViews(...filter: readonly string[]): Promise<RouteView[]> {
    const text = await this.command("show", "routes", ...filter, "--json");
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  async peers(): Promise<PeerView[]> {
    return await this.#control.call("peers");
  }

  async summary(): Promise<SummaryView> {
    return await this.#control.call("summary");
  }

  async kernel(): Promise<KernelView[]> {
    return JSON.parse(await this.command("show", "kernel", "--json"));
  }

  /** What a command of the executable prints. */
  async command(...words: readonly string[]): Promise<string> {
    return await runCommand([process.execPath, executable, ...words], { env: { STARLING_SOCKET: this.socket } });
  }

  #write(): void {
    // JSON is YAML.
    const file = starlingConfiguration(this.#spec, [...this.#routes.values()], this.socket, this.#extras);
    writeFileSync(this.file, `${JSON.stringify(file, undefined, 2)}\n`);
  }
}

function starlingConfiguration(
  spec: SpeakerSpec,
  routes: readonly RouteSpec[],
  socket: string,
  extras: StarlingExtras,
): object {
  return {
    asNumber: spec.asNumber,
    routerId: spec.routerId,
    ...(spec.listen === undefined ? {} : { listen: { addresses: spec.listen } }),
    ...(spec.clusterId === undefined ? {} : { routeReflector: { clusterId: spec.clusterId } }),
    peers: spec.peers.map((peer) => ({ ...peerConfiguration(peer), ...extras.peers?.[peer.address] })),
    originate: routes.map(originated),
    kernel: { enabled: spec.kernel ?? false },
    control: { socket },
    http: false,
    log: { format: "json" },
    ...extras.file,
  };
}

function peerConfiguration(peer: PeerSpec): object {
  const family = {
    ...(peer.addPath === undefined ? {} : { addPath: peer.addPath }),
    ...(peer.extendedNextHop ? { extendedNextHop: true } : {}),
  };
  return {
    address: peer.address,
    asNumber: peer.asNumber,
    families: Object.fromEntries(familiesOf(peer).map((name) => [name, family])),
    timers: { connectRetry: "1s", idleHold: "1s", ...(peer.holdTime === undefined ? {} : { hold: peer.holdTime }) },
    gracefulRestart:
      peer.gracefulRestart === undefined
        ? false
        : { time: peer.gracefulRestart, ...(peer.longLived === undefined ? {} : { longLived: peer.longLived }) },
    ...(peer.localAddress === undefined ? {} : { localAddress: peer.localAddress }),
    ...(peer.port === undefined ? {} : { port: peer.port }),
    ...(peer.password === undefined ? {} : { password: peer.password }),
    ...(peer.ttlSecurity === undefined ? {} : { ttlSecurity: peer.ttlSecurity }),
    ...(peer.multihop === undefined || peer.ttlSecurity !== undefined ? {} : { multihop: peer.multihop }),
    ...(peer.passive === undefined ? {} : { passive: peer.passive }),
    ...(peer.routeReflectorClient === undefined ? {} : { routeReflectorClient: peer.routeReflectorClient }),
    ...(peer.nextHopSelf === undefined ? {} : { nextHop: "self" }),
  };
}

function originated(route: RouteSpec): object {
  if (route.asPath !== undefined) throw new DaemonError("starling originates routes with its own AS number only");
  return {
    prefix: route.prefix,
    ...(route.nextHop === undefined ? {} : { nextHop: route.nextHop }),
    communities: [
      ...(route.communities ?? []),
      ...(route.extendedCommunities ?? []),
      ...(route.largeCommunities ?? []),
    ],
    ...(route.med === undefined ? {} : { med: route.med }),
    ...(route.localPref === undefined ? {} : { localPref: route.localPref }),
  };
}

function routeOf(view: RouteView): SeenRoute {
  return {
    prefix: view.prefix,
    best: view.best,
    peer: view.peer ?? undefined,
    pathId: view.pathId,
    nextHop: view.nextHop ?? undefined,
    asPath: view.asPath,
    origin: view.origin,
    med: view.med ?? undefined,
    localPref: view.localPref ?? undefined,
    communities: view.communities.map(asCommunity),
    extendedCommunities: view.extendedCommunities,
    largeCommunities: view.largeCommunities,
    originatorId: view.originatorId ?? undefined,
    clusterList: view.clusterList,
    unknownAttributes: view.unknownAttributes,
  };
}
