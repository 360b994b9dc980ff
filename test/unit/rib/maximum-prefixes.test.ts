import { describe, expect, it } from "vitest";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { attributesWith } from "../../../src/bgp/model/attributes.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import { peerOptions, RibBench } from "../../harness/rib-bench.ts";

const A = 1 as PeerId;
const B = 2 as PeerId;
const plain = attributesWith(ipv4(0x0b000001), { localPref: 100 });

describe("maximum prefixes (RFC 4486 §4)", () => {
  const limited = (discard: boolean) => ({
    maxPrefixes: [{ family: Family.Ipv4, limit: 3, warnPercent: 66, discard }],
  });

  it("says when the limit comes near and when it is passed, once each", () => {
    const bench = new RibBench();
    bench.up(A, limited(false));
    bench.announce(A, plain, "10.1.0.0/16");
    expect(bench.limits).toEqual([]);
    bench.announce(A, plain, "10.2.0.0/16");
    expect(bench.limits).toEqual(["1 near"]);
    bench.announce(A, plain, "10.3.0.0/16", "10.4.0.0/16", "10.5.0.0/16");
    expect(bench.limits).toEqual(["1 near", "1 exceeded"]);
    expect(bench.routes()).toHaveLength(5);
  });

  it("is compared with what is there when it changes", () => {
    const bench = new RibBench();
    bench.up(A, limited(false));
    bench.up(B);
    bench.announce(A, plain, "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16");
    bench.limits.length = 0;
    const limit = (count: number) => {
      bench.rib.updatePeers([
        peerOptions(A, { maxPrefixes: [{ family: Family.Ipv4, limit: count, warnPercent: 80, discard: false }] }),
      ]);
      bench.rib.checkLimits(A);
    };
    for (const count of [10, 3, 2]) limit(count);
    expect(bench.limits).toEqual(["1 near", "1 exceeded"]);
    bench.rib.peerDown(A, { kind: "flush" });
    bench.rib.checkLimits(A);
    expect(bench.limits).toHaveLength(2);
  });

  it("discards what is beyond it, but takes updates of what it has", () => {
    const bench = new RibBench();
    bench.up(A, limited(true));
    bench.up(B);
    bench.announce(A, plain, "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16");
    expect([...bench.knows(B).keys()].sort()).toEqual(["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"]);
    bench.announce(A, attributesWith(ipv4(0x0b000001), { localPref: 200 }), "10.3.0.0/16");
    expect(bench.knows(B).get("10.3.0.0/16")?.localPref).toBe(200);
    bench.withdraw(A, "10.1.0.0/16");
    bench.announce(A, plain, "10.4.0.0/16");
    expect([...bench.knows(B).keys()].sort()).toEqual(["10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16"]);
  });
});
