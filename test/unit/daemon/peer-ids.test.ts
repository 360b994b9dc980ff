import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PeerIds } from "../../../src/daemon/peer-ids.ts";

describe("peers' numbers", () => {
  it("stay with a name, and are used again only when released", () => {
    const ids = new PeerIds();
    const a = ids.idOf("a");
    expect(ids.idOf("a")).toBe(a);
    ids.forgetName(a);
    const next = ids.idOf("a");
    expect(next).not.toBe(a);
    expect(ids.nameOf(a)).toBe("a");
    ids.release(a);
    expect([ids.find("a"), ids.nameOf(a), ids.idOf("b")]).toEqual([next, undefined, a]);
  });

  it("are never two peers' at a time", () => {
    const names = fc.constantFrom("a", "b", "c", "d");
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("add", "forget", "release"), names)), (steps) => {
        const ids = new PeerIds();
        const taken = new Map<number, string>();
        for (const [what, name] of steps) {
          const known = ids.find(name);
          if (what === "add") {
            const id = ids.idOf(name);
            if (known === undefined) expect(taken.has(id)).toBe(false);
            taken.set(id, name);
          } else if (known !== undefined) {
            ids.forgetName(known);
            if (what === "release") {
              ids.release(known);
              taken.delete(known);
            }
          }
        }
        for (const [id, name] of taken) expect(ids.nameOf(id as never)).toBe(name);
      }),
    );
  });
});
