/** What this process may do (capabilities(7)). */

import { readFileSync } from "node:fs";

/** Numbers of linux/capability.h. */
export const Capability = { NetBindService: 10, NetAdmin: 12 } as const;
export type Capability = (typeof Capability)[keyof typeof Capability];

/** True if the capability is effective; false too where there is no /proc to tell. */
export function hasCapability(capability: Capability): boolean {
  let status: string;
  try {
    status = readFileSync("/proc/self/status", "utf8");
  } catch {
    return false;
  }
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> BigInt(capability)) & 1n) === 1n;
}
