/**
 * S senders of the same M prefixes, each with attributes of its own, and R receivers; done when every receiver has all M.
 * Senders are internal peers, receivers clients of the reflector: what a sender says goes to clients alone (RFC 4456 §6),
 * in every daemon and without any policy, so that nothing is sent back to senders.
 */

import { join } from "node:path";
import { Family } from "../../src/bgp/model/family.ts";
import type { FamilyName, Network } from "../daemons/daemon.ts";
import type { Blob, GeneratorSession } from "../generator.ts";
import { BlobFile } from "../table/blob-file.ts";
import { tableSets } from "../table/route-set.ts";
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

export const full: Scenario = {
  name: "full",
  summary: "S senders of the same M routes, R receivers of all: M=1000000 S=1 R=1 family=ipv4",
  defaults: { M: 1_000_000, S: 1, R: 1, family: "ipv4" },
  cases: {
    small: [{ M: 10_000 }, { M: 5000, S: 2, R: 2, family: "ipv6" }],
    full: [{ M: 200_000 }, { M: 1_000_000 }, { M: 200_000, S: 4, R: 4 }, { M: 200_000, family: "ipv6" }],
  },
  async prepare(parameters, folder) {
    const { network, sessions } = fullNetwork(parameters, folder);
    return {
      notes: [],
      run: (context) =>
        withLoad(context, network, sessions, (load) =>
          measured(load, () => {
            const converged = load.generator.expect(numberOf(parameters, "M"), { exceptOwn: false });
            load.generator.send();
            return converged;
          }),
        ),
    };
  },
};

function fullNetwork(parameters: Parameters, folder: string) {
  const family: FamilyName = parameters["family"] === "ipv6" ? "ipv6" : "ipv4";
  const blobs = new BlobFile(join(folder, "table.blob"));
  const senders = Array.from({ length: numberOf(parameters, "S") }, (_, sender) =>
    blobs.announce(tableSets(family === "ipv4" ? Family.Ipv4 : Family.Ipv6, numberOf(parameters, "M"), sender)),
  );
  blobs.close();
  return sendersAndReceivers(family, senders, numberOf(parameters, "R"));
}

/** Receivers come first, as clients of the reflector; senders follow. */
export function sendersAndReceivers(
  family: FamilyName,
  senders: readonly Blob[],
  receivers: number,
): { readonly network: Network; readonly sessions: GeneratorSession[] } {
  const network = internalNetwork([family], receivers, senders.length);
  const sessions = network.peers.map((_, index): GeneratorSession => {
    const blob = senders[index - receivers];
    return {
      local: peerAddress(index),
      asNumber: AS_NUMBER,
      routerId: peerRouterId(index),
      families: [family],
      receives: index < receivers,
      ...(blob === undefined ? {} : { blob }),
    };
  });
  return { network, sessions };
}
