/** BIRD as a route collector of external peers: takes all, sends nothing, and decides as RFC 4271 §9.1.2.2 is written. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LabNode } from "../lab-node.ts";
import { type BackgroundProcess, runCommand } from "../process.ts";
import { waitFor } from "../wait-for.ts";
import { parseBirdRoutes } from "./bird-routes.ts";
import { familyOf, type SeenRoute } from "./speaker.ts";

export interface CollectorSpec {
  readonly asNumber: number;
  readonly routerId: string;
  /** Where it listens, by family; and through whom every next hop is reached. */
  readonly addresses: Readonly<Record<"ipv4" | "ipv6", { readonly local: string; readonly gateway: string }>>;
  readonly peers: readonly { readonly address: string; readonly asNumber: number }[];
}

export class BirdCollector {
  readonly #node: LabNode;
  readonly #spec: CollectorSpec;
  readonly #socket: string;
  #process: BackgroundProcess | undefined;

  constructor(node: LabNode, spec: CollectorSpec) {
    this.#node = node;
    this.#spec = spec;
    this.#socket = join(node.folder, "bird.ctl");
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async start(): Promise<void> {
    const file = join(this.#node.folder, "bird.conf");
    writeFileSync(file, configuration(this.#spec));
    const pidFile = join(this.#node.folder, "bird.pid");
    this.#process = this.#node.spawn(["bird", "-f", "-c", file, "-s", this.#socket, "-P", pidFile], "bird");
    await waitFor(() => this.command("show", "status"), { what: "bird to answer" });
  }

  async stop(): Promise<void> {
    await this.#process?.stop("SIGTERM");
  }

  /** Routes that it has taken in, rejected ones included. */
  async received(): Promise<number> {
    const text = await this.command("show", "protocols", "all");
    let sum = 0;
    for (const match of text.matchAll(/Import updates: +(\d+)/g)) sum += Number(match[1]);
    return sum;
  }

  /** The best path of each destination. */
  async best(family: "ipv4" | "ipv6"): Promise<SeenRoute[]> {
    const table = family === "ipv4" ? "master4" : "master6";
    const text = await this.command("show", "route", "table", table, "primary", "all");
    return parseBirdRoutes(text, (protocol) => this.#spec.peers[Number(/^peer(\d+)$/.exec(protocol)?.[1])]?.address);
  }

  command(...words: readonly string[]): Promise<string> {
    return runCommand(["birdc", "-s", this.#socket, ...words], { timeout: 120_000 });
  }
}

function configuration({ asNumber, routerId, addresses, peers }: CollectorSpec): string {
  const lines = ["log stderr all;", `router id ${routerId};`, "protocol device { }"];
  for (const family of ["ipv4", "ipv6"] as const) {
    // Next hops resolve over a table of their own, all at the same distance.
    const everything = family === "ipv4" ? "0.0.0.0/0" : "::/0";
    lines.push(`${family} table igp_${family};`);
    lines.push(`protocol static { ${family} { table igp_${family}; }; `);
    lines.push(`  route ${everything} via ${addresses[family].gateway}; }`);
  }
  peers.forEach((peer, index) => {
    const family = familyOf(peer.address);
    lines.push(
      `protocol bgp peer${index} {`,
      `  local ${addresses[family].local} as ${asNumber}; neighbor ${peer.address} as ${peer.asNumber};`,
      "  multihop 64; passive on; hold time 240; enforce first as on; graceful restart off;",
      // RFC 4271 §9.1.2.2 c compares MED within a neighbouring AS, and the whole set; f knows nothing of age.
      "  med metric off; deterministic med on; prefer older off;",
      `  ${family} { import all; export none; igp table igp_${family}; };`,
      "}",
    );
  });
  return `${lines.join("\n")}\n`;
}
