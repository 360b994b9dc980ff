/** A table such as one peer sends: prefixes in no order, a handful for each set of attributes, the same at every run. */

import { ipv4 } from "../src/bgp/model/address.ts";
import { SegmentType } from "../src/bgp/model/as-path.ts";
import { attributesWith, type PathAttributes } from "../src/bgp/model/attributes.ts";
import { Family } from "../src/bgp/model/family.ts";
import { type Asn, asn } from "../src/bgp/model/ids.ts";
import { MessageType } from "../src/bgp/model/messages.ts";
import { PrefixBatch } from "../src/bgp/model/prefix-batch.ts";
import { encodeFollowing, encodeLeading } from "../src/bgp/wire/attributes/encode.ts";
import { beginMessage, endMessage } from "../src/bgp/wire/header.ts";
import { encodeNlri, NlriCursor } from "../src/bgp/wire/nlri.ts";
import { Writer } from "../src/bgp/wire/writer.ts";
import type { Feed } from "../test/harness/bgp-replayer.ts";

export const PEER_AS = 65_001;
const NEXT_HOP = 0xc0000201;
/** On average: what full tables have. */
const PREFIXES_PER_SET = 6;
const SPREAD = 7_368_787;

/** Returns the feed and how many sets of attributes are in it. */
export function tableFeed(address: string, routes: number): { readonly feed: Feed; readonly sets: number } {
  const random = generator(1);
  const messages: Uint8Array[] = [];
  for (let i = 0; i < routes; ) {
    const size = Math.min(1 + random(2 * PREFIXES_PER_SET - 1), routes - i);
    const batch = new PrefixBatch(Family.Ipv4, size);
    // /24s from 1.0.0.0 on; the factor is prime, so that each comes once.
    for (let n = 0; n < size; n++, i++) batch.add4(0x01000000 + ((i * SPREAD) % routes) * 256, 24, 0);
    messages.push(update(attributes(random), batch));
  }
  const feed = { address, asNumber: PEER_AS, routerId: 0x0a000002, fourOctetAs: true, family: Family.Ipv4, messages };
  return { feed, sets: messages.length };
}

function attributes(random: (below: number) => number): PathAttributes {
  const path: Asn[] = [asn(PEER_AS)];
  for (let hops = 2 + random(4); hops > 0; hops--) path.push(asn(100_000 + random(300_000)));
  return attributesWith(ipv4(NEXT_HOP), {
    asPath: [{ type: SegmentType.Sequence, asns: path }],
    med: random(4) === 0 ? random(1000) : undefined,
    communities: Array.from({ length: random(6) }, () => (PEER_AS << 16) + random(0xffff)).map((c) => c >>> 0),
  });
}

function update(set: PathAttributes, prefixes: PrefixBatch): Uint8Array {
  const context = { internal: false, fourOctetAs: true };
  const w = new Writer(512);
  beginMessage(w, MessageType.Update);
  w.u16(0);
  const lengthAt = w.reserve(2);
  encodeLeading(set, w, context);
  // NEXT_HOP (RFC 4271 §5.1.3).
  w.u24(0x400304);
  w.u32(NEXT_HOP);
  encodeFollowing(set, w, context);
  w.patch16(lengthAt, w.length - lengthAt - 2);
  const nlri = new Uint8Array(prefixes.count * 4);
  const cursor = new NlriCursor();
  encodeNlri(prefixes, cursor, nlri, nlri.length, false);
  w.bytes(nlri);
  return endMessage(w);
}

/** The same numbers at every run (a linear congruential generator). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
