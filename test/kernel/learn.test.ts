import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { formatAddress } from "../../src/bgp/model/address.ts";
import type { KernelRoute } from "../../src/fib/fib.ts";
import { enterNewNamespace, ip, ipBatch, veth } from "./support/namespace.ts";
import { type Probe, probe, until } from "./support/probe.ts";

let p: Probe;

beforeAll(() => {
  enterNewNamespace();
  veth("va", "va-far", ["192.0.2.2/24", "2001:db8:a::2/64"]);
});

afterEach(async () => {
  await p.fib.close();
});

const via = (route: KernelRoute | undefined) => {
  const gateway = route?.target.nextHops[0]?.gateway;
  return gateway === undefined ? undefined : formatAddress(gateway);
};

describe("connected prefixes", () => {
  it("come from the addresses of links that are up, without loopback and link-local ones", async () => {
    ip("addr add 10.0.0.1/32 dev lo");
    p = await probe();
    await until(() => p.connected.size === 3);
    expect([...p.connected.keys()].sort()).toEqual(["10.0.0.1/32", "192.0.2.0/24", "2001:db8:a::/64"]);
    expect(p.connected.get("192.0.2.0/24")).toMatchObject({ source: "connected", interfaceName: "va", learnt: true });
    ip("addr del 10.0.0.1/32 dev lo");
    await until(() => !p.connected.has("10.0.0.1/32"));
  });

  it("follow addresses, carriers, names and the links themselves", async () => {
    p = await probe();
    veth("vx", "vx-far", ["198.51.100.2/24"]);
    await until(() => p.connected.has("198.51.100.0/24"));
    ip("addr add 203.0.113.1 peer 203.0.113.2/32 dev vx");
    await until(() => p.connected.has("203.0.113.2/32"));
    expect(p.links.get("vx")?.addresses.map((a) => `${formatAddress(a.address)}/${a.length}`)).toEqual(
      expect.arrayContaining(["198.51.100.2/24", "203.0.113.1/32"]),
    );
    ip("link set vx-far down");
    const took = await until(() => !p.connected.has("198.51.100.0/24"));
    expect(took).toBeLessThan(100);
    expect(p.links.get("vx")?.up).toBe(false);
    ip("link set vx-far up");
    await until(() => p.connected.has("198.51.100.0/24") && p.links.get("vx")?.up === true);
    ip("link set vx down");
    ip("link set vx name vy");
    ip("link set vy up");
    await until(() => p.connected.get("198.51.100.0/24")?.interfaceName === "vy");
    ip("link del vy");
    await until(() => !p.connected.has("198.51.100.0/24") && !p.connected.has("203.0.113.2/32"));
    expect(p.links.get("vy")?.up).toBe(false);
    expect([...p.fib.links()].map((l) => l.name)).not.toContain("vy");
  });

  it("of excluded interfaces are not told", async () => {
    p = await probe({ excludeInterfaces: ["v*"] });
    expect(p.connected.has("192.0.2.0/24")).toBe(false);
    expect(p.links.get("va")?.addresses.length).toBeGreaterThan(0);
  });

  it("on two links belong to the first until it goes", async () => {
    p = await probe();
    veth("v1", "v1-far", ["198.51.100.1/24"]);
    veth("v2", "v2-far", ["198.51.100.2/24"]);
    await until(() => p.links.get("v2")?.up === true);
    expect(p.connected.get("198.51.100.0/24")?.interfaceName).toBe("v1");
    ip("link set v1 down");
    await until(() => p.connected.get("198.51.100.0/24")?.interfaceName === "v2");
    ip("link del v1");
    ip("link del v2");
    await until(() => !p.connected.has("198.51.100.0/24"));
  });

  it("of an IPv6 address wait for duplicate address detection", async () => {
    p = await probe();
    ip("-6 addr add 2001:db8:d::2/64 dev va");
    expect(p.connected.has("2001:db8:d::/64")).toBe(false);
    await until(() => p.connected.has("2001:db8:d::/64"));
    ip("-6 addr del 2001:db8:d::2/64 dev va");
    await until(() => !p.connected.has("2001:db8:d::/64"));
  });
});

describe("learning", () => {
  it.each([
    ["all protocols", { protocols: [], interfaces: [] }, ["boot", "static"]],
    ["some", { protocols: [3], interfaces: [] }, ["boot"]],
    ["by interface", { protocols: [], interfaces: ["cali*"] }, []],
    ["by interface that matches", { protocols: [4], interfaces: ["x", "v?"] }, ["static"]],
    ["none", undefined, []],
  ])("%s", async (_name, learn, learnt) => {
    ipBatch([
      "route add 10.1.0.0/16 via 192.0.2.1 proto boot",
      "route add 10.2.0.0/16 via 192.0.2.1 proto static",
      "route add 10.3.0.0/16 via 192.0.2.1 proto kernel",
      "route add 10.4.0.0/16 via 192.0.2.1 proto bird",
      "route add 10.5.0.0/16 via 192.0.2.1 proto boot tos 8",
      "route add 10.6.0.0/16 via 192.0.2.1 proto static table 100",
    ]);
    p = await probe({ learn });
    const names: Record<number, string> = { 2: "kernel", 3: "boot", 4: "static" };
    const told = [...p.kernel.values()].filter((r) => r.prefix.family === 1);
    expect(told.filter((r) => r.learnt).map((r) => names[r.protocol])).toEqual(learnt);
    // The others are told all the same: next hops resolve over them.
    expect([...p.kernel.keys()].filter((k) => k.startsWith("10."))).toEqual([
      "10.1.0.0/16",
      "10.2.0.0/16",
      "10.3.0.0/16",
    ]);
    ip("route flush root 10.0.0.0/8 table all");
  });

  it("what BIRD learns: all but the kernel's own, redirects, its own and what has no origin, of any kind, the lowest metric of each", async () => {
    ipBatch([
      "route add 10.1.0.1/32 dev va scope link proto boot metric 1024",
      "route add 10.1.0.2/32 dev va scope link proto boot metric 1024",
      "route add 10.1.0.2/32 dev va scope link proto boot metric 512",
      "route add 10.1.0.3/32 dev va scope link proto boot",
      "route add blackhole 10.2.0.0/26 proto 80 metric 1024",
      "route add unreachable 10.2.1.0/26 proto static metric 50",
      "route add prohibit 10.2.2.0/26 proto static",
      "route add throw 10.2.3.0/26 proto static",
      "route add default via 192.0.2.1 proto dhcp metric 100",
      "route add 10.3.0.0/16 via 192.0.2.1 proto ra",
      "route add 10.4.0.0/16 via 192.0.2.1 proto kernel",
      "route add 10.4.1.0/24 via 192.0.2.1 proto redirect",
      "route add 10.4.2.0/24 via 192.0.2.1 proto bird",
      "route add 10.4.3.0/24 via 192.0.2.1 proto static tos 8",
      "route add 169.254.1.1/32 dev va scope link proto boot",
    ]);
    ip("-6 route add 2001:db8:9::1/128 dev va proto boot");
    ip("-6 route add blackhole 2001:db8:9:1::/64 proto static");
    p = await probe();
    const learnt = [...p.kernel].flatMap(([text, r]) => (r.learnt ? [`${text} ${r.target.kind} ${r.metric}`] : []));
    expect(learnt.sort()).toEqual([
      "0.0.0.0/0 unicast 100",
      "10.1.0.1/32 unicast 1024",
      "10.1.0.2/32 unicast 512",
      "10.1.0.3/32 unicast 0",
      "10.2.0.0/26 blackhole 1024",
      "10.2.1.0/26 unreachable 50",
      "10.2.2.0/26 unreachable 0",
      "10.3.0.0/16 unicast 0",
      "2001:db8:9:1::/64 blackhole 1024",
      "2001:db8:9::1/128 unicast 1024",
    ]);
    ip("route del 10.1.0.2/32 metric 512");
    await until(() => p.kernel.get("10.1.0.2/32")?.metric === 1024);
    for (const flush of [
      "-4 route flush root 10.0.0.0/8",
      "-4 route flush exact default",
      "-4 route flush root 169.254.0.0/16",
    ])
      ip(flush);
    ip("-6 route flush root 2001:db8:9::/48");
    await until(() => [...p.kernel.values()].every((route) => !route.learnt));
  });

  it("tells the route with the lowest metric, and the next one when it goes", async () => {
    p = await probe();
    ip("route add default via 192.0.2.1 proto static metric 100");
    ip("route add default via 192.0.2.9 proto static metric 50");
    await until(() => via(p.kernel.get("0.0.0.0/0")) === "192.0.2.9");
    ip("route del default via 192.0.2.9");
    await until(() => via(p.kernel.get("0.0.0.0/0")) === "192.0.2.1");
    ip("route replace default via 192.0.2.7 proto static metric 100");
    await until(() => via(p.kernel.get("0.0.0.0/0")) === "192.0.2.7");
    ip("route del default");
    await until(() => !p.kernel.has("0.0.0.0/0"));
  });

  it("prefers what is to be learnt to what is not", async () => {
    p = await probe({ learn: { protocols: [4], interfaces: [] } });
    ip("route add 10.1.0.0/16 via 192.0.2.1 proto boot metric 10");
    ip("route add 10.1.0.0/16 via 192.0.2.9 proto static metric 20");
    await until(() => via(p.kernel.get("10.1.0.0/16")) === "192.0.2.9");
    expect(p.kernel.get("10.1.0.0/16")).toMatchObject({ learnt: true, metric: 20 });
    ip("route flush root 10.0.0.0/8");
    await until(() => !p.kernel.has("10.1.0.0/16"));
  });

  it("routes over a link that goes down go, though the kernel says nothing of IPv4", async () => {
    p = await probe();
    veth("vx", "vx-far", ["198.51.100.2/24", "2001:db8:c::2/64"]);
    ip("route add 10.1.0.0/16 via 198.51.100.1 proto static");
    ip("route add 10.2.0.0/16 proto static nexthop via 198.51.100.1 nexthop via 192.0.2.1");
    ip("-6 route add 2001:db8:9::/48 via 2001:db8:c::1 proto static");
    await until(() => p.kernel.has("10.1.0.0/16") && p.kernel.has("10.2.0.0/16") && p.kernel.has("2001:db8:9::/48"));
    ip("link set vx down");
    await until(() => !p.kernel.has("10.1.0.0/16") && !p.kernel.has("2001:db8:9::/48"));
    expect(p.kernel.has("10.2.0.0/16")).toBe(true);
    // A route of several next hops stays while its link is switched off, and goes when the link is removed.
    ip("link del vx");
    await until(() => !p.kernel.has("10.2.0.0/16"));
    expect(ip("-4 route show root 10.0.0.0/8")).toBe("");
  });

  it("an IPv6 route loses its next hops one by one", async () => {
    p = await probe();
    veth("vx", "vx-far", ["2001:db8:c::2/64"]);
    ip("-6 route add 2001:db8:9::/48 proto static nexthop via 2001:db8:c::1 nexthop via 2001:db8:a::1");
    const hops = () => p.kernel.get("2001:db8:9::/48")?.target.nextHops.length ?? 0;
    await until(() => hops() === 2);
    ip("link del vx");
    await until(() => hops() === 1);
    ip("-6 route del 2001:db8:9::/48");
    await until(() => hops() === 0);
  });

  it("follow other rules from one moment to the next", async () => {
    ip("route add 10.1.0.0/16 via 192.0.2.1 proto 4");
    ip("route add 10.2.0.0/16 via 192.0.2.1 proto 3");
    p = await probe({ learn: { protocols: [3], interfaces: [] } });
    const learnt = () => [...p.kernel.entries()].flatMap(([prefix, route]) => (route.learnt ? [prefix] : [])).sort();
    expect(learnt()).toEqual(["10.2.0.0/16"]);
    p.fib.setLearning({ protocols: [], interfaces: [] }, ["v*"]);
    expect(learnt()).toEqual(["10.1.0.0/16", "10.2.0.0/16"]);
    expect([...p.connected.keys()]).toEqual([]);
    p.fib.setLearning({ protocols: [4], interfaces: ["v*"] }, []);
    expect(learnt()).toEqual(["10.1.0.0/16"]);
    expect([...p.connected.keys()]).toContain("192.0.2.0/24");
    p.fib.setLearning(undefined, []);
    expect(learnt()).toEqual([]);
    ip("route del 10.1.0.0/16");
    ip("route del 10.2.0.0/16");
  });

  it("a thousand workloads as Felix makes them, coming and going", async () => {
    const count = 1000;
    p = await probe({ learn: { protocols: [3, 80], interfaces: ["cali*"] } });
    const lines = Array.from({ length: count }, (_, i) => ({
      link: `cali${i.toString(16).padStart(11, "0")}`,
      prefix: `10.65.${i >>> 8}.${i & 255}`,
    }));
    // A link each would take the machine a minute: a hundred links, ten workloads each.
    const links = lines.slice(0, count / 10).map((l) => l.link);
    const started = performance.now();
    ipBatch(links.flatMap((link, i) => [`link add name ${link} type veth peer name w${i}`, `link set w${i} up`]));
    ipBatch(links.map((link) => `link set ${link} up`));
    ipBatch(
      lines.map(
        ({ prefix }, i) => `route add ${prefix}/32 dev ${links[i % links.length]} scope link metric 1024 proto 80`,
      ),
    );
    const learnt = () => [...p.kernel.values()].filter((r) => r.learnt);
    await until(() => learnt().length === count);
    expect(p.kernel.get("10.65.0.7/32")).toMatchObject({
      protocol: 80,
      metric: 1024,
      interfaceName: links[7],
      target: { kind: "unicast", nextHops: [{ gateway: undefined, interface: p.links.get(links[7] ?? "")?.index }] },
    });
    ipBatch(lines.slice(0, 500).map(({ prefix }, i) => `route del ${prefix}/32 dev ${links[i % links.length]}`));
    await until(() => learnt().length === 500);
    ipBatch(links.slice(0, 50).map((link) => `link del ${link}`));
    await until(() => learnt().length === 250);
    ipBatch(links.slice(50).map((link) => `link del ${link}`));
    await until(() => learnt().length === 0);
    console.log(`1000 workload routes came and went in ${Math.round(performance.now() - started)} ms, ip(8) included`);
  });
});
