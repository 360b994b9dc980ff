/** BIRD 2. Next hops are looked up in a table of their own that holds a default route, so that all are reachable. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../../test/harness/process.ts";
import type { Daemon, Network, NetworkPeer } from "./daemon.ts";
import { versionOf } from "./version.ts";

export const bird: Daemon = {
  name: "bird",
  debianPackage: "bird2",
  isInstalled: () => findProgram("bird") !== undefined,
  version: () => versionOf([findProgram("bird") ?? "bird", "--version"]),
  prepare(network, folder) {
    const file = join(folder, "bird.conf");
    writeFileSync(file, configuration(network));
    const control = ["-s", join(folder, "bird.ctl"), "-P", join(folder, "bird.pid")];
    return { command: [findProgram("bird") ?? "bird", "-f", "-c", file, ...control] };
  },
};

function configuration(network: Network): string {
  const lines = ["log stderr all;", `router id ${network.routerId};`, "protocol device { }"];
  for (const family of network.families) {
    if (network.kernel) {
      lines.push("protocol direct { ipv4; ipv6; }");
      lines.push(`protocol kernel { ${family} { import none; export where source = RTS_BGP; }; }`);
    } else {
      const everything = family === "ipv4" ? "0.0.0.0/0" : "::/0";
      lines.push(`${family} table next_hops_${family};`);
      lines.push(`protocol static { ${family} { table next_hops_${family}; }; route ${everything} via "lo"; }`);
    }
  }
  return `${[...lines, ...network.peers.map((peer, index) => protocol(network, peer, index))].join("\n")}\n`;
}

function protocol(network: Network, peer: NetworkPeer, index: number): string {
  const { address, port, asNumber, families, kernel } = network;
  const client = peer.isClient ? `rr client; rr cluster id ${network.routerId};` : "";
  const channels = families.map((family) => {
    const nextHops = kernel ? "" : `igp table next_hops_${family};`;
    return `${family} { import all; export all; ${nextHops} };`;
  });
  return `protocol bgp peer${index} {
  local ${address} port ${port} as ${asNumber}; neighbor ${peer.address} as ${peer.asNumber}; strict bind on;
  multihop 64; passive on; graceful restart off; ${client}
  ${channels.join(" ")}
}`;
}
