/** `starling cleanup` where no daemon runs: the routes that one left in the kernel are removed directly. */

import { hostname } from "node:os";
import { UsageError } from "../bgp/model/errors.ts";
import type { Logger } from "../bgp/model/ports.ts";
import { compile } from "../config/compile.ts";
import { embeddedDefault } from "../config/defaults.ts";
import { accept, loadFile } from "../config/load.ts";
import { machine } from "../config/surroundings.ts";
import { openFib } from "../fib/netlink-fib.ts";
import { systemClock } from "./clock.ts";

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** How many were removed. `configFile` says which table and protocol are starling's; without one, the defaults. */
export async function cleanupKernel(configFile: string | undefined): Promise<number> {
  const config =
    configFile === undefined
      ? embeddedDefault({ port: 179, kernel: true }, machine("/"))
      : accept(loadFile(configFile));
  const { fib: options } = compile(config, { hostName: hostname(), restarting: false });
  if (options === undefined)
    throw new UsageError(`${configFile} has kernel.enabled: false: no routes are starling's there`);
  const fib = openFib(options, systemClock, silent, {
    routeChanged: () => {},
    linkChanged: () => {},
    ready: () => {},
    settled: () => {},
  });
  try {
    return await fib.cleanup();
  } finally {
    await fib.close();
  }
}
