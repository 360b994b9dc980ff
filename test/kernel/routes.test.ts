import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { FibTarget } from "../../src/fib/fib.ts";
import { enterNewNamespace, ip, routes, type ShownRoute, veth } from "./support/namespace.ts";
import { BLACKHOLE, hop, type Probe, probe, UNREACHABLE, unicast, until } from "./support/probe.ts";

let p: Probe;
let a = 0;
let b = 0;
let tunnel = 0;

beforeAll(() => {
  enterNewNamespace();
  veth("va", "va-far", ["192.0.2.2/24", "2001:db8:a::2/64"]);
  veth("vb", "vb-far", ["198.51.100.2/24", "2001:db8:b::2/64"]);
  ip("tuntap add tun0 mode tun");
  ip("addr add 10.65.0.1/32 dev tun0");
  ip("link set tun0 up");
});

afterEach(async () => {
  await p.fib.cleanup();
  await p.fib.close();
});

async function open(options: Parameters<typeof probe>[0] = {}): Promise<void> {
  p = await probe(options);
  a = p.links.get("va")?.index ?? 0;
  b = p.links.get("vb")?.index ?? 0;
  tunnel = p.links.get("tun0")?.index ?? 0;
}

/** What ip(8) says of the prefix, without what does not matter here. */
function shown(prefix: string, words = ""): object[] {
  const family = prefix.includes(":") ? 6 : 4;
  const kept = ({ dst: _dst, flags, ...rest }: ShownRoute) => {
    const { scope: _scope, pref: _pref, error: _error, dev, ...route } = rest as Record<string, unknown>;
    const marks = flags.filter((flag) => flag !== "linkdown" && flag !== "dead");
    return {
      ...route,
      // IPv6 shows its own loopback with every blackhole.
      ...(dev === undefined || dev === "lo" ? {} : { dev }),
      ...(marks.length > 0 ? { flags: marks } : {}),
    };
  };
  return routes(family, `${words === "" ? "" : `${words} `}exact ${prefix}`).map(kept);
}

const V4 = "10.1.2.0/24";
const V6 = "2001:db8:1::/48";

interface Case {
  readonly name: string;
  readonly prefix: string;
  readonly target: () => FibTarget;
  readonly shows: () => object;
}

const both = (
  name: string,
  target4: () => FibTarget,
  target6: () => FibTarget,
  show4: () => object,
  show6: () => object,
) =>
  [
    { name: `${name}, IPv4`, prefix: V4, target: target4, shows: () => ({ protocol: "bird", ...show4() }) },
    {
      name: `${name}, IPv6`,
      prefix: V6,
      target: target6,
      shows: () => ({ protocol: "bird", metric: 1024, ...show6() }),
    },
  ] satisfies Case[];

const CASES: Case[] = [
  ...both(
    "a gateway",
    () => unicast(hop("192.0.2.1")),
    () => unicast(hop("2001:db8:a::1")),
    () => ({ gateway: "192.0.2.1", dev: "va" }),
    () => ({ gateway: "2001:db8:a::1", dev: "va" }),
  ),
  ...both(
    "a gateway on an interface",
    () => unicast(hop("198.51.100.1", b)),
    () => unicast(hop("2001:db8:b::1", b)),
    () => ({ gateway: "198.51.100.1", dev: "vb" }),
    () => ({ gateway: "2001:db8:b::1", dev: "vb" }),
  ),
  ...both(
    "an interface alone",
    () => unicast(hop(undefined, a)),
    () => unicast(hop(undefined, a)),
    () => ({ dev: "va" }),
    () => ({ dev: "va" }),
  ),
  ...both(
    "blackhole",
    () => BLACKHOLE,
    () => BLACKHOLE,
    () => ({ type: "blackhole" }),
    () => ({ type: "blackhole" }),
  ),
  ...both(
    "unreachable",
    () => UNREACHABLE,
    () => UNREACHABLE,
    () => ({ type: "unreachable" }),
    () => ({ type: "unreachable" }),
  ),
  ...both(
    "several next hops with weights",
    () => unicast([hop("198.51.100.1", b, { weight: 3 }), hop("192.0.2.1", a)]),
    () => unicast([hop("2001:db8:b::1", b, { weight: 3 }), hop("2001:db8:a::1", a)]),
    () => ({
      nexthops: [
        { gateway: "192.0.2.1", dev: "va", weight: 1, flags: [] },
        { gateway: "198.51.100.1", dev: "vb", weight: 3, flags: [] },
      ],
    }),
    () => ({
      nexthops: [
        { gateway: "2001:db8:a::1", dev: "va", weight: 1, flags: [] },
        { gateway: "2001:db8:b::1", dev: "vb", weight: 3, flags: [] },
      ],
    }),
  ),
  ...both(
    "a preferred source",
    () => unicast(hop("192.0.2.1"), { preferredSource: hop("198.51.100.2").gateway }),
    () => unicast(hop("2001:db8:a::1"), { preferredSource: hop("2001:db8:b::2").gateway }),
    () => ({ gateway: "192.0.2.1", dev: "va", prefsrc: "198.51.100.2" }),
    () => ({ gateway: "2001:db8:a::1", dev: "va", prefsrc: "2001:db8:b::2" }),
  ),
  ...both(
    "a metric",
    () => unicast(hop("192.0.2.1"), { metric: 2147482623 }),
    () => unicast(hop("2001:db8:a::1"), { metric: 512 }),
    () => ({ gateway: "192.0.2.1", dev: "va", metric: 2147482623 }),
    () => ({ gateway: "2001:db8:a::1", dev: "va", metric: 512 }),
  ),
  ...both(
    "a link-local gateway (IPv4 over IPv6: RFC 8950)",
    () => unicast(hop("fe80::1", a)),
    () => unicast(hop("fe80::1", a)),
    () => ({ via: { family: "inet6", host: "fe80::1" }, dev: "va" }),
    () => ({ gateway: "fe80::1", dev: "va" }),
  ),
  {
    name: "onlink on a tunnel",
    prefix: V4,
    target: () => unicast(hop("203.0.113.9", tunnel, { onlink: true })),
    shows: () => ({ protocol: "bird", gateway: "203.0.113.9", dev: "tun0", flags: ["onlink"] }),
  },
  {
    name: "several next hops, onlink and by IPv6",
    prefix: V4,
    target: () => unicast([hop("203.0.113.9", tunnel, { onlink: true }), hop("fe80::1", a, { weight: 2 })]),
    shows: () => ({
      protocol: "bird",
      nexthops: [
        { gateway: "203.0.113.9", dev: "tun0", weight: 1, flags: ["onlink"] },
        { via: { family: "inet6", host: "fe80::1" }, dev: "va", weight: 2, flags: [] },
      ],
    }),
  },
];

/** Dead and linkdown come and go with the far end; they are the kernel's, not ours. */
function withoutLinkState(route: object): object {
  const { nexthops, ...rest } = route as { nexthops?: { flags: string[] }[] };
  if (nexthops === undefined) return rest;
  return {
    ...rest,
    nexthops: nexthops.map((n) => ({ ...n, flags: n.flags.filter((f) => f !== "linkdown" && f !== "dead") })),
  };
}

describe("every kind of route", () => {
  it.each(CASES)("$name", async ({ prefix, target, shows }) => {
    await open();
    p.set(prefix, target());
    await p.settled();
    expect(shown(prefix).map(withoutLinkState)).toEqual([shows()]);
    const [entry] = [...p.fib.entries(prefix === V4 ? 1 : 2)];
    expect(entry?.state).toBe("ok");
    p.unset(prefix);
    await p.settled();
    expect(shown(prefix)).toEqual([]);
    expect([...p.fib.entries(prefix === V4 ? 1 : 2)]).toEqual([]);
  });

  it("is adopted as it is by the next run, without a write", async () => {
    await open();
    for (const [i, { prefix, target }] of CASES.entries()) {
      p.set(prefix === V4 ? `10.9.${i}.0/24` : `2001:db8:${i + 0x100}::/48`, target());
    }
    await p.settled();
    await p.fib.close();
    await open();
    for (const [i, { prefix, target }] of CASES.entries()) {
      p.set(prefix === V4 ? `10.9.${i}.0/24` : `2001:db8:${i + 0x100}::/48`, target());
    }
    await p.settled();
    expect([...p.fib.entries(1), ...p.fib.entries(2)].map((e) => e.state)).toEqual(CASES.map(() => "ok"));
    expect(p.fib.counters().operations).toEqual([]);
  });
});

describe("replacing in place", () => {
  const families = [V4, V6].map((prefix) => [prefix, CASES.filter((c) => c.prefix === prefix)] as const);
  it.each(families)("every kind of %s by every other", async (prefix, cases) => {
    await open();
    for (const from of cases) {
      for (const to of cases) {
        p.set(prefix, from.target());
        await p.settled();
        p.set(prefix, to.target());
        await p.settled();
        expect(shown(prefix).map(withoutLinkState), `${from.name} -> ${to.name}`).toEqual([to.shows()]);
      }
    }
    expect(p.log.filter((l) => l.level === "warn")).toEqual([]);
  });

  it.each([
    [V4, unicast(hop("192.0.2.1")), unicast([hop("192.0.2.1"), hop("198.51.100.1")])],
    [V6, unicast(hop("2001:db8:a::1")), unicast([hop("2001:db8:a::1"), hop("2001:db8:b::1")])],
  ])("never without a route: %s", async (prefix, one, two) => {
    await open();
    p.set(prefix, one);
    await p.settled();
    const deletions = () => p.fib.counters().operations.filter((o) => o.op === "delete");
    for (let i = 0; i < 20; i++) {
      p.set(prefix, i % 2 === 0 ? two : one);
      await p.settled();
      expect(shown(prefix)).toHaveLength(1);
    }
    expect(deletions()).toEqual([]);
  });

  it.each([
    [V4, "192.0.2.1", [undefined, 100, 50, 0, 7]],
    [V6, "2001:db8:a::1", [undefined, 100, 50, 1024, 7]],
  ])("a change of metric leaves one route: %s", async (prefix, gateway, metrics) => {
    await open();
    for (const metric of metrics) {
      p.set(prefix, unicast(hop(gateway), { metric }));
      await p.settled();
      expect(routes(prefix === V4 ? 4 : 6, `exact ${prefix}`).map((r) => r.metric ?? 0)).toEqual([
        metric ?? (prefix === V4 ? 0 : 1024),
      ]);
    }
    p.unset(prefix);
    await p.settled();
    expect(shown(prefix)).toEqual([]);
  });
});

describe("options", () => {
  it.each([100, 1000])("table %i", async (table) => {
    await open({ table });
    p.set([V4, "0.0.0.0/0"], unicast(hop("192.0.2.1")));
    p.set(V6, unicast(hop("2001:db8:a::1")));
    await p.settled();
    expect(shown(V4)).toEqual([]);
    expect(shown(V4, `table ${table}`)).toHaveLength(1);
    expect(shown(V6, `table ${table}`)).toHaveLength(1);
    expect(routes(4, `table ${table}`).map((r) => r.dst)).toEqual(["default", V4]);
    // Notifications of that table arrive, too.
    ip(`route del ${V4} table ${table}`);
    await until(() => shown(V4, `table ${table}`).length === 1, 1000);
  });

  it("preferred sources, which wait for their address", async () => {
    const sources = ["198.51.100.77", "2001:db8:b::2"].flatMap((text) => hop(text).gateway ?? []);
    await open({ preferredSources: sources });
    p.set([V4], unicast(hop("192.0.2.1")));
    p.set([V6], unicast([hop("2001:db8:a::1", a), hop("2001:db8:b::1", b)]));
    p.set("10.1.3.0/24", BLACKHOLE);
    await until(() => [...p.fib.entries(1)].some(({ state }) => state === "missing"));
    await until(() => shown(V6).length === 1 && shown("10.1.3.0/24").length === 1);
    expect(shown(V6)[0]).toMatchObject({ prefsrc: "2001:db8:b::2" });
    expect(shown("10.1.3.0/24")).toEqual([{ type: "blackhole", protocol: "bird" }]);
    expect(shown(V4)).toEqual([]);
    expect([...p.fib.entries(1)].find(({ state }) => state === "missing")?.reason).toContain("EINVAL");
    ip("addr add 198.51.100.77/32 dev vb");
    await until(() => shown(V4).length === 1);
    expect(shown(V4)[0]).toMatchObject({ gateway: "192.0.2.1", prefsrc: "198.51.100.77" });
    // The kernel's answer reaches us a moment after the route stands in its table.
    await until(() => [...p.fib.entries(1), ...p.fib.entries(2)].every(({ state }) => state === "ok"));
    // The kernel drops the route with its address, and takes it back with it.
    ip("addr del 198.51.100.77/32 dev vb");
    await until(() => shown(V4).length === 0);
    ip("addr add 198.51.100.77/32 dev vb");
    await until(() => shown(V4).length === 1);
    ip("addr del 198.51.100.77/32 dev vb");
  });

  it("protocol and metric", async () => {
    await open({ protocol: 186, metric: 77 });
    p.set(V4, unicast(hop("192.0.2.1")));
    p.set(V6, BLACKHOLE);
    await p.settled();
    expect(shown(V4)).toEqual([{ protocol: "bgp", metric: 77, gateway: "192.0.2.1", dev: "va" }]);
    expect(shown(V6)).toEqual([{ protocol: "bgp", metric: 77, type: "blackhole" }]);
  });
});

describe("what the kernel refuses", () => {
  it("is said in its own words, and each refusal is matched to its route", async () => {
    await open();
    const good = Array.from({ length: 2000 }, (_, i) => `10.2.${i >>> 8}.${i & 255}/32`);
    p.set(
      good.filter((_, i) => i % 10 !== 3),
      unicast(hop("192.0.2.1")),
    );
    p.set(
      good.filter((_, i) => i % 10 === 3),
      unicast(hop("203.0.113.77")),
    );
    await p.settled();
    await until(() => p.fib.counters().routes.ipv4 === 1800);
    expect(routes(4, "root 10.2.0.0/16").length).toBe(1800);
    const missing = [...p.fib.entries(1)].filter((e) => e.state === "missing");
    expect(missing).toHaveLength(200);
    expect(new Set(missing.map((e) => e.reason))).toEqual(new Set(["ENETUNREACH: Nexthop has invalid gateway"]));
    expect(p.log.filter((l) => l.event === "kernel refused routes")).toHaveLength(1);
  });

  it("is tried again when an address makes it possible", async () => {
    await open();
    p.set(V4, unicast(hop("203.0.113.1")));
    await p.settled();
    expect(shown(V4)).toEqual([]);
    ip("addr add 203.0.113.2/24 dev vb");
    const took = await until(() => shown(V4).length === 1, 1000);
    ip("addr del 203.0.113.2/24 dev vb");
    expect(took).toBeLessThan(1000);
  });
});
