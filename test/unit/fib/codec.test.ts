import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress, type IpAddress, parseAddress } from "../../../src/bgp/model/address.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { formatPrefix, parsePrefix } from "../../../src/bgp/model/prefix.ts";
import type { FibTarget } from "../../../src/fib/fib.ts";
import { addressDump, linkDump, routeDump } from "../../../src/fib/netlink/dump-request.ts";
import { errorCode, errorText } from "../../../src/fib/netlink/error-message.ts";
import { decodeAddress, decodeLink } from "../../../src/fib/netlink/link-message.ts";
import { MessageCursor } from "../../../src/fib/netlink/message.ts";
import { RouteMessage } from "../../../src/fib/netlink/route-message.ts";
import { decodeTarget, encodeTarget } from "../../../src/fib/netlink/target-codec.ts";
import { Operation, RequestBatch } from "../../../src/fib/request-batch.ts";
import { RouteTable } from "../../../src/fib/route-table.ts";
import { TargetTable } from "../../../src/fib/target-table.ts";
import { BLACKHOLE, bytes, cursorOn, hop, UNREACHABLE, unicast } from "./messages.ts";

const OPTIONS = {
  table: 254,
  protocol: 12,
  metric: undefined,
  preferredSources: [],
  learn: undefined,
  excludeInterfaces: [],
  pruneAfterMilliseconds: 0,
};

/** RTM_NEWROUTE from dumps of Linux 6.18, with the words that ip(8) had been given. Interface 3 is va, 5 is vb, 6 is tun0. */
const DUMPED: readonly (readonly [string, string, string, FibTarget])[] = [
  [
    "10.1.0.0/16 via 192.0.2.1",
    `3c000000 1800 2200 01000000 0c650000  02 10 00 00 fe 0c 00 01 00000000
     0800 0f00 fe000000  0800 0100 0a010000  0800 0500 c0000201  0800 0400 03000000`,
    "10.1.0.0/16",
    unicast(hop("192.0.2.1", 3), { metric: 0 }),
  ],
  [
    "metric 77 src 198.51.100.2",
    `4c000000 1800 2200 01000000 0c650000  02 10 00 00 fe 0c 00 01 00000000  0800 0f00 fe000000  0800 0100 0a020000
     0800 0600 4d000000  0800 0700 c6336402  0800 0500 c0000201  0800 0400 03000000`,
    "10.2.0.0/16",
    unicast(hop("192.0.2.1", 3), { metric: 77, preferredSource: parseAddress("198.51.100.2") }),
  ],
  [
    "blackhole",
    "2c000000 1800 2200 01000000 0c650000  02 10 00 00 fe 0c 00 06 00000000  0800 0f00 fe000000  0800 0100 0a030000",
    "10.3.0.0/16",
    { ...BLACKHOLE, metric: 0 },
  ],
  [
    "unreachable",
    "2c000000 1800 2200 01000000 0c650000  02 10 00 00 fe 0c 00 07 00000000  0800 0f00 fe000000  0800 0100 0a040000",
    "10.4.0.0/16",
    { ...UNREACHABLE, metric: 0 },
  ],
  [
    "via 203.0.113.9 dev tun0 onlink (and without carrier)",
    `3c000000 1800 2200 01000000 0c650000  02 10 00 00 fe 0c 00 01 14000000
     0800 0f00 fe000000  0800 0100 0a050000  0800 0500 cb007109  0800 0400 06000000`,
    "10.5.0.0/16",
    unicast(hop("203.0.113.9", 6, { onlink: true }), { metric: 0 }),
  ],
  [
    "nexthop via 192.0.2.1 weight 1 nexthop via 198.51.100.1 weight 3",
    `50000000 1800 2200 01000000 0c650000  02 10 00 00 fe 0c 00 01 00000000  0800 0f00 fe000000  0800 0100 0a060000
     2400 0900  1000 00 00 03000000 0800 0500 c0000201  1000 00 02 05000000 0800 0500 c6336401`,
    "10.6.0.0/16",
    unicast([hop("192.0.2.1", 3), hop("198.51.100.1", 5, { weight: 3 })], { metric: 0 }),
  ],
  [
    "via inet6 fe80::1 dev va (RFC 8950)",
    `4c000000 1800 2200 01000000 0c650000  02 10 00 00 fe 0c 00 01 00000000  0800 0f00 fe000000  0800 0100 0a070000
     1600 1200 0a00 fe800000 00000000 00000000 00000001 0000  0800 0400 03000000`,
    "10.7.0.0/16",
    unicast(hop("fe80::1", 3), { metric: 0 }),
  ],
  [
    "dev va",
    "34000000 1800 2200 01000000 0c650000  02 10 00 00 fe 0c fd 01 00000000  0800 0f00 fe000000  0800 0100 0a080000  0800 0400 03000000",
    "10.8.0.0/16",
    unicast(hop(undefined, 3), { metric: 0 }),
  ],
  [
    "default",
    "34000000 1800 2200 01000000 0c650000  02 00 00 00 fe 04 00 01 00000000  0800 0f00 fe000000  0800 0500 c0000201  0800 0400 03000000",
    "0.0.0.0/0",
    unicast(hop("192.0.2.1", 3), { metric: 0 }),
  ],
  [
    "IPv6, fe80::1 dev va metric 77 src 2001:db8:b::2",
    `9c000000 1800 2200 03000000 0c650000  0a 30 00 00 fe 0c 00 01 00000000  0800 0f00 fe000000
     1400 0100 20010db8 00020000 00000000 00000000  1400 0700 20010db8 000b0000 00000000 00000002  0800 0600 4d000000
     1400 0500 fe800000 00000000 00000000 00000001  0800 0400 03000000
     2400 0c00 0000000000000000000000000000000000000000000000000000000000000000  0500 1400 00000000`,
    "2001:db8:2::/48",
    unicast(hop("fe80::1", 3), { metric: 77, preferredSource: parseAddress("2001:db8:b::2") }),
  ],
  [
    "IPv6 blackhole, which the kernel puts on its loopback",
    `74000000 1800 2200 03000000 0c650000  0a 30 00 00 fe 0c 00 06 00000000  0800 0f00 fe000000
     1400 0100 20010db8 00030000 00000000 00000000  0800 0600 00040000  0800 0400 01000000
     2400 0c00 0000000000000000000000000000000000000000000000000000000000000000  0500 1400 00000000`,
    "2001:db8:3::/48",
    { ...BLACKHOLE, metric: 1024 },
  ],
  [
    "IPv6, two next hops",
    `a8000000 1800 2200 03000000 0c650000  0a 30 00 00 fe 0c 00 01 00000000  0800 0f00 fe000000
     1400 0100 20010db8 00060000 00000000 00000000  0800 0600 00040000
     3c00 0900 1c00 00 00 03000000 1400 0500 20010db8 000a0000 00000000 00000001
               1c00 00 02 05000000 1400 0500 20010db8 000b0000 00000000 00000001
     2400 0c00 0000000000000000000000000000000000000000000000000000000000000000  0500 1400 00000000`,
    "2001:db8:6::/48",
    unicast([hop("2001:db8:a::1", 3), hop("2001:db8:b::1", 5, { weight: 3 })], { metric: 1024 }),
  ],
];

function decoded(hex: string): { prefix: string; target: FibTarget | undefined; route: RouteMessage } {
  const cursor = cursorOn(hex);
  const route = new RouteMessage();
  expect(route.decode(cursor)).toBe(true);
  return { prefix: formatPrefix(route), target: decodeTarget(route, cursor), route };
}

describe("routes as the kernel tells them, rtnetlink(7)", () => {
  it.each(DUMPED)("%s", (_words, hex, prefix, target) => {
    const got = decoded(hex);
    expect(got.prefix).toBe(prefix);
    expect(got.target).toEqual(target);
    expect([got.route.table, got.route.tos]).toEqual([254, 0]);
  });

  it("tables above 255 by their attribute", () => {
    const { route } = decoded(
      `3c000000 1800 2200 02000000 0c650000  02 10 00 00 fc 0c 00 01 00000000
       0800 0f00 e8030000  0800 0100 0a090000  0800 0500 c0000201  0800 0400 03000000`,
    );
    expect([route.table, route.protocol]).toEqual([1000, 12]);
  });

  it.each(DUMPED)("never reads past the end: %s", (_words, hex) => {
    const whole = bytes(hex);
    for (let length = 16; length < whole.length; length++) {
      const cut = whole.slice(0, length);
      new DataView(cut.buffer).setUint32(0, length, true);
      const cursor = new MessageCursor(cut);
      cursor.reset(length);
      const route = new RouteMessage();
      if (cursor.next() && route.decode(cursor)) decodeTarget(route, cursor);
    }
  });

  it("takes any bytes at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
        const cursor = new MessageCursor(data);
        const route = new RouteMessage();
        cursor.reset(data.length);
        while (cursor.next()) {
          if (route.decode(cursor)) decodeTarget(route, cursor);
          decodeLink(cursor);
          decodeAddress(cursor);
          errorText(cursor);
        }
      }),
    );
  });
});

describe("what is sent comes back as it was", () => {
  const addresses4 = fc.integer({ min: 1, max: 0xffffffff });
  const gateway = (family: Family): fc.Arbitrary<IpAddress> =>
    family === Family.Ipv4
      ? addresses4.map((w0) => ({ family, w0, w1: 0, w2: 0, w3: 0 }))
      : fc
          .tuple(addresses4, addresses4, addresses4, addresses4)
          .map(([w0, w1, w2, w3]) => ({ family, w0, w1, w2, w3 }));
  const targets = (family: Family) =>
    fc.record({
      kind: fc.constant("unicast" as const),
      nextHops: fc.array(
        fc.record({
          gateway: fc.oneof(gateway(family), gateway(Family.Ipv6)),
          interface: fc.integer({ min: 1, max: 0x7fffffff }),
          onlink: fc.boolean(),
          weight: fc.integer({ min: 1, max: 256 }),
        }),
        { minLength: 1, maxLength: 20 },
      ),
      preferredSource: fc.option(gateway(family), { nil: undefined }),
      metric: fc.integer({ min: 1, max: 0xffffffff }),
    });
  it.each([Family.Ipv4, Family.Ipv6])("family %i", (family) => {
    fc.assert(
      fc.property(targets(family), fc.integer({ min: 1, max: 0xffffffff }), (target, table) => {
        const options = { ...OPTIONS, table };
        const targetTable = new TargetTable(family, options);
        const routes = new RouteTable(family, targetTable);
        const id = routes.findOrAdd(0x0a000000, 0, 0, 0, 20);
        const targetId = targetTable.intern(target);
        const batch = new RequestBatch();
        batch.add(
          routes,
          id,
          Operation.Replace,
          targetId,
          targetTable.encoded(targetId) ?? encodeTarget(family, target, 1, 1, 1),
        );
        const got = decoded(Buffer.from(batch.encoded()).toString("hex"));
        expect(got.prefix).toBe(family === Family.Ipv4 ? "10.0.0.0/20" : "a00::/20");
        expect(got.route.table).toBe(table);
        expect(got.target).toEqual(targetTable.target(targetId));
      }),
    );
  });
});

describe("requests, byte by byte", () => {
  const encoded = (prefix: string, target: FibTarget, operation: Operation, options: Partial<typeof OPTIONS> = {}) => {
    const parsed = parsePrefix(prefix);
    if (parsed === undefined) throw new RangeError(prefix);
    const targets = new TargetTable(parsed.family, { ...OPTIONS, ...options });
    const routes = new RouteTable(parsed.family, targets);
    const id = routes.findOrAdd(parsed.w0, parsed.w1, parsed.w2, parsed.w3, parsed.length);
    const targetId = targets.intern(target);
    targets.use(targetId);
    const batch = new RequestBatch();
    const bytesOf = targets.encoded(targetId);
    if (bytesOf === undefined) throw new RangeError("not encoded");
    batch.add(routes, id, operation, targetId, bytesOf);
    return Buffer.from(batch.encoded()).toString("hex");
  };
  const hex = (text: string) => text.replace(/\s+/g, "");

  it.each([
    [
      "add: create, exclusive; universe, unicast",
      encoded("10.1.0.0/16", unicast(hop("192.0.2.1", 3)), Operation.Add),
      "34000000 1800 0106 01000000 00000000  02 10 00 00 fe 0c 00 01 00000000  0800 0100 0a010000  0800 0500 c0000201  0800 0400 03000000",
    ],
    [
      "replace: create, replace; table and metric",
      encoded("10.1.0.0/16", BLACKHOLE, Operation.Replace, { table: 1000, metric: 77 } as object),
      "34000000 1800 0105 01000000 00000000  02 10 00 00 fc 0c 00 06 00000000  0800 0100 0a010000  0800 0f00 e8030000  0800 0600 4d000000",
    ],
    [
      "delete: protocol, scope nowhere, metric",
      encoded("2001:db8::/32", unicast(hop("fe80::1", 3)), Operation.Delete),
      "38000000 1900 0100 01000000 00000000  0a 20 00 00 fe 0c ff 00 00000000  1400 0100 20010db8 00000000 00000000 00000000  0800 0600 00040000",
    ],
    [
      "on the link: scope link; the default route has no destination",
      encoded("0.0.0.0/0", unicast(hop(undefined, 3)), Operation.Add),
      "24000000 1800 0106 01000000 00000000  02 00 00 00 fe 0c fd 01 00000000  0800 0400 03000000",
    ],
  ])("%s", (_name, got, want) => {
    expect(got).toBe(hex(want));
  });

  it("dumps", () => {
    expect(Buffer.from(routeDump(Family.Ipv6, 1000, 7)).toString("hex")).toBe(
      hex("24000000 1a00 0103 07000000 00000000  0a 00 00 00 fc 00 00 00 00000000  0800 0f00 e8030000"),
    );
    expect(Buffer.from(linkDump(7)).toString("hex")).toBe(
      hex("28000000 1200 0103 07000000 00000000  00000000 00000000 00000000 00000000  0800 1d00 08000000"),
    );
    expect(Buffer.from(addressDump(7)).toString("hex")).toBe(
      hex("18000000 1600 0103 07000000 00000000  00000000 00000000"),
    );
  });
});

describe("errors, netlink(7)", () => {
  it.each([
    [
      "with the kernel's words",
      `44000000 0200 0003 7b000000 0c650000  9bffffff  2c000000 1800 0505 7b000000 00000000
       2000 0100 4e657874686f702068617320696e76616c6964206761746577617900`,
      101,
      "Nexthop has invalid gateway",
    ],
    [
      "an acknowledgement",
      "24000000 0200 0001 7c000000 0c650000  00000000  2c000000 1800 0505 7c000000 00000000",
      0,
      undefined,
    ],
    [
      "without words",
      "24000000 0200 0001 7d000000 0c650000  efffffff  2c000000 1800 0507 7d000000 00000000",
      17,
      undefined,
    ],
  ])("%s", (_name, hex, code, text) => {
    const cursor = cursorOn(hex);
    expect([errorCode(cursor), errorText(cursor)]).toEqual([code, text]);
  });
});

describe("links and addresses", () => {
  const link = (flags: string, name: string) =>
    `2c000000 1000 0200 04000000 0c650000  0000 0403 05000000 ${flags} 00000000  0700 0300 ${name}00 00  0400 2800`;
  it.each([
    ["up with a carrier", link("43100100", "766162"), { index: 5, name: "vab", enabled: true, up: true }],
    ["enabled without a carrier", link("03100000", "766162"), { index: 5, name: "vab", enabled: true, up: false }],
    ["down", link("02100000", "766162"), { index: 5, name: "vab", enabled: false, up: false }],
    ["a bridge's port (AF_BRIDGE)", link("43100100", "766162").replace("0000 0403", "0700 0403"), undefined],
  ])("%s", (_name, hex, want) => {
    expect(decodeLink(cursorOn(hex))).toEqual(want);
  });

  it.each([
    [
      "IPv4",
      "4c000000 1400 0200 05000000 0c650000  02 18 80 00 03000000  0800 0100 c0000202  0800 0200 c0000202  0700 0300 766100 00  0800 0800 80000000  1400 0600 ffffffffffffffffee830700ee830700",
      ["192.0.2.2", "192.0.2.2", 24, 3, true],
    ],
    [
      "point to point: the network is the other end",
      "28000000 1400 0200 05000000 0c650000  02 20 80 00 03000000  0800 0100 cb007102  0800 0200 cb007101",
      ["203.0.113.1", "203.0.113.2", 32, 3, true],
    ],
    [
      "IPv6, tentative (RFC 4862 §5.4)",
      "50000000 1400 0200 05000000 0c650000  0a 40 c0 fd 02000000  1400 0100 fe800000 00000000 d4c74bff fe5a1b10  1400 0600 fffffffffffffffff0830700f0830700  0800 0800 c0000000  0500 0b00 03000000",
      ["fe80::d4c7:4bff:fe5a:1b10", "fe80::d4c7:4bff:fe5a:1b10", 64, 2, false],
    ],
    [
      "IPv6, without detection",
      "48000000 1400 0200 05000000 0c650000  0a 40 82 00 03000000  1400 0100 20010db8 000a0000 00000000 00000002  1400 0600 ffffffffffffffffef830700ef830700  0800 0800 82000000",
      ["2001:db8:a::2", "2001:db8:a::2", 64, 3, true],
    ],
  ])("address: %s", (_name, hex, want) => {
    const a = decodeAddress(cursorOn(hex));
    expect(a && [formatAddress(a.address), formatAddress(a.network), a.length, a.interface, a.usable]).toEqual(want);
  });
});
