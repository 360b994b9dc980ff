/** K sessions that stand, and nothing happens: what keeping them costs. */

import { setTimeout as sleep } from "node:timers/promises";
import { withLoad } from "./loaded-run.ts";
import { clientNetwork } from "./reflect.ts";
import { numberOf, type Scenario } from "./scenario.ts";

export const idle: Scenario = {
  name: "idle",
  summary: "CPU over T seconds with K sessions and K x P routes: K=2000 P=5 T=60",
  defaults: { K: 2000, P: 5, T: 60, family: "ipv4" },
  cases: { small: [{ K: 50, T: 2 }], full: [{}] },
  async prepare(parameters, folder) {
    const { network, sessions, routes } = clientNetwork(parameters, folder);
    const seconds = numberOf(parameters, "T");
    return {
      notes: [],
      run: (context) =>
        withLoad(
          context,
          network,
          sessions,
          async ({ daemon, generator }) => {
            const converged = generator.expect(routes, { exceptOwn: true });
            generator.send();
            await converged;
            await daemon.quiet();
            const before = daemon.cpuSeconds();
            await sleep(seconds * 1000);
            const cpuSeconds = daemon.cpuSeconds() - before;
            const { down } = await generator.stats();
            return {
              figures: {
                cpuSeconds,
                cpuPercent: (cpuSeconds / seconds) * 100,
                residentMegabytes: daemon.residentMegabytes(),
                peakMegabytes: daemon.peakMegabytes(),
              },
              notes: down > 0 ? [`sessions lost: ${down}${generator.troubles()}`] : [],
            };
          },
          // The probe's timer would be most of what there is to measure.
          false,
        ),
    };
  },
};
