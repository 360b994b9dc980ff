/** Routes that this speaker did not hear from a peer: configured ones, aggregates, and what the kernel told (RFC 4271 §9.4). */

import { ipv4 } from "../bgp/model/address.ts";
import { attributesWith, type PathAttributes } from "../bgp/model/attributes.ts";
import { LOCAL_PEER } from "../bgp/model/ids.ts";
import { formatPrefix, type Prefix } from "../bgp/model/prefix.ts";
import type { AttributeTable } from "./attribute-table.ts";
import type { LocRib } from "./loc-rib.ts";
import type { OriginatedRoute, Priorities } from "./options.ts";
import type { RouteSource } from "./policy/policy.ts";
import { prioritised } from "./priorities.ts";
import type { KernelPath } from "./route-lookup.ts";

/** Path Identifiers of the local sources: one path each for a destination. */
const IDENTIFIER: Readonly<Record<RouteSource, number>> = {
  peer: 0,
  static: 1,
  kernel: 2,
  connected: 3,
  calico: 4,
  aggregate: 5,
};

/** Between two looks at the time. */
const STEP = 64;

export interface LocalRoutesContext {
  readonly attributes: AttributeTable;
  tableOf(prefix: Prefix): LocRib;
  priorities(): Priorities | undefined;
}

export class LocalRoutes {
  readonly #context: LocalRoutesContext;
  #originated = new Map<string, OriginatedRoute>();
  /** Of these, and of those that are no longer among them, what the tables have not been told. */
  readonly #pending = new Map<string, OriginatedRoute>();

  constructor(context: LocalRoutesContext) {
    this.#context = context;
  }

  /**
   * The whole list; what is no longer in it is withdrawn. A route that is the very same object as before is left alone: a cluster
   * has thousands of services, and one of them changes. `work` does it.
   */
  setOriginated(routes: readonly OriginatedRoute[]): void {
    const wanted = new Map(routes.map((route) => [keyOf(route), route]));
    for (const [key, route] of this.#originated) if (!wanted.has(key)) this.#pending.set(key, route);
    for (const [key, route] of wanted) if (this.#originated.get(key) !== route) this.#pending.set(key, route);
    this.#originated = wanted;
  }

  /** One slice of what `setOriginated` left to do; true while there is more. */
  work(isTimeUp: () => boolean): boolean {
    let done = 0;
    for (const [key, { prefix, source }] of this.#pending) {
      this.#pending.delete(key);
      const route = this.#originated.get(key);
      if (route === undefined) this.unset(prefix, source);
      else this.#setOriginated(route);
      if (++done % STEP === 0 && isTimeUp()) break;
    }
    return this.#pending.size > 0;
  }

  /** A route of the kernel's or a connected prefix that is to be announced. */
  setLearnt(prefix: Prefix, source: "kernel" | "connected", { hops, metric }: KernelPath): void {
    // Several gateways are none: whoever is told sends the packets here.
    const gateway = hops.length === 1 ? hops[0]?.gateway : undefined;
    this.set(prefix, source, attributesWith(gateway ?? ipv4(0)), false, metric);
  }

  /** The priorities are not those of before. */
  renewOriginated(prefix: Prefix, source: OriginatedRoute["source"]): void {
    const route = this.#originated.get(textOf(prefix, source));
    if (route !== undefined) this.#setOriginated(route);
  }

  /** `blackhole`: packets to it that no longer prefix takes are dropped. `metric`: what the kernel knows it by. */
  set(prefix: Prefix, source: RouteSource, attributes: PathAttributes, blackhole = false, metric?: number): void {
    const rib = this.#context.tableOf(prefix);
    const id = rib.table.prefixes.findOrAdd(prefix.w0, prefix.w1, prefix.w2, prefix.w3, prefix.length);
    const table = this.#context.attributes;
    const attrs = table.intern(prioritised(attributes, this.#context.priorities(), prefix.family, metric));
    rib.setLocal(id, source, IDENTIFIER[source], attrs, blackhole);
    table.release(attrs);
  }

  unset(prefix: Prefix, source: RouteSource): void {
    const rib = this.#context.tableOf(prefix);
    const id = rib.table.prefixes.find(prefix.w0, prefix.w1, prefix.w2, prefix.w3, prefix.length);
    if (id < 0) return;
    const path = rib.table.paths.find(rib.table.first(id), LOCAL_PEER, IDENTIFIER[source]);
    if (path >= 0) rib.remove(path);
  }

  #setOriginated({ prefix, source, attributes, kind }: OriginatedRoute): void {
    this.set(prefix, source, attributes, kind === "blackhole");
  }
}

const keys = new WeakMap<OriginatedRoute, string>();

function keyOf(route: OriginatedRoute): string {
  let key = keys.get(route);
  if (key === undefined) {
    key = textOf(route.prefix, route.source);
    keys.set(route, key);
  }
  return key;
}

function textOf(prefix: Prefix, source: RouteSource): string {
  return `${formatPrefix(prefix)} ${source}`;
}
