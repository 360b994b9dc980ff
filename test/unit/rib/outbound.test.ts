/** What one peer's routes are when another hears of them: the operator's rules first, the protocol's changes after them. */

import { describe, expect, it } from "vitest";
import { formatAddress } from "../../../src/bgp/model/address.ts";
import { formatAsPath } from "../../../src/bgp/model/as-path.ts";
import type { PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { WellKnown } from "../../../src/bgp/model/community.ts";
import { asn, type PeerId } from "../../../src/bgp/model/ids.ts";
import type { RibPeerOptions } from "../../../src/rib/options.ts";
import { RibBench } from "../../harness/rib-bench.ts";
import { address, attributes, community, path, policy, standard, term } from "./sample.ts";

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
  ])("%s", (_name, options, want) => {
    expect(said(heard(GIVEN, options))).toEqual({ ...PLAIN, ...want });
  });

  it("says nothing of what a policy rejects, or the protocol forbids whatever a policy says", () => {
    const forbidden = { ...GIVEN, communities: [WellKnown.NoExport] };
    expect(heard(GIVEN, { exportPolicies: [policy("none", term({}, "reject"))] })).toBeUndefined();
    expect(heard(forbidden, {})).toBeUndefined();
    expect(heard(forbidden, setting({ removeCommunities: [standard("*:*")] }))).toBeUndefined();
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
