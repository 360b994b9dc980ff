import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type IpAddress, parseAddress } from "../../../src/bgp/model/address.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { SystemError } from "../../../src/sys/errno.ts";
import { checked, libc } from "../../../src/sys/libc.ts";
import { parseSyn, type SavedSyn, savedSyn, saveSyn } from "../../../src/sys/saved-syn.ts";
import {
  closeDescriptor,
  createTcpSocket,
  descriptorOf,
  openTcpSocket,
  setMinTtl,
  setTcpMd5,
  setTos,
  setTtl,
  type TcpSocketOptions,
} from "../../../src/sys/tcp-options.ts";

const address = (text: string): IpAddress => {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new RangeError(text);
  return parsed;
};
const option = (fd: number, level: number, name: number): number => {
  const value = new Int32Array(1);
  checked("getsockopt", libc().getsockopt(fd, level, name, value, Uint32Array.of(4)));
  return value[0] ?? -1;
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(host: string): Promise<{ server: Server; port: number; fd: number }> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(socket.remoteAddress ?? "");
  });
  servers.push(server);
  server.listen(0, host);
  await once(server, "listening");
  const fd = descriptorOf(server);
  if (fd === undefined) throw new RangeError("no descriptor");
  return { server, port: (server.address() as AddressInfo).port, fd };
}

/** What the server says: the address that it sees; undefined if there is no connection within `patience` milliseconds. */
async function talk(
  family: Family,
  host: string,
  port: number,
  options: TcpSocketOptions,
  patience = 10_000,
): Promise<string | undefined> {
  const socket = openTcpSocket(family, options);
  const timer = setTimeout(() => socket.destroy(), patience);
  socket.connect({ host, port });
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  socket.on("error", () => {});
  await once(socket, "close");
  clearTimeout(timer);
  return text === "" ? undefined : text;
}

describe("a socket made by libc and connected by Node", () => {
  it.each([
    ["IPv4 with a source", Family.Ipv4, "127.0.0.1", { localAddress: address("127.0.0.77") }, "127.0.0.77"],
    ["IPv4 without", Family.Ipv4, "127.0.0.1", {}, "127.0.0.1"],
    ["IPv6 with a source", Family.Ipv6, "::1", { localAddress: address("::1") }, "::1"],
    ["IPv6 without", Family.Ipv6, "::1", {}, "::1"],
    ["all options", Family.Ipv4, "127.0.0.1", { ttl: 255, minTtl: 255, tos: 0xc0 }, undefined],
    ["TTL and DSCP", Family.Ipv4, "127.0.0.1", { ttl: 2, tos: 0xc0 }, "127.0.0.1"],
  ])("%s", async (_name, family, host, options, seen) => {
    const { port } = await listen(host);
    expect(await talk(family, host, port, options, seen === undefined ? 400 : 10_000)).toBe(seen);
  });

  it("says which address cannot be bound", () => {
    expect(() => createTcpSocket(Family.Ipv4, { localAddress: address("192.0.2.1") })).toThrow(SystemError);
    expect(() => createTcpSocket(Family.Ipv4, { localAddress: address("192.0.2.1") })).toThrow("EADDRNOTAVAIL");
  });
});

describe("TCP MD5, RFC 2385", () => {
  const key = "secret";
  it.each([
    ["right key, IPv4", "127.0.0.1", "127.0.0.1", undefined, key, true],
    ["wrong key", "127.0.0.1", "127.0.0.1", undefined, "other", false],
    ["no key", "127.0.0.1", "127.0.0.1", undefined, undefined, false],
    ["a range", "127.0.0.1", "127.0.0.0", 8, key, true],
    ["a range, wrong key", "127.0.0.1", "127.0.0.0", 8, "other", false],
    ["right key, IPv6", "::1", "::1", undefined, key, true],
    ["a range, IPv6", "::1", "::", 64, key, true],
  ])("%s", async (_name, host, keyAddress, prefixLength, clientKey, connects) => {
    const { port, fd } = await listen(host);
    setTcpMd5(fd, address(keyAddress), prefixLength, key);
    const md5 = clientKey === undefined ? undefined : { address: address(host), key: clientKey };
    const family = host.includes(":") ? Family.Ipv6 : Family.Ipv4;
    expect((await talk(family, host, port, { md5 }, connects ? 10_000 : 400)) !== undefined).toBe(connects);
  });

  it("serves IPv4 peers of a listener for both families", async () => {
    const { port, fd } = await listen("::");
    setTcpMd5(fd, address("127.0.0.1"), undefined, key);
    const md5 = { address: address("127.0.0.1"), key };
    expect(await talk(Family.Ipv4, "127.0.0.1", port, { md5 })).toBe("::ffff:127.0.0.1");
    expect(await talk(Family.Ipv4, "127.0.0.1", port, {}, 400)).toBeUndefined();
  });

  it("takes a key away, changes it, and knows its limit", async () => {
    const { port, fd } = await listen("127.0.0.1");
    const peer = address("127.0.0.1");
    setTcpMd5(fd, peer, undefined, key);
    setTcpMd5(fd, peer, undefined, "k".repeat(80));
    expect(await talk(Family.Ipv4, "127.0.0.1", port, { md5: { address: peer, key: "k".repeat(80) } })).toBeDefined();
    setTcpMd5(fd, peer, undefined, undefined);
    setTcpMd5(fd, peer, undefined, undefined);
    expect(await talk(Family.Ipv4, "127.0.0.1", port, {})).toBeDefined();
    expect(() => setTcpMd5(fd, peer, undefined, "k".repeat(81))).toThrow("at most 80");
  });
});

describe("IP options", () => {
  it.each([
    [Family.Ipv4, 0, 2, 21, 1],
    [Family.Ipv6, 41, 16, 73, 67],
  ])("family %i", (family, level, ttlName, minTtlName, tosName) => {
    const fd = createTcpSocket(family, {});
    setTtl(fd, 255);
    setMinTtl(fd, 254);
    setTos(fd, 0xc0);
    expect([ttlName, minTtlName, tosName].map((name) => option(fd, level, name))).toEqual([255, 254, 0xc0]);
    setMinTtl(fd, 0);
    expect(option(fd, level, minTtlName)).toBe(0);
    closeDescriptor(fd);
  });
});

describe("the segment that opened a connection", () => {
  const key = "secret";
  it.each<[string, Family, string, TcpSocketOptions, boolean, SavedSyn]>([
    ["IPv4", Family.Ipv4, "127.0.0.1", { ttl: 77 }, false, { ttl: 77, isSigned: false }],
    ["IPv6", Family.Ipv6, "::1", { ttl: 254 }, false, { ttl: 254, isSigned: false }],
    [
      "IPv4, signed (RFC 2385)",
      Family.Ipv4,
      "127.0.0.1",
      { ttl: 1, md5: { address: address("127.0.0.1"), key } },
      true,
      { ttl: 1, isSigned: true },
    ],
    [
      "IPv6, signed (RFC 2385)",
      Family.Ipv6,
      "::1",
      { ttl: 1, md5: { address: address("::1"), key } },
      true,
      { ttl: 1, isSigned: true },
    ],
  ])("%s", async (_name, family, host, options, hasKey, want) => {
    const { server, port, fd } = await listen(host);
    saveSyn(fd);
    if (hasKey) setTcpMd5(fd, address(host), undefined, key);
    const accepted = once(server, "connection");
    const client = openTcpSocket(family, options);
    client.on("error", () => {});
    client.connect({ host, port });
    const [socket] = (await accepted) as [Socket];
    expect(savedSyn(descriptorOf(socket) ?? -1)).toEqual(want);
    // The kernel gives it away once.
    expect(savedSyn(descriptorOf(socket) ?? -1)).toBeUndefined();
    socket.destroy();
    client.destroy();
  });

  it("is not known of connections from before", async () => {
    const { server, port } = await listen("127.0.0.1");
    const accepted = once(server, "connection");
    const client = openTcpSocket(Family.Ipv4, {});
    client.on("error", () => {});
    client.connect({ host: "127.0.0.1", port });
    const [socket] = (await accepted) as [Socket];
    expect(savedSyn(descriptorOf(socket) ?? -1)).toBeUndefined();
    socket.destroy();
    client.destroy();
  });

  it("is read without trust in its lengths", () => {
    const ip = [0x45, ...Array<number>(7).fill(0), 9, 6, ...Array<number>(10).fill(0)];
    const tcp = (words: number, ...options: number[]) => [
      ...ip,
      ...Array<number>(12).fill(0),
      words << 4,
      ...Array<number>(7).fill(0),
      ...options,
    ];
    expect(parseSyn(Uint8Array.from(tcp(7, 1, 1, 19, 18, 0, 0, 0, 0)))).toEqual({ ttl: 9, isSigned: true });
    expect(parseSyn(Uint8Array.from(tcp(6, 8, 0, 19, 18)))).toEqual({ ttl: 9, isSigned: false });
    expect(parseSyn(Uint8Array.from(tcp(6, 0, 19, 18, 0)))).toEqual({ ttl: 9, isSigned: false });
    expect(parseSyn(Uint8Array.from(tcp(15)))).toEqual({ ttl: 9, isSigned: false });
    expect(parseSyn(Uint8Array.from(ip))).toBeUndefined();
    expect(parseSyn(new Uint8Array(0))).toBeUndefined();
  });
});
