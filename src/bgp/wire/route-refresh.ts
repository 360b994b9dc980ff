/** ROUTE-REFRESH (RFC 2918 §3) with the subtype of RFC 7313 §3.2. */

import {
  MessageType,
  NotificationCode,
  NotificationError,
  type RouteRefreshMessage,
  RouteRefreshSubcode,
} from "../model/messages.ts";
import { beginMessage, endMessage } from "./header.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

const BODY_LENGTH = 4;

export function encodeRouteRefresh(message: RouteRefreshMessage): Uint8Array {
  const w = new Writer(32);
  beginMessage(w, MessageType.RouteRefresh);
  w.u16(message.afi);
  w.u8(message.subtype);
  w.u8(message.safi);
  return endMessage(w);
}

/**
 * Throws NotificationError when the length is wrong. A plain request may be longer, since outbound route filters
 * (RFC 5291 §5) ride behind it; they are not negotiated here and so are ignored.
 */
export function decodeRouteRefresh(body: Uint8Array): RouteRefreshMessage {
  const subtype = body[2] ?? 0;
  if (body.length < BODY_LENGTH || (body.length !== BODY_LENGTH && subtype !== 0)) {
    // RFC 7313 §5: the data field holds the complete message.
    const w = new Writer(body.length + 32);
    beginMessage(w, MessageType.RouteRefresh);
    w.bytes(body);
    throw new NotificationError(
      NotificationCode.RouteRefresh,
      RouteRefreshSubcode.InvalidLength,
      `a ROUTE-REFRESH of subtype ${subtype} has ${body.length} octets instead of ${BODY_LENGTH}`,
      endMessage(w),
    );
  }
  const r = new Reader(body);
  const afi = r.u16();
  r.u8();
  return { afi, subtype, safi: r.u8() };
}
