/** A daemon whose resources become hostile while it runs takes every change over, and is back where it was when they are right again. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { CalicoConfig } from "../../../src/config/calico/calico-config.ts";
import type { Config } from "../../../src/config/model.ts";
import { fileOf } from "../../harness/calico-source.ts";
import { MemoryDaemon } from "../../harness/memory-daemon.ts";
import { MemoryNetwork } from "../../harness/memory-transport.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";
import { TestCluster, type Written } from "../../unit/config/calico/cluster-of.ts";
import { hostile, SEEDS } from "../../unit/config/calico/hostile.ts";
import { address } from "../../unit/rib/sample.ts";

/** What comes of each state of the resources, one after the other. */
function configs(states: readonly (readonly Written[])[]): Config[] {
  const cluster = new TestCluster();
  const toConfig = new CalicoConfig(fileOf(), { role: "node", logSeverity: undefined });
  return states.flatMap((objects) => {
    const { model, clusterId } = cluster.become(objects).translate();
    const { config } = model === undefined ? { config: undefined } : toConfig.merge(model, clusterId);
    return config ?? [];
  });
}

it("whatever the resources become, they are taken over", async () => {
  const states = fc.array(fc.array(hostile, { maxLength: 8 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(states, async (some) => {
      const [first, ...others] = configs([SEEDS, ...some.map((objects) => [...SEEDS, ...objects]), SEEDS]);
      if (first === undefined) throw new RangeError("there is no configuration of what is right");
      const clock = new VirtualClock();
      const one = new MemoryDaemon(address("10.0.0.1"), new MemoryNetwork(clock), clock, first);
      const { daemon } = one;
      /** Lets the daemon work until that is done. */
      const done = async <T>(work: Promise<T>): Promise<T> => {
        let isDone = false;
        const end = work.finally(() => {
          isDone = true;
        });
        for (let n = 0; n < 1000 && !isDone; n++) {
          clock.advance(50);
          await Promise.resolve();
        }
        return await end;
      };
      await done(daemon.start());
      const names = () =>
        daemon
          .peerOptions()
          .map(({ name }) => name)
          .sort();
      const before = [names(), one.routes().sort()];
      expect(before.map((list) => list.length > 2)).toEqual([true, true]);
      for (const next of others) await done(daemon.apply(next));
      clock.advanceSeconds(60);
      expect([names(), one.routes().sort()]).toEqual(before);
      expect(one.log.lines.filter(({ level }) => level === "error")).toEqual([]);
      await done(daemon.stop(false));
    }),
    { numRuns: 60 },
  );
}, 60_000);
