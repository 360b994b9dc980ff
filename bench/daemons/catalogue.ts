/** The daemons that can be measured. */

import { basename, dirname, resolve } from "node:path";
import { BenchError } from "../bench-error.ts";
import type { NativeTools } from "../native/build.ts";
import { bird } from "./bird.ts";
import type { Daemon } from "./daemon.ts";
import { frr, frrAsInstalled } from "./frr.ts";
import { gobgpd } from "./gobgpd.ts";
import { openbgpd } from "./openbgpd.ts";
import { relay } from "./relay.ts";
import { starling } from "./starling.ts";
import { versionOf } from "./version.ts";

const installed: readonly Daemon[] = [bird, frr, frrAsInstalled, openbgpd, gobgpd];

export const daemonNames: readonly string[] = ["starling", ...installed.map(({ name }) => name), "relay"];

/** Those that run unless --daemons says otherwise. */
export const usualDaemons: readonly string[] = daemonNames.filter((name) => name !== frrAsInstalled.name);

export interface Selection {
  readonly names: readonly string[];
  /** Builds of starling, and the Nodes that run them: each pair is a daemon of its own. */
  readonly executables: readonly string[];
  readonly nodes: readonly string[];
  readonly nodeArguments: readonly string[];
  readonly tools: NativeTools;
}

export function selectDaemons(selection: Selection): Daemon[] {
  return selection.names.flatMap((name) => {
    if (name === "starling") return starlings(selection);
    if (name === "relay") return [relay(selection.tools.relay)];
    const daemon = installed.find((candidate) => candidate.name === name);
    if (daemon === undefined) throw new BenchError(`no daemon "${name}": there are ${daemonNames.join(", ")}`);
    return [daemon];
  });
}

/** What tells them apart is in their names: the checkout's folder, the Node's version. */
function starlings({ executables, nodes, nodeArguments }: Selection): Daemon[] {
  return executables.flatMap((executable) =>
    nodes.map((node) => {
      const path = resolve(executable);
      const name = [
        "starling",
        ...(executables.length > 1 ? [basename(dirname(dirname(path)))] : []),
        ...(nodes.length > 1 ? [`node${versionOf([node, "--version"]).split(".")[0]}`] : []),
      ].join("-");
      return starling({ name, executable: path, node, nodeArguments });
    }),
  );
}
