/** NLMSG_ERROR: the answer to a request, with the kernel's own words where it has some (extended acknowledgements, netlink(7)). */

import { Flag, HEADER_BYTES } from "./constants.ts";
import type { MessageCursor } from "./message.ts";

const ATTRIBUTE_MESSAGE = 1;

/** The errno, 0 for an acknowledgement. Which request it answers: `cursor.sequence`. */
export function errorCode(cursor: MessageCursor): number {
  return cursor.payload + 4 <= cursor.end ? 0 - cursor.view.getInt32(cursor.payload, true) : 0;
}

/** "Nexthop has invalid gateway", or undefined. */
export function errorText(cursor: MessageCursor): string | undefined {
  if ((cursor.flags & Flag.AckTlvs) === 0 || cursor.payload + 4 + HEADER_BYTES > cursor.end) return undefined;
  const request = cursor.payload + 4;
  const length = (cursor.flags & Flag.Capped) !== 0 ? HEADER_BYTES : cursor.view.getUint32(request, true);
  cursor.parseAttributes(request + ((length + 3) & ~3));
  return cursor.text(ATTRIBUTE_MESSAGE);
}

/** NLMSG_DONE ends a dump; it carries an errno when the dump failed on the way. */
export function doneCode(cursor: MessageCursor): number {
  return errorCode(cursor);
}
