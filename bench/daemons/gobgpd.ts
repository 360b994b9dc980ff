/** GoBGP's daemon: one process with many threads. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../../test/harness/process.ts";
import type { Daemon, Network, NetworkPeer } from "./daemon.ts";
import { versionOf } from "./version.ts";

export const gobgpd: Daemon = {
  name: "gobgpd",
  debianPackage: "gobgpd",
  isInstalled: () => findProgram("gobgpd") !== undefined,
  version: () => versionOf([findProgram("gobgpd") ?? "gobgpd", "--version"]),
  cannot: ({ kernel }) => (kernel ? "GoBGP writes the kernel only by way of zebra" : undefined),
  prepare(network, folder) {
    const file = join(folder, "gobgpd.json");
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(configuration(network)));
    const quiet = ["--api-hosts", "127.0.0.1:50051", "--pprof-disable", "--log-level", "warn"];
    return { command: [findProgram("gobgpd") ?? "gobgpd", "-t", "yaml", "-f", file, ...quiet] };
  },
};

function configuration(network: Network): object {
  const { asNumber, routerId, address, port } = network;
  return {
    global: { config: { as: asNumber, "router-id": routerId, port, "local-address-list": [address] } },
    neighbors: network.peers.map((peer) => neighbor(network, peer)),
  };
}

function neighbor({ routerId, families }: Network, peer: NetworkPeer): object {
  return {
    config: { "neighbor-address": peer.address, "peer-as": peer.asNumber },
    transport: { config: { "passive-mode": true } },
    ...(peer.isClient
      ? {
          "route-reflector": {
            config: { "route-reflector-client": true, "route-reflector-cluster-id": routerId },
          },
        }
      : {}),
    "afi-safis": families.map((family) => ({ config: { "afi-safi-name": `${family}-unicast` } })),
  };
}
