/** What the kernel's side tells: routes of others and connected prefixes, for next hops to resolve over and perhaps to announce. */

import type { Prefix } from "../bgp/model/prefix.ts";
import type { LocalRoutes } from "./local-routes.ts";
import type { RouteSource } from "./policy/policy.ts";
import type { KernelPath, TableLookup } from "./route-lookup.ts";

export type KernelSource = "kernel" | "connected";

export class KernelRoutes {
  readonly #lookup: TableLookup;
  readonly #local: LocalRoutes;

  constructor(lookup: TableLookup, local: LocalRoutes) {
    this.#lookup = lookup;
    this.#local = local;
  }

  changed(prefix: Prefix, source: KernelSource, path: KernelPath | undefined, learnt: boolean): void {
    // A policy may ask for the interface: a route that moved to another one is judged as a new one.
    if (this.#lookup.path(prefix, source)?.hops[0]?.interface !== path?.hops[0]?.interface)
      this.#local.unset(prefix, source);
    this.#lookup.set(prefix, source, path);
    if (path !== undefined && learnt) this.#local.setLearnt(prefix, source, path);
    else this.#local.unset(prefix, source);
  }

  /** The priorities are not those of before: the LOCAL_PREF of this route of the speaker's own may be another. */
  renew(prefix: Prefix, source: RouteSource): void {
    if (source === "static" || source === "calico") this.#local.renewOriginated(prefix, source);
    if (source !== "kernel" && source !== "connected") return;
    const path = this.#lookup.path(prefix, source);
    if (path !== undefined) this.#local.setLearnt(prefix, source, path);
  }
}
