/** The addresses that peers connect to, the MD5 keys on them (RFC 2385), and what becomes of strangers. */

import { KeyRing } from "./key-ring.ts";
import { formatAddress, type IpAddress } from "./model/address.ts";
import type { Clock, Logger } from "./model/ports.ts";
import type { SpeakerOptions } from "./options.ts";
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
  readonly #strangers: RateLimitedLog<IpAddress>;
  readonly #refusals: RateLimitedLog<Refusal & { readonly address: IpAddress }>;
  readonly keys: KeyRing;
  /** By the place that was asked for. */
  readonly #listening = new Map<string, Listening>();

  constructor(parts: { transport: Transport; clock: Clock; logger: Logger; gatekeeper: Gatekeeper }) {
    this.#transport = parts.transport;
    this.#gatekeeper = parts.gatekeeper;
    this.keys = new KeyRing(parts.clock, parts.logger);
    this.#strangers = new RateLimitedLog(parts.clock, (address, count) =>
      parts.logger.warn({ address: formatAddress(address), count }, "connection from a stranger refused"),
    );
    this.#refusals = new RateLimitedLog(parts.clock, ({ peer, address, refusal }, count) =>
      parts.logger.warn({ peer, address: formatAddress(address), reason: refusal, count }, "connection refused"),
    );
  }

  /** There and nowhere else: sockets that are there already stay. Never rejects: what could not be done is in the result, in words. */
  async listen(where: SpeakerOptions["listen"]): Promise<ListenResult> {
    const wanted = new Map(where.map((place) => [placeText(place), place]));
    for (const [text, listening] of [...this.#listening]) if (!wanted.has(text)) this.#close(text, listening);
    const failures: ListenError[] = [];
    for (const [text, { address, port }] of wanted) {
      if (this.#listening.has(text)) continue;
      try {
        const listening = await this.#transport.listen(address, port, this);
        this.#listening.set(text, listening);
        this.keys.attach(listening);
      } catch (error) {
        if (!(error instanceof ListenError)) throw error;
        failures.push(error);
      }
    }
    const listening = Array.from(this.#listening.values(), ({ address, port }) => ({ address, port }));
    return { listening, failures };
  }

  stop(): void {
    for (const [text, listening] of [...this.#listening]) this.#close(text, listening);
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

  #close(text: string, listening: Listening): void {
    this.#listening.delete(text);
    this.keys.detach(listening);
    listening.close();
  }
}

function placeText({ address, port }: SpeakerOptions["listen"][number]): string {
  return `${formatAddress(address)} ${port}`;
}
