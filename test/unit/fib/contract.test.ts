import { describe, expect, it } from "vitest";
import { Family } from "../../../src/bgp/model/family.ts";
import { formatPrefix, parsePrefix } from "../../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../../src/bgp/model/prefix-batch.ts";
import type { Fib, FibEvents } from "../../../src/fib/fib.ts";
import { NetlinkFib } from "../../../src/fib/netlink-fib.ts";
import { MemoryFib } from "../../harness/memory-fib.ts";
import { MemoryLog } from "../../harness/memory-log.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";
import { FakeKernel } from "./fake-kernel.ts";
import { BLACKHOLE, hop, unicast } from "./messages.ts";

/** Opens a Fib over a kernel that outlives it. */
type Machine = (clock: VirtualClock) => (events: FibEvents) => Fib;

const MACHINES: readonly (readonly [string, Machine])[] = [
  [
    "netlink",
    (clock) => {
      const kernel = new FakeKernel(clock);
      const options = {
        table: 254,
        protocol: 12,
        metric: undefined,
        preferredSources: [],
        learn: undefined,
        excludeInterfaces: [],
        pruneAfterMilliseconds: 240_000,
      };
      return (events) => new NetlinkFib(kernel.ports(), options, clock, new MemoryLog(), events);
    },
  ],
  [
    "memory",
    (clock) => {
      let last: MemoryFib | undefined;
      return (events) => {
        last = new MemoryFib(clock, events, last?.routes);
        return last;
      };
    },
  ],
];

function batch(...prefixes: readonly string[]): PrefixBatch {
  const out = new PrefixBatch(prefixes[0]?.includes(":") ? Family.Ipv6 : Family.Ipv4, 4);
  for (const text of prefixes) {
    const prefix = parsePrefix(text);
    if (prefix !== undefined) out.add(prefix);
  }
  return out;
}

describe.each(MACHINES)("Fib: %s", (_name, machine) => {
  function start() {
    const clock = new VirtualClock();
    const open = machine(clock);
    const seen = { ready: 0, settled: 0 };
    const events: FibEvents = {
      routeChanged: () => {},
      linkChanged: () => {},
      ready: () => seen.ready++,
      settled: () => seen.settled++,
    };
    const states = (fib: Fib) =>
      [...fib.entries(Family.Ipv4), ...fib.entries(Family.Ipv6)]
        .map((e) => `${formatPrefix(e.prefix)} ${e.state}`)
        .sort();
    return { clock, seen, states, open: () => open(events) };
  }

  it("is ready soon, writes, and says when it has", () => {
    const { clock, seen, states, open } = start();
    const fib = open();
    expect(seen.ready).toBe(0);
    clock.settle();
    expect(seen.ready).toBe(1);
    const settled = seen.settled;
    fib.set(batch("10.0.0.0/8", "10.1.0.0/16"), unicast(hop("192.0.2.1", 3)));
    fib.set(batch("2001:db8::/32"), BLACKHOLE);
    clock.settle();
    expect(seen.settled).toBeGreaterThan(settled);
    expect(states(fib)).toEqual(["10.0.0.0/8 ok", "10.1.0.0/16 ok", "2001:db8::/32 ok"]);
    expect(fib.counters().routes).toEqual({ ipv4: 2, ipv6: 1 });
    fib.unset(batch("10.1.0.0/16", "10.9.0.0/16"));
    clock.settle();
    expect(states(fib)).toEqual(["10.0.0.0/8 ok", "2001:db8::/32 ok"]);
    expect(fib.counters().operations).toContainEqual({ op: "delete", result: "ok", count: 1 });
  });

  it("leaves routes when it closes; the next one keeps them until tables are complete", async () => {
    const { clock, states, open } = start();
    const first = open();
    clock.settle();
    first.set(batch("10.0.0.0/8", "10.1.0.0/16"), BLACKHOLE);
    clock.settle();
    await first.close();
    const second = open();
    clock.settle();
    expect(states(second)).toEqual(["10.0.0.0/8 stale", "10.1.0.0/16 stale"]);
    second.unset(batch("10.0.0.0/8"));
    second.set(batch("10.1.0.0/16"), BLACKHOLE);
    clock.settle();
    expect(states(second)).toEqual(["10.0.0.0/8 stale", "10.1.0.0/16 ok"]);
    second.resynchronised();
    clock.settle();
    expect(states(second)).toEqual(["10.1.0.0/16 ok"]);
  });

  it("cleans up what is its own, wanted or stale", async () => {
    const { clock, states, open } = start();
    const first = open();
    clock.settle();
    first.set(batch("10.0.0.0/8"), BLACKHOLE);
    clock.settle();
    await first.close();
    const second = open();
    clock.settle();
    second.set(batch("2001:db8::/32"), BLACKHOLE);
    clock.settle();
    const cleaned = second.cleanup();
    for (let i = 0; i < 10; i++) {
      clock.settle();
      await Promise.resolve();
    }
    expect(await cleaned).toBe(2);
    expect(states(second)).toEqual([]);
  });

  it("tells nobody anything once closed", async () => {
    const { clock, seen, open } = start();
    const fib = open();
    await fib.close();
    clock.advance(1000);
    expect(seen).toEqual({ ready: 0, settled: 0 });
  });
});
