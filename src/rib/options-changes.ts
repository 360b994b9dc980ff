/** What differs between two sets of options of the tables, so that a change does no more than it must. */

import type { RibOptions } from "./options.ts";
import { sameValue } from "./same-value.ts";

export interface OptionsChanges {
  /** Who we are: loop checks and what aggregates carry depend on it. */
  readonly speaker: boolean;
  /** LOCAL_PREF of own routes, preference of peers' routes. */
  readonly priorities: boolean;
  /** Anything but the rules for the kernel: every destination is decided, and every export judged, again. */
  readonly tables: boolean;
  /** What becomes of best paths on their way to the kernel. */
  readonly kernel: boolean;
}

export function optionsChanges(before: RibOptions, after: RibOptions): OptionsChanges {
  const speaker = before.asNumber !== after.asNumber || before.routerId !== after.routerId;
  const priorities = !sameValue(before.priorities, after.priorities);
  return {
    speaker,
    priorities,
    tables:
      speaker ||
      priorities ||
      before.clusterId !== after.clusterId ||
      before.maxPaths !== after.maxPaths ||
      before.alwaysCompareMed !== after.alwaysCompareMed ||
      before.resolveNextHops !== after.resolveNextHops,
    kernel: priorities || !sameValue(before.kernelRules, after.kernelRules),
  };
}
