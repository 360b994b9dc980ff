/** Routes that this speaker did not hear from a peer: configured ones, aggregates, and what the kernel told (RFC 4271 §9.4). */

import type { PathAttributes } from "../bgp/model/attributes.ts";
import { LOCAL_PEER } from "../bgp/model/ids.ts";
import { formatPrefix, type Prefix } from "../bgp/model/prefix.ts";
import type { AttributeTable } from "./attribute-table.ts";
import type { LocRib } from "./loc-rib.ts";
import type { OriginatedRoute } from "./options.ts";
import type { RouteSource } from "./policy/policy.ts";

/** Path Identifiers of the local sources: one path each for a destination. */
const IDENTIFIER: Readonly<Record<RouteSource, number>> = {
  peer: 0,
  static: 1,
  kernel: 2,
  connected: 3,
  calico: 4,
  aggregate: 5,
};

export class LocalRoutes {
  readonly #attributes: AttributeTable;
  readonly #tableOf: (prefix: Prefix) => LocRib;
  #originated = new Map<string, OriginatedRoute>();

  constructor(attributes: AttributeTable, tableOf: (prefix: Prefix) => LocRib) {
    this.#attributes = attributes;
    this.#tableOf = tableOf;
  }

  /** The whole list; what is no longer in it is withdrawn. */
  setOriginated(routes: readonly OriginatedRoute[]): void {
    const wanted = new Map(routes.map((route) => [formatPrefix(route.prefix), route]));
    for (const [key, route] of this.#originated) if (!wanted.has(key)) this.unset(route.prefix, "static");
    for (const route of wanted.values()) this.set(route.prefix, "static", route.attributes, route.kind === "blackhole");
    this.#originated = wanted;
  }

  originated(prefix: Prefix): OriginatedRoute | undefined {
    return this.#originated.get(formatPrefix(prefix));
  }

  /** `blackhole`: packets to it that no longer prefix takes are dropped. */
  set(prefix: Prefix, source: RouteSource, attributes: PathAttributes, blackhole = false): void {
    const rib = this.#tableOf(prefix);
    const id = rib.table.prefixes.findOrAdd(prefix.w0, prefix.w1, prefix.w2, prefix.w3, prefix.length);
    const attrs = this.#attributes.intern(attributes);
    rib.setLocal(id, source, IDENTIFIER[source], attrs, blackhole);
    this.#attributes.release(attrs);
  }

  unset(prefix: Prefix, source: RouteSource): void {
    const rib = this.#tableOf(prefix);
    const id = rib.table.prefixes.find(prefix.w0, prefix.w1, prefix.w2, prefix.w3, prefix.length);
    if (id < 0) return;
    const path = rib.table.paths.find(rib.table.first(id), LOCAL_PEER, IDENTIFIER[source]);
    if (path >= 0) rib.remove(path);
  }
}
