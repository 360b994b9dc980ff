/** What the sessions need of TCP: a seam, so that the same sessions run on sockets and, in tests, in memory. */

import type { IpAddress } from "./model/address.ts";

/** What BGP sets on a connection beyond what TCP has of itself. */
export interface ConnectionSettings {
  readonly ttl: number;
  /** RFC 5082: segments with a lower TTL are dropped. */
  readonly minTtl: number | undefined;
}

export interface DialRequest extends ConnectionSettings {
  readonly address: IpAddress;
  /** Of a link-local address. */
  readonly interface: string | undefined;
  readonly port: number;
  readonly localAddress: IpAddress | undefined;
  /** TCP MD5 (RFC 2385). */
  readonly password: string | undefined;
}

export interface ConnectionHandler {
  /** The chunk is the handler's: nobody writes into it again. */
  received(chunk: Uint8Array): void;
  /** Everything written has gone out, after `isBlocked` was seen. */
  drained(): void;
  /** The peer sends nothing more: close it. Once, and not after `close` or `abort`. The words say why, for people. */
  closed(reason: string): void;
}

export interface Connection {
  readonly localAddress: IpAddress;
  readonly remoteAddress: IpAddress;
  /** The interface that a link-local `remoteAddress` belongs to. */
  readonly interface: string | undefined;
  /** Octets written that the operating system has not taken. */
  readonly unsent: number;
  /** Enough is unsent: the next `drained` says when to go on. */
  readonly isBlocked: boolean;
  /** Since a segment of the peer was last taken, an acknowledgement included; 0 where the system does not say. */
  readonly silentMilliseconds: number;
  /** Call once, before anything else; until then nothing is read. */
  start(handler: ConnectionHandler): void;
  /** The bytes are kept, not copied, until they have gone out. */
  write(bytes: Uint8Array): void;
  /** Between the two, writes are gathered. */
  cork(): void;
  uncork(): void;
  /** From now on segments are signed so, and only such are taken (RFC 2385). False if the system refuses. */
  setKey(key: string | undefined): boolean;
  pause(): void;
  resume(): void;
  /** What was written still goes out, for a while. Idempotent. */
  close(): void;
  /** Now. Idempotent. */
  abort(): void;
}

export interface DialHandler {
  connected(connection: Connection): void;
  failed(reason: string): void;
}

/** What somebody who connects is held to. */
export interface Admission extends ConnectionSettings {
  /** There is a TCP MD5 key for him (RFC 2385). */
  readonly isSigned: boolean;
}

/** Judges connections as they come, before anything is allocated for them. */
export interface Doorman {
  /** Undefined: turn it away. */
  admits(remote: IpAddress, remoteInterface: string | undefined, local: IpAddress): Admission | undefined;
  accept(connection: Connection): void;
}

export interface Listening {
  readonly address: IpAddress;
  readonly port: number;
  /** The MD5 key of whoever connects from there; undefined takes it away. Takes effect for connections to come. */
  setKey(address: IpAddress, prefixLength: number, key: string | undefined): void;
  close(): void;
}

/** `code` is that of the operating system: EADDRINUSE, EACCES, ... */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Transport {
  /** The handler is called later, never from within, and once; not at all after `cancel`. */
  dial(request: DialRequest, handler: DialHandler): { cancel(): void };
  /** Rejects with ListenError. */
  listen(address: IpAddress, port: number, doorman: Doorman): Promise<Listening>;
  /** Resolves when every connection that was closed has sent what was written to it, or has been given up. */
  settled(): Promise<void>;
}
