import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressBits, Family } from "../../../../src/bgp/model/family.ts";
import { type Prefix, prefixOf, wordMask } from "../../../../src/bgp/model/prefix.ts";
import type { PrefixRange } from "../../../../src/rib/policy/policy.ts";
import { PrefixMatcher, prefixMatcher } from "../../../../src/rib/policy/prefix-matcher.ts";
import { prefix } from "../sample.ts";

function range(text: string, ge?: number, le?: number): PrefixRange {
  const p = prefix(text);
  return { prefix: p, ge: ge ?? p.length, le: le ?? p.length };
}

function matches(matcher: PrefixMatcher, text: string): boolean {
  const p = prefix(text);
  return matcher.matches(p.family, p.w0, p.w1, p.w2, p.w3, p.length);
}

describe("prefix lists", () => {
  const cases: readonly [string, PrefixRange, string, boolean][] = [
    ["the prefix itself", range("10.244.0.0/16"), "10.244.0.0/16", true],
    ["not what lies within it", range("10.244.0.0/16"), "10.244.1.0/24", false],
    ["le reaches down", range("10.244.0.0/16", 16, 26), "10.244.1.64/26", true],
    ["but no further", range("10.244.0.0/16", 16, 26), "10.244.1.64/27", false],
    ["ge leaves out the prefix itself", range("10.244.0.0/16", 24, 32), "10.244.0.0/16", false],
    ["another network", range("10.244.0.0/16", 16, 32), "10.245.0.0/24", false],
    ["everything", range("0.0.0.0/0", 0, 32), "203.0.113.7/32", true],
    ["the default route alone", range("0.0.0.0/0"), "10.0.0.0/8", false],
    ["the high bit", range("192.0.2.0/24", 24, 32), "192.0.2.128/25", true],
    ["ge below the prefix's length holds what contains it", range("10.244.0.0/16", 8, 16), "10.0.0.0/8", true],
    ["and nothing beside it", range("10.244.0.0/16", 8, 16), "11.0.0.0/8", false],
    ["and nothing shorter than ge", range("10.244.0.0/16", 8, 16), "0.0.0.0/0", false],
    ["IPv6", range("2001:db8::/32", 48, 64), "2001:db8:1:2::/64", true],
    ["IPv6, the last word", range("2001:db8::8/125", 125, 128), "2001:db8::f/128", true],
    ["IPv6, beside it", range("2001:db8::8/125", 125, 128), "2001:db8::10/128", false],
    ["never across families", range("::/0", 0, 128), "10.0.0.0/8", false],
    ["ge above le holds nothing", range("10.0.0.0/8", 24, 16), "10.0.0.0/20", false],
  ];
  it.each(cases)("%s", (_name, entry, text, want) => {
    expect(matches(new PrefixMatcher([entry]), text)).toBe(want);
    const many = Array.from({ length: 40 }, (_, i) => range(`198.18.${i}.0/24`));
    expect(matches(new PrefixMatcher([...many, entry]), text)).toBe(want);
  });

  it("compiles a list once", () => {
    const list = [range("10.0.0.0/8")];
    expect(prefixMatcher(list)).toBe(prefixMatcher(list));
  });

  it("says the same as a look at every range, for short and long lists", () => {
    const anyPrefix = (family: Family): fc.Arbitrary<Prefix> =>
      fc
        .tuple(
          fc.constantFrom(0, 1, 0x0a000000, 0x0a0a0000, 0xffffffff),
          fc.constantFrom(0, 5, 0x80000000),
          fc.nat(addressBits(family)),
        )
        .map(([w0, w1, length]) => prefixOf({ family, w0, w1: family === Family.Ipv6 ? w1 : 0, w2: 0, w3: 0 }, length));
    const either = fc.constantFrom(Family.Ipv4, Family.Ipv6).chain(anyPrefix);
    const ranges = fc.array(
      fc.tuple(either, fc.nat(128), fc.nat(128)).map(([p, ge, le]): PrefixRange => ({ prefix: p, ge, le })),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(ranges, fc.array(either, { minLength: 1 }), (list, asked) => {
        const matcher = new PrefixMatcher(list);
        for (const p of asked) {
          expect(matcher.matches(p.family, p.w0, p.w1, p.w2, p.w3, p.length)).toBe(list.some((r) => holds(r, p)));
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** BIRD's reading of prefix patterns: the bits that both have agree, and the length is within bounds. */
function holds({ prefix: outer, ge, le }: PrefixRange, p: Prefix): boolean {
  if (outer.family !== p.family || p.length < ge || p.length > le) return false;
  const bits = Math.min(outer.length, p.length);
  return ([0, 1, 2, 3] as const).every((word) => {
    const key = `w${word}` as const;
    return ((outer[key] ^ p[key]) & wordMask(bits, word)) === 0;
  });
}
