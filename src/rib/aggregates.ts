/** Aggregates (RFC 4271 §9.2.2.2): each stands while it has a contributor, and these are counted as destinations come and go. */

import { ipv4 } from "../bgp/model/address.ts";
import { attributesWith, type PathAttributes } from "../bgp/model/attributes.ts";
import { FAMILIES, Family } from "../bgp/model/family.ts";
import { formatPrefix, type Prefix, prefixContains } from "../bgp/model/prefix.ts";
import type { FamilyTable } from "./family-table.ts";
import type { Aggregate, RibOptions } from "./options.ts";

interface Counted extends Aggregate {
  contributors: number;
  stands: boolean;
}

export interface AggregatesContext {
  table(family: Family): FamilyTable;
  /** It has its first contributor. */
  begin(prefix: Prefix): void;
  /** It has lost its last one, or is not configured any more. */
  end(prefix: Prefix): void;
  /** A summary-only aggregate began or ceased to hide its contributors. */
  suppressionChanged(): void;
}

const SLICE = 2048;

export class Aggregates {
  readonly #context: AggregatesContext;
  #all: readonly Counted[] = [];
  /** Where the list is new, destinations are counted anew: those below these ids have been. */
  readonly #counted: Record<Family, number> = { [Family.Ipv4]: 0, [Family.Ipv6]: 0 };
  #isCounting = false;

  constructor(context: AggregatesContext) {
    this.#context = context;
  }

  /** The whole list; `work` finds the contributors. */
  set(aggregates: readonly Aggregate[]): void {
    const before = new Map(this.#all.map((aggregate) => [formatPrefix(aggregate.prefix), aggregate]));
    this.#all = aggregates.map((a) => ({
      ...a,
      contributors: 0,
      stands: before.get(formatPrefix(a.prefix))?.stands ?? false,
    }));
    for (const { prefix } of aggregates) before.delete(formatPrefix(prefix));
    for (const { prefix, stands } of before.values()) if (stands) this.#context.end(prefix);
    for (const family of FAMILIES) this.#counted[family] = 0;
    this.#isCounting = true;
    this.#context.suppressionChanged();
  }

  /** What they carry changed. */
  renew(): void {
    for (const { prefix, stands } of this.#all) if (stands) this.#context.begin(prefix);
  }

  /** A destination got its first path (1) or lost its last (-1). */
  changed(family: Family, id: number, difference: 1 | -1): void {
    if (this.#all.length === 0 || (this.#isCounting && id >= this.#counted[family])) return;
    this.#count(this.#context.table(family).prefixes.prefix(id), difference);
    if (!this.#isCounting) for (const aggregate of this.#all) this.#settle(aggregate);
  }

  /** One slice of counting; true while there is more. */
  work(): boolean {
    if (!this.#isCounting) return false;
    let left = this.#all.length === 0 ? 0 : SLICE;
    for (const family of FAMILIES) {
      const table = this.#context.table(family);
      for (; this.#counted[family] < table.prefixes.end && left > 0; left--) {
        const id = this.#counted[family]++;
        if (table.prefixes.isLive(id) && table.best(id) >= 0) this.#count(table.prefixes.prefix(id), 1);
      }
    }
    if (this.#all.length > 0 && left === 0) return true;
    this.#isCounting = false;
    for (const aggregate of this.#all) this.#settle(aggregate);
    return false;
  }

  /** A summary-only aggregate stands in for this destination. */
  isSuppressed(prefix: Prefix): boolean {
    return this.#all.some((a) => a.summaryOnly && a.stands && covers(a, prefix));
  }

  get hidesAny(): boolean {
    return this.#all.some((a) => a.summaryOnly);
  }

  #count(prefix: Prefix, difference: 1 | -1): void {
    for (const aggregate of this.#all) if (covers(aggregate, prefix)) aggregate.contributors += difference;
  }

  #settle(aggregate: Counted): void {
    const stands = aggregate.contributors > 0;
    if (stands === aggregate.stands) return;
    aggregate.stands = stands;
    if (stands) this.#context.begin(aggregate.prefix);
    else this.#context.end(aggregate.prefix);
    if (aggregate.summaryOnly) this.#context.suppressionChanged();
  }
}

/** What an aggregate carries (RFC 4271 §5.1.6, §5.1.7). */
export function aggregateAttributes({ asNumber, routerId }: Pick<RibOptions, "asNumber" | "routerId">): PathAttributes {
  return attributesWith(ipv4(0), { atomicAggregate: true, aggregator: { asNumber, address: routerId } });
}

function covers({ prefix: outer }: Aggregate, prefix: Prefix): boolean {
  return prefix.length > outer.length && prefixContains(outer, prefix, prefix.length);
}
