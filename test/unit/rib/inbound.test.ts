/** Which of an external peer's routes are let in, by the loop and path checks that its options ask for. */

import { expect, it } from "vitest";
import { asn, type PeerId } from "../../../src/bgp/model/ids.ts";
import type { RibPeerOptions } from "../../../src/rib/options.ts";
import { RibBench } from "../../harness/rib-bench.ts";
import { attributes, path } from "./sample.ts";

const FROM = 1 as PeerId;
const LOCAL_AS = asn(64999);

/** Our real AS is 65000, the session's 64999, the peer's 65001. */
function isAccepted(asPath: string, options: Partial<RibPeerOptions>): boolean {
  const bench = new RibBench();
  const session = { internal: false, peerAs: asn(65001), localAs: LOCAL_AS };
  bench.up(FROM, { ...session, ...options }, session);
  bench.announce(FROM, attributes({ asPath: path(asPath) }), "10.1.0.0/16");
  bench.clock.settle();
  return bench.routes()[0]?.best === true;
}

it.each<[string, string, Partial<RibPeerOptions>, boolean]>([
  ["the session's AS in the path", "65001 64999", { realAsLoops: false }, false],
  ["the session's AS, once allowed", "65001 64999", { realAsLoops: false, allowLocalAs: 1 }, true],
  ["our real AS in the path", "65001 65000", {}, false],
  ["our real AS, as BIRD sees it", "65001 65000", { realAsLoops: false }, true],
  ["another first AS than the peer's (RFC 4271 §6.3)", "65002 65001", {}, false],
  ["another first AS, as BIRD 1.6 sees it", "65002 65001", { enforceFirstAs: false }, true],
])("%s", (_name, asPath, options, want) => {
  expect(isAccepted(asPath, options)).toBe(want);
});
