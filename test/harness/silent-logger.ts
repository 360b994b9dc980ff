/** A Logger for tests that look elsewhere. */

import type { Logger } from "../../src/bgp/model/ports.ts";

export const silentLogger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
