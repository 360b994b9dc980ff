/** What the packets themselves say: DSCP and TTL, seen with tcpdump. */

import { expect, type TestContext } from "vitest";
import type { PeerDaemon } from "../../harness/daemons/catalogue.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { makePair, type PairOptions } from "./pair.ts";

/** TOS and TTL, or traffic class and hop limit, of all that starling sent, each once, from its first SYN on. */
async function sent(
  daemon: PeerDaemon,
  name: string,
  context: TestContext,
  options: PairOptions,
): Promise<readonly string[]> {
  await using pair = await makePair(daemon, name, context, options);
  const filter = ["src", "host", pair.here, "and", "tcp"];
  const dump = pair.starlingNode.spawn(["tcpdump", "-n", "-v", "-l", "-i", pair.interfaces[0], ...filter], "tcpdump");
  await waitFor(() => dump.output().includes("listening on"), { what: "tcpdump to listen" });
  // Before starling listens the kernel itself would answer, with its own TTL.
  await pair.starling.start();
  await pair.other.start();
  await pair.established();
  await pair.starling.operate(pair.there, "refreshIn");
  const lines = await waitFor(
    () => {
      const found = dump.output().match(/\((?:tos|class) .*/g) ?? [];
      return found.length > 6 && found;
    },
    { what: "some packets" },
  );
  const seen = lines.map((line) => {
    const tos = /\((?:tos|class) (0x[0-9a-f]+)/.exec(line)?.[1];
    const ttl = /(?:ttl|hlim) (\d+)/.exec(line)?.[1];
    return `${tos} ${ttl}`;
  });
  return [...new Set(seen)];
}

const marks: Feature = {
  name: "DSCP CS6 and the right TTL on the wire: external, internal, multihop, GTSM; IPv4 and IPv6",
  timeout: 90_000,
  async test(daemon, context) {
    const dialled = { otherPeer: { passive: true } };
    const gtsm = { ttlSecurity: 1 };
    const overIpv6 = { ...dialled, overIpv6: true };
    const families = ["ipv6"] as const;
    const cases: readonly [string, PairOptions, ...string[]][] = [
      ["external", dialled, "0xc0 1"],
      ["internal", { ...dialled, internal: true }, "0xc0 64"],
      ["multihop", { ...dialled, session: { multihop: 5 } }, "0xc0 5"],
      ["gtsm", { ...dialled, session: gtsm }, "0xc0 255"],
      ["external6", { ...overIpv6, session: { families } }, "0xc0 1"],
      ["gtsm6", { ...overIpv6, session: { families, ...gtsm } }, "0xc0 255"],
      // Who it is that connects shows only when the connection stands.
      ["accepted", { starlingPeer: { passive: true } }, "0xc0 255", "0xc0 1"],
      ["accepted6", { overIpv6: true, session: { families }, starlingPeer: { passive: true } }, "0xc0 255", "0xc0 1"],
    ];
    const results = await Promise.all(
      cases.map(async ([name, options]) => [name, await sent(daemon, `wire-${name}`, context, options)]),
    );
    expect(results).toEqual(cases.map(([name, , ...want]) => [name, want]));
  },
};

export const wireFeatures: readonly Feature[] = [marks];
