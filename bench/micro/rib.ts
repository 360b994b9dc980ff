/** Routes through the tables alone: from a decoded UPDATE to what an update group would say. */

import { ipv4 } from "../../src/bgp/model/address.ts";
import { SegmentType } from "../../src/bgp/model/as-path.ts";
import { attributesWith, type PathAttributes } from "../../src/bgp/model/attributes.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { asn, type PeerId, routerId } from "../../src/bgp/model/ids.ts";
import type { AttributeView, Outbox } from "../../src/bgp/model/ports.ts";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";
import { Rib } from "../../src/rib/rib.ts";
import { viewOf } from "../../test/harness/canonical.ts";
import { facts, peerOptions } from "../../test/harness/rib-bench.ts";
import type { MicroTask } from "./micro-task.ts";

const ROUTES = 1_000_000;
const PER_SET = 10;
const SETS_PER_TURN = 200;

export function ribTasks(): MicroTask[] {
  const sets = Array.from({ length: ROUTES / PER_SET }, (_, set) => viewOf(attributesOf(set)));
  let note: string | undefined;
  return [
    {
      name: `a route of ${ROUTES.toLocaleString("en")}, ten to a set, to an update group`,
      units: ROUTES,
      calls: 3,
      run() {
        const tables = new TableRun();
        tables.fill(sets);
        // Of the first run: in those after it, garbage of the one before comes and goes.
        note ??= tables.note();
      },
      note: () => note ?? "",
    },
  ];
}

function attributesOf(set: number): PathAttributes {
  return attributesWith(ipv4(0x0a000001), {
    localPref: 100,
    asPath: [{ type: SegmentType.Sequence, asns: [asn(64000 + (set & 255)), asn(1000 + (set >> 8)), asn(set + 1)] }],
  });
}

/** Tables of their own, with a peer that announces and one that is told. */
class TableRun {
  readonly #before = process.memoryUsage();
  readonly #waiting: (() => void)[] = [];
  readonly #rib: Rib;
  #said = 0;
  #longest = 0;

  constructor() {
    this.#rib = new Rib({
      options: {
        asNumber: asn(65000),
        routerId: routerId(99),
        clusterId: routerId(99),
        maxPaths: 1,
        alwaysCompareMed: false,
        resolveNextHops: false,
        priorities: undefined,
        kernelRules: [],
      },
      clock: {
        now: () => performance.now(),
        wallTime: Date.now,
        after: () => ({ cancel: () => {} }),
        soon: (run) => this.#waiting.push(run),
      },
      codec: createAttributesCodec(),
      createOutbox: () => this.#outbox(),
      forwarding: undefined,
      surroundings: {
        interfaceName: () => undefined,
        isOwnAddress: () => false,
        isLinkUp: () => true,
        interfaceIndex: () => 0,
        sessionInterface: () => 0,
        localAddress: () => undefined,
      },
      events: { bestChanged: () => {}, limitReached: () => {}, settled: () => {} },
    });
    for (const id of [1, 2] as PeerId[]) {
      this.#rib.addPeer(peerOptions(id));
      this.#rib.peerUp(id, facts(id));
    }
  }

  fill(sets: readonly AttributeView[]): void {
    const batch = new PrefixBatch(Family.Ipv4);
    for (const [index, set] of sets.entries()) {
      batch.clear();
      for (let j = 0; j < PER_SET; j++) batch.add4(((index * PER_SET + j) << 8) >>> 0, 24, 0);
      this.#rib.announce(1 as PeerId, set, batch);
      if (index % SETS_PER_TURN === 0) this.#turn();
    }
    while (this.#waiting.length > 0) this.#turn();
  }

  note(): string {
    const after = process.memoryUsage();
    const each = (key: "rss" | "arrayBuffers") => ((after[key] - this.#before[key]) / ROUTES).toFixed(0);
    return (
      `${this.#said} said; a route takes ${each("arrayBuffers")} octets of array buffers, resident +${each("rss")}; ` +
      `longest turn ${this.#longest.toFixed(1)} ms`
    );
  }

  #turn(): void {
    const start = performance.now();
    for (const run of this.#waiting.splice(0)) run();
    this.#longest = Math.max(this.#longest, performance.now() - start);
  }

  #outbox(): Outbox {
    return {
      announce: (_attributes, prefixes) => {
        this.#said += prefixes.count;
      },
      withdraw: () => {},
      join: () => {},
      joined: () => {},
      refresh: () => {},
      rejoin: () => {},
      leave: () => {},
      flush: () => {},
      position: 0,
      slowest: 0,
    };
  }
}
