/** The commands and their options; the one door to commander. */

import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { PEER_ACTIONS } from "../control/answers.ts";
import { didYouMean } from "../control/nearest.ts";
import { clientSocketPath, socketPathFacts } from "../control/socket-path.ts";
import { type PeerAction, type PeerView, type RouteFilter, UsageError } from "../control/views.ts";
import { VERSION } from "../version.ts";
import type { CommandContext } from "./command-context.ts";
import { commandTree, PEER_ARGUMENT } from "./command-tree.ts";
import { completion, SHELLS, type Shell } from "./completion.ts";
import { CommandFailure, Output, paintFor, type Terminal } from "./terminal.ts";

export interface RunOptions {
  readonly configFile: string | undefined;
  readonly kernel: boolean;
  readonly ceaseOnExit: boolean;
  readonly socket: string | undefined;
}

export interface ProgramParts {
  readonly terminal: Terminal;
  readonly runDaemon: (options: RunOptions) => Promise<number>;
  /** Removes starling's routes where no daemon runs; how many they were. */
  readonly cleanupKernel: (configFile: string | undefined) => Promise<number>;
  /** Adds `check` and `config`. */
  readonly registerConfigCommands: (program: Command) => void;
}

/** Runs the command of `words` (without node and the file) and returns the exit status: 0 done, 1 failed, 2 wrong usage. */
export async function runProgram(words: readonly string[], parts: ProgramParts): Promise<number> {
  const { stdout, stderr } = parts.terminal;
  const runner = new Runner(parts.terminal);
  const program = buildProgram(parts, runner);
  try {
    await program.parseAsync([...words], { from: "user" });
    await runner.out.finish();
    return runner.status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof UsageError || error instanceof CommandFailure)) throw error;
    const paint = paintFor(stderr, parts.terminal.environment);
    stderr.write(`${paint.red("error:")} ${error.message}\n`);
    return error instanceof UsageError ? 2 : 1;
  } finally {
    if (stdout.writableLength > 0) await runner.out.finish().catch(() => undefined);
  }
}

export function buildProgram(parts: ProgramParts, runner: Runner = new Runner(parts.terminal)): Command {
  const program = new Command("starling")
    .description("BGP speaker and route reflector: reflects routes, writes the kernel, explains itself")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "say how to use this command")
    .helpCommand(false)
    .addOption(
      new Option("--socket <path>", "the daemon's control socket (also STARLING_SOCKET)").argParser(notEmpty("a path")),
    )
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => void parts.terminal.stdout.write(text),
      writeErr: (text) => void parts.terminal.stderr.write(text),
      // One line says what is wrong and what to do.
      outputError: (text, write) => write(`${text.trim().replaceAll("\n", " ")}\n`),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError("(--help lists what is possible)")
    .exitOverride();
  addRun(program, parts, runner);
  parts.registerConfigCommands(program);
  addShow(program, runner);
  addActions(program, parts, runner);
  program
    .command("completion")
    .description("print the completion script of a shell")
    .addArgument(new Argument("<shell>", "which shell").choices(SHELLS))
    .action(async (shell: Shell) => {
      await runner.out.write(completion(shell, commandTree(program)));
    });
  inheritSettings(program);
  return program;
}

/** What the actions share: the output, and the status that they end with. */
export class Runner {
  readonly out: Output;
  readonly #err: Output;
  readonly #terminal: Terminal;
  status = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.out = new Output(terminal.stdout);
    this.#err = new Output(terminal.stderr);
  }

  async context(command: Command): Promise<CommandContext> {
    const { socket, json } = command.optsWithGlobals<{ socket?: string; json?: boolean }>();
    const { ControlClient } = await import("./client-commands.ts");
    return {
      client: new ControlClient(clientSocketPath(socket, socketPathFacts(this.#terminal.environment))),
      out: this.out,
      err: this.#err,
      paint: paintFor(this.#terminal.stdout, this.#terminal.environment),
      json: json === true,
      now: this.#terminal.wallTime(),
    };
  }
}

const CALICO_HELP = `
On a Calico node, in place of BIRD and confd: a file with \`calico: {}\`, or no file
and DATASTORE_TYPE (kubernetes, etcdv3) in the environment, as calico/node has it.
\`starling config show\` says first what would come of it, and touches nothing.`;

function addRun(program: Command, parts: ProgramParts, runner: Runner): void {
  program
    .command("run")
    .description("run the daemon in the foreground; without a file: the built-in configuration, or a Calico node's")
    .option("-c, --config <file>", "configuration file (YAML)")
    .option("--kernel", "without a file: write routes to the kernel, if this process may", false)
    .option(
      "--cease-on-exit",
      "close sessions with a Cease at the end, instead of letting peers keep our routes",
      false,
    )
    .addHelpText("after", CALICO_HELP)
    .action(async (_options: object, command: Command) => {
      const options = command.optsWithGlobals<{
        config?: string;
        kernel: boolean;
        ceaseOnExit: boolean;
        socket?: string;
      }>();
      runner.status = await parts.runDaemon({
        configFile: options.config,
        kernel: options.kernel,
        ceaseOnExit: options.ceaseOnExit,
        socket: options.socket,
      });
    });
}

function addShow(program: Command, runner: Runner): void {
  const show = program.command("show").description("show what the daemon knows");
  show
    .command("summary")
    .description("the speaker as a whole: sessions, routes, kernel, memory")
    .addOption(jsonOption("one JSON document"))
    .action(async (_options: object, command: Command) => {
      const { showSummary } = await import("./client-commands.ts");
      await showSummary(await runner.context(command));
    });
  show
    .command("peers")
    .description("every session: state, counts per family, last error")
    .addOption(jsonOption("one JSON document: an array"))
    .addOption(new Option("--names", "names only, for completion").hideHelp())
    .action(async (options: { names?: boolean }, command: Command) => {
      const context = await runner.context(command);
      const { showPeers } = await import("./client-commands.ts");
      if (options.names !== true) return showPeers(context);
      const peers = await context.client.call<readonly PeerView[]>("peers");
      // A shell expands what completion offers it, so names that would be more than words to it are left out.
      const words = peers.map(({ name }) => name).filter((name) => /^[\w.:@%+/-]+$/.test(name));
      await context.out.write(words.map((name) => `${name}\n`).join(""));
    });
  show
    .command("peer")
    .description("all about one session")
    .argument("<name>", PEER_ARGUMENT)
    .addOption(jsonOption("one JSON document"))
    .action(async (name: string, _options: object, command: Command) => {
      const { showPeer } = await import("./client-commands.ts");
      await showPeer(await runner.context(command), name);
    });
  addShowRoutes(show, runner);
  show
    .command("kernel")
    .description("what starling wants in the kernel, what is there, and the difference")
    .addOption(jsonOption("one JSON document: an array"))
    .action(async (_options: object, command: Command) => {
      const { showKernel } = await import("./client-commands.ts");
      await showKernel(await runner.context(command));
    });
}

interface RouteOptions {
  readonly family?: RouteFilter["family"];
  readonly peer?: string;
  readonly received?: boolean;
  readonly accepted?: boolean;
  readonly advertised?: boolean;
  readonly longer?: boolean;
  readonly for?: string;
  readonly origin?: RouteFilter["origin"];
  readonly community?: string;
  readonly count?: boolean;
}

function addShowRoutes(show: Command, runner: Runner): void {
  show
    .command("routes")
    .description("the routes, the best of each prefix marked; one prefix is shown in full")
    .argument("[prefix]", "this prefix only, such as 10.0.0.0/8")
    .addOption(new Option("--family <family>", "one family").choices(["ipv4", "ipv6"]))
    .option("--peer <name>", "routes of this peer")
    .addOption(
      new Option("--received", "with --peer: as received, before import policy").conflicts(["accepted", "advertised"]),
    )
    .addOption(new Option("--accepted", "with --peer: what import policy let through").conflicts("advertised"))
    .option("--advertised", "with --peer: what is sent to it, after export policy")
    .option("--longer", "with a prefix: all that lies within it")
    .option("--for <address>", "the route that a packet to this address takes")
    .addOption(
      new Option("--origin <source>", "by where it comes from").choices(["peer", "static", "kernel", "calico"]),
    )
    .option("--community <community>", "with this community, such as 64512:10")
    .option("--count", "only how many")
    .addOption(jsonOption("one JSON object a line (NDJSON)"))
    .action(async (prefix: string | undefined, options: RouteOptions, command: Command) => {
      const { countRoutes, showRoutes } = await import("./client-commands.ts");
      const context = await runner.context(command);
      const view = options.received ? "received" : options.accepted ? "accepted" : undefined;
      const filter: RouteFilter = {
        family: options.family,
        prefix,
        longer: options.longer,
        for: options.for,
        peer: options.peer,
        view: options.advertised ? "advertised" : view,
        origin: options.origin,
        community: options.community,
      };
      await (options.count === true ? countRoutes(context, filter) : showRoutes(context, filter));
    });
}

function addActions(program: Command, parts: ProgramParts, runner: Runner): void {
  program
    .command("peer")
    .description("act on one session: enable, disable, reset, or ask for its routes again")
    .argument("<name>", PEER_ARGUMENT)
    .addArgument(new Argument("<action>", "what to do").choices(PEER_ACTIONS).argParser(peerAction))
    .option("--message <text>", "with disable and reset: tells the peer's operator why (RFC 9003)")
    .action(async (name: string, action: PeerAction, options: { message?: string }, command: Command) => {
      const { actOnPeer } = await import("./client-commands.ts");
      await actOnPeer(await runner.context(command), name, action, options.message);
    });
  program
    .command("reload")
    .description("read the configuration again, as SIGHUP does, and say what changed")
    .addOption(jsonOption("one JSON document"))
    .action(async (_options: object, command: Command) => {
      const { reload } = await import("./client-commands.ts");
      await reload(await runner.context(command));
    });
  program
    .command("cleanup")
    .description("remove the routes that starling owns from the kernel, whether it runs or not")
    .option("-c, --config <file>", "where no daemon runs: the file that says which routes are starling's")
    .addOption(jsonOption("one JSON document"))
    .action(async (options: { config?: string }, command: Command) => {
      const { cleanup } = await import("./client-commands.ts");
      await cleanup(await runner.context(command), () => parts.cleanupKernel(options.config));
    });
}

function jsonOption(what: string): Option {
  return new Option("--json", `print ${what}`);
}

function peerAction(word: string): PeerAction {
  const action = PEER_ACTIONS.find((each) => each === word);
  if (action !== undefined) return action;
  throw new InvalidArgumentError(`It is one of ${PEER_ACTIONS.join(", ")}${didYouMean(word, PEER_ACTIONS)}`);
}

function notEmpty(what: string): (value: string) => string {
  return (value) => {
    if (value !== "") return value;
    throw new InvalidArgumentError(`It takes ${what}.`);
  };
}

/** Commands that others registered behave as ours do: errors come here, and not to an exit of their own. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    child.helpCommand(false);
    inheritSettings(child);
  }
}
