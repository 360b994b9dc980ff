/** Properties of the codec on input of any kind (fast-check). */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipv4, ipv6 } from "../../../src/bgp/model/address.ts";
import type { PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { routerId } from "../../../src/bgp/model/ids.ts";
import { MessageType } from "../../../src/bgp/model/messages.ts";
import type { Encoding } from "../../../src/bgp/model/ports.ts";
import { type Prefix, prefixOf } from "../../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../../src/bgp/model/prefix-batch.ts";
import { createAttributesCodec } from "../../../src/bgp/wire/attributes-codec.ts";
import { Framer } from "../../../src/bgp/wire/framer.ts";
import { decodeOpen, encodeOpen } from "../../../src/bgp/wire/open.ts";
import { UpdateEncoder } from "../../../src/bgp/wire/update-encoder.ts";
import { attributesIn } from "../../harness/canonical.ts";
import { asNumber, attributesFor, bytes, word } from "./arbitrary.ts";
import { hexOf } from "./expect-codec.ts";
import {
  BOTH_FAMILIES,
  decodeAnything,
  decoderFor,
  MANDATORY,
  MP_REACH,
  NLRI,
  notificationFrom,
  prefixesOf,
  updateBody,
} from "./messages.ts";

const prefixFor = (family: Family): fc.Arbitrary<Prefix> =>
  family === Family.Ipv4
    ? fc
        .tuple(fc.integer({ min: 0, max: 0xdfffffff }), fc.integer({ min: 0, max: 32 }))
        .map(([w, l]) => prefixOf(ipv4(w), l))
    : fc
        .tuple(fc.integer({ min: 0, max: 0xfeffffff }), word, word, word, fc.integer({ min: 0, max: 128 }))
        .map(([a, b, c, d, l]) => prefixOf(ipv6(a, b, c, d), l));

/** A valid UPDATE's body, some octets of it changed, some cut out, some put in. */
const mutated = fc
  .tuple(
    fc.constantFrom(
      updateBody(MANDATORY, NLRI),
      updateBody(`${MP_REACH}${MANDATORY}`, NLRI, "080a"),
      updateBody(`${MANDATORY}c00804fde90001 c01006fd0102030405 80090400000001 800a0400000001`, NLRI),
      updateBody("800f08 0002 01 20 20010db8"),
      updateBody(`${MANDATORY}c0110602010001 1170 c0120800011170 0a000001 c00708 00011170 0a000001`, `${NLRI}${NLRI}`),
    ),
    fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }),
    fc.nat(200),
    fc.nat(3),
    bytes(3),
  )
  .map(([body, changes, at, cut, put]) => {
    const copy = Uint8Array.from(body);
    for (const [index, octet] of changes) copy[index % copy.length] = octet;
    const from = at % copy.length;
    return Uint8Array.from([...copy.subarray(0, from), ...put, ...copy.subarray(from + cut)]);
  });

describe("decoders throw nothing but NotificationError", () => {
  const types = fc.constantFrom(...Object.values(MessageType));
  it("on any octets", () => {
    fc.assert(
      fc.property(types, bytes(300), (type, body) => void notificationFrom(() => decodeAnything(type, body))),
      { numRuns: 2000 },
    );
  });
  it("on UPDATEs whose lengths are right", () => {
    const body = fc
      .tuple(bytes(20), bytes(200), bytes(20))
      .map(([w, a, n]) => updateBody(hexOf(a), hexOf(n), hexOf(w)));
    fc.assert(
      fc.property(body, (b) => void notificationFrom(() => decodeAnything(MessageType.Update, b))),
      { numRuns: 2000 },
    );
  });
  it("on valid UPDATEs that were tampered with", () => {
    fc.assert(
      fc.property(mutated, (body) => void notificationFrom(() => decodeAnything(MessageType.Update, body))),
      { numRuns: 5000 },
    );
  });
  it("on any stream", () => {
    const stream = fc.array(
      fc.oneof(bytes(40), fc.constant(new Uint8Array(16).fill(255)), fc.constant(Uint8Array.of(0, 23, 2, 0, 0, 0, 0))),
    );
    fc.assert(
      fc.property(stream, (chunks) => {
        const framer = new Framer();
        notificationFrom(() => {
          for (const chunk of chunks) {
            framer.push(chunk);
            while (framer.next() !== undefined);
          }
        });
      }),
    );
  });
});

describe("round trips", () => {
  const codec = createAttributesCodec();
  it.each([Family.Ipv4, Family.Ipv6])("canonical bytes of family %s", (family) => {
    fc.assert(
      fc.property(attributesFor(family), (attributes) => {
        const encoded = codec.encode(attributes);
        expect(codec.decode(encoded)).toEqual(attributes);
        expect(codec.encode(codec.decode(encoded))).toEqual(encoded);
      }),
    );
  });

  const families = [Family.Ipv4, Family.Ipv6].flatMap((family) =>
    [true, false].flatMap((fourOctetAs) => [true, false].map((addPath) => ({ family, fourOctetAs, addPath }))),
  );
  it.each(families)(
    "UPDATEs of $family, four octets $fourOctetAs, add-path $addPath",
    ({ family, fourOctetAs, addPath }) => {
      const encoding: Encoding = { family, fourOctetAs, addPath, extendedNextHop: false, maxMessageLength: 4096 };
      const decoder = decoderFor({
        fourOctetAs,
        families: BOTH_FAMILIES.map((f) => ({ ...f, addPathReceive: addPath })),
      });
      const encoder = new UpdateEncoder(encoding);
      const slab = new Uint8Array(1 << 16);
      const prefixes = fc.array(fc.tuple(prefixFor(family), word), { minLength: 1, maxLength: 900 });
      fc.assert(
        fc.property(attributesFor(family), prefixes, (attributes, list) => {
          const batch = new PrefixBatch(family);
          for (const [prefix, id] of list) batch.add(prefix, addPath ? id : 0);
          const end = encoder.announce(codec.encode(attributes), batch, 0, slab, 0);
          expect(encoder.problem).toBeUndefined();
          expect(encoder.next).toBe(batch.count);
          const withdrawnEnd = encoder.withdraw(batch, 0, slab, end);
          expect(encoder.next).toBe(batch.count);

          const framer = new Framer();
          framer.push(slab.subarray(0, withdrawnEnd));
          const announced: string[] = [];
          const withdrawn: string[] = [];
          for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
            const update = decoder.decode(frame.body);
            expect(update.problems).toEqual([]);
            for (const a of update.announced) {
              // What two octets and AS4_PATH cannot say: where one segment ends and the next of its kind begins.
              const got = attributesIn(a.attributes);
              if (fourOctetAs) expect(got).toEqual(attributes);
              else
                expect({ ...got, asPath: flat(got) }).toEqual({
                  ...attributes,
                  asPath: flat(attributes),
                });
              announced.push(...prefixesOf(a.prefixes));
            }
            withdrawn.push(...update.withdrawn.flatMap(prefixesOf));
          }
          expect(announced).toEqual(prefixesOf(batch));
          expect(withdrawn).toEqual(prefixesOf(batch));
        }),
        { numRuns: 30 },
      );
    },
  );

  it("OPEN", () => {
    const u16 = fc.integer({ min: 0, max: 0xffff });
    const u8 = fc.integer({ min: 0, max: 255 });
    const family = { afi: u16, safi: u8 };
    const capability = fc.oneof(
      fc.record({ kind: fc.constant("multiprotocol" as const), ...family }),
      fc.record({ kind: fc.constant("fourOctetAs" as const), asNumber }),
      fc.record({
        kind: fc.constant("gracefulRestart" as const),
        restarted: fc.boolean(),
        notification: fc.boolean(),
        timeSeconds: fc.integer({ min: 0, max: 4095 }),
        families: fc.array(fc.record({ ...family, forwardingPreserved: fc.boolean() }), { maxLength: 5 }),
      }),
      fc.record({
        kind: fc.constant("addPath" as const),
        tuples: fc.array(fc.record({ ...family, mode: fc.constantFrom(1 as const, 2 as const, 3 as const) }), {
          maxLength: 5,
        }),
      }),
      fc.record({ kind: fc.constant("unknown" as const), code: fc.constant(200), value: bytes(255) }),
    );
    const open = fc.record({
      version: fc.constant(4),
      myAs: fc.integer({ min: 1, max: 0xffff }),
      holdTimeSeconds: fc.integer({ min: 3, max: 0xffff }),
      bgpIdentifier: fc.integer({ min: 1, max: 0xffffffff }).map(routerId),
      capabilities: fc.array(capability, { maxLength: 12 }),
    });
    fc.assert(
      fc.property(open, (message) => {
        expect(decodeOpen(encodeOpen(message).subarray(19))).toEqual(message);
      }),
    );
  });
});

function flat(attributes: PathAttributes): string {
  return attributes.asPath.map(({ type, asns }) => asns.map((a) => `${type}:${a}`).join(" ")).join(" ");
}
