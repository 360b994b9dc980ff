/** Which of the kernel's routes are told, and which of those are learnt. */

import { Family } from "../bgp/model/family.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import type { FibTarget } from "./fib.ts";
import { nameMatcher } from "./glob.ts";
import { RouteProtocol } from "./netlink/constants.ts";
import type { FibOptions } from "./options.ts";

/** What the rules need to know of an interface; undefined for one that is not there (yet). */
export interface InterfaceState {
  readonly name: string;
  readonly up: boolean;
}

export class LearnRules {
  #protocols: ReadonlySet<number> | undefined;
  #matchesInterface: ((name: string) => boolean) | undefined;
  readonly #interface: (index: number) => InterfaceState | undefined;

  constructor(learn: FibOptions["learn"], interfaceOf: (index: number) => InterfaceState | undefined) {
    this.set(learn);
    this.#interface = interfaceOf;
  }

  set(learn: FibOptions["learn"]): void {
    this.#protocols = learn === undefined ? undefined : new Set(learn.protocols);
    const globs = learn?.interfaces ?? [];
    this.#matchesInterface = globs.length === 0 ? undefined : nameMatcher(globs);
  }

  /** Of the first next hop. */
  interfaceName(target: FibTarget): string | undefined {
    const index = target.nextHops[0]?.interface ?? 0;
    return index === 0 ? undefined : this.#interface(index)?.name;
  }

  /** Not for hosts and multicast, and not over interfaces that are all down: then packets do not go that way. */
  isUsable(prefix: Prefix, target: FibTarget): boolean {
    if (scopeOf(prefix) === "host") return false;
    const hops = target.nextHops;
    return hops.length === 0 || hops.some((hop) => this.#interface(hop.interface)?.up !== false);
  }

  /** By protocol and interface. No protocols named: all but the kernel's own, redirects, and those without an origin. */
  isLearnt(prefix: Prefix, protocol: number, interfaceName: string | undefined): boolean {
    const protocols = this.#protocols;
    if (protocols === undefined || scopeOf(prefix) !== "global") return false;
    if (protocols.size === 0 ? isKernelMade(protocol) : !protocols.has(protocol)) return false;
    if (this.#matchesInterface === undefined) return true;
    return interfaceName !== undefined && this.#matchesInterface(interfaceName);
  }
}

/** "host": loopback and multicast; "link": link-local. Neither is for anybody else. */
export function scopeOf(prefix: Prefix): "host" | "link" | "global" {
  const { w0, length } = prefix;
  if (prefix.family === Family.Ipv4) {
    if (length >= 8 && w0 >>> 24 === 127) return "host";
    if (length >= 4 && w0 >>> 28 === 0xe) return "host";
    return length >= 16 && w0 >>> 16 === 0xa9fe ? "link" : "global";
  }
  if (length >= 8 && w0 >>> 24 === 0xff) return "host";
  if (length === 128 && (w0 | prefix.w1 | prefix.w2) === 0 && prefix.w3 <= 1) return "host";
  return length >= 10 && w0 >>> 22 === 0x3fa ? "link" : "global";
}

function isKernelMade(protocol: number): boolean {
  return (
    protocol === RouteProtocol.Unspecified || protocol === RouteProtocol.Redirect || protocol === RouteProtocol.Kernel
  );
}
