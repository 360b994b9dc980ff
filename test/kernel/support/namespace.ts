/** A network namespace of the test's own: this process moves into a new one, which goes away with it. */

import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";

const CLONE_NEWNET = 0x40000000;

/** Everything from here on (sockets, child processes) happens in a new, empty namespace with its loopback up. */
export function enterNewNamespace(): void {
  const koffi: typeof import("koffi") = createRequire(import.meta.url)("koffi");
  const unshare = koffi.load(null).func("int unshare(int)");
  if (unshare(CLONE_NEWNET) !== 0) throw new Error(`unshare: errno ${koffi.errno()}; kernel tests need root`);
  ip("link set lo up");
}

/** Runs ip(8) with the words of `line`. */
export function ip(line: string): string {
  return execFileSync("ip", line.split(" "), { encoding: "utf8" });
}

/** Many commands at once. */
export function ipBatch(lines: readonly string[]): void {
  execFileSync("ip", ["-force", "-batch", "-"], { input: `${lines.join("\n")}\n`, encoding: "utf8" });
}

export interface ShownRoute {
  readonly dst: string;
  readonly type?: string;
  readonly gateway?: string;
  readonly via?: { readonly family: string; readonly host: string };
  readonly dev?: string;
  readonly protocol?: string;
  readonly metric?: number;
  readonly prefsrc?: string;
  readonly flags: readonly string[];
  readonly nexthops?: readonly {
    readonly gateway?: string;
    readonly via?: { readonly host: string };
    readonly dev: string;
    readonly weight: number;
    readonly flags: readonly string[];
  }[];
}

/** What ip(8) sees: `ip -j route show`, with more words after it. */
export function routes(family: 4 | 6, words = ""): ShownRoute[] {
  const text = ip(`-${family} -j route show ${words}`.trim());
  return text.trim() === "" ? [] : (JSON.parse(text) as ShownRoute[]);
}

/** Two connected interfaces a and b, both up, with addresses; the far end is in this namespace too. */
export function veth(a: string, b: string, addresses: readonly string[]): void {
  ip(`link add name ${a} type veth peer name ${b}`);
  for (const address of addresses) ip(`addr add ${address} dev ${a}${address.includes(":") ? " nodad" : ""}`);
  ip(`link set ${b} up`);
  ip(`link set ${a} up`);
}
