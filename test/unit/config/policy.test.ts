import { describe, expect, it } from "vitest";
import { formatPrefix } from "../../../src/bgp/model/prefix.ts";
import type { Term } from "../../../src/rib/policy/policy.ts";
import { ANY } from "../rib/sample.ts";
import { configOf, problemsOf } from "./fixtures.ts";

function termOf(term: string): Term {
  const [one] = configOf(`asNumber: 1\npolicies: {p: [${term}]}`).policies["p"]?.policy.terms ?? [];
  if (one === undefined) throw new RangeError("no term");
  return one;
}

describe("policies", () => {
  it("an empty term accepts everything", () => {
    const { match, set, then: action } = termOf("{}");
    expect({ match, set, action }).toEqual({ match: ANY, set: undefined, action: "accept" });
  });

  it.each([
    ["10.244.0.0/16", "10.244.0.0/16", 16, 16],
    ["10.244.0.0/16 le 26", "10.244.0.0/16", 16, 26],
    ["10.0.0.0/8 ge 24 le 28", "10.0.0.0/8", 24, 28],
    ["10.0.0.0/8 le 28 ge 24", "10.0.0.0/8", 24, 28],
    ["10.0.0.0/8 ge 24", "10.0.0.0/8", 24, 32],
    ["2001:db8::/32 ge 48", "2001:db8::/32", 48, 128],
    ["0.0.0.0/0 le 32", "0.0.0.0/0", 0, 32],
  ])("prefixes: %s", (text, prefix, ge, le) => {
    const [range] = termOf(`{match: {prefixes: ["${text}"]}}`).match.prefixes ?? [];
    expect(range && [formatPrefix(range.prefix), range.ge, range.le]).toEqual([prefix, ge, le]);
  });

  it.each([
    ["64512:10", { kind: "standard", value: 0xfc00000a, mask: 0xffffffff }],
    ["64512:*", { kind: "standard", value: 0xfc000000, mask: 0xffff0000 }],
    ["*:10", { kind: "standard", value: 10, mask: 0xffff }],
    ["*:*", { kind: "standard", value: 0, mask: 0 }],
    ["no-export", { kind: "standard", value: 0xffffff01, mask: 0xffffffff }],
    ["1:2:3", { kind: "large", value: { global: 1, local1: 2, local2: 3 }, wild: [false, false, false] }],
    ["1:*:3", { kind: "large", value: { global: 1, local1: 0, local2: 3 }, wild: [false, true, false] }],
    ["*:*:*", { kind: "large", value: { global: 0, local1: 0, local2: 0 }, wild: [true, true, true] }],
    ["rt:64512:1", { kind: "extended", value: { high: 0x0002fc00, low: 1 } }],
  ])("communities: %s", (text, want) => {
    expect(termOf(`{match: {communities: ["${text}"]}}`).match.communities).toEqual([want]);
  });

  it("an AS-path expression keeps its blanks", () => {
    const matcher = termOf('{match: {asPath: "^65001 "}}').match.asPath;
    expect(matcher?.test("65001 65002")).toBe(true);
    expect(matcher?.test("65001")).toBe(false);
  });

  it.each([
    ["eth*", "eth0", true],
    ["eth*", "veth0", false],
    ["eth?", "eth10", false],
    ["cali+.x", "cali+.x", true],
    ["cali+.x", "caliiyx", false],
  ])("interface: %s against %s", (glob, name, want) => {
    expect(termOf(`{match: {interface: "${glob}"}}`).match.interface?.test(name)).toBe(want);
  });

  it("every change", () => {
    const set =
      "{localPref: 200, med: 10, nextHop: self, prependAs: 3, communities: {add: [64512:99, '1:2:3'], remove: ['64512:*']}}";
    const term = termOf(`{set: ${set}, then: next}`);
    expect([term.match, term.then]).toEqual([ANY, "next"]);
    expect(term.set).toEqual({
      localPref: 200,
      med: 10,
      nextHop: "self",
      prependAs: 3,
      addCommunities: [
        { kind: "standard", value: 0xfc000063, mask: 0xffffffff },
        { kind: "large", value: { global: 1, local1: 2, local2: 3 }, wild: [false, false, false] },
      ],
      removeCommunities: [{ kind: "standard", value: 0xfc000000, mask: 0xffff0000 }],
    });
    expect(termOf("{set: {nextHop: 10.0.0.1, prependAs: [65001, 1.1]}}").set).toMatchObject({
      nextHop: { w0: 0x0a000001 },
      prependAs: [65001, 65537],
    });
  });

  it.each([
    ["{match: {prefixes: ['10.0.0.0/8 le 4']}}", "cannot be: 8 <= ge <= le <= 32"],
    ["{match: {prefixes: ['10.0.0.0/8 le 9 le 10']}}", "le stands twice"],
    ["{match: {prefixes: ['10.0.0.0/8 lt 4']}}", '"10.0.0.0/8 lt 4" is not accepted'],
    ["{match: {prefixes: 10.0.0.0/8}}", "not a list"],
    ["{match: {communities: ['64512:70000']}}", '"64512:70000" is not accepted; accepted: 65000:1'],
    ["{match: {communities: ['rt:*:1']}}", '"rt:*:1" is not accepted'],
    ["{match: {asPath: 'AS65001'}}", '"A" means nothing here (at character 1)'],
    ["{match: {origin: [igp]}}", "accepted: peer, static, kernel, connected, aggregate"],
    ["{match: {peerType: ibgp}}", "accepted: internal, external"],
    ["{set: {communities: {add: ['64512:*']}}}", '"64512:*" is not accepted'],
    ["{set: {prependAs: 0}}", "`0` is not accepted; accepted: a whole number from 1 to 32"],
    ["{set: {prependAs: [0]}}", "AS 0 is nobody's"],
    ["{set: {nextHop: other}}", '"other" is not accepted; accepted: self, or an IPv4 or IPv6 address'],
    ["{then: deny}", '"deny" is not accepted; accepted: accept, reject, next'],
    ["reject", '"reject" is not accepted; accepted: a mapping of keys'],
  ])("refuses %s", (term, want) => {
    expect(problemsOf(`asNumber: 1\npolicies: {p: [${term}]}`).join("\n")).toContain(want);
  });
});
