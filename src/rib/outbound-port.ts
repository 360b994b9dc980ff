/** What an update group asks of the rules that its routes go out by. */

import type { AttrsId, PeerId } from "../bgp/model/ids.ts";

/** What a path becomes on its way out to the group. */
export interface Outbound {
  /** 0 when the path must not go out. The id is only lent: retain it to keep it. */
  attributesFor(path: number): AttrsId;
  /** The member that is not told of the path that was asked about last: it is its own, or would be sent to itself. */
  readonly notTold: PeerId;
  /** The protocol lets it go, whatever the operator's rules say. */
  mayLeave(path: number): boolean;
  /** Policy or session facts changed: forget what was worked out. */
  clear(): void;
}

/** May this path be sent where all paths are (RFC 7911): accepted, current, its next hop reachable. */
export type Usable = (path: number) => boolean;
