import { beforeAll, describe, expect, it } from "vitest";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { enterNewNamespace, ip, ipBatch, veth } from "./support/namespace.ts";
import { hop, probe, unicast } from "./support/probe.ts";

const COUNT = 50_000;

beforeAll(() => {
  enterNewNamespace();
  veth("va", "va-far", ["192.0.2.2/24"]);
});

describe("routes per second", () => {
  it("more than ip -batch, in the same run", async () => {
    const lines = Array.from({ length: COUNT }, (_, i) => `10.0.${i >>> 8}.${i & 255}/32`);
    const theirs = performance.now();
    ipBatch(lines.map((prefix) => `route add ${prefix} via 192.0.2.1 proto static`));
    const theirSeconds = (performance.now() - theirs) / 1000;
    ip("route flush proto static");

    const p = await probe();
    const batch = new PrefixBatch(1, COUNT);
    for (let i = 0; i < COUNT; i++) batch.add4(0x0a000000 + i, 32, 0);
    const ours = performance.now();
    p.fib.set(batch, unicast(hop("192.0.2.1")));
    await p.settled();
    const ourSeconds = (performance.now() - ours) / 1000;
    expect(p.fib.counters().routes.ipv4).toBe(COUNT);
    await p.fib.cleanup();
    await p.fib.close();
    const rate = (seconds: number) => `${Math.round(COUNT / seconds / 1000)}k/s`;
    console.log(`${COUNT} routes: starling ${rate(ourSeconds)}, ip -batch ${rate(theirSeconds)}`);
    expect(ourSeconds).toBeLessThan(theirSeconds);
  });
});
