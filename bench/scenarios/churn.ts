/**
 * One of K clients withdraws its P blocks and announces them again, at a fixed rate, in a network that has converged: how long
 * until each of the others has heard.
 */

import { withLoad } from "./loaded-run.ts";
import { clientNetwork } from "./reflect.ts";
import { numberOf, type Scenario } from "./scenario.ts";

export const churn: Scenario = {
  name: "churn",
  summary: "one of K clients flaps its P blocks: K=500 P=4, rate=10 events a second, events=200",
  defaults: { K: 500, P: 4, rate: 10, events: 200, family: "ipv4" },
  cases: { small: [{ K: 20, events: 20 }], full: [{}] },
  async prepare(parameters, folder) {
    const { network, sessions, routes } = clientNetwork(parameters, folder);
    return {
      notes: [],
      run: (context) =>
        withLoad(context, network, sessions, async ({ daemon, generator }) => {
          const converged = generator.expect(routes, { exceptOwn: true });
          generator.send();
          await converged;
          await daemon.quiet();
          const cpuBefore = daemon.cpuSeconds();
          await daemon.eventLoopLag("reset");
          const started = performance.now();
          const flaps = await generator.churn(0, numberOf(parameters, "events"), 1000 / numberOf(parameters, "rate"));
          const seconds = (performance.now() - started) / 1000;
          const cpuSeconds = daemon.cpuSeconds() - cpuBefore;
          const lag = await daemon.eventLoopLag("read");
          return {
            figures: {
              latencyP50: flaps.p50,
              latencyP99: flaps.p99,
              latencyMax: flaps.max,
              lost: flaps.lost,
              cpuSeconds,
              cpuPercent: (cpuSeconds / seconds) * 100,
              peakMegabytes: daemon.peakMegabytes(),
              ...(lag === undefined ? {} : { lagP50: lag.p50, lagP99: lag.p99, lagMax: lag.max }),
            },
            notes: [],
          };
        }),
    };
  },
};
