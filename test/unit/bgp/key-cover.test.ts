import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { coveringKeys, type Key } from "../../../src/bgp/key-cover.ts";
import { formatAddress, ipv4 } from "../../../src/bgp/model/address.ts";
import { formatPrefix, type Prefix, parsePrefix, prefixContains, prefixOf } from "../../../src/bgp/model/prefix.ts";

const prefix = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new TypeError(text);
  return parsed;
};
const key = (text: string, password = "p"): Key => ({ from: prefix(text), password });
const lines = (keys: readonly Key[]) => keys.map(({ from, password }) => `${formatPrefix(from)} ${password}`).sort();

/** As the kernel does it. */
function found(keys: readonly Key[], from: Prefix): string | undefined {
  return keys.filter((k) => prefixContains(k.from, from, from.length)).sort((a, b) => b.from.length - a.from.length)[0]
    ?.password;
}

describe("keys that stand for many (RFC 2385)", () => {
  it("one for all that have the same, unless somebody among them does not sign", () => {
    const mesh = ["10.0.0.1", "10.0.0.2", "10.0.0.9", "10.0.3.1"].map((text) => key(text));
    expect(lines(coveringKeys(mesh, []))).toEqual(["10.0.0.0/22 p"]);
    expect(lines(coveringKeys(mesh, [prefix("10.1.0.1")]))).toEqual(["10.0.0.0/22 p"]);
    expect(lines(coveringKeys(mesh, [prefix("10.0.0.3")]))).toEqual([
      "10.0.0.1/32 p",
      "10.0.0.2/32 p",
      "10.0.0.9/32 p",
      "10.0.3.1/32 p",
    ]);
    expect(lines(coveringKeys(mesh, [prefix("10.0.2.0/23")]))).toEqual(["10.0.0.0/28 p", "10.0.3.1/32 p"]);
    expect(lines(coveringKeys([], [prefix("10.0.0.0/8")]))).toEqual([]);
  });

  it("other passwords keep their own, also where a range has one", () => {
    const keys = [key("10.0.0.1"), key("10.0.0.2"), key("10.0.0.9"), key("10.0.0.5", "q"), key("10.0.1.0/24", "r")];
    expect(lines(coveringKeys(keys, []))).toEqual(["10.0.0.0/28 p", "10.0.0.5/32 q", "10.0.1.0/24 r"]);
    expect(lines(coveringKeys([key("2001:db8::1"), key("2001:db8::3")], []))).toEqual(["2001:db8::/126 p"]);
  });

  it("everybody is found with what he has, whoever is there", () => {
    const host = fc.record({
      at: fc.integer({ min: 0, max: 63 }),
      password: fc.constantFrom("p", "p", "p", "q", undefined),
    });
    fc.assert(
      fc.property(fc.uniqueArray(host, { selector: ({ at }) => at, maxLength: 40 }), (hosts) => {
        const of = ({ at }: { at: number }) => prefixOf(ipv4(0x0a000000 + at), 32);
        const signed = hosts.flatMap((h) => (h.password === undefined ? [] : [{ from: of(h), password: h.password }]));
        const open = hosts.filter((h) => h.password === undefined).map(of);
        const keys = coveringKeys(signed, open);
        for (const h of hosts)
          expect([formatAddress(of(h)), found(keys, of(h))]).toEqual([formatAddress(of(h)), h.password]);
        expect(keys.length).toBeLessThanOrEqual(signed.length);
      }),
    );
  });
});
