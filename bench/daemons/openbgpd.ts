/** OpenBGPD: three processes. It wants a folder under /run for its chroot, which it gets in a /run of its own. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../../test/harness/process.ts";
import type { Daemon, Network, NetworkPeer } from "./daemon.ts";
import { versionOf } from "./version.ts";

export const openbgpd: Daemon = {
  name: "openbgpd",
  debianPackage: "openbgpd",
  isInstalled: () => findProgram("bgpd") !== undefined && findProgram("bgpctl") !== undefined,
  version: () => versionOf([findProgram("bgpd") ?? "bgpd", "-V"]),
  cannot: ({ kernel }) => (kernel ? "OpenBGPD outside OpenBSD and FreeBSD does not write the kernel" : undefined),
  prepare(network, folder) {
    const file = join(folder, "openbgpd.conf");
    // It refuses a configuration that others may read.
    writeFileSync(file, configuration(network, join(folder, "openbgpd.sock")), { mode: 0o600 });
    // `ip netns exec` gives its program mounts of its own, so this /run is this daemon's alone.
    const run = `mount -t tmpfs tmpfs /run && mkdir /run/openbgpd && exec ${findProgram("bgpd")} -d -v -f ${file}`;
    // Its route engine takes what comes before that for routes of peers that it knows nothing of.
    return { command: ["sh", "-c", run], readyText: "RDE reconfigured" };
  },
};

function configuration(network: Network, socket: string): string {
  const lines = [
    `AS ${network.asNumber}`,
    `router-id ${network.routerId}`,
    `socket "${socket}"`,
    `listen on ${network.address} port ${network.port}`,
    "fib-update no",
    "nexthop qualify via default",
    ...network.peers.flatMap((peer) => neighbor(network, peer)),
    "allow from any",
    "allow to any",
  ];
  return `${lines.join("\n")}\n`;
}

function neighbor({ families, routerId }: Network, peer: NetworkPeer): string[] {
  const lines = [`neighbor ${peer.address} {`, `  remote-as ${peer.asNumber}`, "  passive", "  announce restart no"];
  for (const [name, family] of [
    ["IPv4", "ipv4"],
    ["IPv6", "ipv6"],
  ] as const) {
    lines.push(`  announce ${name} ${families.includes(family) ? "unicast" : "none"}`);
  }
  if (peer.isClient) lines.push(`  route-reflector ${routerId}`);
  return [...lines, "}"];
}
