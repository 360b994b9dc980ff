/** The segment that opened a connection, as the kernel keeps it (TCP_SAVE_SYN): what was so before any option was set on the connection. */

import { checked, libc } from "./libc.ts";

const IPPROTO_TCP = 6;
const TCP_SAVE_SYN = 27;
const TCP_SAVED_SYN = 28;
const IPV6_HEADER = 40;
const TCP_HEADER = 20;
/** RFC 9293 §3.1. */
const OPTION_END = 0;
const OPTION_NOTHING = 1;
/** RFC 2385 §3. */
const OPTION_MD5 = 19;
/** An IP header without extensions and a TCP header are at most 60 octets each. */
const MAX_HEADERS = 256;

export interface SavedSyn {
  /** TTL or hop limit. */
  readonly ttl: number;
  /** It carried a TCP MD5 signature, which the kernel has checked: it takes none for which it has no key. */
  readonly isSigned: boolean;
}

/** On a socket that listens: for the connections to come. */
export function saveSyn(fd: number): void {
  checked("setsockopt(TCP_SAVE_SYN)", libc().setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, Int32Array.of(1), 4));
}

/** Of an accepted connection, once; undefined where it was not kept: before `saveSyn`, and under a flood (SYN cookies). */
export function savedSyn(fd: number): SavedSyn | undefined {
  const headers = new Uint8Array(MAX_HEADERS);
  const length = Uint32Array.of(headers.length);
  if (libc().getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, headers, length) < 0) return undefined;
  return parseSyn(headers.subarray(0, length[0] ?? 0));
}

export function parseSyn(headers: Uint8Array): SavedSyn | undefined {
  const isIpv4 = (headers[0] ?? 0) >>> 4 === 4;
  // A SYN with IPv6 extension headers is nobody's that we know.
  if (!isIpv4 && headers[6] !== IPPROTO_TCP) return undefined;
  const tcp = isIpv4 ? ((headers[0] ?? 0) & 0xf) * 4 : IPV6_HEADER;
  const ttl = headers[isIpv4 ? 8 : 7];
  if (ttl === undefined || headers.length < tcp + TCP_HEADER) return undefined;
  const end = Math.min(headers.length, tcp + ((headers[tcp + 12] ?? 0) >>> 4) * 4);
  return { ttl, isSigned: hasOption(headers, tcp + TCP_HEADER, end, OPTION_MD5) };
}

function hasOption(headers: Uint8Array, start: number, end: number, wanted: number): boolean {
  for (let at = start; at < end; ) {
    const kind = headers[at];
    if (kind === wanted) return true;
    if (kind === OPTION_END) return false;
    const length = kind === OPTION_NOTHING ? 1 : (headers[at + 1] ?? 0);
    if (length === 0) return false;
    at += length;
  }
  return false;
}
