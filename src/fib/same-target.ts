/** Whether two targets send packets the same way. */

import { type IpAddress, sameAddress } from "../bgp/model/address.ts";
import type { FibNextHop, FibTarget } from "./fib.ts";

export function sameOptionalAddress(a: IpAddress | undefined, b: IpAddress | undefined): boolean {
  return a === undefined || b === undefined ? a === b : sameAddress(a, b);
}

function sameHop(a: FibNextHop, b: FibNextHop | undefined): boolean {
  return (
    b !== undefined &&
    a.interface === b.interface &&
    a.onlink === b.onlink &&
    a.weight === b.weight &&
    sameOptionalAddress(a.gateway, b.gateway)
  );
}

/** Next hops in the same order; the metric counts too. */
export function sameTarget(a: FibTarget, b: FibTarget): boolean {
  return (
    a.kind === b.kind &&
    a.metric === b.metric &&
    a.nextHops.length === b.nextHops.length &&
    sameOptionalAddress(a.preferredSource, b.preferredSource) &&
    a.nextHops.every((hop, i) => sameHop(hop, b.nextHops[i]))
  );
}
