/** The commands of BIRD's clients: what may be abbreviated to what, and what each is for. Shared by the socket and by birdcl. */

export interface CommandWords {
  /** Words that have to stand there, as short as they stay unmistakable. */
  readonly words: readonly string[];
  readonly options: string;
  readonly help: string;
}

const COMMANDS: readonly CommandWords[] = [
  entry("show status", "", "Show what runs, since when, and whether it is restarting"),
  entry("show memory", "", "Show how much memory is in use"),
  entry("show protocols", '[all] [<protocol> | "<pattern>"]', "Show protocols and sessions"),
  entry("show interfaces", "[summary]", "Show network interfaces"),
  entry(
    "show route",
    "[<prefix> | for <address>] [table master] [all] [primary] [filtered] [(export|preexport|noexport) <protocol>] [protocol <protocol>] [stats|count]",
    "Show routes",
  ),
  entry("show symbols", "[table|filter|function|protocol|template|roa|<name>]", "Show names that are known"),
  entry("show bfd", "sessions [<protocol>]", "Show BFD sessions"),
  entry("show babel", "...", "Not in starling"),
  entry("show ospf", "...", "Not in starling"),
  entry("show rip", "...", "Not in starling"),
  entry("show roa", "...", "Not in starling"),
  entry("show static", "[<protocol>]", "Show static routes"),
  entry("add roa", "...", "Not in starling"),
  entry("delete roa", "...", "Not in starling"),
  entry("flush roa", "...", "Not in starling"),
  entry("configure", '[soft|check|confirm|undo|timeout [<seconds>]] ["<file>"]', "Read the configuration again"),
  entry("down", "", "Shut the daemon down (refused: stop starling itself)"),
  entry("enable", '<protocol> | "<pattern>" | all', "Enable sessions"),
  entry("disable", '<protocol> | "<pattern>" | all', "Disable sessions"),
  entry("restart", '<protocol> | "<pattern>" | all', "End sessions and begin them again"),
  entry(
    "reload",
    '[in|out] <protocol> | "<pattern>" | all',
    "Ask for, or send, all routes again without ending sessions",
  ),
  entry("debug", "...", "Accepted without effect: `log` in starling's file says what is logged"),
  entry("mrtdump", "...", "Accepted without effect"),
  entry("dump", "...", "Accepted without effect"),
  entry("eval", "<expression>", "Not in starling"),
  entry("echo", "...", "Accepted without effect"),
  entry("restrict", "", "Refuse, on this connection, all that changes something"),
];

/** What an abbreviation may mean. */
export type Expansion =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "ambiguous"; readonly help: readonly string[] }
  | { readonly kind: "unknown" };

const UNKNOWN: Expansion = { kind: "unknown" };
/** Nobody has it; it does not make `show ro` ambiguous. */
const RARE = "roa";
const USAGE_COLUMNS = 46;

/** Whole words for abbreviations. Arguments stay as they are. */
export function expand(command: readonly string[]): Expansion {
  let fitting = COMMANDS;
  const words: string[] = [];
  for (let position = 0; ; position++) {
    if (fitting.some((each) => each.words.length === position))
      return { kind: "words", words: [...words, ...command.slice(position)] };
    const given = command[position];
    if (given === undefined) return position === 0 ? UNKNOWN : { kind: "ambiguous", help: fitting.map(helpLine) };
    const candidates = [...new Set(fitting.map((each) => each.words[position] as string))];
    const meant = candidates.includes(given) ? [given] : candidates.filter((word) => word.startsWith(given));
    const likely = meant.length > 1 ? meant.filter((word) => word !== RARE) : meant;
    const [word] = likely;
    if (word === undefined) return UNKNOWN;
    fitting = fitting.filter((each) => likely.includes(each.words[position] as string));
    if (likely.length > 1) return { kind: "ambiguous", help: fitting.map(helpLine) };
    words.push(word);
  }
}

/** What may stand after the words given so far, one line each. */
export function helpFor(command: readonly string[]): readonly string[] {
  return COMMANDS.filter((each) =>
    command.every((word, i) => i >= each.words.length || (each.words[i] as string).startsWith(word)),
  ).map(helpLine);
}

function helpLine({ words, options, help }: CommandWords): string {
  const name = words.join(" ");
  const usage = `${name} ${options}`.trimEnd();
  // What does not fit is told by the documentation.
  return `${(usage.length > USAGE_COLUMNS ? `${name} ...` : usage).padEnd(USAGE_COLUMNS)} ${help}`;
}

function entry(words: string, options: string, help: string): CommandWords {
  return { words: words.split(" "), options, help };
}
