/** What a peer shows of itself: a picture of the moment, for people. */

import type { SessionState } from "./fsm-types.ts";
import type { IpAddress } from "./model/address.ts";
import type { Negotiated } from "./negotiation.ts";

export interface PeerSnapshot {
  readonly state: SessionState;
  readonly enabled: boolean;
  /** Of `state`; on the monotonic clock. */
  readonly since: number;
  /** When the last session began or ended, or the peer was made known; on the monotonic clock. */
  readonly cameOrWent: number;
  /** Milliseconds that the timers have still to run; undefined for one that does not. */
  readonly remaining: { readonly hold: number | undefined; readonly keepalive: number | undefined };
  /** How often it became Established. */
  readonly transitions: number;
  readonly lastError: string | undefined;
  readonly remoteAddress: IpAddress | undefined;
  readonly localAddress: IpAddress | undefined;
  readonly negotiated: Negotiated | undefined;
  readonly messages: {
    readonly received: Readonly<Record<string, number>>;
    readonly sent: Readonly<Record<string, number>>;
  };
}
