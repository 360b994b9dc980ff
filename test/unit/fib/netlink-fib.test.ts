import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Family } from "../../../src/bgp/model/family.ts";
import { formatPrefix, parsePrefix } from "../../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../../src/bgp/model/prefix-batch.ts";
import type { FibTarget } from "../../../src/fib/fib.ts";
import { MessageCursor } from "../../../src/fib/netlink/message.ts";
import { RouteMessage } from "../../../src/fib/netlink/route-message.ts";
import { decodeTarget } from "../../../src/fib/netlink/target-codec.ts";
import { NetlinkFib } from "../../../src/fib/netlink-fib.ts";
import type { FibOptions } from "../../../src/fib/options.ts";
import { Operation, RequestBatch } from "../../../src/fib/request-batch.ts";
import { RouteTable } from "../../../src/fib/route-table.ts";
import { TargetTable } from "../../../src/fib/target-table.ts";
import { MemoryLog } from "../../harness/memory-log.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";
import { FakeKernel } from "./fake-kernel.ts";
import { BLACKHOLE, hop, UNREACHABLE, unicast } from "./messages.ts";

const OPTIONS: FibOptions = {
  table: 254,
  protocol: 12,
  metric: undefined,
  preferredSources: [],
  learn: { protocols: [], interfaces: [] },
  excludeInterfaces: [],
  pruneAfterMilliseconds: 240_000,
};

interface World {
  readonly kernel: FakeKernel;
  readonly clock: VirtualClock;
  readonly log: MemoryLog;
  readonly told: Map<string, FibTarget>;
  fib: NetlinkFib;
  settled: number;
}

function world(kernelOf: (clock: VirtualClock) => FakeKernel = (clock) => new FakeKernel(clock)): World {
  const clock = new VirtualClock();
  const kernel = kernelOf(clock);
  const log = new MemoryLog();
  const told = new Map<string, FibTarget>();
  const w: World = { kernel, clock, log, told, fib: open(), settled: 0 };
  function open(): NetlinkFib {
    return new NetlinkFib(kernel.ports(), OPTIONS, clock, log, {
      routeChanged: (prefix, _source, route) => {
        if (route === undefined) told.delete(formatPrefix(prefix));
        else told.set(formatPrefix(prefix), route.target);
      },
      linkChanged: () => {},
      ready: () => {},
      settled: () => {
        w.settled++;
      },
    });
  }
  clock.settle();
  return w;
}

function batch(prefix: string): PrefixBatch {
  const parsed = parsePrefix(prefix);
  if (parsed === undefined) throw new RangeError(prefix);
  const out = new PrefixBatch(parsed.family, 1);
  out.add(parsed);
  return out;
}

/** A request as somebody else would make it. */
function request(prefix: string, target: FibTarget, operation: Operation, protocol: number): Uint8Array {
  const parsed = parsePrefix(prefix);
  if (parsed === undefined) throw new RangeError(prefix);
  const targets = new TargetTable(parsed.family, { ...OPTIONS, protocol });
  const routes = new RouteTable(parsed.family, targets);
  const id = routes.findOrAdd(parsed.w0, parsed.w1, parsed.w2, parsed.w3, parsed.length);
  const targetId = targets.intern(target);
  const encoded = targets.encoded(targetId);
  const out = new RequestBatch();
  if (encoded !== undefined) out.add(routes, id, operation, targetId, encoded);
  return out.encoded().slice();
}

/** What stands in the kernel with a protocol, in words. */
function standing(kernel: FakeKernel, protocol: number): Map<string, string> {
  const out = new Map<string, string>();
  for (const [key, route] of kernel.routes) if (route.protocol === protocol) out.set(key, words(route.body));
  return out;
}

function words(body: Uint8Array): string {
  const message = new Uint8Array(16 + body.length);
  new DataView(message.buffer).setUint32(0, message.length, true);
  message.set(body, 16);
  const cursor = new MessageCursor(message);
  const route = new RouteMessage();
  cursor.reset(message.length);
  if (!cursor.next() || !route.decode(cursor)) throw new RangeError("not a route");
  const target = decodeTarget(route, cursor);
  return JSON.stringify({ ...target, metric: undefined });
}

const wordsOf = (target: FibTarget) => JSON.stringify({ ...target, metric: undefined });

const PREFIXES = ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "2001:db8::/32", "::/0"];
const GATEWAYS = { refused: "c6336463", other: "c6336464" };
const TARGETS: FibTarget[] = [
  BLACKHOLE,
  UNREACHABLE,
  unicast(hop(undefined, 3)),
  unicast(hop("fe80::1", 3)),
  unicast(hop("fe80::2", 4), { metric: 100 }),
  { ...BLACKHOLE, metric: 50 },
  unicast([hop("fe80::1", 3), hop("fe80::2", 4, { weight: 2 })]),
];

describe("desired against actual", () => {
  type Step =
    | { readonly do: "set" | "otherOurs" | "otherForeign"; readonly prefix: number; readonly target: number }
    | { readonly do: "unset" | "otherDelete" | "foreignDelete"; readonly prefix: number; readonly target: number }
    | { readonly do: "deliver" | "lose" | "settle" | "loseAnswer" | "failSend" | "turn" };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({
      do: fc.constantFrom(
        "set" as const,
        "set" as const,
        "unset" as const,
        "otherOurs" as const,
        "otherForeign" as const,
      ),
      prefix: fc.nat(PREFIXES.length - 1),
      target: fc.nat(TARGETS.length - 1),
    }),
    fc.record({
      do: fc.constantFrom("otherDelete" as const, "foreignDelete" as const),
      prefix: fc.nat(PREFIXES.length - 1),
      target: fc.nat(TARGETS.length - 1),
    }),
    fc.record({
      do: fc.constantFrom(
        "deliver" as const,
        "lose" as const,
        "settle" as const,
        "loseAnswer" as const,
        "failSend" as const,
        "turn" as const,
      ),
    }),
  );

  it("ends as wanted, whatever others do meanwhile and whatever is lost; foreign routes are never overwritten when known", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, prunes) => {
        const w = world();
        const wanted = new Map<string, FibTarget>();
        if (prunes) w.fib.resynchronised();
        for (const s of steps) {
          switch (s.do) {
            case "set": {
              const prefix = PREFIXES[s.prefix] ?? "";
              const target = TARGETS[s.target] ?? BLACKHOLE;
              w.fib.set(batch(prefix), target);
              wanted.set(prefix, target);
              break;
            }
            case "unset":
              w.fib.unset(batch(PREFIXES[s.prefix] ?? ""));
              wanted.delete(PREFIXES[s.prefix] ?? "");
              break;
            case "otherOurs":
              w.kernel.other(request(PREFIXES[s.prefix] ?? "", TARGETS[s.target] ?? BLACKHOLE, Operation.Replace, 12));
              break;
            case "otherForeign":
              w.kernel.other(request(PREFIXES[s.prefix] ?? "", TARGETS[s.target] ?? BLACKHOLE, Operation.Replace, 4));
              break;
            case "otherDelete":
              w.kernel.other(request(PREFIXES[s.prefix] ?? "", TARGETS[s.target] ?? BLACKHOLE, Operation.Delete, 12));
              break;
            case "foreignDelete":
              w.kernel.other(request(PREFIXES[s.prefix] ?? "", TARGETS[s.target] ?? BLACKHOLE, Operation.Delete, 4));
              break;
            case "deliver":
              w.kernel.deliver();
              break;
            case "lose":
              w.kernel.lose();
              break;
            case "settle":
              w.clock.settle();
              break;
            case "loseAnswer":
              w.kernel.loseAnswers = 1;
              break;
            case "failSend":
              w.kernel.failSends = 1;
              break;
            case "turn":
              w.clock.advance(1);
              break;
          }
        }
        w.kernel.loseAnswers = 0;
        w.fib.resynchronised();
        for (let i = 0; i < 5; i++) {
          w.clock.advance(30_000);
          w.kernel.deliver();
        }
        w.clock.advance(30_000);
        const foreign = standing(w.kernel, 4);
        const expected = new Map<string, string>();
        for (const [prefix, target] of wanted) {
          const metric = target.metric ?? (prefix.includes(":") ? 1024 : 0);
          const key = `${prefix} ${metric}`;
          if (!foreign.has(key)) expected.set(key, wordsOf(target));
        }
        expect(new Map([...standing(w.kernel, 12)].sort())).toEqual(new Map([...expected].sort()));
        const states = [...w.fib.entries(Family.Ipv4), ...w.fib.entries(Family.Ipv6)];
        expect(states.filter((e) => e.state === "ok")).toHaveLength(expected.size);
        expect(states).toHaveLength(wanted.size);
        expect(w.fib.counters().routes.ipv4 + w.fib.counters().routes.ipv6).toBe(expected.size);
      }),
      { numRuns: 1500 },
    );
  });
});

describe("what is refused", () => {
  it("is parked with its reason, tried again ever later, and written when it can be", () => {
    const w = world();
    w.kernel.refused.add(GATEWAYS.refused);
    w.fib.set(batch("10.0.0.0/8"), unicast(hop("198.51.100.99", 3)));
    w.fib.set(batch("10.1.0.0/16"), unicast(hop("198.51.100.100", 3)));
    w.clock.settle();
    expect([...standing(w.kernel, 12).keys()]).toEqual(["10.1.0.0/16 0"]);
    const parked = [...w.fib.entries(Family.Ipv4)].find((e) => e.state === "missing");
    expect(parked?.reason).toBe("ENETUNREACH");
    expect(w.fib.counters().unwritten).toEqual({ ipv4: 1, ipv6: 0 });
    expect(w.log.lines.filter((l) => l.event === "kernel refused routes")).toHaveLength(1);
    // A foreign route comes: it may help. It did not; then the refusal ends, and the next news brings the route.
    w.kernel.other(request("192.0.2.0/24", BLACKHOLE, Operation.Add, 4));
    w.kernel.deliver();
    w.clock.advance(100);
    w.kernel.refused.clear();
    w.kernel.other(request("192.0.3.0/24", BLACKHOLE, Operation.Add, 4));
    w.kernel.deliver();
    w.clock.advance(1000);
    expect([...standing(w.kernel, 12).keys()].sort()).toEqual(["10.0.0.0/8 0", "10.1.0.0/16 0"]);
    expect(w.fib.counters().operations).toContainEqual({ op: "add", result: "ENETUNREACH", count: 2 });
    expect(w.fib.counters().unwritten).toEqual({ ipv4: 0, ipv6: 0 });
  });

  it("settles all the same, and says so once a turn", () => {
    const w = world();
    w.kernel.refused.add(GATEWAYS.refused);
    const before = w.settled;
    w.fib.set(batch("10.0.0.0/8"), unicast(hop("198.51.100.99", 3)));
    w.clock.settle();
    expect(w.settled).toBe(before + 1);
  });
});

describe("what vanishes without a word", () => {
  it("is written again after the next reading", () => {
    const w = world();
    w.fib.set(batch("10.0.0.0/8"), BLACKHOLE);
    w.clock.settle();
    w.kernel.vanish(() => true);
    w.kernel.other(request("192.0.2.0/24", BLACKHOLE, Operation.Add, 4));
    w.kernel.lose();
    w.kernel.deliver();
    w.clock.advance(1000);
    expect([...standing(w.kernel, 12).keys()]).toEqual(["10.0.0.0/8 0"]);
    expect([...w.told.keys()]).toEqual(["192.0.2.0/24"]);
  });
});

describe("a fib that is held", () => {
  it("notes what is wanted, whatever it hears and reads, and writes it when it is released", () => {
    const w = world();
    w.fib.hold();
    w.fib.set(batch("10.0.0.0/8"), unicast(hop(undefined, 3)));
    w.fib.set(batch("10.0.0.0/8"), BLACKHOLE);
    w.kernel.lose();
    w.kernel.deliver();
    w.clock.advanceSeconds(10);
    expect(standing(w.kernel, 12)).toEqual(new Map());
    w.fib.release();
    w.clock.settle();
    expect([...standing(w.kernel, 12).values()]).toEqual([wordsOf(BLACKHOLE)]);
  });
});

describe("closing", () => {
  it("leaves everything in place, and is idempotent", async () => {
    const w = world();
    w.fib.set(batch("10.0.0.0/8"), BLACKHOLE);
    w.clock.settle();
    await w.fib.close();
    await w.fib.close();
    w.clock.advance(300_000);
    expect([...standing(w.kernel, 12).keys()]).toEqual(["10.0.0.0/8 0"]);
    expect(await w.fib.cleanup()).toBe(0);
    expect(w.clock.pendingTimers).toBe(0);
  });
});
