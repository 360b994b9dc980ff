import { describe, expect, it } from "vitest";
import type { NegotiatedFamily } from "../../../src/bgp/model/capability.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import type { Negotiated } from "../../../src/bgp/negotiation.ts";
import { UpdateDecoders } from "../../../src/bgp/update-decoders.ts";

const IPV4: NegotiatedFamily = {
  family: Family.Ipv4,
  addPathReceive: false,
  addPathSend: false,
  extendedNextHop: false,
};
const IPV6: NegotiatedFamily = { ...IPV4, family: Family.Ipv6 };
const negotiated = (changes: Partial<Negotiated>) =>
  ({ internal: true, fourOctetAs: true, families: [IPV4, IPV6], ...changes }) as Negotiated;

describe("sessions that read alike share a decoder", () => {
  const decoders = new UpdateDecoders();
  const usual = decoders.for(negotiated({}));

  it.each([
    ["the same", negotiated({})],
    ["families in another order", negotiated({ families: [IPV6, IPV4] })],
    ["another peer", negotiated({ holdSeconds: 3, extendedMessages: true })],
    ["what alters only what is sent", negotiated({ families: [{ ...IPV4, addPathSend: true }, IPV6] })],
  ])("%s", (_name, other) => {
    expect(decoders.for(other)).toBe(usual);
  });

  it.each([
    ["external", negotiated({ internal: false })],
    ["two-octet AS numbers", negotiated({ fourOctetAs: false })],
    ["one family", negotiated({ families: [IPV4] })],
    ["path identifiers in one family", negotiated({ families: [{ ...IPV4, addPathReceive: true }, IPV6] })],
    ["path identifiers in the other", negotiated({ families: [IPV4, { ...IPV6, addPathReceive: true }] })],
    ["IPv6 next hops", negotiated({ families: [{ ...IPV4, extendedNextHop: true }, IPV6] })],
  ])("not those that read otherwise: %s", (_name, other) => {
    expect(decoders.for(other)).not.toBe(usual);
  });
});
