import { describe, expect, it } from "vitest";
import { sameAddress } from "../../../src/bgp/model/address.ts";
import { SegmentType } from "../../../src/bgp/model/as-path.ts";
import type { PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { WellKnown } from "../../../src/bgp/model/community.ts";
import { asn } from "../../../src/bgp/model/ids.ts";
import {
  afterImportPolicy,
  beforeImportPolicy,
  IMPORT_REFUSAL_TEXT,
  type ImportPeer,
  ImportRefusal,
  importRefusal,
  longLivedStale,
} from "../../../src/rib/import.ts";
import { Role } from "../../../src/rib/only-to-customer.ts";
import { viewOf } from "../../harness/canonical.ts";
import { address, attributes, community, id, importPeer, path } from "./sample.ts";

const external = (more: Partial<ImportPeer> = {}) => importPeer({ internal: false, ...more });
const from65001 = attributes({ asPath: path("65001 65002") });

describe("importRefusal", () => {
  const cases: readonly [string, PathAttributes, ImportPeer, ImportRefusal | undefined][] = [
    ["a plain internal route", attributes(), importPeer(), undefined],
    ["a plain external route", from65001, external(), undefined],
    ["RFC 4271 §9.1.2: our AS", attributes({ asPath: path("65001 64512") }), external(), ImportRefusal.AsLoop],
    ["our AS from an internal peer", attributes({ asPath: path("65001 64512") }), importPeer(), ImportRefusal.AsLoop],
    [
      "our AS as often as allowed",
      attributes({ asPath: path("65001 64512") }),
      external({ allowLocalAs: 1 }),
      undefined,
    ],
    [
      "our AS once more",
      attributes({ asPath: path("65001 64512 64512") }),
      external({ allowLocalAs: 1 }),
      ImportRefusal.AsLoop,
    ],
    [
      "our AS within a set",
      attributes({ asPath: [...path("65001"), { type: SegmentType.Set, asns: [asn(64512)] }] }),
      external(),
      ImportRefusal.AsLoop,
    ],
    [
      "our real AS, where the session has another",
      attributes({ asPath: path("65001 64512") }),
      external({ localAs: asn(64999) }),
      ImportRefusal.AsLoop,
    ],
    [
      "the session's AS, where it is not the real one",
      attributes({ asPath: path("65001 64999") }),
      external({ localAs: asn(64999) }),
      ImportRefusal.AsLoop,
    ],
    [
      "RFC 4271 §6.3: first AS of another",
      attributes({ asPath: path("65002 65001") }),
      external(),
      ImportRefusal.FirstAs,
    ],
    ["RFC 4271 §6.3: empty path from outside", attributes(), external(), ImportRefusal.FirstAs],
    [
      "RFC 7947 §2.2.2: from a route server by role",
      attributes({ asPath: path("65002") }),
      external({ role: Role.RouteServerClient }),
      undefined,
    ],
    [
      "RFC 7947 §2.2.2: from a route server",
      attributes({ asPath: path("65002") }),
      external({ enforceFirstAs: false }),
      undefined,
    ],
    [
      "RFC 4456 §8: our ORIGINATOR_ID",
      attributes({ originatorId: id("10.0.0.1") }),
      importPeer(),
      ImportRefusal.OriginatorLoop,
    ],
    ["RFC 4456 §8: another's ORIGINATOR_ID", attributes({ originatorId: id("10.0.0.2") }), importPeer(), undefined],
    [
      "RFC 4456 §8: our cluster",
      attributes({ clusterList: [id("9.9.9.9"), id("1.0.0.1")] }),
      importPeer(),
      ImportRefusal.ClusterLoop,
    ],
    ["RFC 4456 §8: other clusters", attributes({ clusterList: [id("9.9.9.9")] }), importPeer(), undefined],
    [
      "RFC 4271 §6.3: our address as next hop",
      attributes(),
      importPeer({ isOwnAddress: (a) => sameAddress(a, address("192.0.2.1")) }),
      ImportRefusal.OwnNextHop,
    ],
    [
      "RFC 9234 §5: OTC from a customer",
      attributes({ asPath: path("65001"), onlyToCustomer: asn(65001) }),
      external({ role: Role.Provider }),
      ImportRefusal.OnlyToCustomer,
    ],
    [
      "RFC 9234 §5: OTC from a client of our route server",
      attributes({ asPath: path("65001"), onlyToCustomer: asn(65001) }),
      external({ role: Role.RouteServer }),
      ImportRefusal.OnlyToCustomer,
    ],
    [
      "RFC 9234 §5: a lateral peer's own OTC",
      attributes({ asPath: path("65001"), onlyToCustomer: asn(65001) }),
      external({ role: Role.Peer }),
      undefined,
    ],
    [
      "RFC 9234 §5: another's OTC from a lateral peer",
      attributes({ asPath: path("65001"), onlyToCustomer: asn(65002) }),
      external({ role: Role.Peer }),
      ImportRefusal.OnlyToCustomer,
    ],
    [
      "RFC 9234 §5: OTC from a provider",
      attributes({ asPath: path("65001"), onlyToCustomer: asn(65009) }),
      external({ role: Role.Customer }),
      undefined,
    ],
    [
      "RFC 9234 §5: OTC without a role",
      attributes({ asPath: path("65001"), onlyToCustomer: asn(65009) }),
      external(),
      undefined,
    ],
  ];
  it.each(cases)("%s", (_name, given, peer, want) => {
    expect(importRefusal(viewOf(given), peer)).toBe(want);
  });

  it("has words for every refusal", () => {
    for (const code of Object.values(ImportRefusal)) expect(IMPORT_REFUSAL_TEXT[code]).toMatch(/RFC \d+/);
  });
});

describe("around the policies", () => {
  it.each<[string, number | undefined, number | undefined, number | undefined]>([
    ["a provider's route gets it", Role.Customer, undefined, 65001],
    ["a lateral peer's route gets it", Role.Peer, undefined, 65001],
    ["a route server's route gets it", Role.RouteServerClient, undefined, 65001],
    ["a customer's route does not", Role.Provider, undefined, undefined],
    ["what is there stays", Role.Customer, 65009, 65009],
    ["no role, no change", undefined, undefined, undefined],
  ])("Only to Customer: %s (RFC 9234 §5)", (_name, role, before, want) => {
    const given = attributes({ onlyToCustomer: before === undefined ? undefined : asn(before) });
    const result = beforeImportPolicy(given, external({ role }));
    expect(result.onlyToCustomer).toBe(want);
    if (before === want) expect(result).toBe(given);
  });

  it("makes GRACEFUL_SHUTDOWN from an external peer the last resort (RFC 8326 §4)", () => {
    const leaving = attributes({ localPref: 200, communities: [WellKnown.GracefulShutdown] });
    expect(afterImportPolicy(leaving, external()).localPref).toBe(0);
    expect(afterImportPolicy(leaving, importPeer())).toBe(leaving);
    expect(afterImportPolicy(from65001, external())).toBe(from65001);
  });

  it("marks what is kept past the restart time, but not what asked not to be (RFC 9494 §4.2)", () => {
    expect(longLivedStale(attributes({ communities: [community("1:1")] }))?.communities).toEqual([
      community("1:1"),
      WellKnown.LlgrStale,
    ]);
    const marked = attributes({ communities: [WellKnown.LlgrStale] });
    expect(longLivedStale(marked)).toBe(marked);
    expect(longLivedStale(attributes({ communities: [WellKnown.NoLlgr] }))).toBeUndefined();
  });
});
