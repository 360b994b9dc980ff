/** What the kernel knows of a TCP connection (TCP_INFO). */

import { libc } from "./libc.ts";

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
/** struct tcp_info of linux/tcp.h: tcpi_last_ack_recv, after eight octets and twelve words. */
const LAST_ACK_RECEIVED = 56;
const LENGTH = 104;

/** Milliseconds since a segment of the peer was last taken: one with a wrong TCP MD5 signature is not. Undefined where the kernel does not say. */
export function silentSince(fd: number): number | undefined {
  const info = new Uint8Array(LENGTH);
  const length = Uint32Array.of(info.length);
  if (libc().getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, length) < 0) return undefined;
  if ((length[0] ?? 0) < LAST_ACK_RECEIVED + 4) return undefined;
  return Buffer.from(info.buffer).readUInt32LE(LAST_ACK_RECEIVED);
}
