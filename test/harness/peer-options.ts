/** Options of peers for tests: everything at its default but what the test says. */

import { type IpAddress, parseAddress } from "../../src/bgp/model/address.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { asn, type PeerId } from "../../src/bgp/model/ids.ts";
import type { FamilyOptions, PeerOptions } from "../../src/bgp/options.ts";

export function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new TypeError(`not an address: ${text}`);
  return parsed;
}

export function familyOptions(family: Family, more: Partial<FamilyOptions> = {}): FamilyOptions {
  return { family, addPath: undefined, extendedNextHop: false, maxPrefixes: undefined, ...more };
}

export function peerOptions(more: Partial<PeerOptions> & { readonly to?: string } = {}): PeerOptions {
  const { to = "10.0.0.2", ...rest } = more;
  return {
    id: 1 as PeerId,
    name: to,
    remote: { kind: "address", address: address(to), interface: undefined },
    port: 179,
    remoteAs: [asn(65000)],
    localAs: asn(65000),
    localAddress: undefined,
    passive: false,
    enabled: true,
    password: undefined,
    ttl: 64,
    ttlSecurityHops: undefined,
    families: [familyOptions(Family.Ipv4)],
    holdTimeSeconds: 90,
    keepaliveSeconds: undefined,
    connectRetrySeconds: 5,
    idleHoldSeconds: 5,
    gracefulRestart: { timeSeconds: 120, longLivedSeconds: 0 },
    role: undefined,
    capabilities: { extendedMessages: true, hostName: true, restartNotification: true, longLivedAwareness: false },
    linkLocalNextHops: true,
    ...rest,
  };
}
