/** A network in memory: hosts by address, connections that take their bytes along after a delay, and faults at will. */

import type { IpAddress } from "../../src/bgp/model/address.ts";
import { formatAddress } from "../../src/bgp/model/address.ts";
import type { Family } from "../../src/bgp/model/family.ts";
import type { Clock } from "../../src/bgp/model/ports.ts";
import {
  type Connection,
  type ConnectionHandler,
  type DialHandler,
  type DialRequest,
  type Doorman,
  ListenError,
  type Listening,
  type Transport,
} from "../../src/bgp/transport.ts";

const LATENCY_MILLISECONDS = 1;
const LINGER_MILLISECONDS = 3000;
/** What a connection holds before it says that it is blocked. */
const SEND_BUFFER = 65_536;

interface Host {
  readonly address: IpAddress;
  /** By family and port. */
  readonly listeners: Map<string, Doorman>;
}

export class MemoryNetwork {
  readonly #clock: Clock;
  readonly #hosts = new Map<string, Host>();
  readonly #open = new Set<MemoryConnection>();
  /** Hosts that drop whatever is sent to them. */
  readonly #silent = new Set<string>();
  readonly #stalled = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The transport of one machine. */
  host(address: IpAddress): Transport {
    const host: Host = { address, listeners: new Map() };
    this.#hosts.set(formatAddress(address), host);
    return {
      dial: (request, handler) => this.#dial(host, request, handler),
      listen: async ({ family }, port, doorman) => this.#listen(host, family, port, doorman),
      settled: async () => {},
    };
  }

  /** Connections break, and the ends learn of it. */
  cut(a: IpAddress, b: IpAddress): void {
    for (const connection of [...this.#open]) {
      if (connection.joins(a, b)) connection.breaks("the peer reset the connection");
    }
  }

  /** The machine vanishes without a word: nothing reaches it any more, and nothing comes from it. */
  silence(address: IpAddress): void {
    this.#silent.add(formatAddress(address));
  }

  /** The machine loses all that it knew of its connections, and does not even reset them. */
  abandon(address: IpAddress): void {
    for (const connection of [...this.#open]) {
      if (formatAddress(connection.localAddress) === formatAddress(address)) connection.vanish();
    }
  }

  /** The machine lives, but reads nothing until `unstall`. */
  stall(address: IpAddress): void {
    this.#stalled.add(formatAddress(address));
  }

  unstall(address: IpAddress): void {
    this.#stalled.delete(formatAddress(address));
    for (const connection of [...this.#open]) connection.wake();
  }

  isStalled(address: IpAddress): boolean {
    return this.#stalled.has(formatAddress(address));
  }

  /** It is back, knowing nothing of the connections that it had. */
  unsilence(address: IpAddress): void {
    this.#silent.delete(formatAddress(address));
  }

  isSilent(address: IpAddress): boolean {
    return this.#silent.has(formatAddress(address));
  }

  get connections(): number {
    return this.#open.size / 2;
  }

  forget(connection: MemoryConnection): void {
    this.#open.delete(connection);
  }

  #listen(host: Host, family: Family, port: number, doorman: Doorman): Listening {
    const key = `${family} ${port}`;
    if (host.listeners.has(key)) throw new ListenError("EADDRINUSE", `port ${port} is in use`);
    host.listeners.set(key, doorman);
    return { address: host.address, port, setKey: () => {}, close: () => host.listeners.delete(key) };
  }

  #dial(from: Host, request: DialRequest, handler: DialHandler): { cancel(): void } {
    let isCancelled = false;
    const local = request.localAddress ?? from.address;
    this.#clock.after(LATENCY_MILLISECONDS, () => {
      if (isCancelled || this.isSilent(request.address) || this.isSilent(local)) return;
      const doorman = this.#hosts
        .get(formatAddress(request.address))
        ?.listeners.get(`${request.address.family} ${request.port}`);
      if (doorman === undefined) return handler.failed("connection refused");
      const here = new MemoryConnection(this, this.#clock, local, request.address);
      const there = new MemoryConnection(this, this.#clock, request.address, local);
      here.other = there;
      there.other = here;
      this.#open.add(here);
      this.#open.add(there);
      if (doorman.admits(local, undefined, request.address) === undefined) {
        there.abort();
        handler.connected(here);
        return;
      }
      doorman.accept(there);
      handler.connected(here);
    });
    return {
      cancel: () => {
        isCancelled = true;
      },
    };
  }
}

class MemoryConnection implements Connection {
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  readonly interface = undefined;
  other: MemoryConnection | undefined = undefined;
  unsent = 0;
  readonly #network: MemoryNetwork;
  readonly #clock: Clock;
  #handler: ConnectionHandler | undefined = undefined;
  #isClosed = false;
  #closedAt = 0;
  #isPaused = false;
  #isVanished = false;
  #wasBlocked = false;
  /** Arrived, and not read. */
  readonly #inbox: Uint8Array[] = [];
  /** Written, and not taken at the other end. */
  readonly #flying: Uint8Array[] = [];
  #key: string | undefined = undefined;
  #heardAt = 0;
  #ending: string | undefined = undefined;

  constructor(network: MemoryNetwork, clock: Clock, localAddress: IpAddress, remoteAddress: IpAddress) {
    this.#network = network;
    this.#clock = clock;
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
  }

  get isBlocked(): boolean {
    return this.unsent >= SEND_BUFFER;
  }

  get isVanished(): boolean {
    return this.#isVanished;
  }

  joins(a: IpAddress, b: IpAddress): boolean {
    const ends = [formatAddress(this.localAddress), formatAddress(this.remoteAddress)];
    return ends.includes(formatAddress(a)) && ends.includes(formatAddress(b));
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    this.#clock.soon(() => this.#deliver());
  }

  write(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.unsent += bytes.length;
    if (this.isBlocked) this.#wasBlocked = true;
    this.#flying.push(bytes.slice());
    this.#clock.after(LATENCY_MILLISECONDS, () => this.#land());
  }

  get silentMilliseconds(): number {
    return this.#clock.now() - this.#heardAt;
  }

  get key(): string | undefined {
    return this.#key;
  }

  /** What was sent meanwhile is sent again. */
  setKey(key: string | undefined): boolean {
    this.#key = key;
    for (const end of [this, this.other]) this.#clock.after(LATENCY_MILLISECONDS, () => end?.transmit());
    return true;
  }

  transmit(): void {
    this.#land();
  }

  cork(): void {}
  uncork(): void {}

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#clock.soon(() => this.#deliver());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#closedAt = this.#clock.now();
    this.#handler = undefined;
    this.#network.forget(this);
    this.#clock.after(LATENCY_MILLISECONDS, () => {
      if (!this.#isLost() && this.#isUnderstood()) this.other?.breaks("the peer closed the connection");
    });
  }

  abort(): void {
    this.close();
  }

  /** The end of the stream, after what has arrived. */
  breaks(reason: string): void {
    this.#ending ??= reason;
    this.#deliver();
  }

  arrive(bytes: Uint8Array, from: MemoryConnection): void {
    if (this.#isClosed) {
      // What comes soon after a close is read and dropped; later nobody has this connection any more.
      if (this.#clock.now() - this.#closedAt < LINGER_MILLISECONDS) return;
      this.#clock.after(LATENCY_MILLISECONDS, () => from.breaks("the peer reset the connection"));
      return;
    }
    this.#heardAt = this.#clock.now();
    from.acknowledged();
    this.#inbox.push(bytes);
    this.#deliver();
  }

  acknowledged(): void {
    this.#heardAt = this.#clock.now();
  }

  wake(): void {
    this.#deliver();
  }

  taken(length: number): void {
    this.unsent -= length;
    if (this.#wasBlocked && this.unsent === 0) {
      this.#wasBlocked = false;
      this.#handler?.drained();
    }
  }

  vanish(): void {
    this.#isVanished = true;
    this.#network.forget(this);
  }

  #land(): void {
    while (!this.#isLost() && this.#isUnderstood()) {
      const bytes = this.#flying.shift();
      if (bytes === undefined) return;
      this.other?.arrive(bytes, this);
    }
  }

  #isUnderstood(): boolean {
    return this.other?.key === this.#key;
  }

  #isLost(): boolean {
    if (this.#isVanished || this.other?.isVanished === true) return true;
    return this.#network.isSilent(this.localAddress) || this.#network.isSilent(this.remoteAddress);
  }

  #deliver(): void {
    if (this.#network.isStalled(this.localAddress)) return;
    while (this.#handler !== undefined && !this.#isPaused) {
      const chunk = this.#inbox.shift();
      if (chunk === undefined) break;
      this.other?.taken(chunk.length);
      this.#handler.received(chunk);
    }
    if (this.#ending === undefined || this.#inbox.length > 0 || this.#handler === undefined) return;
    const handler = this.#handler;
    this.#handler = undefined;
    this.#isClosed = true;
    this.#network.forget(this);
    handler.closed(this.#ending);
  }
}
