/** What a configuration needs of the machine it is for, handed in so that tests hold it in their hands. */

import { networkInterfaces } from "node:os";
import { dirname, resolve } from "node:path";
import { type RouterId, routerId } from "../bgp/model/ids.ts";
import { parseAddress } from "./addresses.ts";
import { readTextFile, type TextResult } from "./text-file.ts";

export interface Surroundings {
  /** The default router id: undefined if no interface has an IPv4 address. */
  readonly routerId: () => RouterId | undefined;
  /** Of all interfaces, as text. */
  readonly addresses: () => readonly string[];
  /** A file that the configuration refers to. */
  readonly readText: (path: string) => TextResult;
  /** The same path from the root, for those who read it later. */
  readonly resolvePath: (path: string) => string;
  readonly environment: (name: string) => string | undefined;
  /** The number of a routing table by the name that the machine gives it. */
  readonly routingTable: (name: string) => number | undefined;
}

const MAX_REFERRED_BYTES = 64 * 1024;

/** This machine. `directory`: where relative paths begin. */
export function machine(directory: string): Surroundings {
  return {
    routerId: () => highestAddress(networkInterfaces()),
    addresses: () => Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)),
    readText: (path) => readTextFile(resolve(directory, path), MAX_REFERRED_BYTES),
    resolvePath: (path) => resolve(directory, path),
    environment: (name) => process.env[name],
    routingTable: (name) => tableNumber(name, rtTables()),
  };
}

/** The machine as the file at `path` sees it. */
export function machineOf(path: string): Surroundings {
  return machine(dirname(resolve(path)));
}

export interface InterfaceAddress {
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  readonly internal: boolean;
}

/** The highest IPv4 address, as other routers choose too; loopback's own only where there is nothing else. */
export function highestAddress(
  interfaces: Readonly<Record<string, readonly InterfaceAddress[] | undefined>>,
): RouterId | undefined {
  let best = 0;
  let bestIsLoopback = true;
  for (const { address, family } of Object.values(interfaces).flatMap((addresses) => addresses ?? [])) {
    const word = family === "IPv4" ? (parseAddress(address)?.w0 ?? 0) : 0;
    // 127.0.0.0/8 everywhere means "this machine" and tells no two apart; other addresses of lo do.
    const isLoopback = word >>> 24 === 127;
    if (word === 0 || (isLoopback && !bestIsLoopback)) continue;
    if (isLoopback === bestIsLoopback ? word > best : !isLoopback) {
      best = word;
      bestIsLoopback = isLoopback;
    }
  }
  return best === 0 ? undefined : routerId(best);
}

/** A line of rt_tables: number, blanks, name. */
export function tableNumber(name: string, rtTablesText: string): number | undefined {
  for (const line of rtTablesText.split("\n")) {
    const match = /^\s*(\d+)\s+(\S+)/.exec(line);
    if (match?.[2] === name) return Number(match[1]);
  }
  return undefined;
}

function rtTables(): string {
  for (const path of ["/etc/iproute2/rt_tables", "/usr/share/iproute2/rt_tables"]) {
    const file = readTextFile(path, MAX_REFERRED_BYTES);
    if (file.kind === "text") return file.text;
  }
  return "";
}
