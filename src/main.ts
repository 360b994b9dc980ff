/** The executable: hands the process to the commands, and loads the daemon only for `run`. */

import { registerConfigCommands } from "./cli/config-commands.ts";
import { type RunOptions, runProgram } from "./cli/program.ts";
import { ConfigError } from "./config/problem.ts";
import { UsageError } from "./control/views.ts";
import { systemClock } from "./daemon/clock.ts";

process.exitCode = await runProgram(process.argv.slice(2), {
  terminal: { stdout: process.stdout, stderr: process.stderr, environment: process.env, wallTime: Date.now },
  registerConfigCommands: (program) => registerConfigCommands(program, systemClock),
  runDaemon: (options: RunOptions) =>
    withConfigErrors(async () => (await import("./daemon/run.ts")).runDaemon(options)),
  cleanupKernel: (configFile) =>
    withConfigErrors(async () => (await import("./daemon/cleanup.ts")).cleanupKernel(configFile)),
});

/** A file that cannot be used is the user's to mend, like a wrong option: lines of text and status 2. */
async function withConfigErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error;
  }
}
