/** Attributes that only ExaBGP sends, on their way from it through starling to the daemon under test. */

import { expect, type TestContext } from "vitest";
import type { PeerDaemon } from "../../harness/daemons/catalogue.ts";
import { Exabgp } from "../../harness/daemons/exabgp.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import { establishedWith, here, makePair, type PairOptions, routeFrom, starlingAs } from "./pair.ts";

const sourceAs = 65003;
const source = "10.1.0.3";
const toSource = "10.1.0.1";

/** ExaBGP behind starling, and the daemon under test before it. */
async function through(daemon: PeerDaemon, name: string, context: TestContext, options: PairOptions = {}) {
  const pair = await makePair(daemon, name, context, {
    ...options,
    starlingPeers: [{ address: source, localAddress: toSource, asNumber: sourceAs }],
  });
  const x = await pair.lab.node("x");
  await pair.lab.link(pair.starlingNode, x, { addresses: [[`${toSource}/24`], [`${source}/24`]] });
  const exabgp = new Exabgp(x, {
    asNumber: sourceAs,
    routerId: source,
    peers: [{ address: toSource, localAddress: source, asNumber: starlingAs }],
  });
  await Promise.all([pair.establish(), exabgp.start()]);
  await establishedWith(pair.starling, source);
  return { pair, exabgp };
}

const unknownAttributes: Feature = {
  name: "unknown attributes (RFC 4271 §5): a transitive one passes with the Partial bit, another does not",
  async test(daemon, context) {
    const made = await through(daemon, "unknown", context);
    await using pair = made.pair;
    const transitive = (value: string) => `attribute [ 0x63 0xc0 0x${value} ]`;
    const long = "5a".repeat(300);
    made.exabgp.command(`announce route 192.0.2.0/24 next-hop ${source} ${transitive("abcdef")}`);
    made.exabgp.command(`announce route 198.51.100.0/24 next-hop ${source} ${transitive(long)}`);
    made.exabgp.command(`announce route 203.0.113.0/24 next-hop ${source} attribute [ 0x64 0x80 0x01 ]`);
    const at = async (prefix: string) => (await routeFrom(pair.other, prefix, here)).unknownAttributes;
    // It came without the Partial bit; starling, which does not know it either, keeps it as it will pass it on.
    expect((await routeFrom(pair.starling, "192.0.2.0/24", source)).unknownAttributes).toEqual([
      { type: 0x63, flags: 0xe0, value: "abcdef" },
    ]);
    expect(await at("192.0.2.0/24")).toEqual([{ type: 0x63, flags: 0xe0, value: "abcdef" }]);
    // The Extended Length bit is part of the flags that some show.
    expect(await at("198.51.100.0/24")).toEqual([
      { type: 0x63, flags: expect.toSatisfy((flags: number) => (flags & 0xe0) === 0xe0), value: long },
    ]);
    expect(await at("203.0.113.0/24")).toEqual([]);
  },
};

const asSets: Feature = {
  name: "AS_SET in a path (RFC 4271 §4.3), ATOMIC_AGGREGATE and AGGREGATOR, through starling",
  async test(daemon, context) {
    const made = await through(daemon, "sets", context);
    await using pair = made.pair;
    const path = `as-path [ ${sourceAs} 70000 ( 65010 4200000001 ) ]`;
    const aggregate = "atomic-aggregate aggregator ( 4200000001:10.9.9.9 )";
    made.exabgp.command(`announce route 192.0.2.0/24 next-hop ${source} ${path} ${aggregate}`);
    const asPath = `${sourceAs} 70000 {65010 4200000001}`;
    await routeFrom(pair.starling, "192.0.2.0/24", source);
    const [view] = await pair.starling.routeViews("192.0.2.0/24", "--peer", source);
    expect(view).toMatchObject({
      asPath,
      atomicAggregate: true,
      aggregator: { asNumber: 4_200_000_001, address: "10.9.9.9" },
    });
    expect(await routeFrom(pair.other, "192.0.2.0/24", here)).toMatchObject({ asPath: `${starlingAs} ${asPath}` });
  },
};

export const attributeFeatures: readonly Feature[] = [unknownAttributes, asSets];
