/** One member of an update group: how much of the table it has been told. */

import type { PeerId } from "../bgp/model/ids.ts";
import type { Remainder } from "./remainder.ts";
import type { ScanPlace } from "./round-scan.ts";

/** What another group has told a member that comes from there. */
export interface Told {
  readonly slots: Remainder;
  /** All of it has been dealt with. */
  readonly done: () => void;
}

export class GroupMember {
  readonly peer: PeerId;
  /** It has not been told the whole table yet: it will have been when the scan is at this place again, one lap on. */
  joining = false;
  scanEnd: ScanPlace = { id: 0, lap: 0 };
  /** What it has still to be told since it fell behind; undefined while it reads the shared log. */
  behind: Remainder | undefined;
  /** It asked for everything again meanwhile, by RFC 7313 or without. */
  asked: "enhanced" | "plain" | undefined;
  /** What this group does not advertise of it is withdrawn when it has been told everything else. */
  told: readonly Told[];

  constructor(peer: PeerId, told: readonly Told[]) {
    this.peer = peer;
    this.told = told;
  }

  letGo(): void {
    this.behind?.letGo();
    this.behind = undefined;
    for (const told of this.told) told.done();
    this.told = [];
  }
}

/** Where the scan has shown everything to the first of them; undefined without any. */
export function firstScanEnd(members: Iterable<GroupMember>): ScanPlace | undefined {
  let first: ScanPlace | undefined;
  for (const { scanEnd } of members)
    if (first === undefined || scanEnd.lap < first.lap || (scanEnd.lap === first.lap && scanEnd.id < first.id))
      first = scanEnd;
  return first;
}
