/** What the protocol changes in a set of attributes before it passes it on, as data (RFC 4271 §5.1, RFC 4456 §8, RFC 9234 §5). */

import type { PathAttributes } from "./attributes.ts";
import type { Asn, RouterId } from "./ids.ts";

export type NextHopPair = Pick<PathAttributes, "nextHop" | "linkLocalNextHop">;

/** Worked out once for all sets that go the same way; what depends on the set says so. */
export interface AttributeEdit {
  /** In front of AS_PATH (RFC 4271 §5.1.2 b). */
  readonly prepend: Asn | undefined;
  /** MULTI_EXIT_DISC goes, unless AS_PATH is empty (RFC 4271 §5.1.4). */
  readonly dropsMed: boolean;
  /** A MULTI_EXIT_DISC that is there becomes 0 instead. */
  readonly zeroesMed: boolean;
  /** What LOCAL_PREF becomes; undefined takes it away. */
  readonly localPref: number | undefined;
  /** A LOCAL_PREF that is there stays. */
  readonly keepsLocalPref: boolean;
  /** One standard community more. */
  readonly community: number | undefined;
  /** ORIGINATOR_ID where nobody wrote one; undefined takes it away. */
  readonly originatorId: RouterId | undefined;
  /** In front of CLUSTER_LIST; undefined takes it away. */
  readonly clusters: readonly RouterId[] | undefined;
  /** Extended communities that do not cross AS borders go (RFC 4360 §6). */
  readonly dropsNonTransitive: boolean;
  /** ONLY_TO_CUSTOMER where there is none. */
  readonly onlyToCustomer: Asn | undefined;
}
