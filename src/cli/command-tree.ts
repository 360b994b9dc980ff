/** commander's commands as completion and the documentation's generator see them. */

import type { Command } from "commander";
import type { CommandTree } from "./completion.ts";

/** The description by which completion knows that peers' names belong here. */
export const PEER_ARGUMENT = "the peer's name";

/** commander adds it by itself to every command. */
const HELP: CommandTree["options"][number] = {
  flags: ["-h", "--help"],
  description: "say how to use this command",
  takesValue: false,
  choices: [],
  isFile: false,
  isPeer: false,
};

export function commandTree(command: Command): CommandTree {
  const options = command.options.filter((option) => !option.hidden);
  return {
    name: command.name(),
    description: command.description(),
    options: [
      ...options.map((option) => ({
        flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
        description: option.description,
        takesValue: option.required || option.optional,
        choices: option.argChoices ?? [],
        isFile: /<(file|path)>/.test(option.flags),
        isPeer: /<name>/.test(option.flags),
      })),
      HELP,
    ],
    arguments: command.registeredArguments.map(
      (argument) => argument.argChoices ?? (argument.description === PEER_ARGUMENT ? "peers" : "other"),
    ),
    commands: command.commands.map(commandTree),
  };
}
