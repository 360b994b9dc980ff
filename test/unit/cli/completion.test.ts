import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SHELLS, type Shell } from "../../../src/cli/completion.ts";
import { Cli } from "../../harness/cli.ts";
import { examplePeer } from "../../harness/example-view.ts";

let cli: Cli;

beforeEach(() => {
  cli = new Cli();
});

afterEach(() => cli.close());

function has(shell: Shell): boolean {
  try {
    execFileSync(shell, ["-c", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** The shells of this machine: bash is on all of them. */
const shells = SHELLS.filter(has);

/** Has the shell itself complete the words; `starling show peers --names` gives two peers. */
function complete(shell: Shell, script: string, words: readonly string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const stub = "starling() { echo tor-a; echo tor-b; }";
  const programs: Record<Shell, string> = {
    bash: `${stub}\n${script}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _starling; printf '%s\\n' "\${COMPREPLY[@]}"`,
    zsh: `compdef() { :; }; compadd() { shift; print -rl -- "$@"; }; _files() { :; }; ${stub}
${script}\nwords=(${quoted}); CURRENT=${words.length}; _starling`,
    fish: `function starling; echo tor-a; echo tor-b; end\n${script}\ncomplete -C '${words.join(" ")}'`,
  };
  const output = execFileSync(shell, ["-c", programs[shell]], { encoding: "utf8" });
  const found = output.split("\n").map((line) => line.split("\t")[0] ?? "");
  const typed = words.at(-1) ?? "";
  // zsh's compadd itself leaves out what does not fit.
  return found.filter((word) => word !== "" && word.startsWith(typed)).sort();
}

describe.each(shells)("completion: %s", (shell) => {
  it.each([
    [
      ["starling", ""],
      ["check", "cleanup", "completion", "config", "peer", "reload", "run", "show"],
    ],
    [["starling", "sh"], ["show"]],
    [
      ["starling", "show", ""],
      ["kernel", "peer", "peers", "routes", "summary"],
    ],
    [
      ["starling", "show", "peer", ""],
      ["tor-a", "tor-b"],
    ],
    [
      ["starling", "peer", "tor-a", "re"],
      ["refresh-in", "refresh-out", "reset"],
    ],
    [["starling", "peer", "tor-a", "reset", ""], []],
    [
      ["starling", "show", "routes", "--f"],
      ["--family", "--for"],
    ],
    [
      ["starling", "show", "routes", "--family", ""],
      ["ipv4", "ipv6"],
    ],
    [
      ["starling", "show", "routes", "--peer", "tor-"],
      ["tor-a", "tor-b"],
    ],
    [
      ["starling", "--socket", "/x", "completion", ""],
      ["bash", "fish", "zsh"],
    ],
  ])("%j", async (words, want) => {
    const { stdout } = await cli.run(`completion ${shell}`);
    expect(complete(shell, stdout, words)).toEqual(want);
  });
});

describe("names for completion", () => {
  it("are never more than words to a shell", async () => {
    cli.view.peerViews = ["tor-a", "$(reboot)", "a b", "fe80::1%eth0", "`x`"].map((name) => examplePeer({ name }));
    await cli.listen();
    expect((await cli.run("show peers --names")).stdout).toBe("tor-a\nfe80::1%eth0\n");
  });
});
