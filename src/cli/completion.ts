/** Shell completion, generated from the commands themselves. */

import { assertNever } from "../bgp/model/errors.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** A command as completion sees it. */
export interface CommandTree {
  readonly name: string;
  readonly description: string;
  readonly options: readonly {
    readonly flags: readonly string[];
    readonly description: string;
    readonly takesValue: boolean;
    readonly choices: readonly string[];
    /** Its value is the name of a file, or of a peer. */
    readonly isFile: boolean;
    readonly isPeer: boolean;
  }[];
  /** Words that an argument may be; "peers" stands for the names that the daemon knows. */
  readonly arguments: readonly (readonly string[] | "peers" | "other")[];
  readonly commands: readonly CommandTree[];
}

export function completion(shell: Shell, program: CommandTree): string {
  switch (shell) {
    case "bash":
      return bash(program);
    case "zsh":
      return zsh(program);
    case "fish":
      return fish(program);
    default:
      return assertNever(shell);
  }
}

interface Place {
  /** The words typed so far, without options: "show peer". */
  readonly path: string;
  readonly command: CommandTree;
  readonly options: CommandTree["options"];
}

/** Every command, with the options that hold there: the program's own hold everywhere. */
function places(program: CommandTree): Place[] {
  const found: Place[] = [];
  const visit = (command: CommandTree, path: string): void => {
    const options = command === program ? command.options : [...command.options, ...program.options];
    found.push({ path, command, options });
    for (const child of command.commands) visit(child, path === "" ? child.name : `${path} ${child.name}`);
  };
  visit(program, "");
  return found;
}

const PEER_NAMES = "$(starling show peers --names 2>/dev/null)";

function bash(program: CommandTree): string {
  const all = places(program);
  return `# starling completion for bash: source <(starling completion bash)
_starling() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} typed="" word found="" skip=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
${typedPath(all)}
  done
${valueCase(all, {
  choices: (words) => `COMPREPLY=($(compgen -W "${words}" -- "$current")); return`,
  files: 'COMPREPLY=($(compgen -f -- "$current")); return',
  other: "COMPREPLY=(); return",
})}
${foundCase(all)}
  COMPREPLY=($(compgen -W "$found" -- "$current"))
}
complete -F _starling starling
`;
}

function zsh(program: CommandTree): string {
  const all = places(program);
  return `#compdef starling
# starling completion for zsh: source <(starling completion zsh)
_starling() {
  local current=\${words[CURRENT]} previous=\${words[CURRENT-1]} typed="" word found="" skip=""
  for word in "\${(@)words[2,CURRENT-1]}"; do
${typedPath(all)}
  done
${valueCase(all, { choices: (words) => `compadd -- ${words}; return`, files: "_files; return", other: "return" })}
${foundCase(all)}
  compadd -- \${=found}
}
compdef _starling starling
`;
}

/** The loop's body, for bash and zsh alike: collects the words that are no options into $typed. */
function typedPath(all: readonly Place[]): string {
  return `    if [[ -n $skip ]]; then skip=""; continue; fi
    case $word in
      ${valueFlags(all).join("|")}) skip=1 ;;
      -*) ;;
      *) typed+="\${typed:+ }$word" ;;
    esac`;
}

/** Options behind a dash, otherwise what may come after the words typed so far. */
function foundCase(all: readonly Place[]): string {
  const longestFirst = [...all].sort((a, b) => b.path.length - a.path.length);
  const options = longestFirst.map((place) => {
    const flags = [...new Set(place.options.flatMap((option) => option.flags))].join(" ");
    return `      ${place.path === "" ? "*" : `"${place.path}"*`}) found="${flags}" ;;`;
  });
  return `  if [[ $current == -* ]]; then
    case $typed in
${options.join("\n")}
    esac
  else
    case $typed in
${all.flatMap(argumentArms).join("\n")}
    esac
  fi`;
}

function argumentArms({ path, command }: Place): string[] {
  if (command.commands.length > 0) {
    return [`      "${path}") found="${command.commands.map(({ name }) => name).join(" ")}" ;;`];
  }
  const arms = command.arguments.map((argument, index) => {
    const words = argument === "peers" ? PEER_NAMES : argument === "other" ? "" : argument.join(" ");
    return `      "${path}"${'" "*'.repeat(index)}) found="${words}" ;;`;
  });
  // A pattern with fewer words would match a longer line too, so the longest come first, and nothing follows the last argument.
  const beyond = `      "${path}"${'" "*'.repeat(arms.length)}) ;;`;
  return arms.length === 0 ? [] : [beyond, ...arms.reverse()];
}

function fish(program: CommandTree): string {
  const lines = [
    "# starling completion for fish: starling completion fish | source",
    "function __starling_at",
    "  set -l typed (commandline -opc)[2..-1]",
    "  set -l path",
    "  set -l skip 0",
    "  for word in $typed",
    "    if test $skip = 1; set skip 0; continue; end",
    "    switch $word",
    `      case ${valueFlags(places(program)).join(" ")}; set skip 1`,
    "      case '-*'",
    "      case '*'; set -a path $word",
    "    end",
    "  end",
    '  string match -q -- $argv[1] "$path"',
    "end",
    "complete -c starling -f",
  ];
  for (const place of places(program)) {
    const at = (depth: number): string => {
      const pattern = `${place.path}${" *".repeat(depth)}`;
      return depth === 0
        ? `-n "__starling_at '${pattern}'"`
        : `-n "__starling_at '${pattern}'; and not __starling_at '${pattern} *'"`;
    };
    for (const child of place.command.commands) {
      lines.push(`complete -c starling ${at(0)} -a ${child.name} -d ${quote(child.description)}`);
    }
    place.command.arguments.forEach((argument, index) => {
      if (argument === "other") return;
      const words = argument === "peers" ? `${PEER_NAMES.slice(1)}` : argument.join(" ");
      lines.push(`complete -c starling ${at(index)} -a ${quote(words)}`);
    });
    for (const option of place.command.options) {
      const names = option.flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
      const words = wordsOf(option).replace(/^\$/, "");
      const value = option.takesValue ? (option.isFile ? " -r -F" : ` -x -a ${quote(words)}`) : "";
      const where = place.path === "" ? "" : ` -n "__starling_at '${place.path}*'"`;
      lines.push(`complete -c starling${where} ${names.join(" ")}${value} -d ${quote(option.description)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function valueFlags(all: readonly Place[]): string[] {
  return [
    ...new Set(all.flatMap((place) => place.options).flatMap((option) => (option.takesValue ? option.flags : []))),
  ];
}

/** After an option that takes a value comes that value. */
function valueCase(
  all: readonly Place[],
  actions: { readonly choices: (words: string) => string; readonly files: string; readonly other: string },
): string {
  const lines = ["  case $previous in"];
  const seen = new Set<string>();
  for (const option of all.flatMap((place) => place.options)) {
    const flags = option.flags.join("|");
    if (!option.takesValue || seen.has(flags)) continue;
    seen.add(flags);
    const words = wordsOf(option);
    const action = words !== "" ? actions.choices(words) : option.isFile ? actions.files : actions.other;
    lines.push(`    ${flags}) ${action} ;;`);
  }
  return [...lines, "  esac"].join("\n");
}

function wordsOf(option: CommandTree["options"][number]): string {
  return option.isPeer ? PEER_NAMES : option.choices.join(" ");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
