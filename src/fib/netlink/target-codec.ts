/** Where packets go, as the attributes of a route message: gateways, interfaces, multipath, and IPv4 via IPv6 (RTA_VIA; RFC 8950). */

import { type IpAddress, ipv4, ipv6 } from "../../bgp/model/address.ts";
import { Family } from "../../bgp/model/family.ts";
import type { FibNextHop, FibTarget } from "../fib.ts";
import { AF_INET6, NEXT_HOP_ONLINK, RouteAttribute, RouteScope, RouteType, TABLE_COMPAT } from "./constants.ts";
import type { MessageCursor } from "./message.ts";
import type { RouteMessage } from "./route-message.ts";

const NEXT_HOP_BYTES = 8;

/** The words of a request after its address: table, protocol, scope and type; flags; then the attributes. */
export interface EncodedTarget {
  readonly add: Int32Array;
  /** Matches the route by table, protocol and metric, whatever its next hops. */
  readonly remove: Int32Array;
}

/** `metric` 0 is left out. */
export function encodeTarget(
  family: Family,
  target: FibTarget,
  table: number,
  protocol: number,
  metric: number,
): EncodedTarget {
  const add: number[] = [];
  const remove: number[] = [];
  appendTable(add, table);
  appendTable(remove, table);
  if (metric !== 0) {
    appendWord(add, RouteAttribute.Priority, metric);
    appendWord(remove, RouteAttribute.Priority, metric);
  }
  const source = target.preferredSource;
  if (source !== undefined && source.family === family) {
    appendAttribute(add, RouteAttribute.PreferredSource, addressBytes(source));
  }
  const hops = target.kind === "unicast" ? target.nextHops : [];
  const single = hops.length === 1 ? hops[0] : undefined;
  if (single !== undefined) appendHop(add, family, single, true);
  else if (hops.length > 1) appendAttribute(add, RouteAttribute.Multipath, multipath(family, hops));
  // As ip-route(8): a destination without any gateway is on the link.
  const scope =
    hops.some((hop) => hop.gateway === undefined) && hops.length === 1 ? RouteScope.Link : RouteScope.Universe;
  const table8 = table < 256 ? table : TABLE_COMPAT;
  return {
    add: words(
      [table8, protocol, family === Family.Ipv4 ? scope : RouteScope.Universe, routeTypeOf(target)],
      single?.onlink === true ? NEXT_HOP_ONLINK : 0,
      add,
    ),
    // Scope "nowhere" and type 0 match any; IPv6 looks at neither.
    remove: words([table8, protocol, RouteScope.Nowhere, 0], 0, remove),
  };
}

/** The target of a route message; undefined for types that starling has no word for (local, broadcast, throw, ...). Allocates. */
export function decodeTarget(route: RouteMessage, cursor: MessageCursor): FibTarget | undefined {
  const kind = kindOf(route.type);
  if (kind === undefined) return undefined;
  const sourceAt = cursor.attribute(RouteAttribute.PreferredSource, route.family === Family.Ipv4 ? 4 : 16);
  return {
    kind,
    nextHops: kind === "unicast" ? decodeHops(route, cursor) : [],
    preferredSource: sourceAt === 0 ? undefined : addressAt(cursor.view, sourceAt, route.family),
    metric: route.metric,
  };
}

function decodeHops(route: RouteMessage, cursor: MessageCursor): FibNextHop[] {
  const start = cursor.attribute(RouteAttribute.Multipath);
  if (start === 0) {
    return [
      {
        gateway: gatewayOf(cursor, route.family),
        interface: cursor.u32(RouteAttribute.OutInterface, 0),
        onlink: (route.flags & NEXT_HOP_ONLINK) !== 0,
        weight: 1,
      },
    ];
  }
  const end = start + cursor.attributeLength(RouteAttribute.Multipath);
  const hops: FibNextHop[] = [];
  for (let at = start; at + NEXT_HOP_BYTES <= end; ) {
    const length = cursor.view.getUint16(at, true);
    if (length < NEXT_HOP_BYTES || at + length > end) break;
    cursor.parseAttributes(at + NEXT_HOP_BYTES, at + length);
    hops.push({
      gateway: gatewayOf(cursor, route.family),
      interface: cursor.view.getUint32(at + 4, true),
      onlink: (cursor.view.getUint8(at + 2) & NEXT_HOP_ONLINK) !== 0,
      weight: cursor.view.getUint8(at + 3) + 1,
    });
    at += (length + 3) & ~3;
  }
  return hops;
}

function gatewayOf(cursor: MessageCursor, family: Family): IpAddress | undefined {
  const at = cursor.attribute(RouteAttribute.Gateway, family === Family.Ipv4 ? 4 : 16);
  if (at !== 0) return addressAt(cursor.view, at, family);
  const via = cursor.attribute(RouteAttribute.Via, 18);
  if (via !== 0 && cursor.view.getUint16(via, true) === AF_INET6) return addressAt(cursor.view, via + 2, Family.Ipv6);
  return undefined;
}

export function addressAt(view: DataView, at: number, family: Family): IpAddress {
  return family === Family.Ipv4
    ? ipv4(view.getUint32(at))
    : ipv6(view.getUint32(at), view.getUint32(at + 4), view.getUint32(at + 8), view.getUint32(at + 12));
}

function kindOf(type: number): FibTarget["kind"] | undefined {
  switch (type) {
    case RouteType.Unicast:
      return "unicast";
    case RouteType.Blackhole:
      return "blackhole";
    case RouteType.Unreachable:
    case RouteType.Prohibit:
      return "unreachable";
    default:
      return undefined;
  }
}

function routeTypeOf(target: FibTarget): number {
  switch (target.kind) {
    case "unicast":
      return RouteType.Unicast;
    case "blackhole":
      return RouteType.Blackhole;
    case "unreachable":
      return RouteType.Unreachable;
  }
}

function multipath(family: Family, hops: readonly FibNextHop[]): number[] {
  const out: number[] = [];
  for (const hop of hops) {
    const attributes: number[] = [];
    appendHop(attributes, family, hop, false);
    const length = NEXT_HOP_BYTES + attributes.length;
    out.push(length & 255, length >>> 8, hop.onlink ? NEXT_HOP_ONLINK : 0, hop.weight - 1);
    out.push(...littleEndian(hop.interface), ...attributes);
  }
  return out;
}

/** Gateway and, for a single next hop, interface; in a multipath the interface has its place before the attributes. */
function appendHop(out: number[], family: Family, hop: FibNextHop, withInterface: boolean): void {
  const gateway = hop.gateway;
  if (gateway !== undefined) {
    if (gateway.family === family) appendAttribute(out, RouteAttribute.Gateway, addressBytes(gateway));
    else appendAttribute(out, RouteAttribute.Via, [AF_INET6, 0, ...addressBytes(gateway)]);
  }
  if (withInterface && hop.interface !== 0) appendWord(out, RouteAttribute.OutInterface, hop.interface);
}

function appendTable(out: number[], table: number): void {
  if (table > 255) appendWord(out, RouteAttribute.Table, table);
}

function appendWord(out: number[], type: number, value: number): void {
  appendAttribute(out, type, littleEndian(value));
}

function appendAttribute(out: number[], type: number, value: readonly number[]): void {
  const length = 4 + value.length;
  out.push(length & 255, length >>> 8, type, 0, ...value);
  while (out.length % 4 !== 0) out.push(0);
}

function addressBytes(a: IpAddress): number[] {
  const parts = a.family === Family.Ipv4 ? [a.w0] : [a.w0, a.w1, a.w2, a.w3];
  return parts.flatMap((w) => [w >>> 24, (w >>> 16) & 255, (w >>> 8) & 255, w & 255]);
}

function littleEndian(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

function words(header: readonly number[], flags: number, attributes: readonly number[]): Int32Array {
  return new Int32Array(Uint8Array.from([...header, ...littleEndian(flags), ...attributes]).buffer);
}
