/** birdcl and birdcl6: BIRD's client as scripts and people know it, for starling's sockets and for BIRD's own. */

import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { type Expansion, expand, helpFor } from "../control/bird/command-words.ts";
import { type AnswerLine, BirdClient, BirdClientError } from "./bird-client.ts";

export interface BirdclStreams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

interface Options {
  readonly socket: string;
  readonly isVerbose: boolean;
  readonly isRestricted: boolean;
  readonly command: readonly string[];
}

const SOCKETS = { birdcl: "bird.ctl", birdcl6: "bird6.ctl" } as const;
/** Calico's place, BIRD's own, and that of Debian. */
const FOLDERS = ["/var/run/calico", "/var/run/bird", "/run/bird"];
const UNKNOWN = "No such command. Press `?' for help.\n";
const AMBIGUOUS = "Ambiguous command, possible expansions are:";
/** Codes from here on say that nothing was done. */
const FIRST_ERROR = "8";

/** Returns the exit status: 1 where the server refused or could not be reached. */
export async function birdcl(
  name: keyof typeof SOCKETS,
  args: readonly string[],
  streams: BirdclStreams,
): Promise<number> {
  const options = parseArguments(name, args);
  if (typeof options === "string") {
    streams.stderr.write(`${options}Usage: ${name} [-s <control-socket>] [-v] [-r] [-l] [<command> ...]\n`);
    return 1;
  }
  let client: BirdClient | undefined;
  try {
    client = await BirdClient.connect(options.socket);
    return await new Conversation(client, options, streams).run();
  } catch (error) {
    if (!(error instanceof BirdClientError)) throw error;
    streams.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    client?.close();
  }
}

class Conversation {
  readonly #client: BirdClient;
  readonly #options: Options;
  readonly #streams: BirdclStreams;

  constructor(client: BirdClient, options: Options, streams: BirdclStreams) {
    this.#client = client;
    this.#options = options;
    this.#streams = streams;
  }

  async run(): Promise<number> {
    await this.#show(this.#client.answer());
    if (this.#options.isRestricted) await this.#show(this.#client.ask("restrict"));
    return this.#options.command.length > 0 ? await this.#ask(this.#options.command) : await this.#interact();
  }

  async #interact(): Promise<number> {
    const { stdin, stdout } = this.#streams;
    const isTerminal = stdin.isTTY === true;
    const lines = createInterface({ input: stdin, terminal: false });
    if (isTerminal) stdout.write("bird> ");
    this.#client.rest();
    for await (const line of lines) {
      const words = line.trim().split(/\s+/).filter(Boolean);
      // As birdcl does, so that a transcript of a script shows what was asked.
      if (!isTerminal) stdout.write(`bird> ${line}\n`);
      if (words.length > 0 && isEnd(words)) break;
      if (words[0] === "help" || words.at(-1)?.endsWith("?")) for (const text of help(words)) stdout.write(`${text}\n`);
      else if (words.length > 0) await this.#ask(words);
      this.#client.rest();
      if (isTerminal) stdout.write("bird> ");
    }
    lines.close();
    return 0;
  }

  /** Abbreviations are the client's business: the server wants whole words. */
  async #ask(command: readonly string[]): Promise<number> {
    // These are for the terminal alone: the server says so.
    const isPlain = command[0] === "help" || isEnd(command);
    const meant: Expansion = isPlain ? { kind: "words", words: command } : expand(command);
    if (meant.kind === "words") return await this.#show(this.#client.ask(meant.words.join(" ")));
    if (meant.kind === "unknown") this.#streams.stdout.write(UNKNOWN);
    else this.#streams.stdout.write(`${[AMBIGUOUS, ...meant.help].join("\n")}\n`);
    return 1;
  }

  /** With -v as it came, but for the place of lines without a code of their own. */
  async #show(answer: AsyncGenerator<AnswerLine, void>): Promise<number> {
    let isError = false;
    for await (const { code, text, isLast } of answer) {
      if (isLast) isError = code !== undefined && code >= FIRST_ERROR;
      if (!this.#options.isVerbose) {
        if (!isLast || text !== "") this.#streams.stdout.write(`${text}\n`);
      } else if (code === undefined) this.#streams.stdout.write(`     ${text}\n`);
      else if (!isLast || text !== "") this.#streams.stdout.write(`${code}${isLast ? " " : "-"}${text}\n`);
    }
    return isError ? 1 : 0;
  }
}

function isEnd([word]: readonly string[]): boolean {
  return word === "exit" || word === "quit";
}

function help(words: readonly string[]): readonly string[] {
  const asked = words[0] === "help" ? words.slice(1) : words;
  const before = asked.map((word) => word.replace(/\?$/, "")).filter((word) => word !== "");
  return helpFor(before);
}

/** A text says what is wrong with them. */
function parseArguments(name: keyof typeof SOCKETS, args: readonly string[]): Options | string {
  let socket: string | undefined;
  let isLocal = false;
  let isVerbose = false;
  let isRestricted = false;
  let i = 0;
  for (; i < args.length && /^-./.test(args[i] ?? ""); i++) {
    const letters = (args[i] ?? "").slice(1);
    if (letters === "-") {
      i++;
      break;
    }
    for (let at = 0; at < letters.length; at++) {
      const letter = letters[at];
      if (letter === "v") isVerbose = true;
      else if (letter === "r") isRestricted = true;
      else if (letter === "l") isLocal = true;
      else if (letter === "s") {
        socket = letters.slice(at + 1) || args[++i];
        if (socket === undefined) return `${name}: option requires an argument -- 's'\n`;
        break;
      } else return `${name}: invalid option -- '${letter}'\n`;
    }
  }
  return {
    socket: socket ?? (isLocal ? SOCKETS[name] : defaultSocket(SOCKETS[name])),
    isVerbose,
    isRestricted,
    // Some say it in one argument.
    command: args.slice(i).join(" ").split(/\s+/).filter(Boolean),
  };
}

/** The first that is there. */
function defaultSocket(file: string): string {
  const paths = FOLDERS.map((folder) => `${folder}/${file}`);
  return paths.find((path) => existsSync(path)) ?? (paths[0] as string);
}
