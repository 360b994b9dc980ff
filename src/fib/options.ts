/** What the daemon tells the kernel's side: plain values, translated from the configuration. */

import type { IpAddress } from "../bgp/model/address.ts";

export interface FibOptions {
  /** Number of the routing table; 254 is main. */
  readonly table: number;
  /** rtm_protocol of the routes written: 12 is bird, 186 bgp. */
  readonly protocol: number;
  /** Metric (priority) of the routes written; undefined leaves the kernel's default. */
  readonly metric: number | undefined;
  /** What packets of this machine's own over these routes bear as their source unless told otherwise; at most one of each family. */
  readonly preferredSources: readonly IpAddress[];
  readonly learn:
    | { readonly protocols: readonly number[] /** globs; empty: all */; readonly interfaces: readonly string[] }
    | undefined;
  /** Globs of interfaces whose connected prefixes are not learnt. */
  readonly excludeInterfaces: readonly string[];
  /** How long routes of an earlier run stay when the sessions do not resynchronise earlier. */
  readonly pruneAfterMilliseconds: number;
}
