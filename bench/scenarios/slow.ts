/** Some of K receivers read slowly: what that does to the others, against a run in which all read as fast as they can. */

import { join } from "node:path";
import { Family } from "../../src/bgp/model/family.ts";
import type { Network } from "../daemons/daemon.ts";
import type { GeneratorSession } from "../generator.ts";
import { BlobFile } from "../table/blob-file.ts";
import { tableSets } from "../table/route-set.ts";
import { sendersAndReceivers } from "./full.ts";
import { measured, withLoad } from "./loaded-run.ts";
import { clientNetwork } from "./reflect.ts";
import { type DaemonContext, numberOf, type Parameters, type Scenario } from "./scenario.ts";

export const slow: Scenario = {
  name: "slow",
  summary:
    "percent=5 of K clients read rate=10000 octets a second: K=1000 P=10 as in reflect; with M=100000, of a sender's table",
  defaults: { K: 1000, P: 10, M: 0, percent: 5, rate: 10_000 },
  cases: {
    small: [{ K: 40, P: 4 }],
    full: [
      { K: 1000, P: 10 },
      { K: 100, P: 0, M: 100_000 },
    ],
  },
  async prepare(parameters, folder) {
    const { network, sessions, routes, exceptOwn } = load(parameters, folder);
    const every = Math.max(2, Math.round(100 / numberOf(parameters, "percent")));
    const rate = numberOf(parameters, "rate");
    // Not the first: it may be the one whose turn always comes first.
    const withSlow = sessions.map((session, index) =>
      session.receives && index % every === 1 ? { ...session, rate } : session,
    );
    const run = (context: DaemonContext, some: readonly GeneratorSession[]) =>
      withLoad(context, network, some, (running) =>
        measured(running, () => {
          const converged = running.generator.expect(routes, { exceptOwn, readers: "fast" });
          running.generator.send();
          return converged;
        }),
      );
    return {
      notes: [
        `${withSlow.filter((session) => session.rate !== undefined).length} slow readers; time is that of the others`,
      ],
      async run(context) {
        const without = await run({ ...context, folder: join(context.folder, "without") }, sessions);
        const { figures, notes } = await run({ ...context, folder: join(context.folder, "with") }, withSlow);
        const referenceSeconds = without.figures.seconds ?? Number.NaN;
        return {
          figures: { ...figures, referenceSeconds, slowdown: (figures.seconds ?? Number.NaN) / referenceSeconds },
          notes,
        };
      },
    };
  },
};

interface SlowLoad {
  readonly network: Network;
  readonly sessions: readonly GeneratorSession[];
  readonly routes: number;
  readonly exceptOwn: boolean;
}

function load(parameters: Parameters, folder: string): SlowLoad {
  const routes = numberOf(parameters, "M");
  if (routes === 0) return { ...clientNetwork(parameters, folder), exceptOwn: true };
  const blobs = new BlobFile(join(folder, "table.blob"));
  const table = blobs.announce(tableSets(Family.Ipv4, routes, 0));
  blobs.close();
  return { ...sendersAndReceivers("ipv4", [table], numberOf(parameters, "K")), routes, exceptOwn: false };
}
