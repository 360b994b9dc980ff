/** What an attempt to connect that nobody answered may mean, in words: the kernel does not tell which. */

import type { PeerOptions } from "./options.ts";

/** A TCP MD5 signature that is wrong or missing (RFC 2385 §2), and a TTL that is too low (RFC 5082 §3), are dropped without a word. */
export function noAnswer({ password, ttlSecurityHops, connectRetrySeconds }: PeerOptions): string {
  const causes = [
    "it is down, a firewall is in between",
    ttlSecurityHops === undefined ? undefined : `it is more than ${ttlSecurityHops} hops away (ttlSecurity)`,
    password === undefined ? "it wants a TCP MD5 password" : "its TCP MD5 password differs",
  ];
  const list = causes.filter((cause) => cause !== undefined);
  return `cannot connect: no answer within ${connectRetrySeconds} s: ${list.slice(0, -1).join(", ")}, or ${list.at(-1)}`;
}
