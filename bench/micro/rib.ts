/** Routes through the tables alone: from a decoded UPDATE to what an update group would say. */

import { ipv4 } from "../../src/bgp/model/address.ts";
import { SegmentType } from "../../src/bgp/model/as-path.ts";
import { attributesWith, type PathAttributes } from "../../src/bgp/model/attributes.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { asn, type PeerId, routerId } from "../../src/bgp/model/ids.ts";
import type { AttributeView, Outbox } from "../../src/bgp/model/ports.ts";
import type { Prefix } from "../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";
import type { ForwardingSink } from "../../src/rib/forwarding.ts";
import type { KernelRule } from "../../src/rib/options.ts";
import { Rib } from "../../src/rib/rib.ts";
import { viewOf } from "../../test/harness/canonical.ts";
import { facts, peerOptions } from "../../test/harness/rib-bench.ts";
import type { MicroTask } from "./micro-task.ts";

const ROUTES = 1_000_000;
const PER_SET = 10;
const SETS_PER_TURN = 200;

export function ribTasks(): MicroTask[] {
  const sets = Array.from({ length: ROUTES / PER_SET }, (_, set) => viewOf(attributesOf(set)));
  const name = `a route of ${ROUTES.toLocaleString("en")}, ten to a set, to a group`;
  return [
    taskOf(name, sets, { writesKernel: false, kernelRules: [] }),
    taskOf(`${name}, kernel`, sets, { writesKernel: true, kernelRules: [] }),
    taskOf(`${name}, kernel by rules`, sets, { writesKernel: true, kernelRules: calicoRules() }),
  ];
}

interface Kind {
  readonly writesKernel: boolean;
  readonly kernelRules: readonly KernelRule[];
}

function taskOf(name: string, sets: readonly AttributeView[], kind: Kind): MicroTask {
  let note: string | undefined;
  return {
    name,
    units: ROUTES,
    calls: 3,
    run() {
      const tables = new TableRun(kind);
      tables.fill(sets);
      // Of the first run: in those after it, garbage of the one before comes and goes.
      note ??= tables.note();
    },
    note: () => note ?? "",
  };
}

const prefix = (w0: number, length: number): Prefix => ({ family: Family.Ipv4, w0, w1: 0, w2: 0, w3: 0, length });
const onLink = prefix(0x0a000000, 24);

/** Those of a node with two service ranges and two pools, one of them tunnelled across subnets. */
function calicoRules(): readonly KernelRule[] {
  const within = (...prefixes: Prefix[]) => prefixes.map((p) => ({ prefix: p, ge: p.length, le: 32 }));
  const any = { prefixes: undefined, origin: undefined, nextHops: undefined, nextHopOutside: undefined };
  const pool = { ...any, prefixes: within(prefix(0x0a000000, 8)) };
  return [
    {
      match: { ...any, prefixes: within(prefix(0xfdfd0000, 16), prefix(0xfdfe0000, 16)) },
      set: undefined,
      then: "reject",
    },
    { match: { ...any, origin: ["peer"] }, set: { metric: "fromLocalPref", device: undefined }, then: "next" },
    {
      match: { ...pool, nextHopOutside: onLink },
      set: { metric: undefined, device: "tunl0" },
      then: "accept",
    },
    { match: pool, set: undefined, then: "accept" },
    { match: { ...any, prefixes: within(prefix(0xfd000000, 16)) }, set: undefined, then: "reject" },
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
  #written = 0;
  #longest = 0;

  constructor({ writesKernel, kernelRules }: Kind) {
    this.#rib = new Rib({
      options: {
        asNumber: asn(65000),
        routerId: routerId(99),
        clusterId: routerId(99),
        maxPaths: 1,
        alwaysCompareMed: false,
        resolveNextHops: writesKernel,
        priorities: { base: 2147483647, normal: { [Family.Ipv4]: 1024, [Family.Ipv6]: 1024 }, elevatedPreference: 200 },
        kernelRules,
      },
      clock: {
        now: () => performance.now(),
        wallTime: Date.now,
        after: () => ({ cancel: () => {} }),
        soon: (run) => this.#waiting.push(run),
      },
      codec: createAttributesCodec(),
      createOutbox: () => this.#outbox(),
      forwarding: writesKernel ? this.#kernel() : undefined,
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
    const hops = [{ gateway: undefined, interface: 1 }];
    this.#rib.kernelRoute(onLink, "connected", { kind: "forward", hops }, false);
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
      `${this.#said} said, ${this.#written} written; a route takes ${each("arrayBuffers")} octets of array buffers, resident +${each("rss")}; ` +
      `longest turn ${this.#longest.toFixed(1)} ms`
    );
  }

  #turn(): void {
    const start = performance.now();
    for (const run of this.#waiting.splice(0)) run();
    this.#longest = Math.max(this.#longest, performance.now() - start);
  }

  #kernel(): ForwardingSink {
    return {
      set: (prefixes) => {
        this.#written += prefixes.count;
      },
      unset: () => {},
    };
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
