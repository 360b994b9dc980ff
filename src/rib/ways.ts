/** The way that packets for a path take, from its next hop as it is resolved now. */

import type { IpAddress } from "../bgp/model/address.ts";
import type { PeerId } from "../bgp/model/ids.ts";
import type { AttributeTable } from "./attribute-table.ts";
import type { ForwardingContext, ResolvedHop } from "./forwarding.ts";
import type { LocRib } from "./loc-rib.ts";
import type { NextHopTable } from "./next-hop.ts";
import { type CoveringRoute, type Resolution, UNREACHABLE } from "./next-hop-resolver.ts";
import type { RibPeer } from "./rib-peer.ts";
import type { TableLookup } from "./route-lookup.ts";

/** What becomes of packets for a path, and where they go as far as that is known. */
export interface ShownWay {
  readonly destination: CoveringRoute["kind"];
  readonly hops: readonly ResolvedHop[];
  /** Of a route learnt from the kernel. */
  readonly kernel: { readonly metric: number; readonly protocol: number } | undefined;
}

export class Ways {
  readonly #attributes: AttributeTable;
  readonly #nextHops: NextHopTable;
  readonly #lookup: TableLookup;
  readonly #peer: (id: PeerId) => RibPeer | undefined;
  readonly #links: { interfaceName(index: number): string | undefined };

  constructor(
    attributes: AttributeTable,
    nextHops: NextHopTable,
    lookup: TableLookup,
    peer: (id: PeerId) => RibPeer | undefined,
    links: { interfaceName(index: number): string | undefined },
  ) {
    this.#attributes = attributes;
    this.#nextHops = nextHops;
    this.#lookup = lookup;
    this.#peer = peer;
    this.#links = links;
  }

  forwardingContext(rib: LocRib): ForwardingContext {
    return {
      table: rib.table,
      attributes: this.#attributes,
      resolutionOf: (path) => this.of(rib, path),
      nextHopAddress: (id) => this.#nextHops.address(id),
    };
  }

  of(rib: LocRib, path: number): Resolution {
    const { paths } = rib.table;
    const accepted = paths.accepted(path);
    if (accepted === 0) return UNREACHABLE;
    return this.#nextHops.resolution(this.#attributes.nextHop(accepted), this.#peer(paths.peer(path))?.interface ?? 0);
  }

  /** The kernel's own routes name their way themselves: most have no gateway that could be resolved. */
  hops(rib: LocRib, path: number): readonly ResolvedHop[] {
    const { paths, prefixes } = rib.table;
    const source = paths.source(path);
    if (source !== "kernel" && source !== "connected") return this.of(rib, path).resolved;
    return this.#lookup.path(prefixes.prefix(paths.prefix(path)), source)?.hops ?? [];
  }

  /** For people; of a path that import rules refused, what it would be. */
  shown(rib: LocRib, path: number): ShownWay {
    const { paths, prefixes } = rib.table;
    const source = paths.source(path);
    if (source === "kernel" || source === "connected") {
      const kernel = this.#lookup.path(prefixes.prefix(paths.prefix(path)), source);
      const { kind = "forward", hops = [], metric, protocol } = kernel ?? {};
      const known = metric === undefined || protocol === undefined ? undefined : { metric, protocol };
      return { destination: kind, hops, kernel: known };
    }
    if (paths.isBlackhole(path)) return { destination: "blackhole", hops: [], kernel: undefined };
    const attrs = paths.accepted(path) || paths.received(path);
    const link = this.#peer(paths.peer(path))?.interface ?? 0;
    const { reachable, blackhole, resolved } = this.#nextHops.resolution(this.#attributes.nextHop(attrs), link);
    return {
      destination: blackhole ? "blackhole" : reachable ? "forward" : "unreachable",
      hops: resolved,
      kernel: undefined,
    };
  }

  /** The name of the interface that the path leaves by, where one is known. */
  interfaceOf(rib: LocRib, path: number): string | undefined {
    return this.#nameOf(this.hops(rib, path));
  }

  /** The same for a route that is still being judged. */
  interfaceTowards(nextHop: IpAddress): string | undefined {
    const id = this.#nextHops.acquire(nextHop, undefined);
    const { resolved } = this.#nextHops.resolution(id);
    this.#nextHops.release(id);
    return this.#nameOf(resolved);
  }

  #nameOf(hops: readonly ResolvedHop[]): string | undefined {
    const index = hops[0]?.interface ?? 0;
    return index === 0 ? undefined : this.#links.interfaceName(index);
  }
}
