/**
 * The generated parts of docs/commands.md: what stands between `<!-- generated: WHAT -->` and `<!-- end -->`. WHAT is a command,
 * `$ starling show peers`, whose real output on the example network is shown; `options of show routes`; `endpoints`; or `metrics`.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { registerConfigCommands } from "../../src/cli/config-commands.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { ENDPOINTS } from "../../src/control/http-routes.ts";
import { METRIC } from "../../src/control/metrics-list.ts";
import { systemClock } from "../../src/daemon/clock.ts";
import { Cli } from "../../test/harness/cli.ts";

const BLOCK = /(<!-- generated: (.+?) -->\n)[\s\S]*?(<!-- end -->)/g;

const FILES = {
  "starling.yaml": `asNumber: 64512
routerId: 10.0.0.1
routeReflector: {}
peers:
  - {name: nodes, range: 10.0.0.0/24, asNumber: internal, routeReflectorClient: true}
`,
  "wrong.yaml": `asNumber: 64512
peers:
  - {name: tor-a, adress: 10.0.0.254, asNumber: 65001}
  - {name: tor-b, address: 10.0.0.253, asNumber: many}
`,
};

export class CommandsDocument {
  readonly #cli = new Cli();
  readonly #program: Command;
  #isListening = false;

  constructor() {
    const { stdout, stderr } = process;
    this.#program = buildProgram({
      terminal: { stdout, stderr, environment: {}, wallTime: () => 0 },
      registerConfigCommands: (program) => registerConfigCommands(program, systemClock),
      runDaemon: async () => 0,
      cleanupKernel: async () => 0,
    });
    for (const [name, text] of Object.entries(FILES)) {
      writeFileSync(join(this.#cli.directory, name), text, { mode: 0o600 });
    }
  }

  async refresh(text: string): Promise<string> {
    let result = "";
    let at = 0;
    for (const match of text.matchAll(BLOCK)) {
      const [whole, head = "", what = "", tail = ""] = match;
      result += `${text.slice(at, match.index)}${head}${await this.#block(what)}${tail}`;
      at = match.index + whole.length;
    }
    return result + text.slice(at);
  }

  /** The names of all commands, for a test that none is left out. */
  commandNames(): string[] {
    return leaves(this.#program).map(pathOf);
  }

  async close(): Promise<void> {
    await this.#cli.close();
  }

  async #block(what: string): Promise<string> {
    if (what.startsWith("$ starling ")) return this.#example(what.slice("$ starling ".length));
    if (what.startsWith("options of ")) return optionsTable(this.#find(what.slice("options of ".length)));
    if (what === "commands") return commandsTable(this.#program);
    if (what === "endpoints") return endpointsTable();
    if (what === "metrics") return metricsTable();
    throw new RangeError(`docs/commands.md asks for ${what}, which nobody generates`);
  }

  /** `| head -N` behind a command shortens what is shown. */
  async #example(line: string): Promise<string> {
    if (!this.#isListening) await this.#cli.listen();
    this.#isListening = true;
    const [command = "", lines] = line.split(" | head -");
    const { directory } = this.#cli;
    const words = command.split(" ").map((word) => (Object.hasOwn(FILES, word) ? join(directory, word) : word));
    const { stdout, stderr } = await this.#cli.runWords(words);
    const output = (stdout + stderr).replaceAll(`${directory}/`, "").trimEnd().split("\n");
    const shown = lines === undefined ? output : output.slice(0, Number(lines));
    return `\`\`\`console\n$ starling ${line}\n${shown.join("\n")}\n\`\`\`\n`;
  }

  #find(path: string): Command {
    const found = leaves(this.#program).find((command) => pathOf(command) === path);
    if (found === undefined) throw new RangeError(`docs/commands.md names \`${path}\`, which is no command`);
    return found;
  }
}

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function pathOf(command: Command): string {
  const parent = command.parent;
  return parent === null || parent.parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}

function commandsTable(program: Command): string {
  const rows = leaves(program).map((command) => {
    const path = pathOf(command);
    const words = command.registeredArguments.map((word) => (word.required ? `<${word.name()}>` : `[${word.name()}]`));
    const anchor = `starling-${path.replaceAll(" ", "-")}`;
    return [`[\`starling ${[path, ...words].join(" ")}\`](#${anchor})`, command.description()];
  });
  return table(["command", "does"], rows);
}

function optionsTable(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
    return [`\`${name}\``, withChoices(argument.description, argument.argChoices)];
  });
  const options = command.options
    .filter((option) => !option.hidden)
    .map((option) => [`\`${option.flags}\``, withChoices(option.description, option.argChoices)]);
  const rows = [...words, ...options];
  return rows.length === 0 ? "" : table(["argument or option", "meaning"], rows);
}

function withChoices(description: string, choices: readonly string[] | undefined): string {
  return choices === undefined ? description : `${description}: ${choices.map((choice) => `\`${choice}\``).join(", ")}`;
}

function endpointsTable(): string {
  return table(
    ["path", "gives"],
    ENDPOINTS.map(({ path, summary }) => [`\`${path}\``, summary]),
  );
}

function metricsTable(): string {
  const rows = Object.values(METRIC).map(({ name, type, labels, help }) => {
    return [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(", "), help];
  });
  return table(["metric", "type", "labels", "says"], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}
