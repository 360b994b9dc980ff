/** RTM_NEWROUTE and RTM_DELROUTE as the kernel sends them (rtnetlink(7)), read into one record that is used again and again. */

import { Family } from "../../bgp/model/family.ts";
import { AF_INET, AF_INET6, ROUTE_HEADER_BYTES, RouteAttribute } from "./constants.ts";
import type { MessageCursor } from "./message.ts";

export class RouteMessage {
  family: Family = Family.Ipv4;
  length = 0;
  w0 = 0;
  w1 = 0;
  w2 = 0;
  w3 = 0;
  tos = 0;
  table = 0;
  protocol = 0;
  scope = 0;
  type = 0;
  flags = 0;
  /** Priority; 0 where there is none. */
  metric = 0;

  /** False for another family, and for what is not a whole message. Leaves the cursor's attributes parsed. */
  decode(cursor: MessageCursor): boolean {
    const view = cursor.view;
    const at = cursor.payload;
    if (at + ROUTE_HEADER_BYTES > cursor.end) return false;
    const family = view.getUint8(at);
    if (family !== AF_INET && family !== AF_INET6) return false;
    this.family = family === AF_INET ? Family.Ipv4 : Family.Ipv6;
    this.length = view.getUint8(at + 1);
    this.tos = view.getUint8(at + 3);
    this.protocol = view.getUint8(at + 5);
    this.scope = view.getUint8(at + 6);
    this.type = view.getUint8(at + 7);
    this.flags = view.getUint32(at + 8, true);
    cursor.parseAttributes(at + ROUTE_HEADER_BYTES);
    this.table = cursor.u32(RouteAttribute.Table, view.getUint8(at + 4));
    this.metric = cursor.u32(RouteAttribute.Priority, 0);
    const destination = cursor.attribute(RouteAttribute.Destination, family === AF_INET ? 4 : 16);
    if (destination === 0) {
      this.w0 = this.w1 = this.w2 = this.w3 = 0;
      return this.length === 0;
    }
    this.w0 = view.getUint32(destination);
    const wide = family === AF_INET6;
    this.w1 = wide ? view.getUint32(destination + 4) : 0;
    this.w2 = wide ? view.getUint32(destination + 8) : 0;
    this.w3 = wide ? view.getUint32(destination + 12) : 0;
    return this.length <= (wide ? 128 : 32);
  }
}
