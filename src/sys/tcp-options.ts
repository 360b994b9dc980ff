/** TCP sockets with what plain Node cannot set: MD5 signatures (RFC 2385), GTSM (RFC 5082), TTL, DSCP, a source bound before connecting. */

import { type Server, Socket } from "node:net";
import { type IpAddress, isLinkLocal } from "../bgp/model/address.ts";
import { InternalError } from "../bgp/model/errors.ts";
import { addressBits, Family } from "../bgp/model/family.ts";
import { Errno, SystemError } from "./errno.ts";
import { checked, libc } from "./libc.ts";

// linux/socket.h, in.h, in6.h, tcp.h; equal on x64 and arm64.
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_DOMAIN = 39;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_TTL = 2;
const IP_MINTTL = 21;
const IP_BIND_ADDRESS_NO_PORT = 24;
const IPPROTO_TCP = 6;
const TCP_MD5SIG = 14;
const TCP_MD5SIG_EXT = 32;
const TCP_MD5SIG_FLAG_PREFIX = 1;
const TCP_MD5SIG_MAXKEYLEN = 80;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_TCLASS = 67;
const IPV6_MINHOPCOUNT = 73;

export interface TcpSocketOptions {
  /** Bound before connecting; undefined lets the kernel choose. */
  readonly localAddress?: IpAddress | undefined;
  /** The interface of a link-local `localAddress` or peer: its name. */
  readonly interface?: string | undefined;
  readonly md5?: { readonly address: IpAddress; readonly key: string } | undefined;
  readonly ttl?: number | undefined;
  readonly minTtl?: number | undefined;
  readonly tos?: number | undefined;
}

/** A socket made by `createTcpSocket`, ready for `connect({ host, port })`. A link-local host carries its zone: "fe80::1%eth0". */
export function openTcpSocket(family: Family, options: TcpSocketOptions): Socket {
  // `manualStart` (which the types do not know) keeps Node from reading before there is a connection.
  const unstarted: { fd: number; manualStart: boolean } = { fd: createTcpSocket(family, options), manualStart: true };
  return new Socket(unstarted);
}

/** A descriptor, bound but not connected: for whoever does not want a net.Socket at once. */
export function createTcpSocket(family: Family, options: TcpSocketOptions): number {
  const c = libc();
  const fd = checked("socket", c.socket(family === Family.Ipv4 ? AF_INET : AF_INET6, SOCK_STREAM_CLOEXEC, 0));
  try {
    if (options.md5 !== undefined) setTcpMd5(fd, options.md5.address, undefined, options.md5.key);
    if (options.ttl !== undefined) setTtl(fd, options.ttl);
    if (options.minTtl !== undefined) setMinTtl(fd, options.minTtl);
    if (options.tos !== undefined) setTos(fd, options.tos);
    if (options.localAddress !== undefined) bindTo(fd, family, options.localAddress, options.interface);
    return fd;
  } catch (error) {
    c.close(fd);
    throw error;
  }
}

/** Closes a descriptor of `createTcpSocket` that no net.Socket came to own. */
export function closeDescriptor(fd: number): void {
  libc().close(fd);
}

/**
 * The key for segments from and to `address`, or to a whole range with `prefixLength` (Linux 4.14), on a socket that listens or
 * will connect. An undefined key takes it away again; taking away what is not there is no error.
 */
export function setTcpMd5(
  fd: number,
  address: IpAddress,
  prefixLength: number | undefined,
  key: string | undefined,
): void {
  const keyBytes = Buffer.from(key ?? "", "utf8");
  if (keyBytes.length > TCP_MD5SIG_MAXKEYLEN) {
    throw new InternalError(`TCP MD5 key of ${keyBytes.length} octets; at most ${TCP_MD5SIG_MAXKEYLEN} are possible`);
  }
  // struct tcp_md5sig: sockaddr_storage (128), flags, prefix length, u16 key length, ifindex, key (80).
  const value = Buffer.alloc(216);
  const domain = domainOf(fd);
  if (domain === AF_INET && address.family === Family.Ipv6) {
    throw new InternalError("TCP MD5 for an IPv6 peer on an IPv4 socket");
  }
  writeSockaddr(value, domain, address, 0);
  const range = prefixLength !== undefined && prefixLength < addressBits(address.family);
  if (range) {
    value.writeUInt8(TCP_MD5SIG_FLAG_PREFIX, 128);
    // The kernel counts the prefix of a v4-mapped address in IPv4 bits (tcp_v6_parse_md5_keys).
    value.writeUInt8(prefixLength, 129);
  }
  value.writeUInt16LE(keyBytes.length, 130);
  keyBytes.copy(value, 136);
  const c = libc();
  if (c.setsockopt(fd, IPPROTO_TCP, range ? TCP_MD5SIG_EXT : TCP_MD5SIG, value, value.length) >= 0) return;
  const errno = c.errno();
  if (key === undefined && errno === Errno.ENOENT) return;
  // Each key takes some 130 octets of what a socket may have beside its data: 150 keys where that is 20 KiB, as it was until Linux 6.8.
  const advice =
    errno === Errno.ENOMEM ? "no room for another key on this socket; raise net.core.optmem_max" : undefined;
  throw new SystemError("setsockopt(TCP_MD5SIG)", errno, advice);
}

/** The TTL or hop limit of what is sent, 1 to 255. */
export function setTtl(fd: number, ttl: number): void {
  setByFamily(fd, "TTL", IP_TTL, IPV6_UNICAST_HOPS, ttl);
}

/** GTSM, RFC 5082 §3: segments with a lower TTL are dropped; 0 takes the check away. */
export function setMinTtl(fd: number, minTtl: number): void {
  setByFamily(fd, "MINTTL", IP_MINTTL, IPV6_MINHOPCOUNT, minTtl);
}

/** The whole octet: DSCP CS6 is 0xc0. */
export function setTos(fd: number, tos: number): void {
  setByFamily(fd, "TOS", IP_TOS, IPV6_TCLASS, tos);
}

/** The descriptor of a listening server or an open socket; undefined when it has none (closed, or not listening yet). */
export function descriptorOf(holder: Server | Socket): number | undefined {
  // Node gives no public way; `_handle.fd` has been there since 0.x and is what its own cluster module uses.
  const handle = (holder as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle;
  const fd = handle?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}

function bindTo(fd: number, family: Family, address: IpAddress, interfaceName: string | undefined): void {
  const c = libc();
  let scope = 0;
  if (interfaceName !== undefined) {
    scope = c.if_nametoindex(interfaceName);
    if (scope === 0) throw new SystemError("if_nametoindex", Errno.ENODEV, interfaceName);
    if (!isLinkLocal(address)) {
      const name = Buffer.from(`${interfaceName}\0`);
      checked("setsockopt(SO_BINDTODEVICE)", c.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length));
    }
  }
  // The port is chosen by connect, which can then use one again for each remote address; where unknown, bind chooses it.
  c.setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, Int32Array.of(1), 4);
  const sockaddr = Buffer.alloc(28);
  writeSockaddr(sockaddr, family === Family.Ipv4 ? AF_INET : AF_INET6, address, scope);
  checked("bind", c.bind(fd, sockaddr, family === Family.Ipv4 ? 16 : 28));
}

/** An IPv6 socket that also carries IPv4 keeps both kinds of options: the IPv4 one is set besides, as far as it takes it. */
function setByFamily(fd: number, what: string, v4Name: number, v6Name: number, value: number): void {
  const c = libc();
  const word = Int32Array.of(value);
  if (domainOf(fd) === AF_INET) {
    checked(`setsockopt(IP_${what})`, c.setsockopt(fd, IPPROTO_IP, v4Name, word, 4));
    return;
  }
  checked(`setsockopt(IPV6_${what})`, c.setsockopt(fd, IPPROTO_IPV6, v6Name, word, 4));
  c.setsockopt(fd, IPPROTO_IP, v4Name, word, 4);
}

function domainOf(fd: number): number {
  const value = new Int32Array(1);
  checked("getsockopt(SO_DOMAIN)", libc().getsockopt(fd, SOL_SOCKET, SO_DOMAIN, value, Uint32Array.of(4)));
  return value[0] ?? 0;
}

/** sockaddr_in or sockaddr_in6 with port 0; an IPv4 address becomes v4-mapped (RFC 4291 §2.5.5.2) on an IPv6 socket. */
function writeSockaddr(out: Buffer, domain: number, address: IpAddress, scope: number): void {
  out.writeUInt16LE(domain, 0);
  if (domain === AF_INET) {
    out.writeUInt32BE(address.w0, 4);
    return;
  }
  const mapped = address.family === Family.Ipv4;
  out.writeUInt32BE(mapped ? 0 : address.w0, 8);
  out.writeUInt32BE(mapped ? 0 : address.w1, 12);
  out.writeUInt32BE(mapped ? 0xffff : address.w2, 16);
  out.writeUInt32BE(mapped ? address.w0 : address.w3, 20);
  out.writeUInt32LE(scope, 24);
}
