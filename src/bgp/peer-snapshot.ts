/** What a peer shows of itself: a picture of the moment, for people. */

import type { SessionState } from "./fsm-types.ts";
import type { IpAddress } from "./model/address.ts";
import type { Negotiated } from "./negotiation.ts";

export interface PeerSnapshot {
  readonly state: SessionState;
  readonly enabled: boolean;
  /** Of `state`; on the monotonic clock. */
  readonly since: number;
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
