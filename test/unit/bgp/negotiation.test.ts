import { describe, expect, it } from "vitest";
import { AddPathMode, type Capability } from "../../../src/bgp/model/capability.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { asn, routerId } from "../../../src/bgp/model/ids.ts";
import { NotificationError, type OpenMessage } from "../../../src/bgp/model/messages.ts";
import { buildOpen, type LocalFacts, type Negotiated, negotiate } from "../../../src/bgp/negotiation.ts";
import type { PeerOptions } from "../../../src/bgp/options.ts";
import { decodeOpen, encodeOpen } from "../../../src/bgp/wire/open.ts";
import { familyOptions, peerOptions } from "../../harness/peer-options.ts";

const local: LocalFacts = { routerId: routerId(0x0a000001), hostName: "left", restarting: false };
const remote: LocalFacts = { routerId: routerId(0x0a000002), hostName: "right", restarting: false };
const both = [familyOptions(Family.Ipv4), familyOptions(Family.Ipv6)];

/** What `mine` makes of the OPEN that a peer with `theirs` sends, over the wire. */
function meet(mine: PeerOptions, theirs: PeerOptions, facts: LocalFacts = remote, plain = false): Negotiated {
  return negotiate(mine, local, decodeOpen(encodeOpen(buildOpen(theirs, facts, plain)).subarray(19)), false);
}

const open = (capabilities: readonly Capability[], more: Partial<OpenMessage> = {}): OpenMessage => ({
  version: 4,
  myAs: 65000,
  holdTimeSeconds: 90,
  bgpIdentifier: remote.routerId,
  capabilities,
  ...more,
});

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof NotificationError) return `${error.code}/${error.subcode} ${error.message}`;
    throw error;
  }
  return "accepted";
}

describe("negotiation, RFC 4271 §4.2 and RFC 5492", () => {
  it("comes to everything between two of us", () => {
    const options = peerOptions({
      families: [
        familyOptions(Family.Ipv4, { addPath: AddPathMode.Both, extendedNextHop: true }),
        familyOptions(Family.Ipv6),
      ],
      gracefulRestart: { timeSeconds: 120, longLivedSeconds: 3600 },
    });
    expect(meet(options, options, { ...remote, restarting: true })).toEqual({
      peerAs: 65000,
      internal: true,
      remoteRouterId: 0x0a000002,
      holdSeconds: 90,
      keepaliveSeconds: 30,
      families: [
        { family: Family.Ipv4, addPathReceive: true, addPathSend: true, extendedNextHop: true },
        { family: Family.Ipv6, addPathReceive: false, addPathSend: false, extendedNextHop: false },
      ],
      fourOctetAs: true,
      extendedMessages: true,
      routeRefresh: true,
      enhancedRouteRefresh: true,
      gracefulRestart: {
        timeSeconds: 120,
        notification: true,
        families: [Family.Ipv4, Family.Ipv6],
        forwardingPreserved: [Family.Ipv4, Family.Ipv6],
      },
      longLived: [
        { family: Family.Ipv4, seconds: 3600 },
        { family: Family.Ipv6, seconds: 3600 },
      ],
      isRestarting: true,
      sendsEndOfRib: true,
      hostName: "right",
    });
  });

  it("takes a peer without capabilities for IPv4 unicast and two-octet AS numbers", () => {
    const mine = peerOptions({ families: both });
    expect(meet(mine, peerOptions(), remote, true)).toMatchObject({
      families: [{ family: Family.Ipv4 }],
      fourOctetAs: false,
      extendedMessages: false,
      routeRefresh: false,
      gracefulRestart: undefined,
      isRestarting: false,
      sendsEndOfRib: false,
    });
  });

  it("claims nothing that it did not offer when its own OPEN was plain", () => {
    const theirs = buildOpen(peerOptions({ families: both }), remote, false);
    expect(negotiate(peerOptions({ families: both }), local, theirs, true)).toMatchObject({
      families: [{ family: Family.Ipv4 }],
      fourOctetAs: false,
      extendedMessages: false,
    });
    expect(buildOpen(peerOptions(), local, true).capabilities).toEqual([]);
  });

  it.each<[string, Partial<PeerOptions>, number, number, number]>([
    ["the lower hold time", { holdTimeSeconds: 90 }, 30, 30, 10],
    ["ours is lower", { holdTimeSeconds: 9 }, 90, 9, 3],
    ["a configured keepalive", { holdTimeSeconds: 90, keepaliveSeconds: 5 }, 90, 90, 5],
    ["a configured keepalive that is too long", { holdTimeSeconds: 90, keepaliveSeconds: 30 }, 9, 9, 3],
    ["the shortest", { holdTimeSeconds: 3 }, 3, 3, 1],
    ["zero switches it off", { holdTimeSeconds: 90 }, 0, 0, 0],
  ])("hold time: %s", (_name, mine, theirs, hold, keepalive) => {
    const negotiated = negotiate(peerOptions(mine), local, open([], { holdTimeSeconds: theirs }), false);
    expect([negotiated.holdSeconds, negotiated.keepaliveSeconds]).toEqual([hold, keepalive]);
  });

  it.each<[string, AddPathMode | undefined, AddPathMode | undefined, boolean, boolean]>([
    ["send to receive", AddPathMode.Send, AddPathMode.Receive, false, true],
    ["receive from send", AddPathMode.Receive, AddPathMode.Send, true, false],
    ["both with receive", AddPathMode.Both, AddPathMode.Receive, false, true],
    ["two senders", AddPathMode.Send, AddPathMode.Send, false, false],
    ["we do not", undefined, AddPathMode.Both, false, false],
    ["the peer does not", AddPathMode.Both, undefined, false, false],
  ])("add-path, RFC 7911 §4: %s", (_name, mine, theirs, receive, send) => {
    const options = (addPath: AddPathMode | undefined) =>
      peerOptions({ families: [familyOptions(Family.Ipv4, { addPath })] });
    expect(meet(options(mine), options(theirs)).families[0]).toMatchObject({
      addPathReceive: receive,
      addPathSend: send,
    });
  });

  it.each<[string, () => unknown, string]>([
    [
      "another AS",
      () => meet(peerOptions({ remoteAs: [asn(65001)] }), peerOptions()),
      "2/2 the peer says it is AS 65000; configured: 65001",
    ],
    [
      "internal, but it is not",
      () => meet(peerOptions({ remoteAs: "internal", localAs: asn(64999) }), peerOptions()),
      "2/2 the peer says it is AS 65000; configured: 64999",
    ],
    [
      "external, but it is not",
      () => meet(peerOptions({ remoteAs: "external" }), peerOptions()),
      "2/2 the peer says it is AS 65000; configured: any but 65000",
    ],
    [
      "our own identifier, RFC 6286 §2.2",
      () => meet(peerOptions(), peerOptions(), local),
      "2/3 the peer has our own BGP Identifier 10.0.0.1",
    ],
    [
      "no common family",
      () => meet(peerOptions({ families: [familyOptions(Family.Ipv6)] }), peerOptions()),
      "2/7 the peer speaks none of the configured families",
    ],
    [
      "two providers, RFC 9234 §4.2",
      () => meet(peerOptions({ role: 0 }), peerOptions({ role: 0 })),
      "2/11 the peer is provider, which does not fit our role provider",
    ],
    ["provider and customer", () => meet(peerOptions({ role: 0 }), peerOptions({ role: 3 })), "accepted"],
    ["route server and client", () => meet(peerOptions({ role: 2 }), peerOptions({ role: 1 })), "accepted"],
    ["a role on one side", () => meet(peerOptions({ role: 0 }), peerOptions()), "accepted"],
    [
      "roles that differ",
      () =>
        negotiate(
          peerOptions({ role: 0 }),
          local,
          open([
            { kind: "role", role: 3 },
            { kind: "role", role: 4 },
          ]),
          false,
        ),
      "2/11 the peer is peer, which does not fit our role provider",
    ],
    [
      "the same identifier from another AS, RFC 6286 §2.1",
      () =>
        meet(
          peerOptions({ remoteAs: [asn(65001)] }),
          peerOptions({ localAs: asn(65001), remoteAs: [asn(65000)] }),
          local,
        ),
      "accepted",
    ],
  ])("%s", (_name, run, want) => {
    expect(refusal(run)).toBe(want);
  });

  it("names the families it would have needed, RFC 5492 §5", () => {
    try {
      meet(peerOptions({ families: [familyOptions(Family.Ipv6)] }), peerOptions());
    } catch (error) {
      expect(error instanceof NotificationError && Buffer.from(error.data).toString("hex")).toBe("010400020001");
    }
    expect.assertions(1);
  });

  it("carries an AS number of four octets beside AS_TRANS, RFC 6793 §4.1", () => {
    const theirs = peerOptions({ localAs: asn(4_200_000_000), remoteAs: [asn(65000)] });
    expect(buildOpen(theirs, remote, false).myAs).toBe(23456);
    expect(meet(peerOptions({ remoteAs: [asn(4_200_000_000)] }), theirs)).toMatchObject({
      peerAs: 4_200_000_000,
      internal: false,
    });
  });

  it("needs long-lived restart on both sides, and graceful restart with it, RFC 9494 §4.1", () => {
    const with_ = peerOptions({ gracefulRestart: { timeSeconds: 60, longLivedSeconds: 600 } });
    const without = peerOptions({ gracefulRestart: { timeSeconds: 60, longLivedSeconds: 0 } });
    expect(meet(without, with_).longLived).toEqual([]);
    expect(meet(with_, without).longLived).toEqual([]);
    expect(meet(with_, with_).longLived).toEqual([{ family: Family.Ipv4, seconds: 600 }]);
    const lone: Capability = {
      kind: "longLivedGracefulRestart",
      tuples: [{ afi: 1, safi: 1, forwardingPreserved: false, staleTimeSeconds: 600 }],
    };
    expect(negotiate(with_, local, open([lone]), false).longLived).toEqual([]);
  });
});
