/** The daemons that interop tests run against: how each is made, whether it is installed, and in which version. */

import { execFileSync } from "node:child_process";
import type { LabNode } from "../lab-node.ts";
import { findProgram } from "../process.ts";
import { Bird } from "./bird.ts";
import { Exabgp } from "./exabgp.ts";
import { Frr } from "./frr.ts";
import { Gobgp } from "./gobgp.ts";
import { Openbgpd } from "./openbgpd.ts";
import type { DaemonName, Speaker, SpeakerSpec } from "./speaker.ts";

/** All but starling itself. */
export type PeerDaemon = Exclude<DaemonName, "starling">;

interface Entry {
  readonly make: (node: LabNode, spec: SpeakerSpec) => Speaker;
  /** All must be there. */
  readonly programs: readonly string[];
  readonly versionCommand: readonly string[];
}

const catalogue: Readonly<Record<PeerDaemon, Entry>> = {
  bird: {
    make: (node, spec) => new Bird(node, spec),
    programs: ["bird", "birdc"],
    versionCommand: ["bird", "--version"],
  },
  frr: {
    make: (node, spec) => new Frr(node, spec),
    programs: ["/usr/lib/frr/bgpd", "/usr/lib/frr/zebra", "vtysh"],
    versionCommand: ["/usr/lib/frr/bgpd", "--version"],
  },
  gobgp: {
    make: (node, spec) => new Gobgp(node, spec),
    programs: ["gobgpd", "gobgp"],
    versionCommand: ["gobgpd", "--version"],
  },
  openbgpd: {
    make: (node, spec) => new Openbgpd(node, spec),
    programs: ["bgpd", "bgpctl"],
    versionCommand: ["bgpd", "-V"],
  },
  exabgp: {
    make: (node, spec) => new Exabgp(node, spec),
    programs: ["exabgp"],
    versionCommand: ["exabgp", "--version"],
  },
};

export const peerDaemons = Object.keys(catalogue) as readonly PeerDaemon[];

export function makeDaemon(name: PeerDaemon, node: LabNode, spec: SpeakerSpec): Speaker {
  return catalogue[name].make(node, spec);
}

export function isInstalled(name: PeerDaemon): boolean {
  return catalogue[name].programs.every((program) => findProgram(program) !== undefined);
}

const versions = new Map<PeerDaemon, string>();

/** "2.0.12"; empty where the daemon is not installed. */
export function versionOf(name: PeerDaemon): string {
  let version = versions.get(name);
  if (version === undefined) {
    version = isInstalled(name) ? readVersion(catalogue[name].versionCommand) : "";
    versions.set(name, version);
  }
  return version;
}

function readVersion(command: readonly string[]): string {
  // Some print it on standard error.
  const text = execFileSync("sh", ["-c", '"$@" 2>&1', "sh", findProgram(command[0] ?? "") ?? "", ...command.slice(1)]);
  return /\d+(?:\.\d+)+/.exec(text.toString())?.[0] ?? "";
}
