/** The kernel's side in the JSON that users see. */

import { formatAddress } from "../bgp/model/address.ts";
import { FAMILIES } from "../bgp/model/family.ts";
import { formatPrefix } from "../bgp/model/prefix.ts";
import type { KernelTargetView, KernelView } from "../control/views.ts";
import type { Fib, FibTarget } from "../fib/fib.ts";

export type InterfaceName = (index: number) => string | undefined;

export function* kernelViews(fib: Fib, interfaceName: InterfaceName): Generator<KernelView, void> {
  for (const family of FAMILIES) {
    for (const { prefix, wanted, present, state, reason } of fib.entries(family)) {
      yield {
        prefix: formatPrefix(prefix),
        wanted: targetView(wanted, interfaceName),
        present: targetView(present, interfaceName),
        state,
        reason: reason ?? null,
      };
    }
  }
}

function targetView(target: FibTarget | undefined, interfaceName: InterfaceName): KernelTargetView | null {
  if (target === undefined) return null;
  return {
    kind: target.kind,
    nextHops: target.nextHops.map((hop) => ({
      gateway: hop.gateway === undefined ? null : formatAddress(hop.gateway),
      interface: interfaceName(hop.interface) ?? null,
      weight: hop.weight,
      onlink: hop.onlink,
    })),
    metric: target.metric ?? null,
    preferredSource: target.preferredSource === undefined ? null : formatAddress(target.preferredSource),
  };
}
