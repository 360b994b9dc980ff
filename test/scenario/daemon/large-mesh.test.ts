import { describe, expect, it } from "vitest";
import { MemoryDaemon } from "../../harness/memory-daemon.ts";
import { MemoryNetwork } from "../../harness/memory-transport.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";
import { configOf } from "../../unit/config/fixtures.ts";
import { address } from "../../unit/rib/sample.ts";

const SIZE = 200;
const HUB = "10.0.0.1";
const at = (i: number) => `10.0.${1 + (i >> 7)}.${i & 127}`;
const speaker = (own: string, peers: readonly string[]) =>
  configOf(
    `asNumber: 64512\nrouterId: ${own}\nlisten: {addresses: ["${own}"]}\nkernel: {enabled: false}\n` +
      `peers:\n${peers.map((peer) => `  - ${peer}`).join("\n")}\noriginate: [{prefix: ${own}/32, blackhole: true}]`,
  );
/** Every second one is connected to, the others connect. */
const hubConfig = () =>
  speaker(
    HUB,
    Array.from({ length: SIZE }, (_, i) => `{name: Mesh_${i}, address: ${at(i)}, passive: ${i % 2 === 0}}`),
  );

describe("a node of a large mesh", () => {
  it("comes up with all that are there, and after a crash selects routes without those that are not", async () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork(clock);
    const isDead = (i: number) => i % 40 === 7;
    const living: MemoryDaemon[] = [];
    for (let i = 0; i < SIZE; i++) {
      if (isDead(i)) {
        network.silence(address(at(i)));
        continue;
      }
      const one = new MemoryDaemon(
        address(at(i)),
        network,
        clock,
        speaker(at(i), [`{name: hub, address: ${HUB}, passive: ${i % 2 === 1}}`]),
      );
      await one.daemon.start();
      living.push(one);
    }
    const first = new MemoryDaemon(address(HUB), network, clock, hubConfig());
    await first.daemon.start();
    clock.advanceSeconds(20);
    const established = (one: MemoryDaemon) => one.sessions().filter((line) => line.endsWith("Established")).length;
    expect([established(first), living.length]).toEqual([living.length, SIZE - 5]);
    expect(first.routes().length).toBe(living.length + 1);

    // The system closes what a process leaves behind.
    await first.daemon.stop(false);
    const again = new MemoryDaemon(address(HUB), network, clock, hubConfig(), true);
    await again.daemon.start();
    const reported = () => again.log.lines.filter(({ event }) => event.startsWith("restart finished"));
    clock.advanceSeconds(1);
    expect([again.daemon.readiness(), reported()]).toEqual([
      ["restarting: waiting for the peers to tell their routes"],
      [],
    ]);
    clock.advanceSeconds(20);
    // In a mesh those that connect to us are not waited for, either: nobody is told what they tell.
    expect(reported().map(({ fields }) => fields)).toEqual([{ reason: "105 peers have not come back" }]);
    expect([again.daemon.readiness(), established(again), again.routes().length]).toEqual([
      [],
      living.length,
      living.length + 1,
    ]);
    // Nobody lost its routes meanwhile, nor keeps stale ones.
    for (const one of living) expect(one.routes()).toContain(`${HUB}/32 from hub`);
  });
});
