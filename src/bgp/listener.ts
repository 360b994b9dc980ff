/** The addresses that peers connect to, the MD5 keys on them (RFC 2385), and what becomes of strangers. */

import { formatAddress, type IpAddress, ipv6 } from "./model/address.ts";
import { addressBits } from "./model/family.ts";
import type { Clock, Logger } from "./model/ports.ts";
import type { PeerOptions, SpeakerOptions } from "./options.ts";
import { RateLimitedLog } from "./rate-limited-log.ts";
import {
  type Admission,
  type Connection,
  type Doorman,
  ListenError,
  type Listening,
  type Transport,
} from "./transport.ts";

export interface ListenResult {
  readonly listening: readonly { readonly address: IpAddress; readonly port: number }[];
  readonly failures: readonly ListenError[];
}

interface Key {
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly password: string;
}

/** Why a peer, or somebody from its range, is turned away. */
export interface Refusal {
  readonly peer: string;
  readonly refusal: string;
}

/** Whoever decides who is a peer. */
export interface Gatekeeper {
  admits(remote: IpAddress, remoteInterface: string | undefined, local: IpAddress): Admission | Refusal | "stranger";
  accept(connection: Connection): void;
}

export class Listener implements Doorman {
  readonly #transport: Transport;
  readonly #gatekeeper: Gatekeeper;
  readonly #logger: Logger;
  readonly #strangers: RateLimitedLog<IpAddress>;
  readonly #refusals: RateLimitedLog<Refusal & { readonly address: IpAddress }>;
  readonly #keys = new Map<number, Key>();
  /** Peers whose key could not be set. */
  readonly #unprotected = new Set<number>();
  #listening: Listening[] = [];

  constructor(parts: { transport: Transport; clock: Clock; logger: Logger; gatekeeper: Gatekeeper }) {
    this.#transport = parts.transport;
    this.#gatekeeper = parts.gatekeeper;
    this.#logger = parts.logger;
    this.#strangers = new RateLimitedLog(parts.clock, (address, count) =>
      parts.logger.warn({ address: formatAddress(address), count }, "connection from a stranger refused"),
    );
    this.#refusals = new RateLimitedLog(parts.clock, ({ peer, address, refusal }, count) =>
      parts.logger.warn({ peer, address: formatAddress(address), reason: refusal, count }, "connection refused"),
    );
  }

  /** Never rejects: what could not be done is in the result, in words. */
  async start(where: SpeakerOptions["listen"]): Promise<ListenResult> {
    const failures: ListenError[] = [];
    for (const { address, port } of where) {
      try {
        const listening = await this.#transport.listen(address, port, this);
        this.#listening.push(listening);
        for (const [peer, key] of this.#keys) this.#protect(peer, listening, key);
      } catch (error) {
        if (!(error instanceof ListenError)) throw error;
        failures.push(error);
      }
    }
    return { listening: this.#listening.map(({ address, port }) => ({ address, port })), failures };
  }

  stop(): void {
    for (const listening of this.#listening) listening.close();
    this.#listening = [];
  }

  /** The key that this peer must sign with; none if it has no password. */
  setKeyOf(peer: PeerOptions): void {
    const key = keyOf(peer);
    const old = this.#keys.get(peer.id);
    if (old !== undefined && !(key !== undefined && sameKey(old, key))) this.forgetKeyOf(peer.id);
    if (key === undefined) return;
    this.#keys.set(peer.id, key);
    this.#unprotected.delete(peer.id);
    for (const listening of this.#listening) this.#protect(peer.id, listening, key);
  }

  /** Its key is where it belongs. Without it the system would let in whoever does not sign. */
  isProtected(peer: number): boolean {
    return !this.#unprotected.has(peer);
  }

  forgetKeyOf(peer: number): void {
    const key = this.#keys.get(peer);
    if (key === undefined) return;
    this.#keys.delete(peer);
    this.#unprotected.delete(peer);
    for (const listening of this.#listening) this.#setKey(listening, key, undefined);
  }

  admits(remote: IpAddress, remoteInterface: string | undefined, local: IpAddress): Admission | undefined {
    const verdict = this.#gatekeeper.admits(remote, remoteInterface, local);
    if (verdict === "stranger") this.#strangers.note(remote);
    else if ("refusal" in verdict) this.#refusals.note({ ...verdict, address: remote });
    else return verdict;
    return undefined;
  }

  accept(connection: Connection): void {
    this.#gatekeeper.accept(connection);
  }

  #protect(peer: number, listening: Listening, key: Key): void {
    if (!this.#setKey(listening, key, key.password)) this.#unprotected.add(peer);
  }

  /** False if the system refused. */
  #setKey(listening: Listening, key: Key, password: string | undefined): boolean {
    if (listening.address.family !== key.address.family) return true;
    try {
      listening.setKey(key.address, key.prefixLength, password);
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger.error(
        { address: formatAddress(key.address), reason },
        "cannot set TCP MD5 key: connections from there are refused",
      );
      return false;
    }
  }
}

/** The whole of link-local space for an unnumbered peer, whose address nobody knows. */
const LINK_LOCAL_BITS = 10;

function keyOf({ remote, password }: PeerOptions): Key | undefined {
  if (password === undefined) return undefined;
  switch (remote.kind) {
    case "address":
      return { address: remote.address, prefixLength: addressBits(remote.address.family), password };
    case "range":
      return { address: remote.prefix, prefixLength: remote.prefix.length, password };
    default:
      return { address: ipv6(0xfe800000, 0, 0, 0), prefixLength: LINK_LOCAL_BITS, password };
  }
}

function sameKey(a: Key, b: Key): boolean {
  return a.prefixLength === b.prefixLength && formatAddress(a.address) === formatAddress(b.address);
}
