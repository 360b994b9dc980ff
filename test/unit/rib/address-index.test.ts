import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type IpAddress, ipv6 } from "../../../src/bgp/model/address.ts";
import { prefixContains, prefixOf } from "../../../src/bgp/model/prefix.ts";
import { AddressIndex } from "../../../src/rib/address-index.ts";

function within(index: AddressIndex, asked: IpAddress, length: number): number[] {
  const { w0, w1, w2, w3 } = prefixOf(asked, length);
  const slots: number[] = [];
  for (let s = index.first(w0, w1, w2, w3, length); s >= 0; s = index.next(s, w0, w1, w2, w3, length)) slots.push(s);
  return slots.sort((a, b) => a - b);
}

describe("AddressIndex equals a look at every address", () => {
  const word = fc.constantFrom(0, 1, 0x80000000, 0xffffffff, 0x0a000000);
  const some = fc.tuple(word, fc.constantFrom(0, 2), word, fc.nat(200)).map(([a, b, c, d]) => ipv6(a, b, c, d));
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ add: some }) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat(300) }) },
    { weight: 2, arbitrary: fc.record({ ask: some, length: fc.nat(128) }) },
  );

  it("through additions past its first size, removals and questions in between", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
        const index = new AddressIndex();
        const model = new Map<number, IpAddress>();
        for (const s of steps) {
          if ("add" in s) {
            const slot = index.add(s.add);
            expect(model.has(slot)).toBe(false);
            model.set(slot, s.add);
          } else if ("remove" in s) {
            const slot = [...model.keys()][s.remove % Math.max(1, model.size)];
            if (slot === undefined) continue;
            index.remove(slot);
            model.delete(slot);
          } else {
            const outer = prefixOf(s.ask, s.length);
            const want = [...model].filter(([, a]) => prefixContains(outer, a, 128)).map(([slot]) => slot);
            expect(within(index, s.ask, s.length)).toEqual(want.sort((a, b) => a - b));
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
