/** How to reach a peer, as its options have it. */

import type { IpAddress } from "./model/address.ts";
import type { PeerOptions } from "./options.ts";
import type { DialRequest } from "./transport.ts";

export function dialRequest(options: PeerOptions, address: IpAddress): DialRequest {
  const { remote, port, localAddress, password, ttl, ttlSecurityHops } = options;
  return {
    address,
    interface: remote.kind === "range" ? undefined : remote.interface,
    port,
    localAddress,
    password,
    ttl,
    minTtl: ttlSecurityHops === undefined ? undefined : 256 - ttlSecurityHops,
  };
}
