/** What one peer's routes are when another hears of them: the operator's rules first, the protocol's changes after them. */

import { describe, expect, it } from "vitest";
import { formatAddress } from "../../../src/bgp/model/address.ts";
import { formatAsPath } from "../../../src/bgp/model/as-path.ts";
import type { PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { WellKnown } from "../../../src/bgp/model/community.ts";
import { asn, type PeerId } from "../../../src/bgp/model/ids.ts";
import type { RibPeerOptions } from "../../../src/rib/options.ts";
import { RibBench } from "../../harness/rib-bench.ts";
import { address, attributes, community, path, policy, prefix, standard, term } from "./sample.ts";

const FROM = 1 as PeerId;
const TO = 2 as PeerId;
const ROUTE = "10.1.0.0/16";

/** Our own AS is 65000, our address 10.0.0.254; the route comes from AS 64600 and goes to AS 65002. */
function heard(given: PathAttributes, options: Partial<RibPeerOptions>): PathAttributes | undefined {
  const bench = new RibBench();
  const external = (as: number) => ({ internal: false, peerAs: asn(as) });
  bench.up(FROM, external(64600), external(64600));
  bench.up(TO, { ...external(65002), ...options }, external(65002));
  bench.announce(FROM, given, ROUTE);
  return bench.knows(TO).get(ROUTE);
}

const said = (a: PathAttributes | undefined) =>
  a && {
    path: formatAsPath(a.asPath),
    nextHop: formatAddress(a.nextHop),
    med: a.med,
    localPref: a.localPref,
    communities: a.communities,
  };

const GIVEN = attributes({ asPath: path("64600 65002"), med: 7, localPref: 50, communities: [community("1:1")] });
const PLAIN = {
  path: "65000 64600 65002",
  nextHop: "10.0.0.254",
  med: undefined,
  localPref: undefined,
  communities: GIVEN.communities,
};
const setting = (set: Parameters<typeof term>[2]) => ({ exportPolicies: [policy("sets", term({}, "accept", set))] });

describe("towards an external peer", () => {
  it.each<[string, Partial<RibPeerOptions>, Partial<Record<keyof typeof PLAIN, unknown>>]>([
    ["without rules of the operator's", {}, {}],
    ["a policy that changes nothing", { exportPolicies: [policy("as it is", term({}, "accept"))] }, {}],
    [
      "a policy's communities",
      setting({ addCommunities: [standard("2:2")] }),
      {
        communities: [community("1:1"), community("2:2")],
      },
    ],
    ["a policy's MED, which is ours", setting({ med: 9 }), { med: 9 }],
    ["a policy's LOCAL_PREF, which stays inside", setting({ localPref: 9 }), {}],
    ["a policy's next hop", setting({ nextHop: address("10.0.0.9") }), { nextHop: "10.0.0.9" }],
    ["a policy's prepending, and ours once more", setting({ prependAs: 2 }), { path: "65000 65000 65000 64600 65002" }],
    ["removePrivateAs, but the peer's own", { removePrivateAs: true }, { path: "65000 65002" }],
    ["asOverride", { asOverride: true }, { path: "65000 64600 65000" }],
    [
      "removePrivateAs after a policy",
      { removePrivateAs: true, ...setting({ med: 9 }) },
      { path: "65000 65002", med: 9 },
    ],
    ["nextHop: keep", { nextHop: "keep" }, { nextHop: "192.0.2.1" }],
    ["a MED of 0 in place of another's", { zeroMed: true }, { med: 0 }],
    ["a MED of 0, but a policy's MED", { zeroMed: true, ...setting({ med: 9 }) }, { med: 9 }],
    ["a MED of 0 beside removePrivateAs", { zeroMed: true, removePrivateAs: true }, { path: "65000 65002", med: 0 }],
  ])("%s", (_name, options, want) => {
    expect(said(heard(GIVEN, options))).toEqual({ ...PLAIN, ...want });
  });

  const asBird = (set: Parameters<typeof term>[2], match: Parameters<typeof term>[0] = {}) => ({
    policyAfterOwnAs: true,
    zeroMed: true,
    exportPolicies: [policy("after our AS", term(match, "accept", set), term({}, "reject"))],
  });
  it.each<[string, Partial<RibPeerOptions>, Partial<Record<keyof typeof PLAIN, unknown>>]>([
    ["a policy that changes nothing", asBird(undefined), {}],
    ["a policy sees a path that begins with our AS", asBird(undefined, { asPath: /^65000 64600 65002$/ }), {}],
    ["a list is put in front of our AS", asBird({ prependAs: [asn(7), asn(8)] }), { path: "7 8 65000 64600 65002" }],
    ["a number repeats our AS", asBird({ prependAs: 2 }), { path: "65000 65000 65000 64600 65002" }],
    ["a policy's MED", asBird({ med: 9 }), { med: 9 }],
    ["a policy's communities", asBird({ removeCommunities: [standard("1:1")] }), { communities: [] }],
  ])("in BIRD's order: %s", (_name, options, want) => {
    expect(said(heard(GIVEN, options))).toEqual({ ...PLAIN, med: 0, ...want });
  });

  it("in BIRD's order: without a MED none is made up, and one of our own stays", () => {
    const { med: _, ...without } = GIVEN;
    expect(said(heard(without as PathAttributes, asBird({ localPref: 1 })))).toEqual(PLAIN);
    const bench = new RibBench();
    bench.up(
      TO,
      { internal: false, peerAs: asn(65002), ...asBird({ addCommunities: [standard("2:2")] }) },
      {
        internal: false,
        peerAs: asn(65002),
      },
    );
    const own = { source: "static", kind: "blackhole", nextHop: undefined } as const;
    const given = attributes({ nextHop: address("0.0.0.0"), med: 5 });
    bench.rib.setOriginated([{ prefix: prefix(ROUTE), ...own, attributes: given }]);
    expect(said(bench.knows(TO).get(ROUTE))).toMatchObject({ path: "65000", med: 5, communities: [community("2:2")] });
  });

  it("says nothing of what a policy rejects, or the protocol forbids whatever a policy says", () => {
    const forbidden = { ...GIVEN, communities: [WellKnown.NoExport] };
    expect(heard(GIVEN, { exportPolicies: [policy("none", term({}, "reject"))] })).toBeUndefined();
    expect(heard(forbidden, {})).toBeUndefined();
    expect(heard(forbidden, setting({ removeCommunities: [standard("*:*")] }))).toBeUndefined();
  });
});

describe("a route of our own whose gateway is a peer", () => {
  const CLIENT = 3 as PeerId;
  const gateway = attributes({ nextHop: address("10.0.0.2"), localPref: 100 });
  const via = { prefix: prefix(ROUTE), source: "calico", kind: "via", nextHop: gateway.nextHop } as const;

  it("goes to the others with its gateway, and not to that peer (RFC 4271 §5.1.3)", () => {
    const bench = new RibBench();
    for (const id of [FROM, CLIENT]) bench.up(id);
    bench.rib.setOriginated([{ ...via, attributes: gateway }]);
    expect(said(bench.knows(FROM).get(ROUTE))?.nextHop).toBe("10.0.0.2");
    // The peer with that address comes when the others have it already.
    bench.up(TO);
    expect([...bench.knows(TO).keys()]).toEqual([]);
    expect([FROM, CLIENT].map((id) => bench.knows(id).size)).toEqual([1, 1]);
    bench.rib.setOriginated([{ ...via, attributes: { ...gateway, nextHop: address("10.0.0.9") } }]);
    expect(said(bench.knows(TO).get(ROUTE))?.nextHop).toBe("10.0.0.9");
    bench.rib.setOriginated([]);
    expect([FROM, TO, CLIENT].map((id) => bench.knows(id).size)).toEqual([0, 0, 0]);
  });

  it("goes to that peer too where we are the next hop", () => {
    const bench = new RibBench();
    bench.up(TO, { nextHop: "self" });
    bench.rib.setOriginated([{ ...via, attributes: gateway }]);
    expect(said(bench.knows(TO).get(ROUTE))?.nextHop).toBe("10.0.0.254");
  });
});

describe("from one source after the other", () => {
  it("reflects with the identifier of each (RFC 4456 §8)", () => {
    const bench = new RibBench();
    const clients = [1, 2, 3].map((n) => n as PeerId);
    for (const id of clients) bench.up(id);
    for (const id of clients) bench.announce(id, attributes({ localPref: 100 }), `10.${id}.0.0/16`);
    bench.announce(1 as PeerId, attributes({ localPref: 100, med: 1 }), "10.9.0.0/16");
    const known = [...bench.knows(3 as PeerId)].map(([prefix, a]) => `${prefix} ${a.originatorId} ${a.clusterList}`);
    expect(known.sort()).toEqual(["10.1.0.0/16 1 99", "10.2.0.0/16 2 99", "10.9.0.0/16 1 99"]);
  });
});
