import { describe, expect, it } from "vitest";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { attributesWith } from "../../../src/bgp/model/attributes.ts";
import { UsageError } from "../../../src/bgp/model/errors.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import { PrefixBatch } from "../../../src/bgp/model/prefix-batch.ts";
import { KernelSide, type OpenFib } from "../../../src/daemon/kernel-side.ts";
import { Links } from "../../../src/daemon/links.ts";
import type { KernelRoute, Link } from "../../../src/fib/fib.ts";
import { MemoryFib } from "../../harness/memory-fib.ts";
import { MemoryLog } from "../../harness/memory-log.ts";
import { facts, peerOptions, prefix, RibBench } from "../../harness/rib-bench.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

const A = 1 as PeerId;

function side(open?: OpenFib) {
  const clock = new VirtualClock();
  const links = new Links(() => []);
  const log = new MemoryLog();
  const settled: number[] = [];
  let fib: MemoryFib | undefined;
  const kernel = new KernelSide({
    open:
      open ??
      ((_options, fibClock, _logger, events) => {
        fib = new MemoryFib(fibClock, events);
        return fib;
      }),
    clock,
    logger: log,
    links,
    settled: (milliseconds) => settled.push(milliseconds),
  });
  kernel.start({} as never);
  return { clock, links, log, kernel, settled, fib: fib as MemoryFib };
}

const batch = (text: string) => {
  const one = new PrefixBatch(Family.Ipv4);
  one.add(prefix(text), 0);
  return one;
};
const drop = { kind: "blackhole", nextHops: [], preferredSource: undefined, metric: undefined } as const;
const connected = (text: string, index: number): KernelRoute => ({
  prefix: prefix(text),
  source: "connected",
  protocol: 2,
  metric: 0,
  target: {
    kind: "unicast",
    nextHops: [{ gateway: undefined, interface: index, onlink: false, weight: 1 }],
    preferredSource: undefined,
    metric: undefined,
  },
  interfaceName: `eth${index}`,
  learnt: true,
});
const link = (index: number, up: boolean): Link => ({ index, name: `eth${index}`, up, addresses: [] });

const NOBODY = { routeChanged: () => {}, linkChanged: () => {}, ready: () => {}, settled: () => {} };

describe("the kernel's side", () => {
  it("is ready when the first dump is in, or after ten seconds without an answer", async () => {
    const quick = side();
    expect(quick.kernel.isReady).toBe(false);
    const ready = quick.kernel.untilReady();
    quick.clock.settle();
    await ready;
    expect(quick.clock.pendingTimers).toBe(0);

    const silent = side((_options, _clock, _logger, events) => new MemoryFib(new VirtualClock(), events));
    const waited = silent.kernel.untilReady();
    silent.clock.advanceSeconds(10);
    await waited;
    expect(silent.kernel.isReady).toBe(false);
  });

  it("does without routes where they may not be written, and says why", () => {
    const refused = side(() => {
      throw new UsageError("needs CAP_NET_ADMIN");
    });
    expect([refused.kernel.fib, refused.kernel.reason, refused.kernel.isReady]).toEqual([
      undefined,
      "needs CAP_NET_ADMIN",
      true,
    ]);
    refused.kernel.set(batch("10.1.0.0/16"), drop);
    expect(refused.log.lines.map((line) => line.level)).toEqual(["warn"]);
  });

  it("measures from the first change to the kernel's word", () => {
    const { kernel, settled, clock, fib } = side();
    clock.settle();
    kernel.set(batch("10.1.0.0/16"), drop);
    clock.jump(40);
    kernel.set(batch("10.2.0.0/16"), drop);
    clock.settle();
    kernel.unset(batch("10.2.0.0/16"));
    clock.settle();
    expect(settled).toEqual([40, 0]);
    expect([...fib.routes.keys()]).toEqual([prefix("10.1.0.0/16")]);
  });

  it("leaves the routes when it stops, as often as it is told to", async () => {
    const { kernel, fib } = side();
    kernel.set(batch("10.1.0.0/16"), drop);
    await kernel.stop();
    await kernel.stop();
    kernel.unset(batch("10.1.0.0/16"));
    expect(fib.routes.size).toBe(1);
  });

  it("tells of a link that was up and is not any more, as it was", () => {
    const { kernel, fib } = side();
    const lost: Link[] = [];
    kernel.linkLost = (gone) => lost.push(gone);
    for (const up of [false, true, true, false, false]) fib.link(link(3, up));
    expect(lost).toEqual([link(3, true)]);
  });

  it("lets next hops follow a route that comes and goes a thousand times, and keeps nothing of it", () => {
    const { kernel, fib } = side();
    const bench = new RibBench({ resolveNextHops: true });
    bench.upLinks.add(3);
    kernel.rib = bench.rib;
    bench.rib.addPeer(peerOptions(A));
    bench.rib.peerUp(A, facts(A));
    const nextHop = ipv4(0x0b000001);
    for (let i = 0; i < 1000; i++) {
      fib.learn(connected("11.0.0.0/24", 3));
      if (i === 0) bench.announce(A, attributesWith(nextHop), "10.1.0.0/16");
      if (i % 7 === 0) bench.clock.turn();
      fib.forget(prefix("11.0.0.0/24"), "connected");
      if (i % 5 === 0) bench.clock.turn();
    }
    bench.clock.settle();
    expect(bench.kernel.size).toBe(0);
    fib.learn(connected("11.0.0.0/24", 3));
    bench.clock.settle();
    expect([...bench.kernel.keys()]).toEqual(["10.1.0.0/16"]);
    fib.forget(prefix("11.0.0.0/24"), "connected");
    bench.withdraw(A, "10.1.0.0/16");
    bench.rib.removePeer(A);
    bench.clock.settle();
    const { table } = bench.rib.rib(Family.Ipv4);
    expect([table.prefixes.count, bench.rib.attributes.count, bench.rib.nextHops.count]).toEqual([0, 0, 0]);
    expect(table.paths.end).toBeLessThan(20);
  });

  it("after a restart writes nothing before it may, where routes of the run before carry the traffic", () => {
    const held = new MemoryFib(new VirtualClock(), NOBODY, new Map([[prefix("10.1.0.0/16"), drop]]));
    const { kernel } = side(() => held);
    kernel.hold();
    kernel.set(batch("10.2.0.0/16"), { kind: "blackhole" } as never);
    expect(held.route("10.2.0.0/16")).toBeUndefined();
    kernel.release();
    expect(held.route("10.2.0.0/16")).toBeDefined();

    const empty = new MemoryFib(new VirtualClock(), NOBODY);
    const { kernel: fresh } = side(() => empty);
    fresh.hold();
    fresh.set(batch("10.2.0.0/16"), { kind: "blackhole" } as never);
    expect(empty.route("10.2.0.0/16")).toBeDefined();
  });
});
