import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Family } from "../../src/bgp/model/family.ts";
import { formatPrefix, prefixOf } from "../../src/bgp/model/prefix.ts";
import { ByteStore } from "../../src/columns/byte-store.ts";
import { HashIndex } from "../../src/columns/hash-index.ts";
import { IdColumn, IdSet } from "../../src/columns/id-columns.ts";
import { IdQueue } from "../../src/columns/id-queue.ts";
import { PrefixTable } from "../../src/columns/prefix-table.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });

describe("PrefixTable equals a Map", () => {
  it.each([Family.Ipv4, Family.Ipv6])("family %d", (family) => {
    const prefix = fc
      .tuple(
        fc.constantFrom(0, 0x0a000000, 0x0a000100, 0xffffff00),
        fc.constantFrom(0, 7),
        fc.integer({ min: 0, max: 32 }),
      )
      .map(([w0, w1, length]) =>
        prefixOf(
          { family, w0, w1: family === Family.Ipv6 ? w1 : 0, w2: 0, w3: 0 },
          family === Family.Ipv6 ? length * 2 : length,
        ),
      );
    fc.assert(
      fc.property(fc.array(fc.record({ prefix, remove: fc.boolean(), value: word })), (steps) => {
        const table = new PrefixTable(family, 2);
        const model = new Map<string, number>();
        for (const { prefix: p, remove, value } of steps) {
          const key = formatPrefix(p);
          const id = table.find(p.w0, p.w1, p.w2, p.w3, p.length);
          expect(id >= 0).toBe(model.has(key));
          if (remove) {
            if (id >= 0) table.remove(id);
            model.delete(key);
          } else {
            const added = table.findOrAdd(p.w0, p.w1, p.w2, p.w3, p.length);
            expect(table.get(added, 1) >>> 0).toBe(model.get(key) ?? 0);
            table.set(added, 1, value);
            expect(formatPrefix(table.prefix(added))).toBe(key);
            model.set(key, value);
          }
        }
        expect(table.count).toBe(model.size);
        const live: string[] = [];
        for (let id = 0; id < table.end; id++) if (table.isLive(id)) live.push(formatPrefix(table.prefix(id)));
        expect(live.sort()).toEqual([...model.keys()].sort());
      }),
    );
  });

  it("finds each of 100,000 after growth and removal of every second", () => {
    const table = new PrefixTable(Family.Ipv4, 1);
    for (let i = 0; i < 100_000; i++) table.set(table.findOrAdd(i << 8, 0, 0, 0, 24), 0, i);
    for (let i = 0; i < 100_000; i += 2) table.remove(table.find(i << 8, 0, 0, 0, 24));
    let wrong = 0;
    for (let i = 0; i < 100_000; i++) {
      const id = table.find(i << 8, 0, 0, 0, 24);
      if (i % 2 === 0 ? id !== -1 : table.get(id, 0) !== i) wrong++;
    }
    expect(wrong).toBe(0);
    expect(table.count).toBe(50_000);
  });
});

describe("IdQueue, IdColumn, IdSet, ByteStore", () => {
  it("a queue gives back what it got, in order, across growth", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3000, max: 3000 })), (steps) => {
        const queue = new IdQueue();
        const model: number[] = [];
        let n = 0;
        for (const step of steps) {
          for (let i = 0; i < step; i++) {
            queue.push(n);
            model.push(n++);
          }
          for (let i = 0; i > step; i--) expect(queue.shift()).toBe(model.shift() ?? -1);
          expect(queue.count).toBe(model.length);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("a set of ids equals a Set and walks in order", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.boolean())), (steps) => {
        const set = new IdSet();
        const model = new Set<number>();
        for (const [id, add] of steps) {
          expect(add ? set.add(id) : set.delete(id)).toBe(add ? !model.has(id) : model.has(id));
          if (add) model.add(id);
          else model.delete(id);
        }
        const walked: number[] = [];
        for (let id = set.next(0, 20_001); id >= 0; id = set.next(id + 1, 20_001)) walked.push(id);
        expect(walked).toEqual([...model].sort((a, b) => a - b));
        expect(set.count).toBe(model.size);
      }),
    );
  });

  it("a column is zero where nothing was written", () => {
    const column = new IdColumn();
    column.set(1_000_000, 7);
    expect([column.get(0), column.get(999_999), column.get(1_000_000)]).toEqual([0, 0, 7]);
  });

  it("byte strings of every size survive the freeing of others", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 9000 }), fc.boolean()), { maxLength: 60 }), (steps) => {
        const store = new ByteStore();
        const kept: { handle: number; bytes: Uint8Array }[] = [];
        for (const [size, drop] of steps) {
          const bytes = new Uint8Array(size).map((_, i) => (size + i) & 255);
          kept.push({ handle: store.put(bytes), bytes });
          if (drop) {
            const gone = kept.shift();
            if (gone !== undefined) store.free(gone.handle, gone.bytes.length);
          }
          for (const k of kept) expect(store.equals(k.handle, k.bytes.length, k.bytes)).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });
});

/** Everything that an index gives for a hash. */
function all(index: HashIndex, hash: number): number[] {
  const ids: number[] = [];
  for (let id = index.first(hash); id >= 0; id = index.next()) ids.push(id);
  return ids.sort((a, b) => a - b);
}

describe("HashIndex", () => {
  it("finds what was inserted and not removed, also where many share a hash or its upper bits", () => {
    const index = new HashIndex();
    const model = new Map<number, Set<number>>();
    let state = 1;
    const random = (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    // Spread evenly, one hash for all, upper bits alike, lower bits alike.
    const kinds = [
      () => Math.imul(random(20_000), 0x9e3779b1),
      () => 0x7fffffff,
      () => 0xabcd0000 | random(0x8000) | 0,
      () => (random(0x8000) << 17) | 5,
    ];
    const inserted: [number, number][] = [];
    for (let id = 0; id < 60_000; id++) {
      const hash = (kinds[id % 32 === 0 ? 1 + random(3) : 0] as () => number)();
      index.insert(hash, id);
      model.set(hash, (model.get(hash) ?? new Set()).add(id));
      inserted.push([hash, id]);
      if (id % 3 !== 0) continue;
      const [victim] = inserted.splice(random(inserted.length), 1) as [[number, number]];
      index.remove(...victim);
      model.get(victim[0])?.delete(victim[1]);
    }
    for (const [hash, ids] of model) expect(all(index, hash)).toEqual([...ids].sort((a, b) => a - b));
    for (let i = 0; i < 1000; i++) {
      const hash = random(2 ** 32) | 0;
      if (!model.has(hash)) expect(index.first(hash)).toBe(-1);
    }
  });
});
