/** Whether routes would be lost if some peers went: what a change that replaces sessions by others waits for. */

import { FAMILIES } from "../bgp/model/family.ts";
import type { PeerId } from "../bgp/model/ids.ts";
import type { LocRib } from "./loc-rib.ts";
import type { Rib } from "./rib.ts";

/** Destinations that are looked at in one step. */
const STEP = 1000;

/** True if every destination that these peers have a usable path to has another from somebody else. Ends at the first that has none. */
export function* isCovered(rib: Rib, leaving: ReadonlySet<PeerId>): Generator<undefined, boolean> {
  for (const family of FAMILIES) {
    const loc = rib.rib(family);
    const { prefixes } = loc.table;
    for (let id = 0; id < prefixes.end; id++) {
      if (id % STEP === STEP - 1) yield;
      if (prefixes.isLive(id) && rests(loc, id, leaving)) return false;
    }
  }
  return true;
}

/** The destination rests on the peers that leave, and on them alone. */
function rests(loc: LocRib, prefix: number, leaving: ReadonlySet<PeerId>): boolean {
  const { table } = loc;
  let isTheirs = false;
  for (let path = table.first(prefix); path >= 0; path = table.paths.next(path)) {
    if (!loc.isUsable(path)) continue;
    if (table.paths.source(path) !== "peer" || !leaving.has(table.paths.peer(path))) return false;
    isTheirs = true;
  }
  return isTheirs;
}
