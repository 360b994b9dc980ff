import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { asn, type RouterId, routerId } from "../../../src/bgp/model/ids.ts";
import type { PathOrigin } from "../../../src/rib/export.ts";
import { importRefusal } from "../../../src/rib/import.ts";
import { viewOf } from "../../harness/canonical.ts";
import { exported, refusal } from "./exported.ts";
import { attributes, importPeer, path, target } from "./sample.ts";

/** An internal session, and whom each side holds for its client. */
interface Link {
  readonly a: number;
  readonly b: number;
  readonly bIsClient: boolean;
  readonly aIsClient: boolean;
}

interface Topology {
  /** The CLUSTER_ID of each speaker; some share one. */
  readonly clusters: readonly number[];
  readonly links: readonly Link[];
}

interface Heard {
  readonly attributes: PathAttributes;
  readonly from: PathOrigin;
  readonly neighbor: number;
}

const idOf = (speaker: number): RouterId => routerId(0x0a000001 + speaker);

/** Speakers that send their best path to every neighbour at once, round by round, until nothing changes. */
class Network {
  readonly #topology: Topology;
  readonly #origins: Set<number>;
  best: (Heard | undefined)[];

  constructor(topology: Topology, origins: readonly number[]) {
    this.#topology = topology;
    this.#origins = new Set(origins);
    this.best = topology.clusters.map(() => undefined);
  }

  withdraw(): void {
    this.#origins.clear();
  }

  /** How many rounds until all is quiet, Infinity if it never is. */
  settle(): number {
    for (let round = 0; round < this.best.length * 4; round++) {
      const next = this.best.map((_, speaker) => this.#decide(speaker));
      const isQuiet = next.every((heard, i) => JSON.stringify(heard) === JSON.stringify(this.best[i]));
      this.best = next;
      if (isQuiet) return round;
    }
    return Number.POSITIVE_INFINITY;
  }

  #decide(speaker: number): Heard | undefined {
    if (this.#origins.has(speaker)) {
      const external = attributes({ asPath: path("65001") });
      return { attributes: external, from: { kind: "external" }, neighbor: -1 };
    }
    // RFC 4456 §9 among paths that are equal up to there: the originator, then the shorter CLUSTER_LIST, then the neighbour.
    return this.#hear(speaker).sort(
      (x, y) =>
        (x.attributes.originatorId ?? idOf(x.neighbor)) - (y.attributes.originatorId ?? idOf(y.neighbor)) ||
        x.attributes.clusterList.length - y.attributes.clusterList.length ||
        x.neighbor - y.neighbor,
    )[0];
  }

  #hear(speaker: number): Heard[] {
    const { clusters, links } = this.#topology;
    const heard: Heard[] = [];
    for (const { a, b, aIsClient, bIsClient } of links) {
      if (a !== speaker && b !== speaker) continue;
      const neighbor = a === speaker ? b : a;
      const sent = this.#send(neighbor, speaker, a === neighbor ? bIsClient : aIsClient);
      if (sent === undefined) continue;
      const peer = importPeer({ routerId: idOf(speaker), clusterIds: [routerId(clusters[speaker] ?? 0)] });
      if (importRefusal(viewOf(sent), peer) !== undefined) continue;
      const isClient = a === neighbor ? aIsClient : bIsClient;
      const clusterId = routerId(clusters[speaker] ?? 0);
      heard.push({
        attributes: sent,
        from: { kind: "internal", client: isClient, routerId: idOf(neighbor), clusterId },
        neighbor,
      });
    }
    return heard;
  }

  #send(from: number, to: number, toIsClient: boolean): PathAttributes | undefined {
    const best = this.best[from];
    if (best === undefined || best.neighbor === to) return undefined;
    const clusterId = routerId(this.#topology.clusters[from] ?? 0);
    const peer = target({ client: toIsClient, clusterId, localAs: asn(64512) });
    if (refusal(best.attributes, best.from, peer) !== undefined) return undefined;
    return exported(best.attributes, best.from, peer);
  }
}

const topology: fc.Arbitrary<Topology> = fc.integer({ min: 2, max: 8 }).chain((size) =>
  fc.record({
    clusters: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: size, maxLength: size }),
    links: fc
      .uniqueArray(
        fc.tuple(fc.nat(size - 1), fc.nat(size - 1)).filter(([a, b]) => a < b),
        {
          selector: ([a, b]) => a * size + b,
          maxLength: 20,
        },
      )
      .chain((pairs) =>
        fc.tuple(
          ...pairs.map(([a, b]) =>
            fc.record({ a: fc.constant(a), b: fc.constant(b), aIsClient: fc.boolean(), bIsClient: fc.boolean() }),
          ),
        ),
      ),
  }),
);

describe("reflection in any topology (RFC 4456 §8)", () => {
  it("settles, passes no cluster twice, brings nothing back, and forgets what is withdrawn", () => {
    fc.assert(
      fc.property(topology, fc.array(fc.nat(7), { minLength: 1, maxLength: 2 }), (graph, origins) => {
        const size = graph.clusters.length;
        const network = new Network(
          graph,
          origins.map((o) => o % size),
        );
        expect(network.settle()).toBeLessThan(Number.POSITIVE_INFINITY);
        for (const [speaker, heard] of network.best.entries()) {
          if (heard === undefined) continue;
          const { clusterList, originatorId } = heard.attributes;
          expect(new Set(clusterList).size).toBe(clusterList.length);
          expect(originatorId).not.toBe(idOf(speaker));
        }
        network.withdraw();
        expect(network.settle()).toBeLessThan(Number.POSITIVE_INFINITY);
        expect(network.best.every((heard) => heard === undefined)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("reaches every client of one reflector, and every client behind two in a row", () => {
    const star: Topology = {
      clusters: [1, 2, 3, 4],
      links: [1, 2, 3].map((b) => ({ a: 0, b, bIsClient: true, aIsClient: false })),
    };
    const network = new Network(star, [1]);
    network.settle();
    expect(network.best.every((heard) => heard !== undefined)).toBe(true);
    const chain: Topology = {
      clusters: [1, 2, 3, 4],
      links: [
        { a: 0, b: 2, bIsClient: true, aIsClient: false },
        { a: 0, b: 1, bIsClient: false, aIsClient: false },
        { a: 1, b: 3, bIsClient: true, aIsClient: false },
      ],
    };
    const two = new Network(chain, [2]);
    two.settle();
    expect(two.best[3]?.attributes.clusterList).toEqual([2, 1]);
    expect(two.best[3]?.attributes.originatorId).toBe(idOf(2));
  });
});
