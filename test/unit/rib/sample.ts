/** Short ways to write routes, policies and peers in the tests of src/rib. */

import { type IpAddress, ipv4, parseAddress } from "../../../src/bgp/model/address.ts";
import { type AsPath, SegmentType } from "../../../src/bgp/model/as-path.ts";
import { attributesWith, type PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { parseCommunity } from "../../../src/bgp/model/community.ts";
import { InternalError } from "../../../src/bgp/model/errors.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { asn, type RouterId, routerId } from "../../../src/bgp/model/ids.ts";
import { type Prefix, parsePrefix } from "../../../src/bgp/model/prefix.ts";
import type { ExportTarget } from "../../../src/rib/export.ts";
import type { ImportPeer } from "../../../src/rib/import.ts";
import type { PolicyRoute } from "../../../src/rib/policy/match.ts";
import type { Changes, CommunityPattern, Match, Policy, Term } from "../../../src/rib/policy/policy.ts";

export function address(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new InternalError(`not an address: ${text}`);
  return parsed;
}

export function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new InternalError(`not a prefix: ${text}`);
  return parsed;
}

export function community(text: string): number {
  const parsed = parseCommunity(text);
  if (parsed === undefined) throw new InternalError(`not a community: ${text}`);
  return parsed;
}

export function id(text: string): RouterId {
  return routerId(address(text).w0);
}

/** "65001 65002" as one sequence; "" for the empty path. */
export function path(text: string): AsPath {
  const asns = text
    .split(" ")
    .filter((part) => part !== "")
    .map((part) => asn(Number(part)));
  return asns.length === 0 ? [] : [{ type: SegmentType.Sequence, asns }];
}

export function attributes(more: Partial<PathAttributes> = {}): PathAttributes {
  return attributesWith(address("192.0.2.1"), more);
}

export function standard(text: string): CommunityPattern {
  const [high = "", low = ""] = text.split(":");
  const part = (digits: string) => (digits === "*" ? 0 : Number(digits));
  const mask = ((high === "*" ? 0 : 0xffff0000) | (low === "*" ? 0 : 0xffff)) >>> 0;
  return { kind: "standard", value: ((part(high) << 16) | part(low)) >>> 0, mask };
}

/** Asks nothing. */
export const ANY: Match = {
  prefixes: undefined,
  notPrefixes: undefined,
  communities: undefined,
  asPath: undefined,
  origin: undefined,
  interface: undefined,
  peerType: undefined,
  localPref: undefined,
  localPrefAbove: undefined,
};

export function term(match: Partial<Match>, says: Term["then"], set?: Partial<Changes>): Term {
  const changes: Changes | undefined =
    set === undefined
      ? undefined
      : {
          localPref: undefined,
          med: undefined,
          nextHop: undefined,
          prependAs: undefined,
          addCommunities: [],
          removeCommunities: [],
          ...set,
        };
  return { match: { ...ANY, ...match }, set: changes, then: says };
}

export function policy(name: string, ...terms: Term[]): Policy {
  return { name, terms };
}

export function route(text: string, more: Partial<PolicyRoute> = {}): PolicyRoute {
  const { family, w0, w1, w2, w3, length } = prefix(text);
  return {
    family,
    w0,
    w1,
    w2,
    w3,
    length,
    attributes: attributes(),
    source: "peer",
    interfaceName: undefined,
    internalPeer: true,
    self: address("10.0.0.1"),
    ...more,
  };
}

/** An internal non-client over IPv4; our own AS is 64512. */
export function target(more: Partial<ExportTarget> = {}): ExportTarget {
  return {
    family: Family.Ipv4,
    internal: true,
    client: false,
    clusterId: id("1.0.0.1"),
    nextHop: "auto",
    ipv4: ipv4(0x0a000001),
    ipv6: undefined,
    linkLocal: undefined,
    extendedNextHop: false,
    localAs: asn(64512),
    peerAs: asn(more.internal === false ? 65001 : 64512),
    removePrivateAs: false,
    asOverride: false,
    policyAfterOwnAs: false,
    zeroMed: false,
    role: undefined,
    takesLongLivedStale: false,
    ...more,
  };
}

/** Internal by default; our own AS is 64512, our router id 10.0.0.1, our cluster 1.0.0.1. */
export function importPeer(more: Partial<ImportPeer> = {}): ImportPeer {
  return {
    internal: true,
    peerAs: asn(more.internal === false ? 65001 : 64512),
    localAs: asn(64512),
    realAs: asn(64512),
    allowLocalAs: 0,
    routerId: id("10.0.0.1"),
    clusterIds: [id("1.0.0.1")],
    enforceFirstAs: true,
    role: undefined,
    isOwnAddress: () => false,
    ...more,
  };
}
