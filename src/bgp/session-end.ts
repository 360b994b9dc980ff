/** What becomes of a peer's routes when its session ends (RFC 4724 §4.2, RFC 8538 §4, RFC 9494 §4.2). */

import { CeaseSubcode, NotificationCode, type NotificationMessage } from "./model/messages.ts";
import type { SessionEnd } from "./model/ports.ts";
import type { Negotiated } from "./negotiation.ts";

export type EndCause =
  /** The connection went away, or the peer opened another behind our back. */
  | { readonly kind: "lost" }
  /** We closed it without a word. */
  | { readonly kind: "closed" }
  | { readonly kind: "notification"; readonly notification: NotificationMessage };

const FLUSH: SessionEnd = { kind: "flush" };

export function sessionEnd(negotiated: Negotiated, cause: EndCause): SessionEnd {
  const { gracefulRestart, longLived } = negotiated;
  if (gracefulRestart === undefined || !isGraceful(cause, gracefulRestart.notification)) return FLUSH;
  return {
    kind: "retain",
    families: gracefulRestart.families.map((family) => ({
      family,
      staleSeconds: gracefulRestart.timeSeconds,
      longLivedSeconds: longLived.find((l) => l.family === family)?.seconds ?? 0,
    })),
  };
}

function isGraceful(cause: EndCause, notificationSupport: boolean): boolean {
  switch (cause.kind) {
    case "lost":
      return true;
    case "closed":
      return false;
    default: {
      // RFC 8538 §4: with notification support any NOTIFICATION but a hard reset is like a lost connection, either way.
      const { code, subcode } = cause.notification;
      return notificationSupport && !(code === NotificationCode.Cease && subcode === CeaseSubcode.HardReset);
    }
  }
}
