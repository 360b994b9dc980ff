/** Sets as they go out: octets rewritten, compared with a model on objects. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SegmentType } from "../../../src/bgp/model/as-path.ts";
import { WellKnown } from "../../../src/bgp/model/community.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { type Asn, asn, type RouterId } from "../../../src/bgp/model/ids.ts";
import { createAttributesCodec } from "../../../src/bgp/wire/attributes-codec.ts";
import { ExportRefusal, type ExportTarget, type PathOrigin } from "../../../src/rib/export.ts";
import { Role } from "../../../src/rib/only-to-customer.ts";
import { attributesFor } from "../wire/arbitrary.ts";
import { modelExport } from "./export-model.ts";
import { exported, exportedBytes } from "./exported.ts";
import { address, attributes, id, target } from "./sample.ts";

const LOCAL: PathOrigin = { kind: "local" };
const EXTERNAL: PathOrigin = { kind: "external" };
const NON_CLIENT: PathOrigin = { kind: "internal", client: false, routerId: id("10.0.0.7"), clusterId: id("1.0.0.1") };
const CLIENT: PathOrigin = { ...NON_CLIENT, client: true };
const ebgp = (more: Partial<ExportTarget> = {}) => target({ internal: false, ...more });

describe("exported sets", () => {
  const codec = createAttributesCodec();
  const flag = fc.boolean();
  const from = fc.constantFrom<PathOrigin>(LOCAL, EXTERNAL, NON_CLIENT, CLIENT);
  const to = fc
    .record({
      family: fc.constantFrom(Family.Ipv4, Family.Ipv6),
      internal: flag,
      nextHop: fc.constantFrom<ExportTarget["nextHop"]>("auto", "self", "keep"),
      client: flag,
      clusterId: fc.constantFrom(id("1.0.0.1"), id("2.0.0.2")),
      ipv4: fc.constantFrom(address("10.0.0.1"), undefined),
      ipv6: fc.constantFrom(address("2001:db8::1"), undefined),
      linkLocal: fc.constantFrom(address("fe80::1"), undefined),
      extendedNextHop: flag,
      removePrivateAs: flag,
      asOverride: flag,
      zeroMed: flag,
      role: fc.constantFrom(undefined, ...Object.values(Role)),
      takesLongLivedStale: flag,
    })
    .map(target);
  const edits = fc.record({
    nextHop: fc.constantFrom("unset" as const, "self" as const, "given" as const),
    medSet: flag,
  });
  const any = [SegmentType.Set, SegmentType.Sequence, SegmentType.ConfedSequence, SegmentType.ConfedSet];
  const set = fc.constantFrom(Family.Ipv4, Family.Ipv6).chain((family) => attributesFor(family, any));
  const marked = fc
    .tuple(set, fc.subarray<number>([WellKnown.LlgrStale, WellKnown.NoExport]), flag, flag)
    .map(([given, marks, isBare, isOnLink]) => ({
      ...given,
      communities: [...marks, ...(isBare ? [] : given.communities)],
      linkLocalNextHop: isOnLink && given.nextHop.family === Family.Ipv6 ? address("fe80::7") : undefined,
    }));

  it("are what the protocol makes of the objects", () => {
    fc.assert(
      fc.property(marked, from, to, edits, (given, source, peer, edit) => {
        const want = modelExport(given, source, peer, edit);
        expect(exportedBytes(given, source, peer, edit)).toEqual(
          want === undefined ? ExportRefusal.NoNextHop : codec.encode(want),
        );
      }),
      { numRuns: 3000 },
    );
  });

  it("that are not reflected pass a second time unchanged", () => {
    const inside = to.map((peer) => ({ ...peer, internal: true, linkLocal: undefined }));
    fc.assert(
      fc.property(marked, fc.constantFrom(LOCAL, EXTERNAL), inside, (given, source, peer) => {
        const sent = exported(given, source, peer);
        if (sent !== undefined) expect(exported(sent, source, peer)).toEqual(sent);
      }),
    );
  });

  const sequence = (count: number) => ({ type: SegmentType.Sequence, asns: new Array<Asn>(count).fill(asn(70000)) });
  const stale = (count: number) => [WellKnown.LlgrStale, ...new Array<number>(count - 1).fill(7)];
  it.each([
    ["AS_PATH outgrows one octet of length", attributes({ asPath: [sequence(63)] }), ebgp()],
    ["a first segment with room for one", attributes({ asPath: [sequence(254)] }), ebgp()],
    ["a full first segment", attributes({ asPath: [sequence(255), sequence(1)] }), ebgp()],
    ["AS_PATH longer than any message", attributes({ asPath: new Array(70).fill(sequence(255)) }), ebgp()],
    ["COMMUNITIES outgrow one octet of length", attributes({ communities: stale(63) }), target()],
    ["COMMUNITIES outgrow two octets of length", attributes({ communities: stale(16383) }), target()],
    [
      "EXTENDED COMMUNITIES shrink to one octet of length",
      attributes({
        partial: [16],
        extendedCommunities: Array.from({ length: 40 }, (_, i) => ({ high: i < 20 ? 0x40020000 : 0x00020000, low: i })),
      }),
      ebgp(),
    ],
    [
      "CLUSTER_LIST outgrows one octet of length",
      attributes({ clusterList: new Array<RouterId>(63).fill(id("9.9.9.9")), med: 1 }),
      target({ client: true, clusterId: id("2.0.0.2") }),
    ],
  ])("lengths: %s", (_name, given, to) => {
    const edit = { nextHop: "unset", medSet: false } as const;
    const want = modelExport(given, CLIENT, to, edit);
    expect(want).toBeDefined();
    expect(exportedBytes(given, CLIENT, to, edit)).toEqual(want && codec.encode(want));
  });
});
