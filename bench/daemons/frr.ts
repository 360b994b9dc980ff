/**
 * FRR's bgpd without zebra and without the kernel: every next hop counts as reachable. By default it waits a second and more
 * before it says anything to many peers at once (`coalesce-time`); "frr" has that switched off, "frr-as-installed" has not.
 */

import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Daemon, Network } from "./daemon.ts";
import { versionOf } from "./version.ts";

const program = "/usr/lib/frr/bgpd";
const groups = { clients: true, others: false } as const;

export const frr = describe("frr", ["coalesce-time 0"]);
export const frrAsInstalled = describe("frr-as-installed", []);

function describe(name: string, tuning: readonly string[]): Daemon {
  return {
    name,
    debianPackage: "frr",
    isInstalled: () => existsSync(program),
    version: () => versionOf([program, "--version"]),
    cannot: ({ kernel }) => (kernel ? "bgpd alone does not write the kernel" : undefined),
    prepare(network, folder) {
      const own = join(folder, "frr");
      mkdirSync(own, { recursive: true });
      chmodSync(own, 0o777);
      const file = join(own, "bgpd.conf");
      writeFileSync(file, configuration(network, tuning));
      const quiet = ["--no_kernel", "--no_zebra", "--vty_socket", own, "-P", "0", "-i", join(own, "bgpd.pid")];
      const listen = ["-p", String(network.port), "-l", network.address];
      return { command: [program, "-f", file, ...quiet, ...listen, "--limit-fds", "65536", "--skip_runas"] };
    },
  };
}

function configuration(network: Network, tuning: readonly string[]): string {
  const { asNumber, routerId, families, peers } = network;
  const lines = [
    "hostname bench",
    "log stdout",
    `router bgp ${asNumber}`,
    ` bgp router-id ${routerId}`,
    ` bgp cluster-id ${routerId}`,
    " no bgp ebgp-requires-policy",
    " no bgp network import-check",
    " no bgp default ipv4-unicast",
    " bgp disable-ebgp-connected-route-check",
    ...tuning.map((line) => ` ${line}`),
  ];
  for (const name of Object.keys(groups)) {
    lines.push(
      ` neighbor ${name} peer-group`,
      ` neighbor ${name} passive`,
      ` neighbor ${name} graceful-restart-disable`,
    );
  }
  for (const peer of peers) {
    lines.push(` neighbor ${peer.address} remote-as ${peer.asNumber}`);
    lines.push(` neighbor ${peer.address} peer-group ${peer.isClient ? "clients" : "others"}`);
  }
  for (const family of families) {
    lines.push(` address-family ${family} unicast`);
    for (const [name, isClient] of Object.entries(groups)) {
      lines.push(`  neighbor ${name} activate`);
      if (isClient) lines.push(`  neighbor ${name} route-reflector-client`);
    }
    lines.push(" exit-address-family");
  }
  return `${lines.join("\n")}\n`;
}
