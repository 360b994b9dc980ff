/** Where all paths are sent (RFC 7911), those of this speaker's own go out beside the best one too, as from BIRD. */

import { beforeEach, describe, expect, it } from "vitest";
import { formatAddress, ipv4 } from "../../../src/bgp/model/address.ts";
import { attributesWith } from "../../../src/bgp/model/attributes.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { asn, type PeerId } from "../../../src/bgp/model/ids.ts";
import type { KernelPath } from "../../../src/rib/route-lookup.ts";
import { peerOptions, prefix, RibBench } from "../../harness/rib-bench.ts";
import { attributes, path, policy, term } from "./sample.ts";

const TOR = 1 as PeerId;
const NODE = 2 as PeerId;
const BLOCK = "10.3.0.0/26";
const MAX = 2147483647;
const blackhole: KernelPath = { kind: "blackhole", hops: [], metric: 1024 };
const pod: KernelPath = { kind: "forward", hops: [{ gateway: undefined, interface: 1 }], metric: 512 };
const own = { prefix: prefix(BLOCK), source: "calico", kind: "blackhole", nextHop: undefined } as const;
const withAddPath = {
  families: [{ family: Family.Ipv4, addPathReceive: true, addPathSend: true, extendedNextHop: false }],
};

let bench: RibBench;
const told = () =>
  [...bench.knows(NODE)]
    .map(([key, a]) => `${key.replace(/#.*/, "")} ${a.localPref} ${formatAddress(a.nextHop)}`)
    .sort();

beforeEach(() => {
  bench = new RibBench({
    priorities: { base: MAX, normal: { [Family.Ipv4]: 1024, [Family.Ipv6]: 1024 }, elevatedPreference: 200 },
  });
  const external = { internal: false, peerAs: asn(65001) };
  bench.up(TOR, external, external);
  bench.up(NODE, { exportPolicies: [policy("all", term({}, "accept"))] }, withAddPath);
});

describe("one destination, several sources", () => {
  it("goes out once for each", () => {
    bench.rib.setOriginated([{ ...own, attributes: attributesWith(ipv4(0)) }]);
    bench.rib.kernelRoute(prefix(BLOCK), "kernel", blackhole, true);
    bench.announce(TOR, attributes({ asPath: path("65001"), nextHop: ipv4(0x0b000001) }), BLOCK);
    expect(told()).toEqual([
      `${BLOCK} 100 11.0.0.1`,
      `${BLOCK} ${MAX - 1024} 10.0.0.254`,
      `${BLOCK} ${MAX - 1024} 10.0.0.254`,
    ]);
    bench.rib.setOriginated([]);
    expect(told()).toHaveLength(2);
    bench.rib.kernelRoute(prefix(BLOCK), "kernel", undefined, false);
    bench.withdraw(TOR, BLOCK);
    expect(told()).toEqual([]);
  });

  it("what is not the best path is told when it changes", () => {
    bench.announce(TOR, attributes({ asPath: path("65001"), nextHop: ipv4(0x0b000001) }), BLOCK);
    bench.rib.kernelRoute(prefix(BLOCK), "kernel", pod, true);
    expect(told()).toEqual([`${BLOCK} 100 11.0.0.1`, `${BLOCK} ${MAX - 512} 10.0.0.254`]);
    bench.rib.kernelRoute(prefix(BLOCK), "kernel", { ...pod, metric: 1024 }, true);
    expect(told()).toEqual([`${BLOCK} 100 11.0.0.1`, `${BLOCK} ${MAX - 1024} 10.0.0.254`]);
  });

  it("each passes the export rules by itself", () => {
    const elevated = policy("elevated", term({ localPrefAbove: MAX - 1024 }, "accept"), term({}, "reject"));
    bench.rib.updatePeers([peerOptions(NODE, { exportPolicies: [elevated] })]);
    bench.rib.setOriginated([{ ...own, attributes: attributesWith(ipv4(0)) }]);
    bench.rib.kernelRoute(prefix(BLOCK), "kernel", pod, true);
    expect(told()).toEqual([`${BLOCK} ${MAX - 512} 10.0.0.254`]);
  });

  it("a peer without add-path is told the best one alone", () => {
    const plain = 3 as PeerId;
    bench.up(plain);
    bench.rib.setOriginated([{ ...own, attributes: attributesWith(ipv4(0)) }]);
    bench.rib.kernelRoute(prefix(BLOCK), "kernel", pod, true);
    expect([...bench.knows(plain).values()].map((a) => a.localPref)).toEqual([MAX - 1024]);
  });
});
