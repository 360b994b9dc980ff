/** Routes through the tables alone: from a decoded UPDATE to what an update group would say. Run: npx tsx bench/micro/rib.ts [routes] */

import { ipv4 } from "../../src/bgp/model/address.ts";
import { SegmentType } from "../../src/bgp/model/as-path.ts";
import { attributesWith } from "../../src/bgp/model/attributes.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { asn, type PeerId, routerId } from "../../src/bgp/model/ids.ts";
import type { Outbox } from "../../src/bgp/model/ports.ts";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";
import { Rib } from "../../src/rib/rib.ts";
import { viewOf } from "../../test/harness/canonical.ts";
import { facts, peerOptions } from "../../test/harness/rib-bench.ts";

const ROUTES = Number(process.argv[2] ?? 1_000_000);
const PER_SET = 10;

let said = 0;
const outbox: Outbox = {
  announce: (_attributes, prefixes) => {
    said += prefixes.count;
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

const waiting: (() => void)[] = [];
const rib = new Rib({
  options: {
    asNumber: asn(65000),
    routerId: routerId(99),
    clusterId: routerId(99),
    maxPaths: 1,
    alwaysCompareMed: false,
    resolveNextHops: false,
  },
  clock: {
    now: () => performance.now(),
    wallTime: Date.now,
    after: () => ({ cancel: () => {} }),
    soon: (run) => waiting.push(run),
  },
  codec: createAttributesCodec(),
  createOutbox: () => outbox,
  forwarding: undefined,
  surroundings: {
    interfaceName: () => undefined,
    isOwnAddress: () => false,
    isLinkUp: () => true,
    sessionInterface: () => 0,
    localAddress: () => undefined,
  },
  events: { bestChanged: () => {}, limitReached: () => {}, settled: () => {} },
});
for (const id of [1, 2] as PeerId[]) {
  rib.addPeer(peerOptions(id));
  rib.peerUp(id, facts(id));
}

let longest = 0;
const turn = () => {
  const start = performance.now();
  for (const run of waiting.splice(0)) run();
  longest = Math.max(longest, performance.now() - start);
};

const before = process.memoryUsage();
const start = performance.now();
const batch = new PrefixBatch(Family.Ipv4);
for (let i = 0; i < ROUTES; i += PER_SET) {
  const set = i / PER_SET;
  const attributes = attributesWith(ipv4(0x0a000001), {
    localPref: 100,
    asPath: [{ type: SegmentType.Sequence, asns: [asn(64000 + (set & 255)), asn(1000 + (set >> 8)), asn(set + 1)] }],
  });
  batch.clear();
  for (let j = 0; j < PER_SET; j++) batch.add4(((i + j) << 8) >>> 0, 24, 0);
  rib.announce(1 as PeerId, viewOf(attributes), batch);
  if (set % 200 === 0) turn();
}
while (waiting.length > 0) turn();
const seconds = (performance.now() - start) / 1000;
global.gc?.();
const after = process.memoryUsage();
console.log(
  `${ROUTES} routes, ${said} said: ${seconds.toFixed(2)} s, ${((seconds * 1e9) / ROUTES).toFixed(0)} ns a route; ` +
    `resident +${((after.rss - before.rss) / 1e6).toFixed(0)} MB (${((after.rss - before.rss) / ROUTES).toFixed(0)} bytes a route), ` +
    `array buffers +${((after.arrayBuffers - before.arrayBuffers) / ROUTES).toFixed(0)} bytes a route; longest turn ${longest.toFixed(1)} ms`,
);
