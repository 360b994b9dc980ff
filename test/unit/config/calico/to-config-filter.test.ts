import { describe, expect, it } from "vitest";
import { parseCommunity } from "../../../../src/bgp/model/community.ts";
import type { FilterRule } from "../../../../src/config/calico/model.ts";
import { filterPolicy } from "../../../../src/config/calico/to-config-filter.ts";
import { path } from "../../rib/sample.ts";
import { type RouteWords, verdictOf } from "./policy-route.ts";

type Row = readonly [rule: Partial<FilterRule>, prefix: string, words: RouteWords, want: string];

function check(rows: readonly Row[]): void {
  for (const [rule, prefix, words, want] of rows) {
    const policy = filterPolicy("f", [{ action: "Accept", ...rule }]);
    expect(verdictOf([policy], prefix, words), `${JSON.stringify(rule)} on ${prefix}`).toBe(want);
  }
}

const lp = (localPref: number): RouteWords => ({ attributes: { localPref } });

describe("a BGPFilter's rule as a term", () => {
  it("an empty rule matches everything, and an action decides", () => {
    check([
      [{}, "10.0.0.0/8", {}, "accept"],
      [{ action: "Reject" }, "2001:db8::/32", {}, "reject"],
    ]);
  });

  it("compares prefixes by the operator and, where written, by their length", () => {
    const cidr = "44.0.0.0/16";
    const lengths = { min: 24, max: 26 };
    check([
      [{ cidr, matchOperator: "Equal" }, "44.0.0.0/16", {}, "accept"],
      [{ cidr, matchOperator: "Equal" }, "44.0.1.0/24", {}, "next"],
      [{ cidr, matchOperator: "NotEqual" }, "44.0.0.0/16", {}, "next"],
      [{ cidr, matchOperator: "NotEqual" }, "44.0.1.0/24", {}, "accept"],
      [{ cidr, matchOperator: "In" }, "44.0.0.0/16", {}, "accept"],
      [{ cidr, matchOperator: "In" }, "44.0.1.1/32", {}, "accept"],
      [{ cidr, matchOperator: "In" }, "44.0.0.0/15", {}, "next"],
      [{ cidr, matchOperator: "NotIn" }, "44.0.1.1/32", {}, "next"],
      [{ cidr, matchOperator: "NotIn" }, "44.0.0.0/15", {}, "accept"],
      [{ cidr, matchOperator: "In", prefixLength: lengths }, "44.0.0.0/23", {}, "next"],
      [{ cidr, matchOperator: "In", prefixLength: lengths }, "44.0.0.0/24", {}, "accept"],
      [{ cidr, matchOperator: "In", prefixLength: lengths }, "44.0.0.0/27", {}, "next"],
      [{ cidr, matchOperator: "In", prefixLength: { max: 26 } }, "44.0.0.0/16", {}, "accept"],
      // The length of the prefix itself is the least that can be.
      [{ cidr, matchOperator: "In", prefixLength: { min: 8 } }, "44.0.0.0/16", {}, "accept"],
      [{ cidr, matchOperator: "In", prefixLength: { max: 8 } }, "44.0.0.0/16", {}, "next"],
      [{ cidr, matchOperator: "NotIn", prefixLength: { max: 8 } }, "44.0.0.0/16", {}, "accept"],
      [{ cidr, matchOperator: "NotIn", prefixLength: lengths }, "44.0.0.0/23", {}, "accept"],
      // As BIRD, which compares the prefix with a set here: never equal.
      [{ cidr, matchOperator: "Equal", prefixLength: { min: 16 } }, "44.0.0.0/16", {}, "next"],
      [{ cidr, matchOperator: "NotEqual", prefixLength: { min: 16 } }, "44.0.0.0/16", {}, "accept"],
      [{ cidr, matchOperator: "NotEqual", prefixLength: { min: 17 } }, "45.0.0.0/16", {}, "accept"],
      [{ cidr: "5000::0/64", matchOperator: "In" }, "5000::1/128", {}, "accept"],
    ]);
  });

  it("source, interface and type of the peer", () => {
    check([
      [{ source: "RemotePeers" }, "10.0.0.0/8", { source: "peer" }, "accept"],
      [{ source: "RemotePeers" }, "10.0.0.0/8", { source: "calico" }, "next"],
      [{ interface: "eth*" }, "10.0.0.0/8", { interface: "eth0" }, "accept"],
      [{ interface: "eth*" }, "10.0.0.0/8", { interface: "veth0" }, "next"],
      [{ interface: "*.calico" }, "10.0.0.0/8", { interface: "vxlan.calico" }, "accept"],
      [{ interface: "eth?" }, "10.0.0.0/8", { interface: "eth10" }, "next"],
      // A blackhole leaves by none.
      [{ interface: "*" }, "10.0.0.0/8", {}, "next"],
      [{ peerType: "iBGP" }, "10.0.0.0/8", { internal: true }, "accept"],
      [{ peerType: "iBGP" }, "10.0.0.0/8", { internal: false }, "next"],
      [{ peerType: "eBGP" }, "10.0.0.0/8", { internal: false }, "accept"],
    ]);
  });

  it("communities, the beginning of the AS path, and the priority that LOCAL_PREF stands for", () => {
    const standard = { attributes: { communities: [parseCommunity("65000:100") ?? 0] } };
    const large = { attributes: { largeCommunities: [{ global: 65000, local1: 100, local2: 1 }] } };
    const begins = (text: string) => ({ attributes: { asPath: path(text) } });
    check([
      [{ community: "65000:100" }, "10.0.0.0/8", standard, "accept"],
      [{ community: "65000:101" }, "10.0.0.0/8", standard, "next"],
      [{ community: "65000:100:1" }, "10.0.0.0/8", large, "accept"],
      [{ community: "65000:100:2" }, "10.0.0.0/8", large, "next"],
      [{ asPathPrefix: [65000, 65001] }, "10.0.0.0/8", begins("65000 65001"), "accept"],
      [{ asPathPrefix: [65000, 65001] }, "10.0.0.0/8", begins("65000 65001 1"), "accept"],
      [{ asPathPrefix: [65000, 65001] }, "10.0.0.0/8", begins("65000 650011"), "next"],
      [{ asPathPrefix: [65000, 65001] }, "10.0.0.0/8", begins("1 65000 65001"), "next"],
      [{ asPathPrefix: [65000] }, "10.0.0.0/8", begins(""), "next"],
      [{ priority: 100 }, "10.0.0.0/8", lp(2_147_483_547), "accept"],
      [{ priority: 100 }, "10.0.0.0/8", lp(2_147_482_623), "next"],
    ]);
  });

  it("operations: in their order, what is prepended reads as listed", () => {
    const operations = [
      { setPriority: 512 },
      { addCommunity: "65000:1" },
      { addCommunity: "65000:1:2" },
      { prependASPath: [65001, 65002] },
      { prependASPath: [65003] },
    ];
    check([
      [
        { operations },
        "10.0.0.0/8",
        { attributes: { asPath: path("65009") } },
        "accept localPref=2147483135 asPath=65003 65001 65002 65009 65000:1 65000:1:2",
      ],
    ]);
  });

  it("a route that no rule decides over goes on", () => {
    const rules: FilterRule[] = [
      { cidr: "10.0.0.0/8", matchOperator: "In", action: "Reject" },
      { cidr: "10.1.0.0/16", matchOperator: "In", action: "Accept" },
    ];
    const second = filterPolicy("g", [{ action: "Accept", operations: [{ setPriority: 1 }] }]);
    expect(verdictOf([filterPolicy("f", rules), second], "10.1.0.0/16")).toBe("reject");
    expect(verdictOf([filterPolicy("f", rules), second], "11.0.0.0/8")).toBe("accept localPref=2147483646");
  });
});
