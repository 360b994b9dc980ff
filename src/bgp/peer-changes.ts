/**
 * What a change of a peer's options asks for: nothing that the session cannot take over while it stands, or a new session (RFC 4486 §4,
 * subcode 6). The rule: what the OPEN said, and what the connection was made with, cannot be taken back.
 */

import { formatAddress } from "./model/address.ts";
import { formatPrefix } from "./model/prefix.ts";
import type { FamilyOptions, PeerOptions } from "./options.ts";

/** Why the session must begin anew, in words; empty if it need not. */
export function restartReasons(before: PeerOptions, after: PeerOptions): readonly string[] {
  const reasons: string[] = [];
  const compare = (what: string, of: (options: PeerOptions) => unknown) => {
    if (JSON.stringify(of(before)) !== JSON.stringify(of(after))) reasons.push(`${what} changed`);
  };
  compare("address", (o) => remoteText(o.remote));
  // Where to connect to: a session that the peer opened, or will open, does not ask.
  if (!after.passive) compare("port", (o) => o.port);
  compare("AS number", (o) => o.remoteAs);
  compare("local AS number", (o) => o.localAs);
  // Any will do: the one that the session has, too.
  if (after.localAddress !== undefined)
    compare("local address", (o) => (o.localAddress === undefined ? null : formatAddress(o.localAddress)));
  compare("TTL", (o) => [o.ttl, o.ttlSecurityHops ?? null]);
  compare("families", (o) => o.families.map(negotiatedPart));
  compare("hold time", (o) => o.holdTimeSeconds);
  compare("graceful restart", (o) => o.gracefulRestart ?? null);
  compare("role", (o) => o.role ?? null);
  compare("capabilities", (o) => o.capabilities);
  return reasons;
}

/** What of a family is in the OPEN; limits are the tables' business. */
function negotiatedPart({ family, addPath, extendedNextHop }: FamilyOptions): unknown {
  return [family, addPath ?? null, extendedNextHop];
}

function remoteText(remote: PeerOptions["remote"]): string {
  switch (remote.kind) {
    case "address":
      return `${formatAddress(remote.address)}%${remote.interface ?? ""}`;
    case "range":
      return formatPrefix(remote.prefix);
    default:
      return remote.interface;
  }
}
