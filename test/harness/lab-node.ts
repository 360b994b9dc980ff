/** One node of a lab: a network namespace in which programs run and routes stand. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BackgroundProcess, type CommandOptions, runCommand } from "./process.ts";
import { waitFor } from "./wait-for.ts";

/** A route as `ip -json -N route` shows it: the protocol is a number, as text. */
export interface KernelRoute {
  readonly dst: string;
  readonly type: string | undefined;
  readonly gateway: string | undefined;
  readonly via: { readonly family: string; readonly host: string } | undefined;
  readonly dev: string | undefined;
  readonly protocol: string;
  readonly scope: string | undefined;
  readonly metric: number | undefined;
  readonly prefsrc: string | undefined;
  readonly flags: readonly string[];
  readonly nexthops: readonly { gateway?: string; dev?: string; weight: number; flags: string[] }[] | undefined;
}

interface LinkState {
  readonly flags: readonly string[];
  readonly addr_info: readonly { readonly tentative?: boolean }[];
}

/** An interface's name holds 15 bytes. */
const longestInterface = 15;

/** So that a lab behaves at once: no wait for duplicate addresses, no filter on the way back, packets pass through. */
const settings = {
  "net/ipv4/ip_forward": 1,
  "net/ipv4/conf/all/rp_filter": 0,
  "net/ipv4/conf/default/rp_filter": 0,
  "net/ipv6/conf/all/forwarding": 1,
  "net/ipv6/conf/all/accept_dad": 0,
  "net/ipv6/conf/default/accept_dad": 0,
};

export class LabNode {
  readonly name: string;
  readonly namespace: string;
  /** For this node's files. */
  readonly folder: string;
  readonly #interfaces = new Set<string>();
  #processes = 0;

  constructor(name: string, namespace: string, labFolder: string) {
    this.name = name;
    this.namespace = namespace;
    this.folder = join(labFolder, name);
  }

  /** Called by the lab. */
  async prepare(): Promise<void> {
    mkdirSync(this.folder);
    const writes = Object.entries(settings).map(([key, value]) => `echo ${value} > /proc/sys/${key}`);
    await this.exec(["sh", "-ec", `ip link set lo up\n${writes.join("\n")}`]);
  }

  /** The command as it must be run to run inside this node. */
  inside(command: readonly string[]): string[] {
    return ["ip", "netns", "exec", this.namespace, ...command];
  }

  exec(command: readonly string[], options?: CommandOptions): Promise<string> {
    return runCommand(this.inside(command), options);
  }

  /** In the background; what it prints goes to a log in the node's folder. It ends with the lab. */
  spawn(
    command: readonly string[],
    name = command[0] ?? "",
    env?: Readonly<Record<string, string>>,
  ): BackgroundProcess {
    this.#processes += 1;
    const label = name.replace(/^.*\//, "");
    const log = join(this.folder, `${label}-${this.#processes}.log`);
    return new BackgroundProcess(`${label} on ${this.name}`, this.inside(command), log, env);
  }

  /** `ip` with these arguments, in this node. */
  ip(...args: readonly string[]): Promise<string> {
    return runCommand(["ip", "-netns", this.namespace, ...args]);
  }

  /** The kernel's routes of one family; of one table, `main` unless said otherwise. */
  async routes(family: "ipv4" | "ipv6", table = "main"): Promise<KernelRoute[]> {
    const flag = family === "ipv4" ? "-4" : "-6";
    // A table that no route ever stood in does not exist, which `ip` calls an error.
    const text = await this.ip("-json", "-N", flag, "route", "show", "table", table).catch((error: unknown) => {
      if (String(error).includes("FIB table does not exist")) return "[]";
      throw error;
    });
    return JSON.parse(text);
  }

  async setLink(name: string, state: "up" | "down"): Promise<void> {
    await this.ip("link", "set", "dev", name, state);
  }

  /** Gives an interface its addresses and brings it up. */
  async configure(name: string, addresses: readonly string[]): Promise<void> {
    this.#interfaces.add(name);
    for (const address of addresses) {
      await this.ip("address", "add", address, "dev", name, ...(address.includes(":") ? ["nodad"] : []));
    }
    await this.ip("link", "set", "dev", name, "up");
  }

  /** Resolves when the interface carries and its addresses may be used: the kernel needs some 10 ms for both. */
  async ready(name: string): Promise<void> {
    await waitFor(
      async () => {
        const [link] = JSON.parse(await this.ip("-json", "address", "show", "dev", name)) as LinkState[];
        return link?.flags.includes("LOWER_UP") && !link.addr_info.some((address) => address.tentative);
      },
      { what: `${name} of ${this.name} to be usable`, interval: 5 },
    );
  }

  /**
   * Addresses on an interface that is always up, such as those of a router itself or of workloads behind it: a cable whose
   * other end hangs in the same node, because not every kernel has dummy interfaces.
   */
  async stub(name: string, ...addresses: string[]): Promise<void> {
    const end = `${name.slice(0, longestInterface - 4)}-end`;
    await this.ip("link", "add", "name", name, "type", "veth", "peer", "name", end);
    await this.configure(end, []);
    await this.configure(name, addresses);
    await this.ready(name);
  }

  /** Whether one echo request comes back within a second. */
  async pings(address: string, source?: string): Promise<boolean> {
    const from = source === undefined ? [] : ["-I", source];
    return this.exec(["ping", "-n", "-c", "1", "-W", "1", ...from, address]).then(
      () => true,
      () => false,
    );
  }

  freeInterface(wanted: string): string {
    const base = wanted.slice(0, longestInterface - 2);
    if (!this.#interfaces.has(base)) return base;
    let count = 2;
    while (this.#interfaces.has(`${base}${count}`)) count += 1;
    return `${base}${count}`;
  }
}
