/**
 * Another TCP MD5 key for a session that stands (RFC 2385 §4). Both sides must change it; until the second one has, neither takes what
 * the other sends, and TCP sends it again. The second one may follow at once, or when somebody has come to the other machine, or
 * never, where a daemon leaves connections that stand alone. And a daemon that begins anew for the key cannot say so, since its last
 * words bear the old one.
 *
 * RFC: the hold time decides.
 * Ours: where nothing is taken with the new key, we ask whether the peer takes a connection with it: then it has begun anew, and so do
 * we. Otherwise the session goes on with the old key, and the new one is tried again and again.
 */

import type { Clock } from "./model/ports.ts";
import type { Session } from "./session.ts";
import type { Connection, DialRequest, Transport } from "./transport.ts";

export interface KeyChangeParts {
  readonly before: string | undefined;
  readonly key: string | undefined;
  readonly clock: Clock;
  readonly transport: Transport;
  /** How to connect with the new key; undefined where only the peer connects. */
  readonly request: () => DialRequest | undefined;
}

/** The peer is likely to be told of the new key by the same hand. */
const FIRST_MILLISECONDS = 5_000;
/** One that begins anew and connects itself is given the time for it. */
const FIRST_PASSIVE_MILLISECONDS = 15_000;
/** Until a connection is answered, or a segment acknowledged that is signed as the peer wants it. */
const ANSWER_MILLISECONDS = 1_000;
/** Between two attempts with the new key: less than a peer of our kind waits before it asks. */
const AGAIN_MILLISECONDS = 3_000;
/** After that the old key stays for as long as the session does. */
const GIVE_UP_MILLISECONDS = 300_000;
/** The kernel counts in ticks of up to 10 ms: what it says it took after this cannot have been taken before the key was set. */
const TICK_MILLISECONDS = 10;
const SETTLE_MILLISECONDS = 2 * TICK_MILLISECONDS;

/** False if the system does not let the connection go on with the other key: the session must begin anew. */
export function changeKey(sessions: Iterable<Session>, parts: KeyChangeParts): boolean {
  for (const session of sessions) {
    const { connection } = session;
    if (connection === undefined) continue;
    // A change that comes while another is under way: the peer may still have the key of before that one.
    const before = session.keyChange === undefined ? parts.before : session.keyChange.before;
    if (!connection.setKey(parts.key)) return false;
    if (session.state === "Established") session.keyChange = new KeyChange(session, connection, { ...parts, before });
  }
  return true;
}

class KeyChange {
  readonly before: string | undefined;
  readonly #session: Session;
  readonly #connection: Connection;
  readonly #parts: KeyChangeParts;
  readonly #began: number;
  /** When something was first sent with the key that the connection has now. */
  #asked: number;

  constructor(session: Session, connection: Connection, parts: KeyChangeParts) {
    this.before = parts.before;
    this.#session = session;
    this.#connection = connection;
    this.#parts = parts;
    this.#began = parts.clock.now() + SETTLE_MILLISECONDS;
    this.#asked = this.#began;
    this.#after(SETTLE_MILLISECONDS, () => session.probe());
    const isPassive = parts.request() === undefined;
    this.#after(isPassive ? FIRST_PASSIVE_MILLISECONDS : FIRST_MILLISECONDS, () => this.#judgeNew());
  }

  /** Nothing of the peer was taken since, with either key: it may have begun anew. */
  get isInDoubt(): boolean {
    return !this.#isHeardSince(this.#began);
  }

  #judgeNew(): void {
    if (this.#isHeardSince(this.#asked)) {
      this.#session.keyChange = undefined;
      return;
    }
    const request = this.isInDoubt ? this.#parts.request() : undefined;
    if (request === undefined) {
      this.#goBack();
      return;
    }
    const attempt = this.#parts.transport.dial(request, {
      connected: (other) => {
        other.abort();
        if (this.#session.keyChange === this && this.isInDoubt)
          this.#session.handle({ kind: "connectionFailed" }, "the peer has begun anew for the new password");
      },
      failed: () => {},
    });
    this.#parts.clock.after(ANSWER_MILLISECONDS, () => {
      attempt.cancel();
      if (this.#isCurrent) this.#goBack();
    });
  }

  #goBack(): void {
    this.#use(this.#parts.before);
    this.#after(ANSWER_MILLISECONDS, () => {
      if (this.#parts.clock.now() - this.#began > GIVE_UP_MILLISECONDS && this.#isHeardSince(this.#asked)) return;
      this.#after(AGAIN_MILLISECONDS, () => {
        this.#use(this.#parts.key);
        this.#after(ANSWER_MILLISECONDS, () => this.#judgeNew());
      });
    });
  }

  /** Something is sent, so that it is seen whether it is taken. */
  #use(key: string | undefined): void {
    this.#connection.setKey(key);
    this.#asked = this.#parts.clock.now() + SETTLE_MILLISECONDS;
    this.#after(SETTLE_MILLISECONDS, () => this.#session.probe());
  }

  #isHeardSince(time: number): boolean {
    return this.#connection.silentMilliseconds < this.#parts.clock.now() - time + TICK_MILLISECONDS;
  }

  get #isCurrent(): boolean {
    return this.#session.keyChange === this && this.#session.state === "Established";
  }

  #after(milliseconds: number, run: () => void): void {
    this.#parts.clock.after(milliseconds, () => {
      if (this.#isCurrent) run();
    });
  }
}
