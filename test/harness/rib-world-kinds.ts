/** Who and what there is in the world of the tables: peers of each kind, prefixes, attributes, routes of the kernel. */

import { ipv4 } from "../../src/bgp/model/address.ts";
import { SegmentType } from "../../src/bgp/model/as-path.ts";
import { attributesWith, type PathAttributes } from "../../src/bgp/model/attributes.ts";
import { WellKnown } from "../../src/bgp/model/community.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { asn } from "../../src/bgp/model/ids.ts";
import type { KernelRule, RibOptions } from "../../src/rib/options.ts";
import type { KernelPath } from "../../src/rib/route-lookup.ts";
import { prefix } from "./rib-bench.ts";

/** What a peer is; its place in this list is its slot. */
export interface Kind {
  readonly internal: boolean;
  readonly client: boolean;
  readonly addPath: boolean;
  readonly longLived: boolean;
}

export const KINDS: readonly Kind[] = [
  { internal: true, client: true, addPath: false, longLived: true },
  { internal: true, client: true, addPath: false, longLived: true },
  { internal: true, client: false, addPath: false, longLived: false },
  { internal: true, client: true, addPath: true, longLived: true },
  { internal: false, client: false, addPath: false, longLived: false },
  { internal: false, client: false, addPath: true, longLived: true },
];
export const SLOTS = KINDS.length;

export const PREFIXES = [
  "10.0.0.0/24",
  "10.0.1.0/24",
  "10.0.0.0/16",
  "10.1.0.0/16",
  "10.1.2.0/24",
  "0.0.0.0/0",
  "11.0.0.2/32",
].map(prefix);

export const KERNEL_PATHS: readonly KernelPath[] = [
  { kind: "forward", hops: [{ gateway: undefined, interface: 1 }] },
  { kind: "forward", hops: [{ gateway: undefined, interface: 1 }], metric: 512 },
  { kind: "forward", hops: [{ gateway: ipv4(0x0c000001), interface: 2 }], metric: 0 },
  // The gateway is one of the peers, which is not told.
  { kind: "forward", hops: [{ gateway: ipv4(0x0a000001), interface: 2 }], metric: 600 },
  { kind: "unreachable", hops: [] },
];

/** The tunnel of the rules below is the third. */
export const LINKS = [1, 2, 3];

/** LOCAL_PREF 300 is elevated with one, and above what own routes carry with the other. */
export const PRIORITIES: readonly RibOptions["priorities"][] = [
  undefined,
  { base: 1000, normal: { [Family.Ipv4]: 750, [Family.Ipv6]: 750 }, elevatedPreference: 200 },
  { base: 2000, normal: { [Family.Ipv4]: 600, [Family.Ipv6]: 600 }, elevatedPreference: 240 },
];

const NO_MATCH = { prefixes: undefined, origin: undefined, nextHops: undefined, nextHopOutside: undefined };
const METRIC: KernelRule = {
  match: { ...NO_MATCH, origin: ["peer"] },
  set: { metric: "fromLocalPref", device: undefined },
  then: "next",
};
export const KERNEL_RULES: readonly (readonly KernelRule[])[] = [
  [],
  [METRIC],
  [
    METRIC,
    { match: { ...NO_MATCH, nextHops: [ipv4(0x0b000003)] }, set: undefined, then: "reject" },
    {
      match: {
        ...NO_MATCH,
        prefixes: [{ prefix: prefix("10.0.0.0/16"), ge: 16, le: 32 }],
        nextHopOutside: prefix("11.0.0.0/30"),
      },
      set: { metric: undefined, device: "eth3" },
      then: "accept",
    },
    {
      match: { ...NO_MATCH, prefixes: [{ prefix: prefix("10.1.0.0/16"), ge: 17, le: 32 }] },
      set: undefined,
      then: "reject",
    },
  ],
];
export const KERNEL_PREFIXES = ["11.0.0.0/8", "11.0.0.0/30", "11.0.0.3/32", "10.1.2.0/24"].map(prefix);
export const KERNEL_CHOICES = KERNEL_PATHS.length;

export const TAG = 0xfde8_0001;
const sets = (external: boolean, slot: number): readonly PathAttributes[] => {
  const first = external ? [asn(65100 + slot)] : [];
  const path = (...more: number[]) => {
    const asns = [...first, ...more.map(asn)];
    return asns.length === 0 ? [] : [{ type: SegmentType.Sequence, asns }];
  };
  const hop = (n: number) => ipv4(0x0b000000 + n);
  return [
    attributesWith(hop(1), { asPath: path() }),
    attributesWith(hop(2), { asPath: path(7), communities: [TAG] }),
    attributesWith(hop(3), { asPath: path(), localPref: 200, communities: [WellKnown.NoLlgr] }),
    attributesWith(hop(5), { asPath: path(8, 9), med: 5, communities: [WellKnown.NoExport, TAG] }),
    attributesWith(hop(2), { asPath: path(65000), localPref: 300 }),
    attributesWith(hop(1), { asPath: path(), communities: [WellKnown.Blackhole] }),
  ];
};
export const ATTRIBUTES = KINDS.map((kind, slot) => sets(!kind.internal, slot));
export const CHOICES = 6;
