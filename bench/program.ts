/** `npm run bench`: options, set-up, the runs, and what is printed and written of them. */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command, type Command as CommanderCommand, CommanderError, InvalidArgumentError, Option } from "commander";
import { BenchError } from "./bench-error.ts";
import { daemonNames, selectDaemons, usualDaemons } from "./daemons/catalogue.ts";
import { thisMachine } from "./machine.ts";
import { Namespace } from "./namespace.ts";
import { buildNative } from "./native/build.ts";
import { progressLines } from "./report/progress-lines.ts";
import { textReport } from "./report/text-table.ts";
import type { CaseResult, Results } from "./results.ts";
import { Runner } from "./runner.ts";
import { casesOf, type Scale, scenarios } from "./scenarios/catalogue.ts";
import { checkPrivileges, installDaemons } from "./set-up.ts";

interface Options {
  readonly rounds: number;
  readonly daemons: readonly string[];
  readonly scale: Scale;
  readonly timeout: number;
  readonly starling: readonly string[];
  readonly node: readonly string[];
  readonly nodeArgument: readonly string[];
  readonly json: string | undefined;
  readonly keep: boolean;
}

const ownExecutable = fileURLToPath(new URL("../bin/starling.mjs", import.meta.url));

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Runs the command of `words` and returns the exit status: 0 done, 1 failed, 2 wrong usage. */
export async function runBench(words: readonly string[]): Promise<number> {
  const program = buildProgram();
  try {
    await program.parseAsync([...words], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof BenchError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return 1;
  }
}

function buildProgram(): CommanderCommand {
  return new Command("npm run bench --")
    .description("measures starling beside other BGP daemons, in a network namespace; as root")
    .argument("[scenario...]", "scenarios, each perhaps with parameters of one case; all where none is named")
    .addOption(new Option("--rounds <count>", "rounds, daemons by turns").argParser(wholeNumber).default(3))
    .addOption(
      new Option("--daemons <names>", `of ${daemonNames.join(", ")}`)
        .argParser((text) => text.split(","))
        .default(usualDaemons, usualDaemons.join(",")),
    )
    .addOption(new Option("--scale <scale>", "which cases of each scenario").choices(["small", "full"]).default("full"))
    .addOption(new Option("--timeout <seconds>", "for one run of one daemon").argParser(wholeNumber).default(180))
    .addOption(
      new Option("--starling <path>", "bin/starling.mjs of another checkout; given twice, both are measured")
        .argParser(collect)
        .default([ownExecutable], "this one's"),
    )
    .addOption(
      new Option("--node <path>", "the Node that runs starling; given twice, both are measured")
        .argParser(collect)
        .default([process.execPath], "this one"),
    )
    .addOption(new Option("--node-argument <word>", "for that Node, such as --cpu-prof").argParser(collect).default([]))
    .addOption(new Option("--json <file>", "write the results there"))
    .addOption(new Option("--keep", "keep configuration files and logs of the runs").default(false))
    .addHelpText("after", helpText())
    .showHelpAfterError("(--help lists what is possible)")
    .exitOverride()
    .action(async (words: string[], options: Options) => measure(words, options));
}

function helpText(): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return `
Scenarios:
${scenarios.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join("\n")}

Examples:
  npm run bench                                     every scenario with every daemon: an hour and more
  npm run bench -- reflect K=500 P=4                one case
  npm run bench -- full reflect --scale small --rounds 1
  npm run bench -- full M=200000 --daemons starling,bird --json results.json
  npm run bench -- reflect --daemons starling --node /usr/bin/node --node /opt/node24/bin/node`;
}

async function measure(words: readonly string[], options: Options): Promise<void> {
  const cases = casesOf(words, options.scale);
  checkPrivileges();
  const tools = await buildNative();
  const selected = selectDaemons({
    names: options.daemons,
    executables: options.starling,
    nodes: options.node,
    nodeArguments: options.nodeArgument,
    tools,
  });
  const daemons = await installDaemons(selected, say);
  const versions = Object.fromEntries(daemons.map((daemon) => [daemon.name, daemon.version()]));
  const { rounds, timeout, keep } = options;
  const runner = new Runner({ daemons, rounds, timeoutSeconds: timeout, tools, keep }, progressLines(say), () =>
    Namespace.create(),
  );
  const head = { startedAt: new Date().toISOString(), machine: thisMachine(), versions, rounds };
  const done: CaseResult[] = [];
  for (const one of cases) {
    try {
      done.push(await runner.run(one));
    } catch (error) {
      // A case that cannot be prepared, for want of data: the others can.
      if (!(error instanceof BenchError)) throw error;
      say(`\n${one.scenario.name} is left out: ${error.message}`);
    }
    // After each case: what was measured is not lost to an interruption.
    if (options.json !== undefined) writeResults(options.json, { ...head, cases: done });
  }
  say(`\n${textReport({ ...head, cases: done })}`);
}

function writeResults(file: string, results: Results): void {
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It is a whole number from 1.");
  return value;
}

/** The usual value gives way to what is given. */
function collect(text: string, before: readonly string[]): readonly string[] {
  return Object.isFrozen(before) ? Object.freeze([...before, text]) : Object.freeze([text]);
}
