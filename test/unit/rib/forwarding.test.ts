import { beforeEach, expect, it } from "vitest";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import { formatPrefix } from "../../../src/bgp/model/prefix.ts";
import { FamilyTable } from "../../../src/rib/family-table.ts";
import { Forwarding, type Way } from "../../../src/rib/forwarding.ts";

const wayBy = (interfaceIndex: number): Way => ({
  blackhole: false,
  resolved: [{ gateway: ipv4(0xc0000200 + interfaceIndex), interface: interfaceIndex }],
});

let table: FamilyTable;
let forwarding: Forwarding;
/** By path. */
let ways: Map<number, Way>;
/** Interfaces by prefix, as the kernel would have been told. */
let kernel: Map<string, string>;
let calls: number;

beforeEach(() => {
  table = new FamilyTable(Family.Ipv4);
  ways = new Map();
  kernel = new Map();
  calls = 0;
  forwarding = new Forwarding(
    {
      table,
      attributes: { nextHop: () => 1, localPref: () => 100 },
      resolutionOf: (path) => ways.get(path) ?? { blackhole: false, resolved: [] },
      nextHopAddress: () => undefined,
    },
    {
      set: (batch, target) => {
        calls++;
        const interfaces = target.nextHops.map((hop) => hop.interface).join();
        for (let i = 0; i < batch.count; i++) kernel.set(formatPrefix(batch.prefixAt(i)), interfaces);
      },
      unset: (batch) => {
        for (let i = 0; i < batch.count; i++) kernel.delete(formatPrefix(batch.prefixAt(i)));
      },
    },
  );
});

function path(way: Way): number {
  const id = table.paths.add(0 as never, -1, 1 as PeerId, 0, "peer");
  ways.set(id, way);
  return id;
}

function prefix(number: number): number {
  return table.prefixes.findOrAdd(0x0a000000 + number, 0, 0, 0, 32);
}

function update(number: number, ...paths: number[]): void {
  forwarding.update(prefix(number), Int32Array.from(paths));
}

it("tells destinations of one way together, also when each has a path of its own", () => {
  const way = wayBy(1);
  for (let i = 0; i < 100; i++) update(i, path(way));
  forwarding.flush();
  expect(calls).toBe(1);
  expect(kernel.size).toBe(100);
});

it("knows a way again whose target was dropped, and whose number went to another", () => {
  const first = path(wayBy(1));
  const second = path(wayBy(2));
  update(1, first);
  update(1);
  update(2, second);
  update(3, first);
  forwarding.flush();
  expect([...kernel]).toEqual([
    ["10.0.0.2/32", "2"],
    ["10.0.0.3/32", "1"],
  ]);
});

it("follows a next hop that is resolved anew, alone and among others", () => {
  const moving = path(wayBy(1));
  const staying = path(wayBy(2));
  update(1, moving);
  update(2, moving, staying);
  ways.set(moving, wayBy(3));
  update(1, moving);
  update(2, moving, staying);
  forwarding.flush();
  expect([...kernel]).toEqual([
    ["10.0.0.1/32", "3"],
    ["10.0.0.2/32", "2,3"],
  ]);
});

it("has one target for the same hops, whichever way led there", () => {
  update(1, path(wayBy(1)));
  update(2, path(wayBy(1)));
  forwarding.flush();
  expect(calls).toBe(1);
});
