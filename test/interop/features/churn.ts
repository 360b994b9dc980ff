/** Many routes that come and go: ExaBGP feeds starling, and the daemon under test has in the end what was announced last. */

import { expect } from "vitest";
import { Exabgp } from "../../harness/daemons/exabgp.ts";
import type { Speaker } from "../../harness/daemons/speaker.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { establishedWith, makePair, peerView, starlingAs } from "./pair.ts";

const sourceAs = 65003;
const source = "10.250.0.3";
const toSource = "10.250.0.1";
const routes = 20_000;
const batch = 500;
const turns = 60;

const prefixOf = (index: number) => `11.${index >> 8}.${index & 255}.0/24`;

/** The same in each run: a linear congruential generator. */
function* numbers(): Generator<number, never> {
  let state = 1;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

async function table(speaker: Speaker): Promise<Map<string, number | undefined>> {
  const learnt = (await speaker.routes("ipv4")).filter((route) => route.peer !== undefined);
  return new Map(learnt.map((route) => [route.prefix, route.med]));
}

const differences = (have: ReadonlyMap<string, number | undefined>, want: ReadonlyMap<string, number>) => ({
  missing: [...want].filter(([prefix, med]) => have.get(prefix) !== med).length,
  surplus: [...have.keys()].filter((prefix) => !want.has(prefix)).length,
});

async function becomes(speaker: Speaker, want: ReadonlyMap<string, number>): Promise<void> {
  await waitFor(
    async () => {
      const { missing, surplus } = differences(await table(speaker), want);
      if (missing + surplus > 0) throw new RangeError(`${missing} are missing or old, ${surplus} should not be there`);
      return true;
    },
    { what: `the ${want.size} routes at ${speaker.daemon}`, timeout: 60_000, interval: 1000 },
  );
}

const churn: Feature = {
  name: `${routes} routes announced, changed and withdrawn by ExaBGP: starling and what it tells are right in the end`,
  timeout: 180_000,
  async test(daemon, context) {
    await using pair = await makePair(daemon, "churn", context, {
      // A MED reaches internal peers only.
      internal: true,
      starlingPeer: { nextHopSelf: true },
      starlingPeers: [{ address: source, localAddress: toSource, asNumber: sourceAs }],
    });
    const { starling, other } = pair;
    const x = await pair.lab.node("x");
    await pair.lab.link(pair.starlingNode, x, { addresses: [[`${toSource}/24`], [`${source}/24`]] });
    const exabgp = new Exabgp(x, {
      asNumber: sourceAs,
      routerId: source,
      peers: [{ address: toSource, localAddress: source, asNumber: starlingAs }],
    });
    await Promise.all([pair.establish(), exabgp.start()]);
    await establishedWith(starling, source);

    const want = new Map<string, number>();
    const act = (indexes: readonly number[], med: number | undefined) => {
      const prefixes = [...new Set(indexes.map(prefixOf))];
      const [verb, more] = med === undefined ? ["withdraw", ""] : ["announce", ` med ${med}`];
      exabgp.command(`${verb} attributes next-hop ${source}${more} nlri ${prefixes.join(" ")}`);
      for (const prefix of prefixes) {
        if (med === undefined) want.delete(prefix);
        else want.set(prefix, med);
      }
    };
    for (let start = 0; start < routes; start += batch) {
      act(
        Array.from({ length: batch }, (_, index) => start + index),
        1,
      );
    }
    const random = numbers();
    for (let turn = 0; turn < turns; turn++) {
      const indexes = Array.from({ length: batch }, () => Math.floor(random.next().value * routes));
      act(indexes, random.next().value < 0.5 ? undefined : 2 + turn);
    }
    await becomes(starling, want);
    await becomes(other, want);
    expect((await peerView(starling, source)).families["ipv4"]).toMatchObject({ accepted: want.size });
    expect(await pair.view()).toMatchObject({ state: "Established", transitions: 1 });

    // All at once, by the end of the session that they came from.
    await exabgp.kill();
    await becomes(starling, new Map());
    await becomes(other, new Map());
    expect(await pair.view()).toMatchObject({ state: "Established", transitions: 1 });
  },
};

export const churnFeatures: readonly Feature[] = [churn];
