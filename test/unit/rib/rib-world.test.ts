import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WellKnown } from "../../../src/bgp/model/community.ts";
import type { CommunityPattern } from "../../../src/rib/policy/policy.ts";
import { World } from "../../harness/rib-world.ts";
import {
  CHOICES,
  KERNEL_CHOICES,
  KERNEL_PREFIXES,
  KERNEL_RULES,
  LINKS,
  PREFIXES,
  PRIORITIES,
  SLOTS,
} from "../../harness/rib-world-kinds.ts";
import { policy, prefix, standard, term } from "./sample.ts";

const TAGGED = [standard("65000:1")];
const BLACKHOLE: readonly CommunityPattern[] = [{ kind: "standard", value: WellKnown.Blackhole, mask: 0xffffffff }];
const within = (text: string, le: number) => ({ prefix: prefix(text), ge: prefix(text).length, le });

const POLICIES = [
  policy("not these", term({ prefixes: [within("10.0.0.0/16", 24)] }, "reject")),
  policy("tagged first", term({ communities: TAGGED }, "accept", { localPref: 400, removeCommunities: TAGGED })),
  policy(
    "one by one",
    term({ prefixes: [within("10.1.0.0/16", 16)] }, "next", { med: 7, addCommunities: TAGGED }),
    term({ prefixes: [within("10.1.0.0/16", 24)] }, "accept", { nextHop: "self" }),
  ),
  policy("drop", term({ communities: BLACKHOLE }, "accept"), term({ localPref: 200 }, "reject")),
  policy("our own", term({ origin: ["static", "kernel", "connected", "aggregate"] }, "accept", { med: 1 })),
];

const below = (count: number) => fc.integer({ min: 0, max: count - 1 });
const slot = below(SLOTS);
/** Not the last prefix: two destinations that hold each other's next hops have more than one outcome. */
const held = fc.record({ prefix: below(PREFIXES.length - 1), choice: below(CHOICES), pathId: below(2) });
const source = fc.constantFrom("kernel" as const, "connected" as const);

type Step = (world: World) => void;
const step = fc.oneof(
  of(12, (w, s, h) => w.announce(s, h), slot, held),
  of(5, (w, s, h) => w.withdraw(s, h), slot, held),
  of(2, (w, s, how) => w.down(s, how), slot, fc.constantFrom("flush", "restart", "both", "longLived")),
  of(4, (w, s, another, kept) => w.up(s, another, kept), slot, rarely(), fc.boolean()),
  of(1, (w, s) => w.remove(s), slot),
  of(2, (w, s) => w.add(s), slot),
  of(2, (w, s) => w.endOfRib(s), slot),
  of(1, (w, s) => w.refreshBegin(s), slot),
  of(1, (w, s) => w.refreshEnd(s), slot),
  of(1, (w, s, enhanced) => w.refreshRequested(s, enhanced), slot, fc.boolean()),
  of(4, (w, s, n) => w.read(s, n), slot, fc.integer({ min: 1, max: 5 })),
  of(2, (w, s) => w.lag(s), slot),
  of(
    2,
    (w, slots, i, e) => w.reload(slots, i, e),
    fc.uniqueArray(slot, { minLength: 1, maxLength: 4 }),
    below(POLICIES.length + 1),
    below(POLICIES.length + 1),
  ),
  of(
    2,
    (w, n, priorities, rules) => w.reconfigure(n, priorities, rules),
    fc.constantFrom(1, 16),
    below(PRIORITIES.length),
    below(KERNEL_RULES.length),
  ),
  of(
    1,
    (w, list) => w.originate(list),
    fc.uniqueArray(
      fc.record({
        prefix: below(PREFIXES.length),
        kind: fc.constantFrom("blackhole" as const, "advertiseOnly" as const, "via" as const),
        source: fc.constantFrom("static" as const, "calico" as const),
      }),
      { maxLength: 3, selector: (r) => `${r.prefix} ${r.source}` },
    ),
  ),
  of(
    1,
    (w, list) => w.aggregate(list),
    fc.uniqueArray(fc.record({ prefix: fc.constantFrom(2, 3, 5), summaryOnly: fc.boolean() }), {
      maxLength: 2,
      selector: (r) => r.prefix,
    }),
  ),
  of(
    3,
    (w, p, src, c) => w.kernel(p, src, c === KERNEL_CHOICES ? undefined : c),
    below(KERNEL_PREFIXES.length),
    source,
    below(KERNEL_CHOICES + 1),
  ),
  of(1, (w, link, up) => w.link(link, up), fc.constantFrom(...LINKS), fc.boolean()),
  of(1, (w, seconds) => w.pass(seconds), fc.constantFrom(25, 45)),
  of(1, (w) => w.bench.rib.hold()),
  of(1, (w) => w.bench.rib.release()),
  of(8, (w) => void w.bench.clock.turn()),
);

function of<T extends readonly unknown[]>(
  weight: number,
  run: (world: World, ...values: T) => void,
  ...arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> }
): fc.WeightedArbitrary<Step> {
  const name = run.toString();
  const arbitrary = fc.tuple<unknown[]>(...(arbitraries as readonly fc.Arbitrary<unknown>[])).map((values) =>
    Object.assign((world: World) => run(world, ...(values as unknown as T)), {
      [fc.toStringMethod]: () => `${name} with ${JSON.stringify(values)}`,
    }),
  );
  return { weight, arbitrary };
}

function rarely(): fc.Arbitrary<boolean> {
  return below(5).map((n) => n === 0);
}

function live(resolveNextHops: boolean, steps: readonly Step[]): void {
  const world = new World({ resolveNextHops }, POLICIES);
  for (let s = 0; s < SLOTS; s++) world.up(s, false, true);
  for (const run of steps) run(world);
  world.bench.rib.release();
  world.settle();
  for (let s = 0; s < SLOTS; s++) world.read(s, 1000);
  world.settle();
  expect(world.describe()).toEqual(world.retell().describe());
  expect(world.leftBehind()).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
}

const RUNS = Number(process.env["RIB_WORLD_RUNS"] ?? 150);

describe("tables that lived through it all equal fresh ones that are told the outcome, and leave nothing behind", () => {
  it.each([
    ["every next hop reachable", false],
    ["next hops resolved", true],
  ])("%s", { timeout: 3_600_000 }, (_name, resolved) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => live(resolved, steps)),
      { numRuns: RUNS },
    );
  });
});
