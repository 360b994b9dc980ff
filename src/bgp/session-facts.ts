/** What a session that is Established means to the tables. */

import { type IpAddress, isLinkLocal } from "./model/address.ts";
import type { SessionFacts } from "./model/ports.ts";
import type { Negotiated } from "./negotiation.ts";
import type { PeerOptions } from "./options.ts";
import type { Connection } from "./transport.ts";
import { MAX_EXTENDED_LENGTH, MAX_LENGTH } from "./wire/header.ts";

export function sessionFacts(
  options: PeerOptions,
  negotiated: Negotiated,
  connection: Connection,
  linkLocalBeside: IpAddress | undefined,
): SessionFacts {
  const { localAddress, remoteAddress } = connection;
  return {
    internal: negotiated.internal,
    peerAs: negotiated.peerAs,
    localAs: options.localAs,
    remoteRouterId: negotiated.remoteRouterId,
    localAddress,
    remoteAddress,
    localLinkLocal: isLinkLocal(localAddress) || !options.linkLocalNextHops ? undefined : linkLocalBeside,
    families: negotiated.families,
    fourOctetAs: negotiated.fourOctetAs,
    maxMessageLength: negotiated.extendedMessages ? MAX_EXTENDED_LENGTH : MAX_LENGTH,
    isRestarting: negotiated.isRestarting,
    sendsEndOfRib: negotiated.sendsEndOfRib,
    longLivedStale: negotiated.longLived.map((l) => l.family),
    forwardingPreserved: negotiated.gracefulRestart?.forwardingPreserved ?? [],
  };
}
