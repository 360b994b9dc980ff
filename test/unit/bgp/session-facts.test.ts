import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress } from "../../../src/bgp/model/address.ts";
import type { Negotiated } from "../../../src/bgp/negotiation.ts";
import { sessionFacts } from "../../../src/bgp/session-facts.ts";
import type { Connection } from "../../../src/bgp/transport.ts";
import { peerOptions } from "../../harness/peer-options.ts";

const at = (text: string) => {
  const address = parseAddress(text);
  if (address === undefined) throw new RangeError(text);
  return address;
};

describe("our link-local address towards a peer, RFC 2545 §3", () => {
  it.each([
    ["beside a global address", "2001:db8::1", true, "fe80::1"],
    ["not where the address is link-local itself", "fe80::1", true, undefined],
    ["not where the peer is to have the global next hop alone", "2001:db8::1", false, undefined],
  ] as const)("%s", (_name, local, linkLocalNextHops, want) => {
    const options = { ...peerOptions({ to: "2001:db8::2" }), linkLocalNextHops };
    const negotiated = { families: [], longLived: [] } as unknown as Negotiated;
    const connection = { localAddress: at(local), remoteAddress: at("2001:db8::2") } as Connection;
    const { localLinkLocal } = sessionFacts(options, negotiated, connection, at("fe80::1"));
    expect(localLinkLocal === undefined ? undefined : formatAddress(localLinkLocal)).toBe(want);
  });
});
