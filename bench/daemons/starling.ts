/** Starling as `npm run build` made it, here or in another checkout, on the Node that runs the benchmark or on another. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Daemon, Network } from "./daemon.ts";
import { versionOf } from "./version.ts";

const probe = new URL("../event-loop-probe.mjs", import.meta.url).href;

export interface StarlingOptions {
  readonly name: string;
  /** A checkout's bin/starling.mjs. */
  readonly executable: string;
  /** The Node that runs it. */
  readonly node: string;
  /** For that Node, such as --cpu-prof. */
  readonly nodeArguments: readonly string[];
}

export function starling({ name, executable, node, nodeArguments }: StarlingOptions): Daemon {
  return {
    name,
    debianPackage: undefined,
    isInstalled: () => true,
    version: () => `${versionOf([node, executable, "--version"])} on Node ${versionOf([node, "--version"])}`,
    prepare(network, folder, options) {
      const file = join(folder, "starling.yaml");
      // JSON is YAML.
      writeFileSync(file, JSON.stringify(configuration(network, folder)));
      const preload = options.probe ? ["--import", probe] : [];
      return {
        command: [node, ...nodeArguments, ...preload, executable, "run", "-c", file],
        hasProbe: options.probe,
      };
    },
  };
}

function configuration({ asNumber, routerId, address, port, families, peers, kernel }: Network, folder: string) {
  return {
    asNumber,
    routerId,
    listen: { addresses: [address], port },
    peerDefaults: {
      passive: true,
      multihop: 64,
      gracefulRestart: false,
      families: Object.fromEntries(families.map((family) => [family, {}])),
    },
    peers: peers.map((peer) => ({
      address: peer.address,
      asNumber: peer.asNumber,
      ...(peer.isClient ? { routeReflectorClient: true } : {}),
    })),
    kernel: { enabled: kernel },
    control: { socket: join(folder, "starling.sock") },
    log: { format: "json" },
  };
}
