/** `check`, `config show` and `config schema`: the commands that read a configuration and need no daemon. */

import type { Command } from "commander";
import type { Clock } from "../bgp/model/ports.ts";
import { UsageError } from "../control/views.ts";

interface FileOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/**
 * zod and YAML are loaded when one of the commands runs: every other command starts without them. On a Calico node the commands
 * read its datastore, too.
 */
export function registerConfigCommands(program: Command, clock: Clock): void {
  const print = (text: string) => program.configureOutput().writeOut?.(text);
  const warn = (text: string) => program.configureOutput().writeErr?.(text);
  program
    .command("check")
    .description("validate a configuration file and all that it refers to")
    .option("-c, --config <file>", "configuration file (YAML)")
    .option("--json", "print one JSON document")
    .action(async ({ config: path, json }: FileOptions) => {
      const { checkFile } = await import("./config-report.ts");
      const report = await checkFile(path, clock, warn);
      if (json === true) print(`${JSON.stringify(report.document, null, 2)}\n`);
      else {
        warn(report.warnings);
        print(report.summary);
      }
      if (report.failure !== undefined) throw new UsageError(json === true ? report.headline : report.failure);
    });
  const config = program.command("config").description("show the configuration, or the schema of its file");
  config
    .command("show")
    .description("the whole effective configuration: defaults, templates and inheritance applied; no secrets")
    .option("-c, --config <file>", "configuration file (YAML)")
    .option("--json", "print one JSON document")
    .action(async ({ config: path, json }: FileOptions) => {
      const { showFile } = await import("./config-report.ts");
      const report = await showFile(path, json === true, clock, warn);
      if (report.text === undefined) throw new UsageError(report.failure);
      warn(report.failure);
      print(report.text);
    });
  config
    .command("schema")
    .description("the JSON Schema of the file, for editors")
    .action(async () => {
      const { jsonSchema } = await import("./config-report.ts");
      print(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    });
}
