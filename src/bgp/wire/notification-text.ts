/** NOTIFICATION codes in words, for logs and tables (RFC 4271 §4.5, 4486, 5492, 6608, 7313, 8538, 9003, 9234, 9384, 9687). */

import { CeaseSubcode, NotificationCode, OpenSubcode } from "../model/messages.ts";
import { decodeShutdownText, unwrapHardReset } from "./notification.ts";

interface CodeText {
  readonly name: string;
  readonly subcodes: Readonly<Record<number, string>>;
}

const CODES: Readonly<Record<number, CodeText>> = {
  [NotificationCode.MessageHeader]: {
    name: "message header error",
    subcodes: { 1: "connection not synchronized", 2: "bad message length", 3: "bad message type" },
  },
  [NotificationCode.Open]: {
    name: "OPEN error",
    subcodes: {
      1: "unsupported version number",
      2: "bad peer AS",
      3: "bad BGP Identifier",
      4: "unsupported optional parameter",
      5: "authentication failure",
      6: "unacceptable hold time",
      7: "unsupported capability",
      11: "role mismatch",
    },
  },
  [NotificationCode.Update]: {
    name: "UPDATE error",
    subcodes: {
      1: "malformed attribute list",
      2: "unrecognized well-known attribute",
      3: "missing well-known attribute",
      4: "attribute flags error",
      5: "attribute length error",
      6: "invalid ORIGIN",
      7: "AS routing loop",
      8: "invalid NEXT_HOP",
      9: "optional attribute error",
      10: "invalid network field",
      11: "malformed AS_PATH",
    },
  },
  [NotificationCode.HoldTimerExpired]: { name: "hold timer expired", subcodes: {} },
  [NotificationCode.FiniteStateMachine]: {
    name: "finite state machine error",
    subcodes: {
      1: "unexpected message in OpenSent",
      2: "unexpected message in OpenConfirm",
      3: "unexpected message in Established",
    },
  },
  [NotificationCode.Cease]: {
    name: "Cease",
    subcodes: {
      1: "maximum number of prefixes reached",
      2: "administrative shutdown",
      3: "peer de-configured",
      4: "administrative reset",
      5: "connection rejected",
      6: "other configuration change",
      7: "connection collision resolution",
      8: "out of resources",
      9: "hard reset",
      10: "BFD down",
    },
  },
  [NotificationCode.RouteRefresh]: { name: "ROUTE-REFRESH error", subcodes: { 1: "invalid message length" } },
  [NotificationCode.SendHoldTimerExpired]: { name: "send hold timer expired", subcodes: {} },
};

/** "Cease: administrative shutdown: maintenance". */
export function describeNotification(code: number, subcode: number, data: Uint8Array): string {
  const known = CODES[code];
  const parts = [known?.name ?? `code ${code}`];
  // Subcode 0 is "unspecific" wherever it stands, and says nothing.
  const reason = known?.subcodes[subcode] ?? (subcode === 0 ? undefined : `subcode ${subcode}`);
  if (reason !== undefined) parts.push(reason);
  const detail = describeData(code, subcode, data);
  if (detail !== undefined) parts.push(detail);
  return parts.join(": ");
}

function describeData(code: number, subcode: number, data: Uint8Array): string | undefined {
  const inner = unwrapHardReset({ code, subcode, data });
  if (inner !== undefined) {
    // RFC 8538 §3 forbids a hard reset inside another; naming it is enough and ends the recursion.
    return unwrapHardReset(inner) === undefined
      ? describeNotification(inner.code, inner.subcode, inner.data)
      : undefined;
  }
  if (code === NotificationCode.Cease) {
    if (subcode === CeaseSubcode.AdministrativeShutdown || subcode === CeaseSubcode.AdministrativeReset) {
      return decodeShutdownText(data);
    }
    if (subcode === CeaseSubcode.MaximumPrefixes) return describeLimit(data);
  }
  if (code === NotificationCode.Open && subcode === OpenSubcode.UnsupportedVersion && data.length === 2) {
    return `it supports version ${((data[0] ?? 0) << 8) | (data[1] ?? 0)}`;
  }
  return undefined;
}

/** RFC 4486 §4: AFI, SAFI and the limit. */
function describeLimit(data: Uint8Array): string | undefined {
  if (data.length !== 7) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return `limit ${view.getUint32(3)} for AFI ${view.getUint16(0)} SAFI ${view.getUint8(2)}`;
}
