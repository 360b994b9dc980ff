/** Listens to one node's kernel routes change, and notes when: the kernel's own word, not a daemon's. */

import type { LabNode } from "../test/harness/lab-node.ts";
import type { BackgroundProcess } from "../test/harness/process.ts";
import { waitFor } from "../test/harness/wait-for.ts";
import type { Programs } from "./programs.ts";

export interface RouteChange {
  /** As Date.now() counts. */
  readonly at: number;
  readonly kind: "added" | "removed";
  readonly prefix: string;
  /** As `ip route` writes it. */
  readonly route: string;
}

export class RouteWatch {
  readonly #process: BackgroundProcess;

  constructor(node: LabNode, programs: Programs) {
    const command = ["ip", "-tshort", "-oneline", "monitor", "route"];
    this.#process = programs.spawn(node, command, "ip-monitor", { TZ: "UTC" });
  }

  /** What changed about this prefix since then. */
  since(moment: number, prefix: string): RouteChange[] {
    const changes = this.#process.output().split("\n").flatMap(parseChange);
    return changes.filter((change) => change.at >= moment && change.prefix === prefix);
  }

  /** The first such change since then, waited for. */
  async next(moment: number, prefix: string, kind: RouteChange["kind"]): Promise<RouteChange> {
    const look = () => this.since(moment, prefix).find((change) => change.kind === kind);
    return await waitFor(look, { what: `the route to ${prefix} to be ${kind}`, interval: 20 });
  }
}

/** "[2026-01-31T12:00:00.123456] Deleted 10.244.2.0/26 via 10.0.0.2 dev eth0 proto bird" */
function parseChange(line: string): RouteChange[] {
  const match = /^\[(\S+T\S+)(\.\d+)\] (Deleted )?((?:blackhole )?(\S+) .*)$/.exec(line);
  if (match === null) return [];
  const [, moment = "", fraction = "", deleted, route = "", prefix = ""] = match;
  const at = Date.parse(`${moment}Z`) + Number(fraction) * 1000;
  return [{ at, kind: deleted === undefined ? "added" : "removed", prefix, route: route.trim() }];
}
