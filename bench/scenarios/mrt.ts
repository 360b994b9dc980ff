/** As full, with a real table: what peers of a route collector had to say. */

import { join } from "node:path";
import { Family } from "../../src/bgp/model/family.ts";
import { BlobFile } from "../table/blob-file.ts";
import { mrtTable } from "../table/mrt-sets.ts";
import { sendersAndReceivers } from "./full.ts";
import { measured, withLoad } from "./loaded-run.ts";
import { numberOf, type Scenario } from "./scenario.ts";

const RRC06 = "ris.rrc06.rib.20100701.0759.first100k.repacked.mrt.gz";
const ROUTE_VIEWS = "routeviews.rib.20140523.0600.firstMB.mrt.gz";
const ROUTE_VIEWS_6 = "routeviews6.rib.20151101.0600.firstMB.mrt.gz";
const RIPE = "ripe-bgpdump.bview.20020722.2337.mrt.gz";

export const mrt: Scenario = {
  name: "mrt",
  summary: `S peers of an MRT file of the shared data, R receivers: S=1 R=1 file=${RIPE}`,
  defaults: { S: 1, R: 1, file: RIPE },
  cases: {
    small: [{ S: 4, R: 2, file: ROUTE_VIEWS }],
    full: [{}, { S: 2, R: 2, file: RRC06 }, { S: 20, R: 4, file: ROUTE_VIEWS_6 }],
  },
  async prepare(parameters, folder) {
    const table = mrtTable(String(parameters["file"]), numberOf(parameters, "S"));
    const blobs = new BlobFile(join(folder, "table.blob"));
    const senders = table.senders.map((sets) => blobs.announce(sets));
    blobs.close();
    const family = table.family === Family.Ipv4 ? "ipv4" : "ipv6";
    const { network, sessions } = sendersAndReceivers(family, senders, numberOf(parameters, "R"));
    const sets = table.senders.reduce((sum, own) => sum + own.length, 0);
    return {
      notes: [`${table.prefixes} prefixes, ${sets} sets of attributes of ${senders.length} peers`],
      run: (context) =>
        withLoad(context, network, sessions, (load) =>
          measured(load, () => {
            const converged = load.generator.expect(table.prefixes, { exceptOwn: false });
            load.generator.send();
            return converged;
          }),
        ),
    };
  },
};
