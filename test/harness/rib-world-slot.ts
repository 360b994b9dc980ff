/** One place for a peer in the world of the tables: what it announced, and what of that should still be kept. */

import { type PeerId, type RouterId, routerId } from "../../src/bgp/model/ids.ts";

export interface Held {
  readonly prefix: number;
  readonly choice: number;
  readonly pathId: number;
}

interface Retained {
  readonly kind: "restart" | "longLived";
  readonly until: number;
  readonly longLivedSeconds: number;
}

export const keyOf = (held: Held) => `${held.prefix}#${held.pathId}`;
/** What a peer is given to tell everything when it is back. */
export const TELL_SECONDS = 300;
/** The attributes that bear NO_LLGR. */
const NO_LLGR = 2;

export class Slot {
  id: PeerId | undefined;
  router: RouterId = routerId(0);
  policies = { importing: 0, exporting: 0 };
  up = false;
  readonly fresh = new Map<string, Held>();
  stale = new Map<string, Held>();
  retention: Retained | undefined;
  /** Between BoRR and EoRR: what has been announced since, and how long the EoRR is waited for. */
  confirmed: Set<string> | undefined;
  refreshUntil = 0;

  longLive(until: number): void {
    this.retention = { kind: "longLived", until, longLivedSeconds: 0 };
    for (const [key, held] of this.stale) if (held.choice === NO_LLGR) this.stale.delete(key);
  }

  endRefresh(): void {
    const { confirmed } = this;
    if (confirmed !== undefined)
      for (const key of [...this.fresh.keys()]) if (!confirmed.has(key)) this.fresh.delete(key);
    this.confirmed = undefined;
  }

  confirm(): void {
    if (this.retention === undefined) return;
    this.stale.clear();
    this.retention = undefined;
  }
}
