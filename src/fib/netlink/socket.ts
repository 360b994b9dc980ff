/**
 * An rtnetlink socket for requests. The kernel works them off within send(2), and makes each part of a dump within recv(2); both may
 * wait for the lock that all of rtnetlink shares. So both run on another thread, and the answers are there when they are done.
 */

import { Errno, SystemError } from "../../sys/errno.ts";
import { checked, libc } from "../../sys/libc.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const NETLINK_ROUTE = 0;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const MSG_DONTWAIT = 0x40;

/** The kernel puts at most 32 KiB into one answer of a dump; a notification is far smaller. */
export const RECEIVE_BYTES = 1 << 16;

/** A bound descriptor that belongs to the multicast `groups`. */
export function openNetlink(groups: number, receiveBuffer: number): number {
  const c = libc();
  const fd = checked("socket(AF_NETLINK)", c.socket(AF_NETLINK, SOCK_RAW_CLOEXEC_NONBLOCK, NETLINK_ROUTE));
  setBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, receiveBuffer);
  // Kernels before 4.12 and 4.20 know not all of these: without them errors have no words, and dumps hold every table.
  for (const name of [NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK]) {
    c.setsockopt(fd, SOL_NETLINK, name, Int32Array.of(1), 4);
  }
  const address = new Uint8Array(12);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(8, groups, true);
  if (c.bind(fd, address, address.length) < 0) {
    const errno = c.errno();
    c.close(fd);
    throw new SystemError("bind(AF_NETLINK)", errno);
  }
  return fd;
}

function setBuffer(fd: number, forced: number, plain: number, bytes: number): void {
  const c = libc();
  const value = Int32Array.of(bytes);
  if (c.setsockopt(fd, SOL_SOCKET, forced, value, 4) < 0) c.setsockopt(fd, SOL_SOCKET, plain, value, 4);
}

/** What sends requests and has their answers. */
export interface RequestPort {
  /** `done` gets 0 or the errno: all of the messages were sent, or none. The bytes must be left alone until then. */
  send(bytes: Uint8Array, length: number, done: (errno: number) => void): void;
  /** Bytes received, or the negative errno: -EAGAIN when there is nothing. */
  receive(into: Uint8Array): number;
  /** The same for the next part of a dump. */
  receiveLater(into: Uint8Array, done: (length: number) => void): void;
}

export class RequestSocket implements RequestPort {
  readonly #fd: number;
  /** Names this socket in notifications that its requests cause. */
  readonly port: number;
  #open = true;
  #underWay = 0;

  constructor(sendBuffer: number, receiveBuffer: number) {
    this.#fd = openNetlink(0, receiveBuffer);
    setBuffer(this.#fd, SO_SNDBUFFORCE, SO_SNDBUF, sendBuffer);
    const address = new Uint8Array(12);
    checked("getsockname", libc().getsockname(this.#fd, address, Uint32Array.of(address.length)));
    this.port = new DataView(address.buffer).getUint32(4, true);
  }

  send(bytes: Uint8Array, length: number, done: (errno: number) => void): void {
    if (!this.#open) return;
    this.#underWay++;
    libc().sendLater(this.#fd, bytes, length, MSG_DONTWAIT, (_error, sent) => {
      this.#returned();
      if (!this.#open) return;
      // errno belongs to the other thread. Where nothing was sent nothing was done: asking again here tells why.
      done(sent >= 0 || libc().send(this.#fd, bytes, length, MSG_DONTWAIT) >= 0 ? 0 : libc().errno());
    });
  }

  receiveLater(into: Uint8Array, done: (length: number) => void): void {
    if (!this.#open) return;
    this.#underWay++;
    libc().recvLater(this.#fd, into, into.length, MSG_DONTWAIT, (_error, length) => {
      this.#returned();
      if (this.#open) done(length >= 0 ? length : this.receive(into));
    });
  }

  receive(into: Uint8Array): number {
    if (!this.#open) return -Errno.EPERM;
    const length = libc().recv(this.#fd, into, into.length, MSG_DONTWAIT);
    return length < 0 ? -libc().errno() : length;
  }

  /** Nothing is called back any more. The descriptor goes when no thread uses it. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#underWay === 0) libc().close(this.#fd);
  }

  #returned(): void {
    this.#underWay--;
    if (!this.#open && this.#underWay === 0) libc().close(this.#fd);
  }
}
