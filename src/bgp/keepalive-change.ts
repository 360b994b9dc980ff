/** Options that a session takes over while it stands: what neither the OPEN nor the connection was built on. */

import { keepaliveFor } from "./negotiation.ts";
import type { PeerOptions } from "./options.ts";
import type { Session } from "./session.ts";

/** RFC 4271 §4.4: the interval of KEEPALIVE messages is each side's own. */
export function changeKeepalive(session: Session, { keepaliveSeconds }: PeerOptions): void {
  const { negotiated } = session;
  if (negotiated === undefined) return;
  const seconds = keepaliveFor(negotiated.holdSeconds, keepaliveSeconds);
  if (seconds !== negotiated.keepaliveSeconds) session.setKeepalive(seconds);
}
