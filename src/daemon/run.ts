/** `starling run`: from the command line to a daemon that listens, until a signal ends it. */

import { UsageError } from "../bgp/model/errors.ts";
import { ConfigError } from "../config/problem.ts";
import { createLogger } from "../control/log.ts";
import { logProblems } from "./reload-report.ts";
import { levelsOf, Running } from "./running.ts";
import { type RunOptions, startupOf } from "./startup.ts";

/** Resolves with the exit status when the daemon has stopped. Throws UsageError, with what to do, when it cannot start. */
export async function runDaemon(options: RunOptions): Promise<number> {
  try {
    return await run(options);
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error;
  }
}

async function run(options: RunOptions): Promise<number> {
  const startup = await startupOf(options);
  const { config, calico, problems } = startup;
  const logger = await createLogger({ ...levelsOf(config.log), format: config.log.format });
  if (options.configFile === undefined && calico !== undefined)
    logger.info(
      { node: calico.options.nodeName },
      "no configuration file, but calico/node's environment: running as a Calico node",
    );
  logProblems(logger, problems);
  const running = new Running(options, startup, logger);
  // From the first moment on: a signal during the start must not leave a socket behind, nor a SIGHUP end the process.
  const signalled = untilSignal(running, options.configFile !== undefined || calico !== undefined);
  let signal: string;
  try {
    await running.start();
    process.on("uncaughtException", (error) => {
      // A bug of ours. What the tables hold may be wrong now: a restart, which peers and kernel bridge, is safer than going on.
      logger.error(
        { err: error },
        "unexpected error: stopping; routes stay in the kernel, peers keep theirs for the restart time",
      );
      logger.flush();
      process.exit(1);
    });
    if (options.configFile === undefined && calico === undefined) process.stdout.write(running.welcome());
    signal = await Promise.race([signalled, running.failed]);
  } catch (error) {
    await running.stop(false);
    logger.flush();
    throw error;
  }
  logger.info({ signal, cease: options.ceaseOnExit }, "stopping");
  await running.stop(options.ceaseOnExit);
  logger.flush();
  return 0;
}

/** SIGHUP reloads the file, SIGTERM and SIGINT end. */
function untilSignal(running: Running, reloads: boolean): Promise<string> {
  const ends: NodeJS.Signals[] = ["SIGTERM", "SIGINT"];
  // With nothing to read again its terminal was closed.
  if (!reloads) ends.push("SIGHUP");
  else {
    process.on("SIGHUP", () => {
      // What went wrong is in the report, and in the log.
      void running.reload();
    });
  }
  return new Promise((resolve) => {
    for (const signal of ends) process.once(signal, () => resolve(signal));
  });
}
