import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { enterNewNamespace, ip, ipBatch, routes, veth } from "./support/namespace.ts";
import { BLACKHOLE, hop, type Probe, probe, unicast, until } from "./support/probe.ts";

let p: Probe;

beforeAll(() => {
  enterNewNamespace();
  veth("va", "va-far", ["192.0.2.2/24", "2001:db8:a::2/64"]);
  veth("vb", "vb-far", ["198.51.100.2/24", "2001:db8:b::2/64"]);
});

afterEach(async () => {
  await p.fib.cleanup();
  await p.fib.close();
});

const V4 = "10.1.2.0/24";
const V6 = "2001:db8:1::/48";
const has = (prefix: string, words = "proto bird") =>
  routes(prefix.includes(":") ? 6 : 4, `exact ${prefix} ${words}`).length === 1;
const states = () => [...p.fib.entries(1), ...p.fib.entries(2)].map((e) => e.state);

describe("routes deleted or changed by others", () => {
  it.each([
    [V4, "192.0.2.1"],
    [V6, "2001:db8:a::1"],
  ])("%s comes back within a second", async (prefix, gateway) => {
    p = await probe();
    p.set(prefix, unicast(hop(gateway)));
    await p.settled();
    ip(`route del ${prefix}`);
    expect(await until(() => has(prefix), 1000)).toBeLessThan(1000);
    ip(`route replace blackhole ${prefix} proto bird`);
    await until(() => routes(prefix === V4 ? 4 : 6, `exact ${prefix}`)[0]?.gateway === gateway, 1000);
    expect(states()).toEqual(["ok"]);
  });

  it("an IPv6 route loses one of its legs", async () => {
    p = await probe();
    p.set(V6, unicast([hop("2001:db8:a::1"), hop("2001:db8:b::1")]));
    await p.settled();
    ip(`-6 route del ${V6} via 2001:db8:a::1`);
    await until(() => routes(6, `exact ${V6}`)[0]?.nexthops?.length === 2, 1000);
  });

  it("a thousand routes flushed", async () => {
    p = await probe();
    const prefixes = Array.from({ length: 1000 }, (_, i) => `10.7.${i >>> 8}.${i & 255}/32`);
    p.set(prefixes, unicast(hop("192.0.2.1")));
    await p.settled();
    ip("route flush proto bird");
    await until(() => routes(4, "proto bird").length === 1000, 1000);
  });

  it("a route of ours that nobody wants goes, once sessions have resynchronised", async () => {
    p = await probe();
    ip(`route add ${V4} via 192.0.2.1 proto bird`);
    await until(() => states().length === 1);
    expect(states()).toEqual(["stale"]);
    p.fib.resynchronised();
    await until(() => !has(V4));
    ip(`route add ${V6} via 2001:db8:a::1 proto bird`);
    await until(() => !has(V6));
  });
});

describe("an earlier run", () => {
  const script = fileURLToPath(new URL("support/run-fib.ts", import.meta.url));
  async function runAndKill(count: number): Promise<void> {
    const child = spawn(process.execPath, ["--import", "tsx", script, String(count)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  it("killed leaves its routes; the next adopts what it wants and prunes the rest when told", async () => {
    p = await probe();
    await p.fib.close();
    await runAndKill(1000);
    expect(routes(4, "proto bird")).toHaveLength(1000);

    p = await probe();
    expect(p.fib.counters().routes.ipv4).toBe(1000);
    expect(states()).toEqual(Array(1000).fill("stale"));
    p.set(
      Array.from({ length: 600 }, (_, i) => `10.7.${i >>> 8}.${i & 255}/32`),
      unicast(hop("192.0.2.1")),
    );
    p.set("10.7.2.88/32", unicast(hop("198.51.100.1")));
    await p.settled();
    expect(routes(4, "proto bird")).toHaveLength(1000);
    expect(p.fib.counters().operations).toEqual([{ op: "replace", result: "ok", count: 1 }]);

    p.fib.resynchronised();
    await until(() => routes(4, "proto bird").length === 601);
    await until(() => states().every((s) => s === "ok"));
    expect(p.fib.counters().operations).toContainEqual({ op: "delete", result: "ok", count: 399 });
  });

  it("is pruned after the time given, when sessions never come back", async () => {
    ip(`route add ${V4} via 192.0.2.1 proto bird`);
    ip(`route add ${V4} via 192.0.2.1 proto bird metric 50`);
    p = await probe({ pruneAfterMilliseconds: 300 });
    expect(states()).toEqual(["stale"]);
    // The time begins with the sessions: what has to be waited for before them may take longer.
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(states()).toEqual(["stale"]);
    p.fib.expectRoutes();
    await until(() => routes(4, "proto bird").length === 0, 2000);
  });

  it("with another metric: replaced by the new one, never without", async () => {
    ip(`route add ${V4} via 192.0.2.1 proto bird`);
    ip(`-6 route add ${V6} via 2001:db8:a::1 proto bird metric 50`);
    p = await probe({ metric: 512 });
    p.set(V4, unicast(hop("192.0.2.1")));
    p.set(V6, unicast(hop("2001:db8:a::1")));
    await p.settled();
    expect(routes(4, "proto bird").map((r) => r.metric)).toEqual([512]);
    expect(routes(6, "proto bird").map((r) => r.metric)).toEqual([512]);
  });
});

describe("links", () => {
  it.each([
    [
      "switched off and on",
      "link set va down",
      302,
      ["link set va up", "-6 addr replace 2001:db8:a::2/64 dev va nodad"],
    ],
    [
      "without its addresses for a while",
      "addr flush dev va",
      // IPv6 keeps routes over an interface without addresses.
      301,
      ["addr add 192.0.2.2/24 dev va", "-6 addr add 2001:db8:a::2/64 dev va nodad"],
    ],
  ])("%s: the routes over it come back", async (_name, off, lost, on) => {
    p = await probe();
    const va = p.links.get("va")?.index ?? 0;
    const prefixes = Array.from({ length: 300 }, (_, i) => `10.7.${i >>> 8}.${i & 255}/32`);
    p.set(prefixes, unicast(hop("192.0.2.1", va)));
    p.set("10.8.0.0/16", unicast(hop("192.0.2.1")));
    p.set("10.9.0.0/16", BLACKHOLE);
    p.set("10.10.0.0/16", unicast([hop("192.0.2.1", va), hop("198.51.100.1", p.links.get("vb")?.index)]));
    p.set(V6, unicast(hop("2001:db8:a::1", va)));
    await p.settled();
    ip(off);
    await until(() => states().filter((s) => s === "missing").length === lost);
    expect(routes(4, "proto bird").map((r) => r.dst)).toEqual(["10.9.0.0/16", "10.10.0.0/16"]);
    for (const line of on) ip(line);
    const took = await until(() => routes(4, "proto bird").length === 303 && has(V6), 3000);
    expect(took).toBeLessThan(1000);
    await until(() => states().every((s) => s === "ok"));
  });

  it.each([
    [V4, "192.0.2.1", "203.0.113.1", 0],
    [V6, "2001:db8:a::1", "2001:db8:f::1", 1],
  ])(
    "one that is removed takes its IPv4 ECMP routes along, and an IPv6 next hop: %s",
    async (prefix, one, other, left) => {
      p = await probe();
      veth("vz", "vz-far", ["203.0.113.2/24", "2001:db8:f::2/64"]);
      await until(() => p.links.get("vz")?.up === true);
      p.set(prefix, unicast([hop(one), hop(other)]));
      await p.settled();
      expect(has(prefix)).toBe(true);
      ip("link del vz");
      await until(() => states()[0] === "missing");
      expect(has(prefix) ? 1 : 0).toBe(left);
      p.set(prefix, unicast(hop(one)));
      await until(() => has(prefix) && states()[0] === "ok", 1000);
    },
  );

  it("a preferred source goes and comes", async () => {
    p = await probe();
    ip("addr add 203.0.113.9/32 dev lo");
    p.set(V4, unicast(hop("192.0.2.1"), { preferredSource: hop("203.0.113.9").gateway }));
    await p.settled();
    await until(() => has(V4));
    ip("addr del 203.0.113.9/32 dev lo");
    await until(() => !has(V4) && states()[0] === "missing");
    ip("addr add 203.0.113.9/32 dev lo");
    await until(() => has(V4, "src 203.0.113.9"), 1000);
    ip("addr del 203.0.113.9/32 dev lo");
  });
});

describe("lost notifications", () => {
  it("ENOBUFS: everything is read anew, and what had been missed is put right", async () => {
    p = await probe();
    const prefixes = Array.from({ length: 500 }, (_, i) => `10.7.${i >>> 8}.${i & 255}/32`);
    p.set(prefixes, unicast(hop("192.0.2.1")));
    await p.settled();
    // The event loop stands still while others flood the socket and delete routes of ours.
    const flood = Array.from({ length: 120_000 }, (_, i) => `10.${100 + (i >>> 16)}.${(i >>> 8) & 255}.${i & 255}/32`);
    ipBatch(flood.map((prefix) => `route add ${prefix} via 192.0.2.1 proto static`));
    ipBatch(prefixes.slice(0, 250).map((prefix) => `route del ${prefix}`));
    ip("route flush root 10.100.0.0/15");
    ip("link add name vc type veth peer name vc-far");
    const took = await until(() => p.log.some((l) => l.event.startsWith("kernel notifications lost")));
    await until(() => routes(4, "proto bird").length === 500, 20_000);
    expect(states()).toEqual(Array(500).fill("ok"));
    expect(p.links.has("vc")).toBe(true);
    expect([...p.kernel.keys()].filter((prefix) => prefix.startsWith("10."))).toEqual([]);
    expect(took).toBeLessThan(10_000);
    execFileSync("ip", ["link", "del", "vc"]);
  });
});

describe("cleanup", () => {
  it("removes all that is ours and nothing else", async () => {
    p = await probe();
    ip("route add 10.99.0.0/16 via 192.0.2.1 proto static");
    p.set([V4, "10.3.0.0/16"], unicast(hop("192.0.2.1")));
    p.set(V6, BLACKHOLE);
    await p.settled();
    expect(await p.fib.cleanup()).toBe(3);
    expect(routes(4, "proto bird")).toEqual([]);
    expect(has("10.99.0.0/16", "")).toBe(true);
    ip("route del 10.99.0.0/16");
  });
});
