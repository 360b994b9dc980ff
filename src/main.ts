/** The executable: hands the process to the commands, and loads the daemon only for `run`. */

import { registerConfigCommands } from "./cli/config-commands.ts";
import { type RunOptions, runProgram } from "./cli/program.ts";

process.exitCode = await runProgram(process.argv.slice(2), {
  terminal: { stdout: process.stdout, stderr: process.stderr, environment: process.env, wallTime: Date.now },
  registerConfigCommands,
  runDaemon: async (options: RunOptions) => (await import("./daemon/run.ts")).runDaemon(options),
  cleanupKernel: async (configFile) => (await import("./daemon/cleanup.ts")).cleanupKernel(configFile),
});
