/** Drives GoBGP in a lab: routes are added through its API, over loopback of the node. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabNode } from "../lab-node.ts";
import type { BackgroundProcess } from "../process.ts";
import { waitFor } from "../wait-for.ts";
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
  familyOf,
  isInternal,
  type Json,
  type PeerSpec,
  type RouteSpec,
  type SeenRoute,
  type SeenSession,
  type Speaker,
  type SpeakerSpec,
} from "./speaker.ts";

/** GoBGP's numbers for the states of RFC 4271 section 8.2.2. */
const states = ["Unknown", "Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"];

export class Gobgp implements Speaker {
  readonly daemon = "gobgp";
  readonly #node: LabNode;
  readonly #spec: SpeakerSpec;
  #process: BackgroundProcess | undefined;

  constructor(node: LabNode, spec: SpeakerSpec) {
    this.#node = node;
    this.#spec = spec;
  }

  get process(): BackgroundProcess {
    if (this.#process === undefined) throw new DaemonError("gobgp was not started");
    return this.#process;
  }

  async start(): Promise<void> {
    const file = join(this.#node.folder, "gobgp.json");
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(gobgpConfiguration(this.#spec), undefined, 2));
    const restart = this.#process !== undefined && this.#spec.peers.some((peer) => peer.gracefulRestart) ? ["-r"] : [];
    const api = ["--api-hosts", "127.0.0.1:50051", "--pprof-disable"];
    this.#process = this.#node.spawn(["gobgpd", "-t", "yaml", "-f", file, ...api, ...restart], "gobgpd");
    await waitFor(() => this.command("global"), { what: "gobgpd to answer" });
    for (const route of this.#spec.routes ?? []) await this.announce(route);
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

  /** What the client `gobgp` prints for a command. */
  async command(...words: readonly string[]): Promise<string> {
    return await this.#node.exec(["gobgp", ...words]);
  }
}

function gobgpConfiguration(spec: SpeakerSpec): object {
  return {
    global: {
      config: {
        as: spec.asNumber,
        "router-id": spec.routerId,
        ...(spec.listen === undefined ? {} : { "local-address-list": spec.listen }),
      },
    },
    neighbors: spec.peers.map((peer) => neighbor(spec, peer)),
  };
}

function neighbor(spec: SpeakerSpec, peer: PeerSpec): object {
  const restart = peer.gracefulRestart;
  return {
    config: {
      "neighbor-address": peer.address,
      "peer-as": peer.asNumber,
      ...(peer.password === undefined ? {} : { "auth-password": peer.password }),
    },
    transport: {
      config: {
        ...(peer.passive ? { "passive-mode": true } : {}),
        ...(peer.localAddress === undefined ? {} : { "local-address": peer.localAddress }),
        ...(peer.port === undefined ? {} : { "remote-port": peer.port }),
      },
    },
    timers: {
      config: {
        "connect-retry": 1,
        "idle-hold-time-after-reset": 1,
        ...(peer.holdTime === undefined
          ? {}
          : { "hold-time": peer.holdTime, "keepalive-interval": Math.floor(peer.holdTime / 3) }),
      },
    },
    ...(peer.multihop === undefined || isInternal(spec, peer)
      ? {}
      : { "ebgp-multihop": { config: { enabled: true, "multihop-ttl": peer.multihop } } }),
    ...(peer.ttlSecurity === undefined
      ? {}
      : { "ttl-security": { config: { enabled: true, "ttl-min": 256 - peer.ttlSecurity } } }),
    ...(peer.routeReflectorClient
      ? {
          "route-reflector": {
            config: { "route-reflector-client": true, "route-reflector-cluster-id": spec.clusterId ?? spec.routerId },
          },
        }
      : {}),
    ...(restart === undefined
      ? {}
      : { "graceful-restart": { config: { enabled: true, "restart-time": restart, "notification-enabled": true } } }),
    "afi-safis": familiesOf(peer).map((family) => ({
      config: { "afi-safi-name": `${family}-unicast` },
      ...(restart === undefined ? {} : { "mp-graceful-restart": { config: { enabled: true } } }),
      ...(peer.addPath === undefined
        ? {}
        : {
            "add-paths": {
              config: { receive: peer.addPath !== "send", ...(peer.addPath === "receive" ? {} : { "send-max": 16 }) },
            },
          }),
    })),
  };
}

/** Attributes stand in a list, by their type code. */
function routeOf(prefix: string, path: Json): SeenRoute {
  const attributes = new Map(asList(path["attrs"]).map((entry) => [asJson(entry)["type"], asJson(entry)]));
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
    largeCommunities: asList(attribute(32)["value"])
      .map(asJson)
      .map((large) => `${large["ASN"]}:${large["LocalData1"]}:${large["LocalData2"]}`),
    originatorId: asText(attribute(9)["value"]),
    clusterList: asList(attribute(10)["value"]).map(String),
  };
}

function segmentText(segment: Json): string {
  const numbers = asList(segment["asns"]).join(" ");
  return segment["segment_type"] === 1 ? `{${numbers}}` : numbers;
}
