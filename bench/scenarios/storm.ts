/** All K clients lose their sessions at once and come back, each saying its routes again: until all is as it was. */

import { measured, withLoad } from "./loaded-run.ts";
import { clientNetwork } from "./reflect.ts";
import { numberOf, type Scenario } from "./scenario.ts";

export const storm: Scenario = {
  name: "storm",
  summary: "K clients of P blocks drop and come back: K=500 P=4, dials=8 at a time (0: all at once)",
  defaults: { K: 500, P: 4, dials: 8, family: "ipv4" },
  cases: { small: [{ K: 30 }, { K: 30, dials: 0 }], full: [{ dials: 8 }, { dials: 0 }] },
  async prepare(parameters, folder) {
    const { network, sessions, routes } = clientNetwork(parameters, folder);
    const dials = numberOf(parameters, "dials");
    return {
      notes: dials === 0 ? ["all at once: what the kernel's back-off adds for lost SYNs counts"] : [],
      cannot: ({ forgets }) => (forgets ? "it keeps no routes for those who come back" : undefined),
      run: (context) =>
        withLoad(context, network, sessions, async (load) => {
          const { daemon, generator } = load;
          const before = generator.expect(routes, { exceptOwn: true });
          generator.send();
          await before;
          await daemon.quiet();
          return await measured(load, async () => {
            generator.clock();
            generator.drop();
            const back = generator.connect({ window: dials, resend: true });
            const after = generator.expect(routes, { exceptOwn: true });
            await back;
            return await after;
          });
        }),
    };
  },
};
