/** Options that a session takes over while it stands: what neither the OPEN nor the connection was built on. */

import type { Clock } from "./model/ports.ts";
import { keepaliveFor } from "./negotiation.ts";
import type { PeerOptions } from "./options.ts";
import type { Session } from "./session.ts";

/**
 * Both sides must change a TCP MD5 key, and until the second one has, TCP sends again what was not taken (RFC 2385 §4). A peer that
 * ends its session to take up the key cannot say so, since its last words bear the old one: nothing of it is heard for this long.
 */
const TAKE_UP_MILLISECONDS = 5_000;
/** The kernel counts in ticks of up to 10 ms. */
const TICK_MILLISECONDS = 10;

/** False if the system does not let the connection go on with the other key: the session must begin anew. */
export function changeKey(sessions: Iterable<Session>, key: string | undefined, clock: Clock): boolean {
  for (const session of sessions) {
    if (session.connection?.setKey(key) === false) return false;
    if (session.state === "Established") watch(session, clock);
  }
  return true;
}

/**
 * RFC: a session ends when its hold time is over.
 * Ours: sooner where graceful restart keeps the routes of both sides meanwhile, so that a peer that has begun anew is met again at once.
 */
function watch(session: Session, clock: Clock): void {
  const { connection } = session;
  session.probe();
  if (connection === undefined || session.negotiated?.gracefulRestart === undefined) return;
  const began = clock.now();
  clock.after(TAKE_UP_MILLISECONDS, () => {
    if (session.connection !== connection || session.state !== "Established") return;
    if (connection.silentMilliseconds < clock.now() - began - TICK_MILLISECONDS) return;
    session.handle({ kind: "connectionFailed" }, "the peer has not taken up the new password");
  });
}

/** RFC 4271 §4.4: the interval of KEEPALIVE messages is each side's own. */
export function changeKeepalive(session: Session, { keepaliveSeconds }: PeerOptions): void {
  const { negotiated } = session;
  if (negotiated === undefined) return;
  const seconds = keepaliveFor(negotiated.holdSeconds, keepaliveSeconds);
  if (seconds !== negotiated.keepaliveSeconds) session.setKeepalive(seconds);
}
