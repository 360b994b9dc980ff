/** What the codec costs: nanoseconds per UPDATE, per prefix, per attribute set. */

import { ipv4, ipv6 } from "../../src/bgp/model/address.ts";
import { SegmentType } from "../../src/bgp/model/as-path.ts";
import { attributesWith } from "../../src/bgp/model/attributes.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { asn, routerId } from "../../src/bgp/model/ids.ts";
import type { Encoding } from "../../src/bgp/model/ports.ts";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";
import { Framer } from "../../src/bgp/wire/framer.ts";
import { UpdateDecoder } from "../../src/bgp/wire/update-decoder.ts";
import { UpdateEncoder } from "../../src/bgp/wire/update-encoder.ts";
import type { MicroTask } from "./micro-task.ts";

const codec = createAttributesCodec();
const families = [Family.Ipv4, Family.Ipv6].map((family) => ({
  family,
  addPathReceive: false,
  addPathSend: false,
  extendedNextHop: false,
}));

function attributesOf(family: Family, med: number) {
  return attributesWith(family === Family.Ipv4 ? ipv4(0x0a000001) : ipv6(0x20010db8, 0, 0, 1), {
    asPath: [{ type: SegmentType.Sequence, asns: [64512, 65001, 65002, 70000].map(asn) }],
    med,
    localPref: 100,
    communities: [0xfc000001, 0xfc000002, 0xfc000003],
    originatorId: routerId(0x0a000002),
    clusterList: [routerId(0x0a000003)],
  });
}

function prefixesOf(family: Family, count: number): PrefixBatch {
  const batch = new PrefixBatch(family);
  for (let i = 0; i < count; i++) {
    if (family === Family.Ipv4) batch.add4((0x0a000000 + i * 64) >>> 0, 26, 0);
    else batch.add6(0x20010db8, i, 0, 0, 64, 0);
  }
  return batch;
}

/** Bodies of `count` UPDATEs with `perUpdate` prefixes each and one of `sets` attribute sets. */
function bodies(family: Family, count: number, perUpdate: number, sets: number): Uint8Array[] {
  const encoding: Encoding = {
    family,
    fourOctetAs: true,
    addPath: false,
    extendedNextHop: false,
    maxMessageLength: 4096,
  };
  const encoder = new UpdateEncoder(encoding);
  const batch = prefixesOf(family, perUpdate);
  const slab = new Uint8Array(4096);
  return Array.from({ length: count }, (_, i) => {
    const end = encoder.announce(codec.encode(attributesOf(family, i % sets)), batch, 0, slab, 0);
    return slab.slice(19, end);
  });
}

/** Names say what one unit is. */
export function wireTasks(): MicroTask[] {
  const tasks: MicroTask[] = [];
  const add = (name: string, units: number, run: () => void) => tasks.push({ name, units, run });
  const decoder = new UpdateDecoder({ internal: true, fourOctetAs: true, families });
  const decodeAll = (list: readonly Uint8Array[]) => () => {
    for (const body of list) decoder.decode(body);
  };

  for (const family of [Family.Ipv4, Family.Ipv6]) {
    const name = family === Family.Ipv4 ? "IPv4" : "IPv6";
    add(`${name}: decode, 1 prefix, attributes in the cache`, 1000, decodeAll(bodies(family, 1000, 1, 10)));
    add(`${name}: decode, 1 prefix, attributes always new`, 20_000, decodeAll(bodies(family, 20_000, 1, 20_000)));
    const full = bodies(family, 100, 400, 1);
    add(`${name}: decode, per prefix, 400 in an UPDATE`, 100 * 400, decodeAll(full));

    const canonical = codec.encode(attributesOf(family, 0));
    const others = Array.from({ length: 1000 }, (_, i) => codec.encode(attributesOf(family, i)));
    const slab = new Uint8Array(65536);
    const encoding: Encoding = {
      family,
      fourOctetAs: true,
      addPath: false,
      extendedNextHop: false,
      maxMessageLength: 4096,
    };
    const encoder = new UpdateEncoder(encoding);
    const one = prefixesOf(family, 1);
    const many = prefixesOf(family, 4000);
    add(`${name}: encode an UPDATE of 1 prefix, same attributes`, 1000, () => {
      for (let i = 0; i < 1000; i++) encoder.announce(canonical, one, 0, slab, 0);
    });
    add(`${name}: encode an UPDATE of 1 prefix, other attributes`, 1000, () => {
      for (const bytes of others) encoder.announce(bytes, one, 0, slab, 0);
    });
    add(`${name}: encode, per prefix, 4000 at once`, 4000, () => encoder.announce(canonical, many, 0, slab, 0));
  }

  const set = attributesOf(Family.Ipv4, 0);
  const bytes = codec.encode(set);
  add("canonical bytes of an attribute set", 1000, () => {
    for (let i = 0; i < 1000; i++) codec.encode(set);
  });
  add("attribute set of canonical bytes", 1000, () => {
    for (let i = 0; i < 1000; i++) codec.decode(bytes);
  });

  const stream = Buffer.concat(
    bodies(Family.Ipv4, 900, 1, 10).map((body) => {
      const message = Buffer.alloc(19 + body.length, 0xff);
      message.writeUInt16BE(message.length, 16);
      message[18] = 2;
      message.set(body, 19);
      return message;
    }),
  );
  add("frame a message of a 64 KiB chunk", 900, () => {
    const framer = new Framer();
    framer.push(stream);
    while (framer.next() !== undefined);
  });
  return tasks;
}
