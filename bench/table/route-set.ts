/** Routes that share a set of attributes, and so an UPDATE. */

import { type IpAddress, ipv4, ipv6 } from "../../src/bgp/model/address.ts";
import { SegmentType } from "../../src/bgp/model/as-path.ts";
import { attributesWith, Origin, type PathAttributes } from "../../src/bgp/model/attributes.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { type Asn, asn } from "../../src/bgp/model/ids.ts";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { prefixSource } from "./prefixes.ts";
import { randomNumbers } from "./random.ts";

export interface RouteSet {
  readonly attributes: PathAttributes;
  /** Valid until the next set is asked for. */
  readonly prefixes: PrefixBatch;
}

/** On average, 1 to 19: what "about ten prefixes to an attribute set" means here. */
const PREFIXES_PER_SET = 10;
const LOCAL_PREF = 100;
/** As many first ASes as a router has neighbours, fewer transit ASes than origins. */
const NEIGHBOURS = 20;
const TRANSITS = 2000;
const ORIGINS = 70_000;

/**
 * A table as an internal peer sends it. Every `sender` says the same prefixes, with attributes and a next hop of its own:
 * AS paths of two to six, up to five communities, one set in four with a MED.
 */
export function* tableSets(family: Family, routes: number, sender: number): Generator<RouteSet, void> {
  const random = randomNumbers(1 + sender);
  const addPrefix = prefixSource(family);
  const prefixes = new PrefixBatch(family, 2 * PREFIXES_PER_SET);
  const nextHop = nextHopOf(family, sender);
  for (let done = 0; done < routes; done += prefixes.count) {
    const size = Math.min(1 + random(2 * PREFIXES_PER_SET - 1), routes - done);
    prefixes.clear();
    for (let i = 0; i < size; i++) addPrefix(prefixes);
    yield { attributes: attributes(random, nextHop), prefixes };
  }
}

function attributes(random: (below: number) => number, nextHop: IpAddress): PathAttributes {
  const first = 3000 + random(NEIGHBOURS);
  const path: Asn[] = [asn(first)];
  for (let transits = random(5); transits > 0; transits--) path.push(asn(5000 + random(TRANSITS)));
  path.push(asn(200_000 + random(ORIGINS)));
  const communities = Array.from({ length: random(6) }, () => ((first << 16) | random(3000)) >>> 0);
  return attributesWith(nextHop, {
    origin: random(10) === 0 ? Origin.Incomplete : Origin.Igp,
    asPath: [{ type: SegmentType.Sequence, asns: path }],
    localPref: LOCAL_PREF,
    med: random(4) === 0 ? random(1000) : undefined,
    communities: [...new Set(communities)].sort((a, b) => a - b),
  });
}

/** `blocks` blocks of addresses as a node of a cluster announces them: /26 or /122, its own next hop, an empty AS path. */
export function clientSet(family: Family, client: number, blocks: number): RouteSet {
  const prefixes = new PrefixBatch(family, blocks);
  for (let i = 0; i < blocks; i++) {
    const block = client * blocks + i;
    if (family === Family.Ipv4) prefixes.add4(0x0b000000 + block * 64, 26, 0);
    else prefixes.add6(0xfd000000, 0, block >>> 16, (block << 16) >>> 0, 122, 0);
  }
  return { attributes: attributesWith(nextHopOf(family, client), { localPref: LOCAL_PREF }), prefixes };
}

/** 10.1.0.1 and up; fd01::1 and up. */
export function nextHopOf(family: Family, member: number): IpAddress {
  return family === Family.Ipv4 ? ipv4(0x0a010001 + member) : ipv6(0xfd010000, 0, 0, 1 + member);
}
