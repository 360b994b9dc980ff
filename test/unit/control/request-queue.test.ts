import { describe, expect, it } from "vitest";
import { RequestQueue } from "../../../src/control/request-queue.ts";

function setUp() {
  const due: (() => void)[] = [];
  let now = 0;
  const begun: number[] = [];
  const queue = new RequestQueue({ now: () => now, soon: (run) => due.push(run) });
  const add = (id: number, milliseconds: number) =>
    queue.add(() => {
      begun.push(id);
      now += milliseconds;
    });
  return { add, begun, due, turn: () => due.shift()?.() };
}

describe("requests that come all at once", () => {
  it("are begun in order, a slice in each round of the event loop", () => {
    const { add, begun, due, turn } = setUp();
    for (let id = 0; id < 6; id++) add(id, 2);
    expect(begun).toEqual([]);
    turn();
    expect(begun).toEqual([0, 1]);
    add(6, 2);
    turn();
    expect(begun).toEqual([0, 1, 2, 3]);
    turn();
    turn();
    expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(due).toEqual([]);
    add(7, 0);
    turn();
    expect(begun.at(-1)).toBe(7);
  });
});
