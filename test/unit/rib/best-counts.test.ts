/** How many routes of whom are the best: what `show protocols` of BIRD's clients calls preferred. */

import { describe, expect, it } from "vitest";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { attributesWith } from "../../../src/bgp/model/attributes.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import { prefix, RibBench } from "../../harness/rib-bench.ts";

const [A, B] = [1 as PeerId, 2 as PeerId];
const hop = (n: number) => ipv4(0x0b000000 + n);
const plain = attributesWith(hop(1), { localPref: 100 });

describe("counts of what is the best", () => {
  it("follow the decision, for peers and for this speaker's own routes, until nothing is left", () => {
    const bench = new RibBench();
    const counts = (id: PeerId) => {
      const { accepted = 0, preferred = 0 } = bench.rib.peer(id)?.family(Family.Ipv4) ?? {};
      return [accepted, preferred];
    };
    const better = attributesWith(hop(2), { localPref: 200 });
    bench.up(A);
    bench.up(B);
    bench.announce(A, plain, "10.1.0.0/16", "10.2.0.0/16");
    bench.announce(B, better, "10.1.0.0/16");
    bench.clock.settle();
    expect([counts(A), counts(B)]).toEqual([
      [2, 1],
      [1, 1],
    ]);
    bench.rib.local.set(prefix("10.2.0.0/16"), "static", plain);
    bench.clock.settle();
    expect([counts(A), bench.rib.rib(Family.Ipv4).own.static]).toEqual([[2, 0], { accepted: 1, preferred: 1 }]);
    bench.rib.local.unset(prefix("10.2.0.0/16"), "static");
    bench.rib.removePeer(B);
    bench.clock.settle();
    expect(bench.rib.isForgotten(B)).toBe(true);
    bench.rib.forget(B);
    expect([counts(A), bench.rib.rib(Family.Ipv4).own.static]).toEqual([[2, 2], { accepted: 0, preferred: 0 }]);
  });

  it("keep a peer's number until the last decision has let go of its routes", () => {
    const bench = new RibBench();
    bench.up(A);
    bench.announce(A, plain, "10.1.0.0/16");
    bench.clock.settle();
    bench.rib.hold();
    bench.rib.removePeer(A);
    bench.clock.settle();
    expect(bench.rib.isForgotten(A)).toBe(false);
    bench.rib.release();
    bench.clock.settle();
    expect(bench.rib.isForgotten(A)).toBe(true);
  });
});
