/** Routes that this speaker did not hear from a peer: configured ones, aggregates, and what the kernel told (RFC 4271 §9.4). */

import type { PathAttributes } from "../bgp/model/attributes.ts";
import { LOCAL_PEER } from "../bgp/model/ids.ts";
import { formatPrefix, type Prefix, prefixContains } from "../bgp/model/prefix.ts";
import type { AttributeTable } from "./attribute-table.ts";
import type { LocRib } from "./loc-rib.ts";
import type { Aggregate, OriginatedRoute } from "./options.ts";
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

interface ActiveAggregate extends Aggregate {
  contributors: number;
}

export class LocalRoutes {
  readonly #attributes: AttributeTable;
  readonly #tableOf: (prefix: Prefix) => LocRib;
  readonly #suppressionChanged: () => void;
  #originated = new Map<string, OriginatedRoute>();
  #aggregates: ActiveAggregate[] = [];
  readonly #aggregateAttributes: (prefix: Prefix) => PathAttributes;

  constructor(parts: {
    attributes: AttributeTable;
    tableOf: (prefix: Prefix) => LocRib;
    /** A summary-only aggregate began or ceased to hide its contributors. */
    suppressionChanged: () => void;
    aggregateAttributes: (prefix: Prefix) => PathAttributes;
  }) {
    this.#attributes = parts.attributes;
    this.#tableOf = parts.tableOf;
    this.#suppressionChanged = parts.suppressionChanged;
    this.#aggregateAttributes = parts.aggregateAttributes;
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

  /** The whole list. Contributors are counted anew from `reachable`, the destinations that have a best path. */
  setAggregates(aggregates: readonly Aggregate[], reachable: () => Iterable<Prefix>): void {
    for (const aggregate of this.#aggregates)
      if (!aggregates.some((a) => formatPrefix(a.prefix) === formatPrefix(aggregate.prefix)))
        this.unset(aggregate.prefix, "aggregate");
    this.#aggregates = aggregates.map((a) => ({ ...a, contributors: 0 }));
    if (aggregates.length > 0) for (const prefix of reachable()) this.count(prefix, 1);
    for (const aggregate of this.#aggregates)
      if (aggregate.contributors === 0) this.unset(aggregate.prefix, "aggregate");
    this.#suppressionChanged();
  }

  get hasAggregates(): boolean {
    return this.#aggregates.length > 0;
  }

  /** A destination got its first path or lost its last (RFC 4271 §9.2.2.2). */
  count(prefix: Prefix, difference: 1 | -1): void {
    for (const aggregate of this.#aggregates) {
      if (prefix.length <= aggregate.prefix.length || !prefixContains(aggregate.prefix, prefix, prefix.length))
        continue;
      aggregate.contributors += difference;
      if (difference === 1 && aggregate.contributors === 1)
        this.set(aggregate.prefix, "aggregate", this.#aggregateAttributes(aggregate.prefix), true);
      else if (aggregate.contributors === 0) this.unset(aggregate.prefix, "aggregate");
      else continue;
      if (aggregate.summaryOnly) this.#suppressionChanged();
    }
  }

  /** A summary-only aggregate stands in for this destination. */
  isSuppressed(prefix: Prefix): boolean {
    return this.#aggregates.some(
      (a) =>
        a.summaryOnly &&
        a.contributors > 0 &&
        prefix.length > a.prefix.length &&
        prefixContains(a.prefix, prefix, prefix.length),
    );
  }

  get hidesAny(): boolean {
    return this.#aggregates.some((a) => a.summaryOnly);
  }
}
