/** What to ask the tables for to be shown all accepted routes. */

import type { RouteQuery } from "../../src/rib/routes.ts";

export const EVERY_ROUTE: RouteQuery = {
  family: undefined,
  prefix: undefined,
  longer: false,
  address: undefined,
  peer: undefined,
  view: "accepted",
  explicitView: false,
  source: undefined,
  matches: undefined,
};
