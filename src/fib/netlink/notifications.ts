/** The kernel's own news of links, addresses and routes, read by Node's event loop as they come: no polling, no thread. */

import { Socket } from "node:net";
import type { Clock } from "../../bgp/model/ports.ts";
import { Errno } from "../../sys/errno.ts";
import { checked, libc } from "../../sys/libc.ts";
import { MessageType, NOTIFICATION_GROUPS, TABLE_COMPAT } from "./constants.ts";
import { openNetlink, RECEIVE_BYTES } from "./socket.ts";

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const O_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const MSG_DONTWAIT = 0x40;
const DRAIN_SLICE = 1000;
/** Some twenty thousand notifications; taken only while they wait. */
const RECEIVE_BUFFER = 32 << 20;

export interface NotificationHandler {
  /** One datagram; the bytes are only lent. */
  received(bytes: Uint8Array, length: number): void;
  /** The kernel had to drop some (ENOBUFS): what is known must be read anew. */
  overrun(): void;
  failed(error: Error): void;
}

export class NotificationSocket {
  readonly #fd: number;
  readonly #handler: NotificationHandler;
  readonly #clock: Clock;
  #stream: Socket | undefined;
  #closed = false;

  /** Routes of other tables, and those that the socket with `ownPort` asked for, are left out by a filter in the kernel. */
  constructor(ownPort: number, table: number, clock: Clock, handler: NotificationHandler) {
    this.#clock = clock;
    this.#handler = handler;
    this.#fd = openNetlink(NOTIFICATION_GROUPS, RECEIVE_BUFFER);
    attachFilter(this.#fd, ownPort, table);
    this.#stream = this.#listen();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream?.destroy();
    libc().close(this.#fd);
  }

  /**
   * Node polls only descriptors of kinds that it knows. So it is given one end of a socket pair, and before it begins to read,
   * dup3(2) puts the netlink socket in its place: from then on read(2) gives one notification each.
   */
  #listen(): Socket {
    const c = libc();
    const pair = new Int32Array(2);
    checked("socketpair", c.socketpair(AF_UNIX, SOCK_STREAM_CLOEXEC, 0, pair));
    const [ours = -1, other = -1] = pair;
    const buffer = new Uint8Array(RECEIVE_BYTES);
    const unstarted = {
      fd: ours,
      readable: true,
      writable: false,
      manualStart: true,
      onread: {
        buffer,
        callback: (length: number): boolean => {
          if (!this.#closed) this.#handler.received(buffer, length);
          return true;
        },
      },
    };
    const stream = new Socket(unstarted);
    checked("dup3", c.dup3(this.#fd, ours, O_CLOEXEC));
    c.close(other);
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // Node stops at an error and closes its copy; the netlink socket and what waits in it live on through our descriptor.
      if (this.#closed) return;
      if (error.code !== "ENOBUFS") this.#handler.failed(error);
      this.#drain(new Uint8Array(RECEIVE_BYTES));
    });
    stream.resume();
    stream.unref();
    return stream;
  }

  /**
   * What waited when the socket overran is older than what was lost: told after the tables have been read anew, it would bring back
   * routes whose deletion was lost. So it is thrown away first.
   */
  #drain(scratch: Uint8Array): void {
    if (this.#closed) return;
    const c = libc();
    for (let i = 0; i < DRAIN_SLICE; i++) {
      if (c.recv(this.#fd, scratch, scratch.length, MSG_DONTWAIT) >= 0 || c.errno() !== Errno.EAGAIN) continue;
      this.#stream = this.#listen();
      this.#handler.overrun();
      return;
    }
    this.#clock.soon(() => this.#drain(scratch));
  }
}

/**
 * A classic BPF program (linux/filter.h). Its loads are big-endian, netlink is not: constants are swapped. Without it every route
 * that we write would come back as a notification.
 */
function attachFilter(fd: number, ownPort: number, table: number): void {
  const LOAD_BYTE = 0x30;
  const LOAD_HALF = 0x28;
  const LOAD_WORD = 0x20;
  const JUMP_EQUAL = 0x15;
  const RETURN = 0x06;
  // Code, jump if true, jump if false, constant.
  const program: readonly (readonly [number, number, number, number])[] = [
    [LOAD_HALF, 0, 0, 4],
    [JUMP_EQUAL, 1, 0, MessageType.NewRoute << 8],
    [JUMP_EQUAL, 0, 4, MessageType.DelRoute << 8],
    [LOAD_WORD, 0, 0, 12],
    [JUMP_EQUAL, 3, 0, swap(ownPort)],
    [LOAD_BYTE, 0, 0, 20],
    [JUMP_EQUAL, 0, 1, table < 256 ? table : TABLE_COMPAT],
    [RETURN, 0, 0, 0xffffffff],
    [RETURN, 0, 0, 0],
  ];
  const code = new Uint8Array(program.length * 8);
  const view = new DataView(code.buffer);
  for (const [i, [operation, yes, no, constant]] of program.entries()) {
    view.setUint16(i * 8, operation, true);
    view.setUint8(i * 8 + 2, yes);
    view.setUint8(i * 8 + 3, no);
    view.setUint32(i * 8 + 4, constant, true);
  }
  // struct sock_fprog: u16 length, pointer to the program.
  const descriptor = new Uint8Array(16);
  const header = new DataView(descriptor.buffer);
  header.setUint16(0, program.length, true);
  header.setBigUint64(8, libc().address(code), true);
  checked("setsockopt(SO_ATTACH_FILTER)", libc().setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, descriptor, 16));
  // Keeps the program from being collected before the kernel has read it: nothing but a number pointed to it.
  code.fill(0);
}

function swap(word: number): number {
  return (((word & 255) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
