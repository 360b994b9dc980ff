/** Helpers for netlink messages in tests: bytes from hex, a cursor on them. */

import { parseAddress } from "../../../src/bgp/model/address.ts";
import type { FibNextHop, FibTarget } from "../../../src/fib/fib.ts";
import { MessageCursor } from "../../../src/fib/netlink/message.ts";

/** Spaces and line breaks are for people. */
export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replace(/\s+/g, ""), "hex"));
}

/** On the first message. */
export function cursorOn(hex: string): MessageCursor {
  const data = bytes(hex);
  const cursor = new MessageCursor(data);
  cursor.reset(data.length);
  if (!cursor.next()) throw new RangeError("not a message");
  return cursor;
}

export function hop(gateway: string | undefined, interfaceIndex = 0, more: Partial<FibNextHop> = {}): FibNextHop {
  const address = gateway === undefined ? undefined : parseAddress(gateway);
  return { gateway: address, interface: interfaceIndex, onlink: false, weight: 1, ...more };
}

export function unicast(nextHops: FibNextHop | readonly FibNextHop[], more: Partial<FibTarget> = {}): FibTarget {
  const hops = "weight" in nextHops ? [nextHops] : nextHops;
  return { kind: "unicast", nextHops: hops, preferredSource: undefined, metric: undefined, ...more };
}

export const BLACKHOLE: FibTarget = { kind: "blackhole", nextHops: [], preferredSource: undefined, metric: undefined };
export const UNREACHABLE: FibTarget = { ...BLACKHOLE, kind: "unreachable" };
