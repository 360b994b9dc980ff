/** Requests for everything of a kind: RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE with NLM_F_DUMP. */

import { Family } from "../../bgp/model/family.ts";
import {
  AF_INET,
  AF_INET6,
  Flag,
  HEADER_BYTES,
  LINK_SKIP_STATISTICS,
  LinkAttribute,
  MessageType,
  RouteAttribute,
  TABLE_COMPAT,
} from "./constants.ts";

export function linkDump(sequence: number): Uint8Array {
  const bytes = request(MessageType.GetLink, 16 + 8, sequence);
  const view = new DataView(bytes.buffer);
  attribute(view, HEADER_BYTES + 16, LinkAttribute.ExtendedMask, LINK_SKIP_STATISTICS);
  return bytes;
}

/** Of both families. */
export function addressDump(sequence: number): Uint8Array {
  return request(MessageType.GetAddr, 8, sequence);
}

/** With NETLINK_GET_STRICT_CHK (Linux 4.20) the kernel leaves other tables out by itself. */
export function routeDump(family: Family, table: number, sequence: number): Uint8Array {
  const bytes = request(MessageType.GetRoute, 12 + 8, sequence);
  bytes[HEADER_BYTES] = family === Family.Ipv4 ? AF_INET : AF_INET6;
  bytes[HEADER_BYTES + 4] = table < 256 ? table : TABLE_COMPAT;
  attribute(new DataView(bytes.buffer), HEADER_BYTES + 12, RouteAttribute.Table, table);
  return bytes;
}

function request(type: number, payload: number, sequence: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, Flag.Request | Flag.Dump, true);
  view.setUint32(8, sequence, true);
  return bytes;
}

function attribute(view: DataView, at: number, type: number, value: number): void {
  view.setUint16(at, 8, true);
  view.setUint16(at + 2, type, true);
  view.setUint32(at + 4, value, true);
}
