/** Decoded targets by their bytes: in a dump thousands of routes share one, and need not each make their own. */

import type { FibTarget } from "./fib.ts";
import { RouteAttribute } from "./netlink/constants.ts";
import type { MessageCursor } from "./netlink/message.ts";
import type { RouteMessage } from "./netlink/route-message.ts";
import { decodeTarget } from "./netlink/target-codec.ts";

const MAX_TARGETS = 10_000;

export class TargetCache {
  readonly #byBytes = new Map<string, FibTarget | undefined>();

  clear(): void {
    this.#byBytes.clear();
  }

  /** As decodeTarget. `route` has just been decoded from the cursor. */
  decode(route: RouteMessage, cursor: MessageCursor): FibTarget | undefined {
    // What follows the destination is the target, and what precedes it the table. The kernel writes them in this order.
    const destination = cursor.attribute(RouteAttribute.Destination);
    const start = destination === 0 ? cursor.payload : destination + cursor.attributeLength(RouteAttribute.Destination);
    const bytes = Buffer.from(cursor.bytes.buffer, cursor.bytes.byteOffset, cursor.bytes.byteLength);
    const key = `${route.type} ${route.flags} ${route.metric} ${bytes.toString("latin1", start, cursor.end)}`;
    const known = this.#byBytes.get(key);
    if (known !== undefined || this.#byBytes.has(key)) return known;
    const target = decodeTarget(route, cursor);
    if (this.#byBytes.size >= MAX_TARGETS) this.#byBytes.clear();
    this.#byBytes.set(key, target);
    return target;
  }
}
