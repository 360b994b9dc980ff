/** A BGP peer that is nothing but a TCP connection: it says whatever a test wants, well or badly, and keeps what it hears. */

import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  KEEPALIVE,
  MessageKind,
  type OpenFields,
  type RawMessage,
  type RawNotification,
  rawOpen,
} from "./raw-bytes.ts";
import { waitFor } from "./wait-for.ts";

class RawTcpPeerError extends Error {
  override readonly name = "RawTcpPeerError";
}

export interface RawTcpPeerOptions {
  readonly port: number;
  /** Of the daemon; default 127.0.0.1. */
  readonly host?: string;
  /** Who this peer is. */
  readonly localAddress: string;
  readonly asNumber: number;
  /** Default `localAddress`. */
  readonly routerId?: string;
  readonly holdTime?: number;
}

export class RawTcpPeer {
  readonly options: RawTcpPeerOptions;
  readonly socket: Socket;
  /** All but UPDATEs, in order; KEEPALIVEs only once. */
  readonly messages: RawMessage[] = [];
  readonly counts: number[] = [];
  /** Called with each UPDATE's body. */
  onUpdate: ((body: Buffer) => void) | undefined = undefined;
  /** How the connection ended: "closed", or the code of the error. */
  end: string | undefined = undefined;
  #rest: Buffer = Buffer.alloc(0);
  #timer: NodeJS.Timeout | undefined;

  /** Over a connection that is there already; `connect` makes one. */
  constructor(options: RawTcpPeerOptions, socket: Socket) {
    this.options = options;
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.end ??= error.code ?? error.message;
    });
    socket.on("close", () => {
      this.end ??= "closed";
      clearInterval(this.#timer);
    });
  }

  /** Resolves when TCP is connected. */
  static connect(options: RawTcpPeerOptions): Promise<RawTcpPeer> {
    const { port, host = "127.0.0.1", localAddress } = options;
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, localAddress });
      const fail = (error: Error) => reject(new RawTcpPeerError(`${localAddress} cannot connect: ${error.message}`));
      socket.once("error", fail);
      socket.once("connect", () => {
        socket.off("error", fail);
        resolve(new RawTcpPeer(options, socket));
      });
    });
  }

  /** Tries until the daemon lets it in and the session is Established. */
  static async establish(options: RawTcpPeerOptions, timeout = 10_000): Promise<RawTcpPeer> {
    return waitFor(
      async () => {
        const peer = await RawTcpPeer.connect(options);
        return (await peer.open()) ? peer : undefined;
      },
      { what: `a session of ${options.localAddress}`, timeout, interval: 50 },
    );
  }

  get hasEnded(): boolean {
    return this.end !== undefined;
  }

  get notification(): RawNotification | undefined {
    const body = this.messages.find((message) => message.type === MessageKind.Notification)?.body;
    if (body === undefined) return undefined;
    return { code: body[0] ?? 0, subcode: body[1] ?? 0, data: body.subarray(2) };
  }

  send(...parts: readonly Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(parts));
  }

  sendOpen(fields: Partial<OpenFields> = {}): void {
    const { asNumber, localAddress, routerId = localAddress, holdTime } = this.options;
    this.send(rawOpen({ asNumber, routerId, ...(holdTime === undefined ? {} : { holdTime }), ...fields }));
  }

  /** OPEN and KEEPALIVE, and the daemon's own; false if the daemon would not. */
  async open(): Promise<boolean> {
    this.sendOpen();
    this.send(KEEPALIVE);
    const said = () => this.messages.some((message) => message.type === MessageKind.Keepalive);
    await waitFor(() => said() || this.hasEnded, { what: "the daemon's OPEN and KEEPALIVE", interval: 2 });
    return said();
  }

  /** Says that it is there, from now on until it is gone. */
  keepAlive(milliseconds = 1000): void {
    this.#timer = setInterval(() => this.send(KEEPALIVE), milliseconds);
  }

  /** Resolves when the connection has ended, with how. */
  async ended(timeout = 10_000): Promise<string> {
    return waitFor(() => this.end, {
      what: `the end of the connection of ${this.options.localAddress}`,
      timeout,
      interval: 2,
    });
  }

  /** Writes `bytes` in pieces of `size` octets, so that each is a segment of its own. */
  async trickle(bytes: Uint8Array, size = 1): Promise<void> {
    for (let at = 0; at < bytes.length && !this.hasEnded; at += size) {
      this.socket.write(bytes.subarray(at, at + size));
      if (at % 64 === 0) await sleep(1);
    }
  }

  /** Resolves when the system has taken all that was sent. */
  async flushed(): Promise<void> {
    await waitFor(() => this.socket.writableLength === 0 || this.hasEnded, {
      what: `the daemon to read what ${this.options.localAddress} sends`,
      timeout: 60_000,
      interval: 5,
    });
  }

  /** Reads nothing more, as a program that hangs. */
  stopReading(): void {
    this.socket.pause();
  }

  /** Ends the connection in order. */
  close(): void {
    this.socket.destroySoon();
  }

  /** Ends it with a RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #received(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 19) {
      const length = bytes.readUInt16BE(16);
      if (length < 19) throw new RawTcpPeerError(`the daemon sent a message that claims ${length} octets`);
      if (bytes.length < length) break;
      this.#take(bytes.readUInt8(18), bytes.subarray(19, length));
      bytes = bytes.subarray(length);
    }
    this.#rest = bytes;
  }

  #take(type: number, body: Buffer): void {
    this.counts[type] = (this.counts[type] ?? 0) + 1;
    if (type === MessageKind.Update) this.onUpdate?.(body);
    else if (type !== MessageKind.Keepalive || this.counts[type] === 1)
      this.messages.push({ type, body: Buffer.from(body), at: performance.now() });
  }
}
