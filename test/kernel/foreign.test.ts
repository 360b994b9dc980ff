import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { enterNewNamespace, ip, ipBatch, routes, veth } from "./support/namespace.ts";
import { hop, type Probe, probe, unicast, until } from "./support/probe.ts";

let p: Probe;

beforeAll(() => {
  enterNewNamespace();
  veth("va", "va-far", ["192.0.2.2/24", "2001:db8:a::2/64"]);
});

afterEach(async () => {
  await p.fib.cleanup();
  await p.fib.close();
  ip("-4 route flush proto static");
  ip("-6 route flush proto static");
});

const CASES = [
  ["IPv4", "10.1.2.0/24", "192.0.2.1", 4],
  ["IPv6", "2001:db8:1::/48", "2001:db8:a::1", 6],
] as const;
const entry = () => [...p.fib.entries(1), ...p.fib.entries(2)][0];

describe.each(CASES)("a foreign %s route with our prefix", (_name, prefix, gateway, family) => {
  const protocols = () => routes(family, `exact ${prefix}`).map((r) => r.protocol);
  const target = () => unicast(hop(gateway));

  it("and our metric keeps its place, and ours comes when it goes", async () => {
    ip(`route add blackhole ${prefix} proto static`);
    p = await probe();
    p.set(prefix, target());
    await p.settled();
    expect(protocols()).toEqual(["static"]);
    expect(entry()).toMatchObject({ state: "different", present: { kind: "blackhole" } });
    expect(entry()?.reason).toContain("protocol 4");
    const unwritten = () => p.fib.counters().unwritten[`ipv${family}`];
    expect(unwritten()).toBe(1);
    ip(`route del blackhole ${prefix}`);
    expect(await until(() => protocols()[0] === "bird", 1000)).toBeLessThan(1000);
    expect(entry()?.state).toBe("ok");
    expect(unwritten()).toBe(0);
  });

  it("that comes in place of ours is left alone until it goes", async () => {
    p = await probe();
    p.set(prefix, target());
    await p.settled();
    expect(protocols()).toEqual(["bird"]);
    ip(`route replace blackhole ${prefix} proto static`);
    await until(() => entry()?.state === "different");
    p.set(prefix, unicast(hop(gateway, p.links.get("va")?.index)));
    await p.settled();
    expect(protocols()).toEqual(["static"]);
    ip(`route del blackhole ${prefix}`);
    await until(() => protocols()[0] === "bird", 1000);
  });

  it("is not overwritten even when its news has not come yet", async () => {
    p = await probe();
    // Both in one turn of the event loop: the notification is still waiting when ours is written.
    ip(`route add blackhole ${prefix} proto static`);
    p.set(prefix, target());
    await p.settled();
    expect(protocols()).toEqual(["static"]);
    await until(() => entry()?.state === "different");
    ip(`route del blackhole ${prefix}`);
    await until(() => protocols()[0] === "bird", 1000);
  });

  it("and another metric stays beside ours, and unset removes ours alone", async () => {
    ip(`route add ${prefix} via ${gateway} proto static metric 5`);
    p = await probe();
    p.set(prefix, target());
    await p.settled();
    expect(protocols().sort()).toEqual(["bird", "static"]);
    p.unset(prefix);
    await p.settled();
    expect(protocols()).toEqual(["static"]);
  });

  it("in another table is none of our business", async () => {
    ip(`route add blackhole ${prefix} proto static table 100`);
    p = await probe();
    p.set(prefix, target());
    await p.settled();
    expect(protocols()).toEqual(["bird"]);
    ip(`-${family} route flush table 100`);
  });
});

describe("a flood of foreign routes", () => {
  it("is followed, and leaves ours in place", async () => {
    p = await probe();
    const ours = Array.from({ length: 300 }, (_, i) => `10.7.${i >>> 8}.${i & 255}/32`);
    p.set(ours, unicast(hop("192.0.2.1")));
    await p.settled();
    const lines = Array.from({ length: 5000 }, (_, i) => `10.20.${i >>> 8}.${i & 255}/32 via 192.0.2.1 proto static`);
    ipBatch(lines.map((line) => `route add ${line}`));
    await until(() => p.kernel.size >= 5000);
    ipBatch(lines.map((line) => `route del ${line}`));
    await until(() => [...p.kernel.keys()].every((prefix) => !prefix.startsWith("10.20.")));
    expect(routes(4, "proto bird")).toHaveLength(300);
    expect(p.fib.counters().operations).toEqual([{ op: "add", result: "ok", count: 300 }]);
  });
});
