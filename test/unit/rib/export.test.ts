import { describe, expect, it } from "vitest";
import { formatAddress } from "../../../src/bgp/model/address.ts";
import { formatAsPath, SegmentType } from "../../../src/bgp/model/as-path.ts";
import { WellKnown } from "../../../src/bgp/model/community.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { asn, formatRouterId } from "../../../src/bgp/model/ids.ts";
import { EXPORT_REFUSAL_TEXT, ExportRefusal, type ExportTarget, type PathOrigin } from "../../../src/rib/export.ts";
import { Role } from "../../../src/rib/only-to-customer.ts";
import { exported, exportedBytes, refusal } from "./exported.ts";
import { address, attributes, community, id, path, target } from "./sample.ts";

const LOCAL: PathOrigin = { kind: "local" };
const EXTERNAL: PathOrigin = { kind: "external" };
const NON_CLIENT: PathOrigin = { kind: "internal", client: false, routerId: id("10.0.0.7"), clusterId: id("1.0.0.1") };
const CLIENT: PathOrigin = { ...NON_CLIENT, client: true };
const ebgp = (more: Partial<ExportTarget> = {}) => target({ internal: false, ...more });

describe("refusals", () => {
  const carrying = (...communities: number[]) => attributes({ communities });
  const otc = attributes({ onlyToCustomer: asn(65009) });
  const cases: readonly [string, ReturnType<typeof attributes>, PathOrigin, ExportTarget, ExportRefusal | undefined][] =
    [
      ["a plain route", attributes(), EXTERNAL, target(), undefined],
      [
        "RFC 1997: NO_ADVERTISE to an internal peer",
        carrying(WellKnown.NoAdvertise),
        EXTERNAL,
        target(),
        ExportRefusal.NoAdvertise,
      ],
      [
        "RFC 1997: NO_ADVERTISE of our own",
        carrying(WellKnown.NoAdvertise),
        LOCAL,
        target(),
        ExportRefusal.NoAdvertise,
      ],
      [
        "RFC 1997: NO_EXPORT to an external peer",
        carrying(WellKnown.NoExport),
        EXTERNAL,
        ebgp(),
        ExportRefusal.NoExport,
      ],
      ["RFC 1997: NO_EXPORT to an internal peer", carrying(WellKnown.NoExport), EXTERNAL, target(), undefined],
      ["RFC 1997: NO_EXPORT of our own is for the receiver", carrying(WellKnown.NoExport), LOCAL, ebgp(), undefined],
      [
        "RFC 1997: NO_EXPORT_SUBCONFED to an external peer",
        carrying(WellKnown.NoExportSubconfed),
        NON_CLIENT,
        ebgp(),
        ExportRefusal.NoExport,
      ],
      ["RFC 4271 §9.2: internal to internal", attributes(), NON_CLIENT, target(), ExportRefusal.NotReflected],
      ["RFC 4456 §6: non-client to client", attributes(), NON_CLIENT, target({ client: true }), undefined],
      ["RFC 4456 §6: client to non-client", attributes(), CLIENT, target(), undefined],
      ["RFC 4456 §6: client to client", attributes(), CLIENT, target({ client: true }), undefined],
      ["internal to external", attributes(), NON_CLIENT, ebgp(), undefined],
      ["our own to internal", attributes(), LOCAL, target(), undefined],
      ["RFC 9234 §5: OTC to a customer", otc, EXTERNAL, ebgp({ role: Role.Provider }), undefined],
      ["RFC 9234 §5: OTC to a provider", otc, EXTERNAL, ebgp({ role: Role.Customer }), ExportRefusal.OnlyToCustomer],
      ["RFC 9234 §5: OTC to a lateral peer", otc, EXTERNAL, ebgp({ role: Role.Peer }), ExportRefusal.OnlyToCustomer],
      [
        "RFC 9234 §5: OTC to a route server",
        otc,
        EXTERNAL,
        ebgp({ role: Role.RouteServerClient }),
        ExportRefusal.OnlyToCustomer,
      ],
      ["RFC 9234 §5: OTC to a route server's client", otc, EXTERNAL, ebgp({ role: Role.RouteServer }), undefined],
      ["RFC 9234 §5: OTC without a role", otc, EXTERNAL, ebgp(), undefined],
      ["RFC 9234 §5: OTC to an internal peer", otc, EXTERNAL, target({ role: Role.Peer }), undefined],
      [
        "RFC 9494 §4.3: stale to an external peer",
        carrying(WellKnown.LlgrStale),
        EXTERNAL,
        ebgp(),
        ExportRefusal.LongLivedStale,
      ],
      [
        "RFC 9494 §4.3: stale to one that knows it",
        carrying(WellKnown.LlgrStale),
        EXTERNAL,
        ebgp({ takesLongLivedStale: true }),
        undefined,
      ],
      ["RFC 9494 §4.6: stale to an internal peer", carrying(WellKnown.LlgrStale), CLIENT, target(), undefined],
    ];
  it.each(cases)("%s", (_name, given, from, to, want) => {
    expect(refusal(given, from, to)).toBe(want);
  });

  it("has words for every refusal", () => {
    for (const code of Object.values(ExportRefusal)) expect(EXPORT_REFUSAL_TEXT[code]).toMatch(/RFC \d+/);
  });
});

describe("towards internal peers", () => {
  it("adds LOCAL_PREF 100, keeps next hop, path and MED (RFC 4271 §5.1.3, §5.1.4, §5.1.5)", () => {
    const given = attributes({ asPath: path("65001"), med: 7 });
    const sent = exported(given, EXTERNAL, target());
    expect(sent).toEqual({ ...given, localPref: 100 });
    expect(exported(attributes({ localPref: 0 }), EXTERNAL, target())?.localPref).toBe(0);
  });

  it("leaves alone a route that needs nothing", () => {
    const given = attributes({ localPref: 100, asPath: path("65001") });
    expect(exported(given, EXTERNAL, target())).toEqual(given);
  });

  it("reflects with marks and changes nothing else (RFC 4456 §8, §10)", () => {
    const given = attributes({ localPref: 200, med: 5, asPath: path("65001"), communities: [community("1:1")] });
    const sent = exported(given, CLIENT, target());
    expect(sent).toEqual({ ...given, originatorId: id("10.0.0.7"), clusterList: [id("1.0.0.1")] });
    const again = exported(
      sent ?? given,
      { ...CLIENT, routerId: id("10.0.0.8") },
      target({ clusterId: id("2.0.0.2") }),
    );
    expect(again?.originatorId).toBe(id("10.0.0.7"));
    expect(again?.clusterList.map(formatRouterId)).toEqual(["1.0.0.1", "1.0.0.1"]);
  });

  it.each<[string, PathOrigin, Partial<ExportTarget>, string[]]>([
    ["client to non-client: the client's cluster", CLIENT, { clusterId: id("2.0.0.2") }, ["1.0.0.1"]],
    [
      "non-client to client: that client's cluster",
      NON_CLIENT,
      { client: true, clusterId: id("2.0.0.2") },
      ["2.0.0.2"],
    ],
    ["within a cluster: once", CLIENT, { client: true }, ["1.0.0.1"]],
    ["from cluster to cluster: both", CLIENT, { client: true, clusterId: id("2.0.0.2") }, ["2.0.0.2", "1.0.0.1"]],
  ])("CLUSTER_LIST, %s", (_name, from, more, want) => {
    expect(exported(attributes(), from, target(more))?.clusterList.map(formatRouterId)).toEqual(want);
  });

  it("gives a long-lived stale route to a peer that does not know it as the last resort (RFC 9494 §4.6)", () => {
    const stale = attributes({ localPref: 200, communities: [WellKnown.LlgrStale] });
    const sent = exported(stale, CLIENT, target());
    expect(sent).toMatchObject({ localPref: 0, communities: [WellKnown.LlgrStale, WellKnown.NoExport] });
    expect(exported(stale, CLIENT, target({ takesLongLivedStale: true }))).toMatchObject({
      localPref: 200,
      communities: [WellKnown.LlgrStale],
    });
  });
});

describe("towards external peers", () => {
  it("prepends our AS and strips what is internal (RFC 4271 §5.1.2, §5.1.5; RFC 4456 §8; RFC 4360 §6)", () => {
    const given = attributes({
      asPath: path("65002"),
      localPref: 200,
      originatorId: id("10.0.0.7"),
      clusterList: [id("1.0.0.1")],
      extendedCommunities: [
        { high: 0x40040000, low: 1 },
        { high: 0x0002fde8, low: 1 },
      ],
    });
    expect(exported(given, NON_CLIENT, ebgp())).toEqual({
      ...attributes({ asPath: path("64512 65002"), extendedCommunities: [{ high: 0x0002fde8, low: 1 }] }),
      nextHop: address("10.0.0.1"),
    });
  });

  it.each<[string, string, boolean, number | undefined]>([
    ["received from another AS is not passed on", "65002", false, undefined],
    ["of a route of our own AS is", "", false, 7],
    ["set by policy is", "65002", true, 7],
  ])("MED %s (RFC 4271 §5.1.4)", (_name, before, medSet, want) => {
    const given = attributes({ asPath: path(before), med: 7 });
    expect(exported(given, NON_CLIENT, ebgp(), { nextHop: "unset", medSet })?.med).toBe(want);
  });

  it("MED received from another AS is not passed on where no number of the path is left either", () => {
    const given = attributes({ asPath: path("64600"), med: 7 });
    expect(exported(given, EXTERNAL, ebgp({ removePrivateAs: true }))?.med).toBeUndefined();
  });

  it.each<[string, Partial<ExportTarget>, string, string]>([
    ["as it is", {}, "64512 65001 65002", "64512 64512 65001 65002"],
    ["local AS alone", { localAs: asn(64999) }, "65002", "64999 65002"],
    [
      "private numbers go (RFC 6996 §5)",
      { removePrivateAs: true, peerAs: asn(3320) },
      "64600 701 4200000000 65534",
      "64512 701",
    ],
    ["65535 and 23456 are not private", { removePrivateAs: true }, "65535 23456 64511", "64512 65535 23456 64511"],
    ["the peer's own stays, for its loop detection", { removePrivateAs: true }, "65001 65002", "64512 65001"],
    ["what a policy prepended stays", { removePrivateAs: true }, "64512 64512 65002", "64512 64512 64512"],
    ["the peer's own is overridden", { asOverride: true }, "65001 701 65001", "64512 64512 701 64512"],
  ])("AS_PATH: %s", (_name, more, before, want) => {
    const sent = exported(attributes({ asPath: path(before) }), EXTERNAL, ebgp(more));
    expect(sent && formatAsPath(sent.asPath)).toBe(want);
  });

  it("removes private numbers from sets, and sets that are empty then", () => {
    const asPath = [
      { type: SegmentType.Sequence, asns: [asn(701)] },
      { type: SegmentType.Set, asns: [asn(64600), asn(702)] },
      { type: SegmentType.Set, asns: [asn(64601)] },
    ];
    const sent = exported(attributes({ asPath }), EXTERNAL, ebgp({ removePrivateAs: true }));
    expect(sent && formatAsPath(sent.asPath)).toBe("64512 701 {702}");
  });

  it.each<[string, number | undefined, number | undefined, number | undefined]>([
    ["added towards a customer", Role.Provider, undefined, 64512],
    ["added towards a lateral peer", Role.Peer, undefined, 64512],
    ["added towards a client of our route server", Role.RouteServer, undefined, 64512],
    ["not added towards a provider", Role.Customer, undefined, undefined],
    ["kept", Role.Provider, 65009, 65009],
    ["untouched without a role", undefined, 65009, 65009],
  ])("Only to Customer %s (RFC 9234 §5)", (_name, role, before, want) => {
    const given = attributes({ onlyToCustomer: before === undefined ? undefined : asn(before) });
    expect(exported(given, EXTERNAL, ebgp({ role }))?.onlyToCustomer).toBe(want);
  });
});

describe("next hop (RFC 4271 §5.1.3)", () => {
  const v6 = { family: Family.Ipv6, ipv4: undefined, ipv6: address("2001:db8::1") };
  const linkLocal = address("fe80::1");
  const cases: readonly [string, string, PathOrigin, ExportTarget, string][] = [
    ["auto, reflected: kept", "192.0.2.1", CLIENT, target(), "192.0.2.1"],
    ["auto, external to internal: kept", "192.0.2.1", EXTERNAL, target(), "192.0.2.1"],
    ["auto, external: ours", "192.0.2.1", EXTERNAL, ebgp(), "10.0.0.1"],
    ["auto, our own with a gateway, internal: the gateway", "192.0.2.1", LOCAL, target(), "192.0.2.1"],
    ["keep, our own with a gateway: the gateway", "192.0.2.1", LOCAL, ebgp({ nextHop: "keep" }), "192.0.2.1"],
    ["auto, our own without a gateway: ours", "0.0.0.0", LOCAL, target(), "10.0.0.1"],
    ["keep, our own without a gateway: ours", "0.0.0.0", LOCAL, ebgp({ nextHop: "keep" }), "10.0.0.1"],
    ["self, reflected: ours", "192.0.2.1", CLIENT, target({ nextHop: "self" }), "10.0.0.1"],
    ["keep, external: kept", "192.0.2.1", EXTERNAL, ebgp({ nextHop: "keep" }), "192.0.2.1"],
    ["RFC 2545: link-local never kept", "fe80::9", EXTERNAL, target({ ...v6 }), "2001:db8::1"],
    [
      "RFC 2545 §3: ours with the link-local one",
      "2001:db8::9",
      EXTERNAL,
      ebgp({ ...v6, linkLocal }),
      "2001:db8::1 fe80::1",
    ],
    [
      "a link with link-local addresses only",
      "2001:db8::9",
      EXTERNAL,
      ebgp({ ...v6, ipv6: undefined, linkLocal }),
      "fe80::1 fe80::1",
    ],
    ["RFC 2545 §3: none beside a kept one", "2001:db8::9", CLIENT, target({ ...v6, linkLocal }), "2001:db8::9"],
    ["IPv6 over IPv4 without an IPv6 address", "2001:db8::9", EXTERNAL, ebgp({ ...v6, ipv6: undefined }), "none"],
    [
      "RFC 8950: IPv4 over IPv6, an IPv4 address is known",
      "192.0.2.1",
      EXTERNAL,
      ebgp({ ipv6: address("2001:db8::1"), extendedNextHop: true }),
      "10.0.0.1",
    ],
    [
      "RFC 8950: IPv4 over IPv6",
      "192.0.2.1",
      EXTERNAL,
      ebgp({ ipv4: undefined, ipv6: address("2001:db8::1"), extendedNextHop: true }),
      "2001:db8::1",
    ],
    [
      "RFC 8950: unnumbered",
      "192.0.2.1",
      EXTERNAL,
      ebgp({ ipv4: undefined, linkLocal, extendedNextHop: true }),
      "fe80::1 fe80::1",
    ],
    [
      "RFC 8950 not negotiated, no IPv4 address",
      "192.0.2.1",
      EXTERNAL,
      ebgp({ ipv4: undefined, ipv6: address("2001:db8::1") }),
      "none",
    ],
    ["RFC 8950: reflected IPv6 next hop kept", "2001:db8::9", CLIENT, target({ extendedNextHop: true }), "2001:db8::9"],
    ["RFC 8950: reflected to one that does not take it", "2001:db8::9", CLIENT, target(), "none"],
    ["RFC 8950: from outside, we are on the way", "2001:db8::9", EXTERNAL, target(), "10.0.0.1"],
  ];
  it.each(cases)("%s", (_name, before, from, to, want) => {
    const sent = exported(attributes({ nextHop: address(before) }), from, to);
    const shown =
      sent === undefined
        ? ["none"]
        : [sent.nextHop, sent.linkLocalNextHop].flatMap((a) => (a ? [formatAddress(a)] : []));
    expect(shown.join(" ")).toBe(want);
  });

  it("leaves alone what a policy gave, and refuses what the peer cannot take", () => {
    const given = { nextHop: "given", medSet: false } as const;
    expect(exported(attributes(), EXTERNAL, ebgp(), given)?.nextHop).toEqual(address("192.0.2.1"));
    const wide = attributes({ nextHop: address("2001:db8::9") });
    expect(exportedBytes(wide, EXTERNAL, ebgp(), given)).toBe(ExportRefusal.NoNextHop);
  });

  it("is ours when a policy says self", () => {
    const sent = exported(attributes(), CLIENT, target(), { nextHop: "self", medSet: false });
    expect(sent?.nextHop).toEqual(address("10.0.0.1"));
  });
});
