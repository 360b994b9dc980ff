/** `npm run bench`: commands and options. */

import { fileURLToPath } from "node:url";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { BenchError } from "./bench-error.ts";
import { daemonNames, usualDaemons } from "./daemons/catalogue.ts";
import { type MeasureOptions, measure } from "./measure.ts";
import type { PodsOptions } from "./pods/pods.ts";
import { writeReport } from "./report/write-report.ts";
import { casesOf, type Scale, scenarios } from "./scenarios/catalogue.ts";
import { scalingCases } from "./scenarios/scaling.ts";

const ownExecutable = fileURLToPath(new URL("../bin/starling.mjs", import.meta.url));
const SWEEP_SECONDS = 60;

const say = (line: string) => void process.stdout.write(`${line}\n`);

/** Runs the command of `words` and returns the exit status: 0 done, 1 failed, 2 wrong usage. */
export async function runBench(words: readonly string[]): Promise<number> {
  // An exit like any other: namespaces, daemons and files go with it.
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  try {
    await buildProgram().parseAsync([...words], { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof BenchError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return 1;
  }
}

function buildProgram(): Command {
  const program = new Command("npm run bench --")
    .description("measures starling beside other BGP daemons, in network namespaces of its own; as root")
    .helpCommand(false)
    .addHelpText("after", helpText())
    .showHelpAfterError("(--help lists what is possible)")
    .exitOverride();
  withOptions(program.command("run", { isDefault: true }), usualDaemons, 180)
    .description("run scenarios, each perhaps with the parameters of one case; all where none is named")
    .argument("[scenario...]", "scenarios and parameters, such as: reflect K=500 P=4")
    .action(async (words: string[], options: MeasureOptions & { readonly scale: Scale }) => {
      await measure(
        casesOf(words, options.scale).map((one) => [one]),
        options,
        say,
      );
    });
  withOptions(program.command("scaling"), ["starling", "bird", "frr"], SWEEP_SECONDS)
    .description("time and memory against the number of clients and of routes, for the plots")
    .action(async (options: MeasureOptions & { readonly scale: Scale }) => {
      await measure(scalingCases(options.scale), options, say);
    });
  program
    .command("report")
    .description("write what result files hold into bench/RESULTS.md, and plots into docs/images")
    .argument("<file...>", "JSON files of earlier runs")
    .action((files: string[]) => writeReport(files, say));
  program
    .command("micro")
    .description("codec, tables and fan-out alone, in this process")
    .argument("[name...]", "of wire, rib, advertiser; all where none is named")
    .action(async (names: string[]) => {
      const { runMicro } = await import("./micro/catalogue.ts");
      await runMicro(names);
    });
  program
    .command("pods")
    .description("how long a pod's route takes from its node's kernel to peers, and to the kernel of another node")
    .addOption(new Option("--rate <count>", "routes a second").argParser(wholeNumber).default(100))
    .addOption(new Option("--seconds <count>", "for so long").argParser(wholeNumber).default(10))
    .addOption(new Option("--peers <count>", "beside the other node, at most 250").argParser(wholeNumber).default(5))
    .addOption(
      new Option("--starling <path>", "bin/starling.mjs of another checkout").default(ownExecutable, "this one's"),
    )
    .action(async (options: PodsOptions) => {
      const { measurePods } = await import("./pods/pods.ts");
      for (const text of await measurePods(options)) say(text);
    });
  return program;
}

function withOptions(command: Command, daemons: readonly string[], seconds: number): Command {
  return command
    .addOption(new Option("--rounds <count>", "rounds, daemons by turns").argParser(wholeNumber).default(3))
    .addOption(
      new Option("--daemons <names>", `of ${daemonNames.join(", ")}`)
        .argParser((text) => text.split(","))
        .default(daemons, daemons.join(",")),
    )
    .addOption(new Option("--scale <scale>", "which cases").choices(["small", "full"]).default("full"))
    .addOption(new Option("--timeout <seconds>", "for one run of one daemon").argParser(wholeNumber).default(seconds))
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
    .addOption(
      new Option("--node-argument <word>", "for that Node, such as --node-argument=--cpu-prof")
        .argParser(collect)
        .default([], "none"),
    )
    .addOption(new Option("--json <file>", "write the results there"))
    .addOption(new Option("--keep", "keep configuration files and logs of the runs").default(false));
}

function helpText(): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return `
Scenarios, with what their parameters are unless given:
${scenarios.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join("\n")}

Options of run and scaling: npm run bench -- run --help

Examples:
  npm run bench                                     every scenario with every daemon: an hour and more
  npm run bench -- reflect K=500 P=4                one case
  npm run bench -- full reflect --scale small --rounds 1
  npm run bench -- full M=200000 --daemons starling,bird --json results.json
  npm run bench -- reflect --daemons starling --node /usr/bin/node --node /opt/node24/bin/node
  npm run bench -- scaling --json scaling.json && npm run bench -- report results.json scaling.json`;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("It is a whole number from 1.");
  return value;
}

const given = new WeakSet<readonly string[]>();

/** The first that is given takes the place of the usual value, others follow it. */
function collect(text: string, before: readonly string[]): readonly string[] {
  const values = given.has(before) ? [...before, text] : [text];
  given.add(values);
  return values;
}
