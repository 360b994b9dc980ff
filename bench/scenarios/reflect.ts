/** K internal clients of a reflector, each with P blocks of its own; done when every client has the blocks of all others. */

import { join } from "node:path";
import { Family } from "../../src/bgp/model/family.ts";
import type { FamilyName, Network } from "../daemons/daemon.ts";
import type { GeneratorSession } from "../generator.ts";
import { BlobFile } from "../table/blob-file.ts";
import { clientSet } from "../table/route-set.ts";
import { measured, withLoad } from "./loaded-run.ts";
import {
  AS_NUMBER,
  internalNetwork,
  numberOf,
  type Parameters,
  peerAddress,
  peerRouterId,
  type Scenario,
} from "./scenario.ts";

export const reflect: Scenario = {
  name: "reflect",
  summary: "K clients announce P blocks each, and every client is told all others': K=1000 P=10 family=ipv4",
  defaults: { K: 1000, P: 10, family: "ipv4" },
  cases: {
    small: [{ K: 50, P: 4 }],
    full: [
      { K: 1000, P: 10 },
      { K: 500, P: 4 },
      { K: 2000, P: 4 },
      { K: 500, P: 4, family: "ipv6" },
    ],
  },
  async prepare(parameters, folder) {
    const { network, sessions, routes } = clientNetwork(parameters, folder);
    return {
      notes: [],
      run: (context) =>
        withLoad(context, network, sessions, (load) =>
          measured(load, () => {
            const converged = load.generator.expect(routes, { exceptOwn: true });
            load.generator.send();
            return converged;
          }),
        ),
    };
  },
};

/** Every client's UPDATE, and the two of a flap. */
export function clientNetwork(
  parameters: Parameters,
  folder: string,
): { readonly network: Network; readonly sessions: GeneratorSession[]; readonly routes: number } {
  const clients = numberOf(parameters, "K");
  const blocks = numberOf(parameters, "P");
  const family: FamilyName = parameters["family"] === "ipv6" ? "ipv6" : "ipv4";
  const blobs = new BlobFile(join(folder, "clients.blob"));
  const sessions = Array.from({ length: clients }, (_, client): GeneratorSession => {
    const set = clientSet(family === "ipv4" ? Family.Ipv4 : Family.Ipv6, client, blocks);
    const blob = blobs.announce([set]);
    return {
      local: peerAddress(client),
      asNumber: AS_NUMBER,
      routerId: peerRouterId(client),
      families: [family],
      blob,
      again: blob,
      withdraw: blobs.withdraw(set.prefixes),
      receives: true,
    };
  });
  blobs.close();
  return { network: internalNetwork([family], clients), sessions, routes: clients * blocks };
}
