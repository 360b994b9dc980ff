/** A TCP connection of Node's as the sessions see one. */

import type { Socket } from "node:net";
import { sendNow } from "../sys/send.ts";
import { silentSince } from "../sys/tcp-info.ts";
import { descriptorOf, setTcpMd5 } from "../sys/tcp-options.ts";
import type { IpAddress } from "./model/address.ts";
import type { Clock, Timer } from "./model/ports.ts";
import type { Connection, ConnectionHandler } from "./transport.ts";

/** A peer that does not close its side either is not waited for. */
const LINGER_MILLISECONDS = 3000;

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the peer reset the connection",
  EPIPE: "the peer closed the connection",
  ETIMEDOUT: "connection timed out",
  EHOSTUNREACH: "no route to the peer",
  ENETUNREACH: "no route to the peer's network",
  EADDRNOTAVAIL: "the local address is on no interface",
  EADDRINUSE: "the local address is in use",
  ENODEV: "no such interface",
};

/** A system error in words. */
export function describeSocketError(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return (code === undefined ? undefined : WORDS[code]) ?? error.message;
}

export class SocketConnection implements Connection {
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  readonly interface: string | undefined;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #handler: ConnectionHandler | undefined = undefined;
  #error: Error | undefined = undefined;
  #isClosed = false;
  #isCorked = false;
  /** Written last while corked: whether more follows decides how it is sent. */
  #held: Uint8Array | undefined = undefined;

  constructor(
    socket: Socket,
    ends: { readonly local: IpAddress; readonly remote: IpAddress; readonly interface: string | undefined },
    clock: Clock,
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.localAddress = ends.local;
    this.remoteAddress = ends.remote;
    this.interface = ends.interface;
    socket.setNoDelay(true);
    socket.on("error", (error) => {
      this.#error = error;
    });
  }

  get unsent(): number {
    return this.#socket.writableLength + (this.#held?.length ?? 0);
  }

  get isBlocked(): boolean {
    // Node asks for a drain also where the system has taken everything meanwhile.
    return this.#socket.writableLength > 0 && this.#socket.writableNeedDrain;
  }

  get silentMilliseconds(): number {
    const fd = descriptorOf(this.#socket);
    return (fd === undefined ? undefined : silentSince(fd)) ?? 0;
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    const socket = this.#socket;
    socket.on("data", (chunk: Uint8Array) => this.#handler?.received(chunk));
    socket.on("drain", () => this.#handler?.drained());
    socket.on("end", () => this.#ended("the peer closed the connection"));
    socket.on("close", () => {
      this.#isClosed = true;
      this.#ended(this.#error === undefined ? "the peer closed the connection" : describeSocketError(this.#error));
    });
    socket.resume();
  }

  write(bytes: Uint8Array): void {
    if (!this.#isCorked) {
      this.#send(bytes, false);
      return;
    }
    if (this.#held !== undefined) this.#send(this.#held, true);
    this.#held = bytes;
  }

  cork(): void {
    this.#isCorked = true;
  }

  uncork(): void {
    this.#isCorked = false;
    if (this.#held !== undefined) this.#send(this.#held, false);
    this.#held = undefined;
  }

  setKey(key: string | undefined): boolean {
    const fd = descriptorOf(this.#socket);
    // Closed: its end is on the way.
    if (fd === undefined) return true;
    try {
      setTcpMd5(fd, this.remoteAddress, undefined, key);
      return true;
    } catch {
      return false;
    }
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handler = undefined;
    // What still comes is read and dropped: a socket closed with unread octets sends a reset, which would overtake the
    // NOTIFICATION that it has just been given.
    this.#socket.resume();
    this.#socket.end();
    const timer: Timer = this.#clock.after(LINGER_MILLISECONDS, () => this.#socket.destroy());
    this.#socket.once("close", () => timer.cancel());
  }

  abort(): void {
    this.#isClosed = true;
    this.#handler = undefined;
    this.#socket.destroy();
  }

  /** Straight to the kernel as long as it takes all; Node's queue, which costs more than the call itself, gets what is left. */
  #send(bytes: Uint8Array, more: boolean): void {
    if (this.#isClosed) return;
    const socket = this.#socket;
    const fd = socket.writableLength === 0 ? descriptorOf(socket) : undefined;
    const taken = fd === undefined ? 0 : sendNow(fd, bytes, more);
    if (taken < bytes.length) socket.write(taken === 0 ? bytes : bytes.subarray(taken));
  }

  /** A peer that has closed its side may still be told why we close ours. */
  #ended(reason: string): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.closed(reason);
    this.close();
  }
}
