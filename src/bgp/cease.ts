/** Why we end a session: the Cease that says it (RFC 4486, RFC 8538 §3, RFC 9003) and the words for people. */

import { CeaseSubcode, NotificationCode, type NotificationMessage } from "./model/messages.ts";
import { encodeShutdownText, hardReset } from "./wire/notification.ts";

const WORDS: Readonly<Record<number, string>> = {
  [CeaseSubcode.MaximumPrefixes]: "maximum number of prefixes reached",
  [CeaseSubcode.AdministrativeShutdown]: "disabled by the operator",
  [CeaseSubcode.PeerDeconfigured]: "removed from the configuration",
  [CeaseSubcode.AdministrativeReset]: "reset by the operator",
  [CeaseSubcode.OtherConfigurationChange]: "configuration changed",
  [CeaseSubcode.BfdDown]: "BFD says the peer is unreachable",
};

export function ceaseReason(subcode: number, message: string | undefined): string {
  const words = WORDS[subcode] ?? "session ended";
  return message === undefined || message === "" ? words : `${words}: ${message}`;
}

/** `notificationSupport`: both sides keep routes over a NOTIFICATION unless it is a hard reset (RFC 8538 §2). */
export function ceaseNotification(
  subcode: number,
  message: string | undefined,
  notificationSupport: boolean,
): NotificationMessage {
  // RFC 9003 §2: these two carry text.
  const data = isOperators(subcode) && message ? encodeShutdownText(message) : new Uint8Array(0);
  const cease: NotificationMessage = { code: NotificationCode.Cease, subcode, data };
  return notificationSupport && isHard(subcode) ? hardReset(cease) : cease;
}

/** Somebody wanted it, so the machine starts afresh (RFC 4271 §8.1.2). */
export function isOperators(subcode: number): boolean {
  return subcode === CeaseSubcode.AdministrativeShutdown || subcode === CeaseSubcode.AdministrativeReset;
}

/** The routes shall go with the session. */
function isHard(subcode: number): boolean {
  return isOperators(subcode) || subcode === CeaseSubcode.MaximumPrefixes || subcode === CeaseSubcode.PeerDeconfigured;
}
