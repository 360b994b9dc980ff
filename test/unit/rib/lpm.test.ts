import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressBits, Family } from "../../../src/bgp/model/family.ts";
import { formatPrefix, prefixContains, prefixOf } from "../../../src/bgp/model/prefix.ts";
import { PrefixTable } from "../../../src/columns/prefix-table.ts";
import { longestMatch } from "../../../src/rib/lpm.ts";
import { address, prefix } from "./sample.ts";

function tableOf(family: Family, ...texts: string[]): PrefixTable {
  const table = new PrefixTable(family, 0);
  for (const text of texts) {
    const p = prefix(text);
    table.findOrAdd(p.w0, p.w1, p.w2, p.w3, p.length);
  }
  return table;
}

function lookUp(table: PrefixTable, text: string, maxLength = 128): string | undefined {
  const a = address(text);
  const found = longestMatch(table, a.w0, a.w1, a.w2, a.w3, maxLength);
  return found < 0 ? undefined : formatPrefix(table.prefix(found));
}

describe("longestMatch", () => {
  const table = tableOf(Family.Ipv4, "0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "192.0.0.0/3");
  it.each<[string, number, string | undefined]>([
    ["10.1.2.3", 128, "10.1.2.3/32"],
    ["10.1.2.3", 31, "10.1.0.0/16"],
    ["10.1.2.3", 15, "10.0.0.0/8"],
    ["10.1.2.3", 7, "0.0.0.0/0"],
    ["10.2.0.0", 128, "10.0.0.0/8"],
    ["223.255.255.255", 128, "192.0.0.0/3"],
    ["11.0.0.0", 128, "0.0.0.0/0"],
  ])("%s up to %d bits", (text, maxLength, want) => {
    expect(lookUp(table, text, maxLength)).toBe(want);
  });

  it("finds nothing in an empty table", () => {
    expect(lookUp(tableOf(Family.Ipv6), "2001:db8::1")).toBeUndefined();
  });

  it("equals a look at every prefix", () => {
    const words = fc.tuple(fc.constantFrom(0, 0x0a000000, 0x80000000, 0xffffffff), fc.constantFrom(0, 1, 0x80000000));
    const anyPrefix = fc.tuple(
      fc.constantFrom(Family.Ipv4, Family.Ipv6),
      fc.array(fc.tuple(words, fc.nat(128))),
      words,
    );
    fc.assert(
      fc.property(anyPrefix, ([family, entries, [a0, a1]]) => {
        const of = (w0: number, w1: number) => ({ family, w0, w1: family === Family.Ipv6 ? w1 : 0, w2: 0, w3: 0 });
        const prefixes = entries.map(([[w0, w1], length]) =>
          prefixOf(of(w0, w1), Math.min(length, addressBits(family))),
        );
        const under = tableOf(family, ...prefixes.map(formatPrefix));
        const asked = of(a0, a1);
        const holding = prefixes.filter((p) => prefixContains(p, asked, addressBits(family)));
        const longest = holding.sort((p, q) => q.length - p.length)[0];
        const found = longestMatch(under, asked.w0, asked.w1, asked.w2, asked.w3, 128);
        expect(found < 0 ? undefined : formatPrefix(under.prefix(found))).toBe(longest && formatPrefix(longest));
      }),
    );
  });
});
