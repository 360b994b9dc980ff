import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress, type IpAddress } from "../../../src/bgp/model/address.ts";
import { addressBits, Family } from "../../../src/bgp/model/family.ts";
import { formatPrefix, prefixContains, prefixOf } from "../../../src/bgp/model/prefix.ts";
import { NextHopTable } from "../../../src/rib/next-hop.ts";
import type { CoveringRoute, Resolution, RouteLookup } from "../../../src/rib/next-hop-resolver.ts";
import { address, prefix } from "./sample.ts";

type Hop = CoveringRoute["hops"][number];

/** Routes and links of a machine, changed by text. */
class Machine implements RouteLookup {
  readonly routes = new Map<string, CoveringRoute>();
  readonly down = new Set<number>();
  lookups = 0;

  longestMatch(asked: IpAddress, maxLength: number): CoveringRoute | undefined {
    this.lookups++;
    for (let length = Math.min(maxLength, addressBits(asked.family)); length >= 0; length--) {
      const route = this.routes.get(formatPrefix(prefixOf(asked, length)));
      if (route !== undefined) return route;
    }
    return undefined;
  }

  isLinkUp(index: number): boolean {
    return !this.down.has(index);
  }

  /** "via 10.0.0.1 dev 2", "dev 2", "via 10.0.0.1", "blackhole"; several ways with "+"; "" removes. */
  set(text: string, way: string, table?: NextHopTable): void {
    const p = prefix(text);
    if (way === "") this.routes.delete(formatPrefix(p));
    else if (way === "blackhole" || way === "unreachable")
      this.routes.set(formatPrefix(p), { length: p.length, kind: way, hops: [] });
    else this.routes.set(formatPrefix(p), { length: p.length, kind: "forward", hops: way.split(" + ").map(hop) });
    table?.prefixChanged(p.family, p.w0, p.w1, p.w2, p.w3, p.length);
  }

  link(index: number, isUp: boolean, table: NextHopTable): void {
    if (isUp) this.down.delete(index);
    else this.down.add(index);
    table.linkChanged(index);
  }
}

function hop(way: string): Hop {
  const via = /via (\S+)/.exec(way)?.[1];
  return { gateway: via === undefined ? undefined : address(via), interface: Number(/dev (\d+)/.exec(way)?.[1] ?? 0) };
}

function show({ reachable, blackhole, metric, resolved }: Resolution): string {
  if (!reachable) return "unreachable";
  if (blackhole) return "blackhole";
  return `${metric}: ${resolved.map((r) => `${r.gateway ? formatAddress(r.gateway) : "-"}@${r.interface}`).join(" ")}`;
}

function tableWith(routes: Readonly<Record<string, string>>): { machine: Machine; table: NextHopTable } {
  const machine = new Machine();
  for (const [text, way] of Object.entries(routes)) machine.set(text, way);
  return { machine, table: new NextHopTable(machine) };
}

describe("resolution (RFC 4271 §9.1.2.1)", () => {
  const cases: readonly [string, Record<string, string>, string, string][] = [
    ["connected", { "10.0.0.0/24": "dev 2" }, "10.0.0.7", "0: 10.0.0.7@2"],
    ["behind a gateway", { "10.0.0.0/8": "via 192.0.2.1 dev 3" }, "10.9.9.9", "1: 192.0.2.1@3"],
    [
      "the longest match decides",
      { "0.0.0.0/0": "via 192.0.2.1 dev 3", "10.0.0.0/24": "dev 2" },
      "10.0.0.7",
      "0: 10.0.0.7@2",
    ],
    ["by the default route", { "0.0.0.0/0": "via 192.0.2.1 dev 3" }, "10.0.0.7", "1: 192.0.2.1@3"],
    ["no route", { "10.0.0.0/24": "dev 2" }, "10.0.1.7", "unreachable"],
    ["an unreachable route", { "0.0.0.0/0": "dev 2", "10.0.0.0/8": "unreachable" }, "10.0.1.7", "unreachable"],
    ["a blackhole", { "0.0.0.0/0": "dev 2", "10.0.0.0/8": "blackhole" }, "10.0.1.7", "blackhole"],
    [
      "through a learnt route",
      { "10.0.0.0/24": "dev 2", "192.0.2.0/24": "via 10.0.0.1" },
      "192.0.2.9",
      "1: 10.0.0.1@2",
    ],
    [
      "through two",
      { "10.0.0.0/24": "dev 2", "192.0.2.0/24": "via 10.0.0.1", "203.0.113.0/24": "via 192.0.2.1" },
      "203.0.113.5",
      "2: 10.0.0.1@2",
    ],
    [
      "multipath",
      { "10.0.0.0/8": "via 192.0.2.1 dev 3 + via 192.0.2.2 dev 4" },
      "10.9.9.9",
      "1: 192.0.2.1@3 192.0.2.2@4",
    ],
    [
      "recursive multipath, the same way once",
      { "10.0.0.0/24": "dev 2", "192.0.2.0/24": "via 10.0.0.1 + via 10.0.0.2 + via 10.0.0.1" },
      "192.0.2.9",
      "1: 10.0.0.1@2 10.0.0.2@2",
    ],
    [
      "what is left of multipath",
      { "10.0.0.0/24": "dev 2", "192.0.2.0/24": "via 10.0.0.1 + via 172.16.0.1" },
      "192.0.2.9",
      "1: 10.0.0.1@2",
    ],
    [
      "through itself: passed over for the shorter one",
      { "10.0.0.0/24": "dev 2", "10.0.0.1/32": "via 10.0.0.1" },
      "10.0.0.1",
      "0: 10.0.0.1@2",
    ],
    ["through itself alone", { "10.0.0.1/32": "via 10.0.0.1" }, "10.0.0.1", "unreachable"],
    [
      "through each other",
      { "10.0.0.0/24": "via 192.0.2.1", "192.0.2.0/24": "via 10.0.0.1" },
      "10.0.0.1",
      "unreachable",
    ],
    [
      "through each other, with a way out",
      { "10.0.0.0/24": "via 192.0.2.1", "192.0.2.0/24": "via 10.0.0.1", "10.0.0.0/8": "dev 2" },
      "10.0.0.1",
      "0: 10.0.0.1@2",
    ],
    ["IPv6", { "2001:db8::/64": "dev 2" }, "2001:db8::7", "0: 2001:db8::7@2"],
    [
      "IPv4 behind an IPv6 gateway",
      { "2001:db8::/64": "dev 2", "10.0.0.0/8": "via 2001:db8::1" },
      "10.0.0.7",
      "1: 2001:db8::1@2",
    ],
    ["link-local without a link", { "fe80::/10": "dev 2" }, "fe80::1", "unreachable"],
  ];
  it.each(cases)("%s", (_name, routes, nextHop, want) => {
    const { table } = tableWith(routes);
    expect(show(table.resolution(table.acquire(address(nextHop), undefined)))).toBe(want);
  });

  it.each([
    [8, "7: 172.16.0.1@2"],
    [9, "unreachable"],
  ])("follows next hops to a depth of 8, not more: %d", (depth, want) => {
    const { machine, table } = tableWith({ "172.16.0.0/24": "dev 2", "10.1.0.0/16": "via 172.16.0.1" });
    for (let i = 2; i < depth; i++) machine.set(`10.${i}.0.0/16`, `via 10.${i - 1}.0.1`);
    expect(show(table.resolution(table.acquire(address(`10.${depth - 1}.0.1`), undefined)))).toBe(want);
  });

  it("ends quickly where many routes lead to each other", () => {
    const { machine, table } = tableWith({});
    for (let i = 0; i < 16; i++)
      for (let length = 8; length <= 32; length++)
        machine.set(`10.0.0.${i}/${length}`, `via 10.0.0.${(i + length) % 16}`);
    expect(table.isReachable(table.acquire(address("10.0.0.3"), undefined))).toBe(false);
    expect(machine.lookups).toBeLessThanOrEqual(256);
  });

  it.each([
    ["10.0.0.7", undefined],
    ["2001:db8::7", undefined],
    ["2001:db8::7", "fe80::7"],
  ])("gives %s with %s one id, resolved anew when nobody had it any more", (text, beside) => {
    const { machine, table } = tableWith({ "10.0.0.0/24": "dev 2", "2001:db8::/64": "dev 2" });
    const again = () => table.acquire(address(text), beside === undefined ? undefined : address(beside));
    const id = again();
    expect(again()).toBe(id);
    const other = table.acquire(address("2001:db8::7"), address("fe80::8"));
    expect(other).not.toBe(id);
    expect(table.acquire(address("2001:db8::7"), address("fe80::8"))).toBe(other);
    expect([again(), again()]).toEqual([id, id]);
    expect(table.count).toBe(2);
    for (let n = 0; n < 4; n++) table.release(id);
    expect(table.count).toBe(1);
    machine.set("10.0.0.0/24", "", table);
    machine.set("2001:db8::/64", "", table);
    // Another takes its place.
    expect(table.acquire(address("192.0.2.1"), undefined)).toBe(id);
    const anew = again();
    expect(anew).not.toBe(id);
    expect(table.isReachable(anew)).toBe(false);
  });

  it("without knowledge of the machine's routes reaches everything", () => {
    const table = new NextHopTable(undefined);
    const id = table.acquire(address("10.0.0.7"), undefined);
    expect(table.resolution(id)).toEqual({ reachable: true, metric: 0, blackhole: false, resolved: [] });
    table.prefixChanged(Family.Ipv4, 0, 0, 0, 0, 0);
    table.linkChanged(2);
    expect(table.hasChanges).toBe(false);
  });
});

describe("link-local next hops (RFC 2545 §3)", () => {
  it("are reached over the session's link, beside a global one that leads nowhere or without it", () => {
    const { machine, table } = tableWith({ "2001:db8::/64": "dev 2" });
    const alone = table.acquire(address("fe80::1"), address("fe80::1"));
    const beside = table.acquire(address("2001:db8:9::1"), address("fe80::2"));
    const global = table.acquire(address("2001:db8::9"), address("fe80::3"));
    const none = table.acquire(address("::"), address("fe80::4"));
    expect([alone, beside, global, none].map((id) => show(table.resolution(id, 5)))).toEqual([
      "0: fe80::1@5",
      "0: fe80::2@5",
      "0: 2001:db8::9@2",
      "0: fe80::4@5",
    ]);
    expect(table.isReachable(alone)).toBe(false);
    machine.link(5, false, table);
    expect(table.takeChanged().sort()).toEqual([alone, beside, none].sort());
    expect(table.metric(alone, 5)).toBe(Number.POSITIVE_INFINITY);
    expect(table.metric(alone, 6)).toBe(0);
    machine.link(5, true, table);
    expect(table.takeChanged().sort()).toEqual([alone, beside, none].sort());
  });
});

describe("tracking", () => {
  it("tells which next hops fare differently, and only those", () => {
    const { machine, table } = tableWith({ "0.0.0.0/0": "via 192.0.2.1 dev 3", "10.0.0.0/24": "dev 2" });
    const near = table.acquire(address("10.0.0.7"), undefined);
    const far = table.acquire(address("10.9.0.7"), undefined);
    machine.set("10.9.0.0/16", "via 10.0.0.1 dev 2", table);
    expect(table.takeChanged()).toEqual([far]);
    machine.set("10.9.0.0/24", "via 10.0.0.1 dev 2", table);
    expect(table.hasChanges).toBe(true);
    expect(table.takeChanged()).toEqual([]);
    machine.set("10.9.0.0/16", "via 10.0.0.2 dev 2", table);
    machine.set("0.0.0.0/0", "", table);
    expect(table.hasChanges).toBe(false);
    machine.set("10.0.0.0/24", "", table);
    expect(table.takeChanged()).toEqual([near]);
    expect(table.isReachable(near)).toBe(false);
  });

  it("follows a chain: the far end of it matters too", () => {
    const { machine, table } = tableWith({ "10.0.0.0/24": "dev 2", "192.0.2.0/24": "via 10.0.0.1" });
    const id = table.acquire(address("192.0.2.9"), undefined);
    machine.set("10.0.0.0/28", "dev 4", table);
    expect(table.takeChanged()).toEqual([id]);
    expect(show(table.resolution(id))).toBe("1: 10.0.0.1@4");
  });

  it("acts on a link that goes down before its routes are told", () => {
    const { machine, table } = tableWith({ "10.0.0.0/24": "dev 2", "10.0.0.0/8": "via 192.0.2.1 dev 3" });
    const id = table.acquire(address("10.0.0.7"), undefined);
    machine.link(2, false, table);
    expect(table.takeChanged()).toEqual([id]);
    expect(show(table.resolution(id))).toBe("1: 192.0.2.1@3");
    machine.link(2, true, table);
    expect(table.takeChanged()).toEqual([id]);
    machine.link(7, false, table);
    expect(table.hasChanges).toBe(false);
  });

  it("resolves in slices", () => {
    const { machine, table } = tableWith({});
    for (let i = 0; i < 50; i++) table.acquire(address(`10.0.0.${i}`), undefined);
    machine.set("10.0.0.0/24", "dev 2", table);
    expect(table.takeChanged(20)).toHaveLength(20);
    expect(table.takeChanged(20)).toHaveLength(20);
    expect(table.takeChanged(20)).toHaveLength(10);
    expect(table.hasChanges).toBe(false);
  });

  it("counts references, and uses ids again", () => {
    const { table } = tableWith({});
    const one = table.acquire(address("10.0.0.1"), undefined);
    expect(table.acquire(address("10.0.0.1"), undefined)).toBe(one);
    expect(table.acquire(address("0.0.0.0"), undefined)).toBe(0);
    expect(table.metric(0)).toBe(0);
    table.release(one);
    expect(table.count).toBe(1);
    table.release(one);
    table.release(0);
    expect(table.count).toBe(0);
    expect(table.acquire(address("10.0.0.2"), undefined)).toBe(one);
  });
});

describe("NextHopTable equals a naive resolver", () => {
  const addresses = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "10.1.0.1", "2001:db8::1", "2001:db8::2", "fe80::1"];
  const prefixes = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.0.0/24",
    "10.0.0.0/30",
    "10.0.0.1/32",
    "10.0.0.2/32",
    "10.0.1.0/24",
    "10.1.0.0/16",
    "::/0",
    "2001:db8::/64",
    "2001:db8::1/128",
  ];
  const direct = fc.constantFrom("", "dev 1", "dev 2", "via 192.0.2.1 dev 1", "blackhole", "unreachable");
  const recursive = fc.constantFrom(...addresses).map((a) => `via ${a}`);
  const either = fc.tuple(recursive, recursive).map((ways) => ways.join(" + "));
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("route" as const),
        prefix: fc.constantFrom(...prefixes),
        way: fc.oneof(direct, recursive, either),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("link" as const), index: fc.constantFrom(1, 2), isUp: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("acquire" as const), address: fc.constantFrom(...addresses) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("release" as const), which: fc.nat(20) }) },
  );

  it("after any changes of routes and links, and says exactly what changed", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
        const machine = new Machine();
        const table = new NextHopTable(machine);
        const held: { id: number; address: IpAddress }[] = [];
        const before = new Map<number, string | undefined>();
        for (const s of steps) {
          if (s.kind === "route") machine.set(s.prefix, s.way, table);
          else if (s.kind === "link") machine.link(s.index, s.isUp, table);
          else if (s.kind === "acquire") {
            const asked = address(s.address);
            const id = table.acquire(asked, undefined);
            held.push({ id, address: asked });
            before.set(id, naively(machine, asked));
          } else {
            const gone = held.splice(s.which % Math.max(held.length, 1), 1)[0];
            if (gone !== undefined) table.release(gone.id);
          }
          const changed = new Set<number>(table.takeChanged());
          for (const { id, address: asked } of held) {
            const want = naively(machine, asked);
            if (want === undefined) continue;
            expect(show(table.resolution(id))).toBe(want);
            if (before.get(id) !== undefined) expect(changed.has(id)).toBe(before.get(id) !== want);
          }
          for (const { id, address: asked } of held) before.set(id, naively(machine, asked));
        }
      }),
      { numRuns: 400 },
    );
  });
});

interface Found {
  readonly metric: number;
  readonly ways: readonly string[];
  readonly isBlackhole: boolean;
}

const NOWHERE: Found = { metric: Number.POSITIVE_INFINITY, ways: [], isBlackhole: false };

/** In the form of `show`; undefined where it takes so many steps that a resolution may be cut off. */
function naively(machine: Machine, asked: IpAddress): string | undefined {
  const steps = { left: 250 };
  const { metric, ways, isBlackhole } = follow(machine, asked, [], steps);
  if (steps.left <= 0) return undefined;
  if (ways.length > 0) return `${metric}: ${ways.join(" ")}`;
  return isBlackhole ? "blackhole" : "unreachable";
}

/** Every route that holds the address, longest first, each followed to its end; nothing remembered. */
function follow(machine: Machine, asked: IpAddress, before: readonly string[], steps: { left: number }): Found {
  const name = formatAddress(asked);
  if (name.startsWith("fe80:") || before.includes(name) || before.length >= 8) return NOWHERE;
  const holding = [...machine.routes]
    .map(([text, route]) => ({ prefix: prefix(text), route }))
    .filter((r) => prefixContains(r.prefix, asked, addressBits(asked.family)))
    .sort((x, y) => y.prefix.length - x.prefix.length);
  for (const { route } of holding) {
    if (--steps.left <= 0 || route.kind === "unreachable") return NOWHERE;
    if (route.kind === "blackhole") return { ...NOWHERE, isBlackhole: true };
    const found = route.hops.map((h): Found => {
      if (h.interface !== 0) {
        if (machine.down.has(h.interface)) return NOWHERE;
        const gateway = h.gateway === undefined ? name : formatAddress(h.gateway);
        return { metric: h.gateway === undefined ? 0 : 1, ways: [`${gateway}@${h.interface}`], isBlackhole: false };
      }
      const further = h.gateway === undefined ? NOWHERE : follow(machine, h.gateway, [...before, name], steps);
      return { ...further, metric: further.isBlackhole ? 2 : further.metric + 1 };
    });
    const ways = [...new Set(found.flatMap((f) => f.ways))];
    const isBlackhole = found.some((f) => f.isBlackhole);
    if (ways.length > 0) return { metric: Math.min(...found.map((f) => f.metric)), ways, isBlackhole: false };
    if (isBlackhole) return { ...NOWHERE, isBlackhole };
  }
  steps.left--;
  return NOWHERE;
}
