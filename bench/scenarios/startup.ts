/** From the start of its program until a daemon listens, and its memory then. */

import { RunningDaemon } from "../daemons/running.ts";
import { internalNetwork, numberOf, type Scenario } from "./scenario.ts";

export const startup: Scenario = {
  name: "startup",
  summary: "until it listens, with K peers configured: K=10",
  defaults: { K: 10 },
  cases: { small: [{}], full: [{}, { K: 1000 }] },
  async prepare(parameters) {
    const network = internalNetwork(["ipv4"], numberOf(parameters, "K"));
    return {
      notes: ["with what entering the namespace takes: some 10 ms"],
      async run(context) {
        const daemon = await RunningDaemon.start(context.daemon, network, { ...context, probe: false });
        const figures = {
          seconds: daemon.startSeconds,
          cpuSeconds: daemon.cpuSeconds(),
          residentMegabytes: daemon.residentMegabytes(),
          peakMegabytes: daemon.peakMegabytes(),
        };
        await daemon.stop();
        return { figures, notes: [] };
      },
    };
  },
};
