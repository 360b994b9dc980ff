/** Lists and watches as they come in portions: the same objects wherever they are cut, and bounds for what has none. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter, ListSplitter } from "../../../../src/config/calico/datastore/kubernetes-streams.ts";

/** All portions of that many octets. */
function* portions(text: string, size: number): Generator<Buffer> {
  const octets = Buffer.from(text);
  for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
}

function readList(text: string, size: number, limit?: number): { items: (string | undefined)[]; rest: unknown } {
  const items: (string | undefined)[] = [];
  const splitter = new ListSplitter((item) => items.push(item), limit);
  for (const portion of portions(text, size)) splitter.push(portion);
  return { items, rest: splitter.end() };
}

function readLines(text: string, size: number, limit?: number): (string | undefined)[] {
  const lines: (string | undefined)[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), limit);
  for (const portion of portions(text, size)) splitter.push(portion);
  return lines;
}

describe("the items of a list", () => {
  const tricky = { a: 'quote " and \\ and { [ ] }', ü: "漢字\n", list: [1, [2], { items: [3] }], items: [{}], n: null };
  const items = [tricky, {}, { metadata: { name: "x" } }];

  it.each([
    ["Kubernetes' own order", { kind: "NodeList", metadata: { resourceVersion: "7", continue: "c" }, items }],
    ["custom resources, sorted", { apiVersion: "v1", items, kind: "X", metadata: { resourceVersion: "7" } }],
    ["none", { items: [], metadata: { resourceVersion: "7", more: ["items"], items: ["x"] } }],
    ["null, as Go writes an empty slice", { items: null, metadata: { resourceVersion: "7" } }],
  ])("%s", (_what, list) => {
    const whole = { ...list, items: list.items === null ? null : [] };
    for (const space of [0, 2]) {
      const text = JSON.stringify(list, undefined, space);
      for (let size = 1; size < 40; size++) {
        const read = readList(text, size);
        expect(read.items.map((item) => JSON.parse(item ?? ""))).toEqual(list.items ?? []);
        expect(read.rest).toEqual(whole);
      }
    }
  });

  it("any JSON objects, cut anywhere, are the same objects", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(
        fc.array(object),
        fc.dictionary(fc.string(), fc.string()),
        fc.integer({ min: 1, max: 64 }),
        (all, metadata, size) => {
          const read = readList(JSON.stringify({ metadata, items: all, z: 1 }), size);
          // JSON knows no -0.
          expect(read.items.map((item) => JSON.parse(item ?? ""))).toEqual(JSON.parse(JSON.stringify(all)));
        },
      ),
    );
  });

  it("an item that is too long is passed over, and the next is read", () => {
    const text = JSON.stringify({ items: [{ a: "x".repeat(100) }, { b: 1 }], metadata: {} });
    for (const size of [1, 7, 1000]) expect(readList(text, size, 50).items).toEqual([undefined, '{"b":1}']);
  });

  it.each(["", "{", '{"items":[{}', '{"items":[]', "hello", "]]]", '{"items":[}]}'])("%j is no list", (text) => {
    expect(() => readList(text, 3)).toThrow(RangeError);
  });

  it("what goes on for ever beside the items is given up", () => {
    const splitter = new ListSplitter(() => undefined);
    const push = () => {
      for (let i = 0; i < 10_000; i++) splitter.push(Buffer.alloc(1000, "x"));
    };
    expect(push).toThrow(/beside its items/);
  });

  it("never throws anything but a RangeError, whatever comes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        const splitter = new ListSplitter(() => undefined);
        try {
          splitter.push(Buffer.from(octets));
          splitter.end();
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

describe("the lines of a watch", () => {
  it("are the same wherever they are cut; empty ones are none, and one without its end waits", () => {
    for (let size = 1; size < 20; size++)
      expect(readLines('{"ü":1}\n\n{"b":2}\n{"c"', size)).toEqual(['{"ü":1}', '{"b":2}']);
  });

  it("one that is too long is said and passed over, and takes no memory", () => {
    expect(readLines(`${"x".repeat(1000)}\nshort\n`, 100, 50)).toEqual([undefined, "short"]);
  });
});
