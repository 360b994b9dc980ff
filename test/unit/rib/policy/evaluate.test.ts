import { describe, expect, it } from "vitest";
import { formatAddress } from "../../../../src/bgp/model/address.ts";
import { formatAsPath } from "../../../../src/bgp/model/as-path.ts";
import type { PathAttributes } from "../../../../src/bgp/model/attributes.ts";
import { formatCommunity, WellKnown } from "../../../../src/bgp/model/community.ts";
import { asn } from "../../../../src/bgp/model/ids.ts";
import {
  dependsOnPrefix,
  dependsOnRouteContext,
  evaluate,
  rejectsAll,
  type TermOutcome,
} from "../../../../src/rib/policy/evaluate.ts";
import type { PolicyRoute } from "../../../../src/rib/policy/match.ts";
import type { Changes, Match, Term } from "../../../../src/rib/policy/policy.ts";
import { address, attributes, community, path, policy, prefix, route, standard, term } from "../sample.ts";

const NO_REPEAT = { repeatAs: undefined };

describe("verdicts", () => {
  const reject = (name: string, match: Partial<Match> = {}) => policy(name, term(match, "reject"));
  const next = policy("next", term({}, "next", { localPref: 7 }));

  it("accepts by default, with the very object that came in", () => {
    const given = route("10.0.0.0/8");
    const result = evaluate([], given, NO_REPEAT);
    expect(result).toMatchObject({
      verdict: "accept",
      policy: undefined,
      term: undefined,
      nextHop: "unset",
      medSet: false,
    });
    expect(result.attributes).toBe(given.attributes);
  });

  it("stops at the first verdict and names it", () => {
    const first = policy("first", term({ peerType: "external" }, "reject"), term({}, "accept"));
    expect(evaluate([first, reject("second")], route("10.0.0.0/8"), NO_REPEAT)).toMatchObject({
      verdict: "accept",
      policy: "first",
      term: 1,
    });
  });

  it("goes on to the next policy with the changes made so far", () => {
    const asks = reject("asks", { localPref: 7 });
    expect(evaluate([next, asks], route("10.0.0.0/8"), NO_REPEAT)).toMatchObject({ verdict: "reject", policy: "asks" });
    expect(evaluate([asks, next], route("10.0.0.0/8"), NO_REPEAT)).toMatchObject({ verdict: "accept" });
  });

  it("tells a trace of every term that was tried", () => {
    const seen: [string, number, string][] = [];
    const trace = (name: string, index: number, outcome: TermOutcome) =>
      seen.push([name, index, outcome.kind === "skipped" ? outcome.condition : outcome.says]);
    const tail = policy("tail", term({ asPath: /^65009/ }, "reject"), term({}, "accept"), term({}, "reject"));
    evaluate([next, tail], route("10.0.0.0/8"), { repeatAs: undefined, trace });
    expect(seen).toEqual([
      ["next", 0, "next"],
      ["tail", 0, "asPath"],
      ["tail", 1, "accept"],
    ]);
  });

  it("remembers that a term asked for BLACKHOLE by name (RFC 7999 §3.3)", () => {
    const black = route("192.0.2.1/32", { attributes: attributes({ communities: [WellKnown.Blackhole] }) });
    const named = policy(
      "p",
      term({ communities: [{ kind: "standard", value: WellKnown.Blackhole, mask: 0xffffffff }] }, "accept"),
    );
    const wild = policy("p", term({ communities: [standard("*:*")] }, "accept"));
    expect(evaluate([named], black, NO_REPEAT).honoursBlackhole).toBe(true);
    expect(evaluate([wild], black, NO_REPEAT).honoursBlackhole).toBe(false);
    expect(evaluate([], black, NO_REPEAT).honoursBlackhole).toBe(false);
  });
});

describe("conditions", () => {
  const large = { global: 64512, local1: 1, local2: 2 };
  const cases: readonly [string, Partial<Match>, Partial<PolicyRoute>, boolean][] = [
    ["no condition", {}, {}, true],
    ["prefix", { prefixes: [{ prefix: prefix("10.0.0.0/8"), ge: 8, le: 24 }] }, {}, true],
    [
      "one of several prefixes",
      {
        prefixes: [
          { prefix: prefix("11.0.0.0/8"), ge: 8, le: 8 },
          { prefix: prefix("10.1.0.0/16"), ge: 16, le: 16 },
        ],
      },
      {},
      true,
    ],
    ["no prefix fits", { prefixes: [] }, {}, false],
    ["in one that it must not be in", { notPrefixes: [{ prefix: prefix("10.0.0.0/8"), ge: 8, le: 32 }] }, {}, false],
    ["in none that it must not be in", { notPrefixes: [{ prefix: prefix("10.0.0.0/8"), ge: 8, le: 15 }] }, {}, true],
    ["origin", { origin: ["static", "kernel"] }, { source: "kernel" }, true],
    ["another origin", { origin: ["static", "kernel"] }, {}, false],
    ["peer type", { peerType: "external" }, { internalPeer: false }, true],
    ["another peer type", { peerType: "external" }, { internalPeer: true }, false],
    ["interface", { interface: /^eth.*$/ }, { interfaceName: "eth0" }, true],
    ["another interface", { interface: /^eth.*$/ }, { interfaceName: "cali0" }, false],
    ["interface unknown", { interface: /^.*$/ }, {}, false],
    ["LOCAL_PREF by default", { localPref: 100 }, {}, true],
    ["LOCAL_PREF above", { localPrefAbove: 99 }, {}, true],
    ["LOCAL_PREF not above", { localPrefAbove: 100 }, {}, false],
    [
      "LOCAL_PREF above half of what there is",
      { localPrefAbove: 0x7fff_ffff },
      { attributes: attributes({ localPref: 0xffff_ffff }) },
      true,
    ],
    ["LOCAL_PREF", { localPref: 100 }, { attributes: attributes({ localPref: 200 }) }, false],
    ["AS path", { asPath: /^65001 / }, { attributes: attributes({ asPath: path("65001 65002") }) }, true],
    ["another AS path", { asPath: /^65001 / }, { attributes: attributes({ asPath: path("65002 65001") }) }, false],
    ["empty AS path", { asPath: /^$/ }, {}, true],
    [
      "community",
      { communities: [standard("64512:10")] },
      { attributes: attributes({ communities: [community("64512:10")] }) },
      true,
    ],
    [
      "wild community",
      { communities: [standard("64512:*")] },
      { attributes: attributes({ communities: [community("64512:77")] }) },
      true,
    ],
    [
      "wild high half",
      { communities: [standard("*:77")] },
      { attributes: attributes({ communities: [community("65000:77")] }) },
      true,
    ],
    [
      "another community",
      { communities: [standard("64512:*")] },
      { attributes: attributes({ communities: [community("64513:10")] }) },
      false,
    ],
    [
      "any one of the communities",
      { communities: [standard("1:1"), standard("2:2")] },
      { attributes: attributes({ communities: [community("2:2")] }) },
      true,
    ],
    [
      "large community",
      { communities: [{ kind: "large", value: large, wild: [false, true, false] }] },
      { attributes: attributes({ largeCommunities: [{ global: 64512, local1: 9, local2: 2 }] }) },
      true,
    ],
    [
      "another large community",
      { communities: [{ kind: "large", value: large, wild: [false, true, false] }] },
      { attributes: attributes({ largeCommunities: [{ global: 64512, local1: 1, local2: 3 }] }) },
      false,
    ],
    [
      "extended community",
      { communities: [{ kind: "extended", value: { high: 0x0002fde8, low: 1 } }] },
      { attributes: attributes({ extendedCommunities: [{ high: 0x0002fde8, low: 1 }] }) },
      true,
    ],
    ["all conditions, one fails", { localPref: 100, peerType: "external" }, {}, false],
  ];
  it.each(cases)("%s", (_name, match, more, want) => {
    const result = evaluate([policy("p", term(match, "reject"))], route("10.1.0.0/16", more), NO_REPEAT);
    expect(result.verdict).toBe(want ? "reject" : "accept");
  });
});

describe("changes", () => {
  const run = (set: Partial<Changes>, given: PathAttributes, repeatAs: number | undefined = 64512) =>
    evaluate([policy("p", term({}, "accept", set))], route("10.0.0.0/8", { attributes: given }), {
      repeatAs: repeatAs === undefined ? undefined : asn(repeatAs),
    });
  const names = (a: PathAttributes) => a.communities.map(formatCommunity);

  it("sets LOCAL_PREF and MED, and says that MED was set by hand", () => {
    const result = run({ localPref: 200, med: 10 }, attributes());
    expect(result.attributes).toMatchObject({ localPref: 200, med: 10 });
    expect(result.medSet).toBe(true);
    expect(Object.isFrozen(result.attributes)).toBe(true);
  });

  it.each<[string, Changes["prependAs"], string, number | undefined, string]>([
    ["our own AS, on the way out", 3, "65001", 64512, "64512 64512 64512 65001"],
    ["the first AS, on the way in", 2, "65001 65002", undefined, "65001 65001 65001 65002"],
    ["nothing to repeat in an empty path", 2, "", undefined, ""],
    ["a list in its order", [asn(1), asn(2)], "3", 64512, "1 2 3"],
  ])("prepends %s", (_name, prependAs, before, repeatAs, want) => {
    const given = attributes({ asPath: path(before) });
    const changed = evaluate(
      [policy("p", term({}, "accept", { prependAs }))],
      route("10.0.0.0/8", { attributes: given }),
      {
        repeatAs: repeatAs === undefined ? undefined : asn(repeatAs),
      },
    );
    expect(formatAsPath(changed.attributes.asPath)).toBe(want);
  });

  it("takes the next hop for itself, without the link-local address of another", () => {
    const given = attributes({ nextHop: address("2001:db8::2"), linkLocalNextHop: address("fe80::2") });
    const result = run({ nextHop: "self" }, given);
    expect(formatAddress(result.attributes.nextHop)).toBe("10.0.0.1");
    expect(result.attributes.linkLocalNextHop).toBeUndefined();
    expect(result.nextHop).toBe("self");
    expect(run({ nextHop: address("10.9.9.9") }, given).nextHop).toBe("given");
  });

  it("leaves `self` to the sender where it is not known", () => {
    const given = attributes();
    const self = policy("p", term({}, "accept", { nextHop: "self" }));
    const result = evaluate([self], route("10.0.0.0/8", { attributes: given, self: undefined }), NO_REPEAT);
    expect(result.attributes).toBe(given);
    expect(result.nextHop).toBe("self");
  });

  it.each<[string, string[], string[], string[], string[]]>([
    ["adds in order", ["65000:2"], ["65000:1"], [], ["65000:1", "65000:2"]],
    ["adds once", ["65000:2", "65000:1"], ["65000:1"], [], ["65000:2", "65000:1"]],
    ["removes by pattern", ["65000:1", "65001:1", "65000:2"], [], ["65000:*"], ["65001:1"]],
    ["removes, then adds", ["65000:1", "65000:2"], ["65000:9"], ["65000:*"], ["65000:9"]],
    ["replaces one by itself", ["65000:9"], ["65000:9"], ["65000:*"], ["65000:9"]],
    ["removes everything", ["65000:1", "no-export"], [], ["*:*"], []],
  ])("communities: %s", (_name, before, add, remove, want) => {
    const given = attributes({ communities: before.map(community) });
    const result = run({ addCommunities: add.map(standard), removeCommunities: remove.map(standard) }, given);
    expect(names(result.attributes)).toEqual(want);
  });

  it("changes large and extended communities", () => {
    const one = { global: 1, local1: 2, local2: 3 };
    const target = { high: 0x0002fde8, low: 1 };
    const given = attributes({ largeCommunities: [one], extendedCommunities: [{ high: 0x0002fde8, low: 2 }] });
    const result = run(
      {
        addCommunities: [{ kind: "extended", value: target }],
        removeCommunities: [{ kind: "large", value: { ...one, local1: 0 }, wild: [false, true, false] }],
      },
      given,
    );
    expect(result.attributes.largeCommunities).toEqual([]);
    expect(result.attributes.extendedCommunities).toEqual([target, { high: 0x0002fde8, low: 2 }]);
  });

  it("gives back the same object when nothing changes", () => {
    const given = attributes({ localPref: 200, communities: [community("65000:1"), community("65000:0")] });
    const same = run(
      { localPref: 200, addCommunities: [standard("65000:1")], removeCommunities: [standard("1:*")] },
      given,
    );
    expect(same.attributes).toBe(given);
  });

  it("gives the same new object for the same change of the same set: an UPDATE's prefixes share it", () => {
    const given = attributes();
    const tag = policy(
      "tag",
      term({ prefixes: [{ prefix: prefix("10.0.0.0/8"), ge: 8, le: 32 }] }, "accept", { med: 5 }),
    );
    const one = evaluate([tag], route("10.1.0.0/16", { attributes: given, self: undefined }), NO_REPEAT);
    const two = evaluate([tag], route("10.2.0.0/16", { attributes: given, self: undefined }), NO_REPEAT);
    expect(one.attributes).toBe(two.attributes);
  });

  it("changes nothing on rejection", () => {
    const given = attributes();
    const no = policy("p", term({}, "reject", { med: 5 }));
    expect(evaluate([no], route("10.0.0.0/8", { attributes: given }), NO_REPEAT).attributes).toBe(given);
  });
});

describe("what a verdict may depend on", () => {
  it.each<[string, Term, boolean, boolean]>([
    ["nothing but attributes", term({ localPref: 100, peerType: "internal", asPath: /1/ }, "accept"), false, false],
    ["prefix", term({ prefixes: [] }, "accept"), true, false],
    ["origin", term({ origin: ["kernel"] }, "accept"), false, true],
    ["interface", term({ interface: /x/ }, "accept"), false, true],
  ])("%s", (_name, only, onPrefix, onContext) => {
    expect(dependsOnPrefix([policy("p", only)])).toBe(onPrefix);
    expect(dependsOnRouteContext([policy("p", only)])).toBe(onContext);
  });
});

describe("rejectsAll", () => {
  const all = term({}, "reject");
  it.each<[string, readonly Term[][], boolean]>([
    ["no policies", [], false],
    ["a reject without conditions", [[all]], true],
    ["the same behind a policy without terms", [[], [all]], true],
    ["a reject with a condition", [[term({ peerType: "internal" }, "reject")]], false],
    ["a reject of no prefix at all", [[term({ prefixes: [] }, "reject")]], false],
    ["an accept before it", [[term({ prefixes: [] }, "accept"), all]], false],
    ["an accept without conditions", [[term({}, "accept")], [all]], false],
  ])("%s", (_name, policies, want) => {
    const list = policies.map((terms) => policy("p", ...terms));
    expect(rejectsAll(list)).toBe(want);
    if (want) expect(evaluate(list, route("10.0.0.0/8"), NO_REPEAT).verdict).toBe("reject");
  });
});
