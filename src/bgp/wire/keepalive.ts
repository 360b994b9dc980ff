/** KEEPALIVE: a header and nothing else (RFC 4271 §4.4). */

import { MessageType } from "../model/messages.ts";
import { beginMessage, endMessage } from "./header.ts";
import { Writer } from "./writer.ts";

export function encodeKeepalive(): Uint8Array {
  const w = new Writer(32);
  beginMessage(w, MessageType.Keepalive);
  return endMessage(w);
}
