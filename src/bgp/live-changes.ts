/** Options that a session takes over while it stands: what neither the OPEN nor the connection was built on. */

import type { Clock } from "./model/ports.ts";
import { keepaliveFor } from "./negotiation.ts";
import type { PeerOptions } from "./options.ts";
import type { Session } from "./session.ts";
import type { DialRequest, Transport } from "./transport.ts";

/** How long a peer is given to take up a TCP MD5 key before it is asked, and between two times that it is. */
const ASK_MILLISECONDS = 5_000;
/** The kernel counts in ticks of up to 10 ms. */
const TICK_MILLISECONDS = 10;

export interface KeyChange {
  readonly key: string | undefined;
  readonly clock: Clock;
  readonly transport: Transport;
  /** How to connect with the new key; undefined where only the peer connects. */
  readonly request: () => DialRequest | undefined;
}

/** False if the system does not let the connection go on with the other key: the session must begin anew. */
export function changeKey(sessions: Iterable<Session>, change: KeyChange): boolean {
  for (const session of sessions) {
    if (session.connection?.setKey(change.key) === false) return false;
    if (session.state !== "Established") continue;
    session.keyChangedAt = change.clock.now();
    session.probe();
    watch(session, change);
  }
  return true;
}

/** The peer may have forgotten an Established session: it restarts gracefully, or says nothing since the key is another. */
export function mayBeRelic(session: Session | undefined, now: number): boolean {
  if (session === undefined) return false;
  return session.negotiated?.gracefulRestart !== undefined || isInDoubt(session, now);
}

function isInDoubt({ connection, keyChangedAt }: Session, now: number): boolean {
  if (connection === undefined || keyChangedAt === undefined) return false;
  return connection.silentMilliseconds >= now - keyChangedAt - TICK_MILLISECONDS;
}

/**
 * Both sides must change a key, and until the second one has, TCP sends again what was not taken (RFC 2385 §4). That may be soon, or
 * when somebody has come to the other machine. But a peer that begins anew for the key cannot say so, since its last words bear the
 * old one.
 *
 * RFC: either way, the hold time decides.
 * Ours: a peer that takes a connection with the new key, and not what is said on the old one, has begun anew: so do we.
 */
function watch(session: Session, change: KeyChange): void {
  const { clock, transport } = change;
  const { connection, keyChangedAt } = session;
  const isOver = () =>
    session.connection !== connection || session.keyChangedAt !== keyChangedAt || !isInDoubt(session, clock.now());
  const ask = () => {
    if (isOver()) return;
    clock.after(ASK_MILLISECONDS, ask);
    const request = change.request();
    if (request === undefined) return;
    const attempt = transport.dial(request, {
      connected: (other) => {
        other.abort();
        if (!isOver()) session.handle({ kind: "connectionFailed" }, "the peer has begun anew for the new password");
      },
      failed: () => {},
    });
    clock.after(ASK_MILLISECONDS / 2, () => attempt.cancel());
  };
  clock.after(ASK_MILLISECONDS, ask);
}

/** RFC 4271 §4.4: the interval of KEEPALIVE messages is each side's own. */
export function changeKeepalive(session: Session, { keepaliveSeconds }: PeerOptions): void {
  const { negotiated } = session;
  if (negotiated === undefined) return;
  const seconds = keepaliveFor(negotiated.holdSeconds, keepaliveSeconds);
  if (seconds !== negotiated.keepaliveSeconds) session.setKeepalive(seconds);
}
