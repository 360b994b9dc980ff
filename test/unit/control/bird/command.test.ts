import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCommand } from "../../../../src/control/bird/command.ts";
import { expand, helpFor } from "../../../../src/control/bird/command-words.ts";
import { matcher } from "../../../../src/control/bird/pattern.ts";
import { since } from "../../../../src/control/bird/times.ts";

const words = (text: string) => expand(text.split(" "));

describe("abbreviations, as BIRD's clients have them", () => {
  it.each([
    ["s p", "show protocols"],
    ["sh ro for 10.0.0.1 all", "show route for 10.0.0.1 all"],
    ["sh roa", "show roa"],
    ["show st", undefined],
    ["sho sta", undefined],
    ["show stati x", "show static x"],
    ["en all", "enable all"],
    ["c", "configure"],
    ["di x", "disable x"],
    ["resta x", "restart x"],
  ])("%s", (given, wanted) => {
    const meant = words(given);
    if (wanted === undefined) expect(meant.kind).toBe("ambiguous");
    else expect(meant).toEqual({ kind: "words", words: wanted.split(" ") });
  });

  it.each(["frob", "show nope", "showx status"])("unknown: %s", (given) => {
    expect(words(given).kind).toBe("unknown");
  });

  it("names what an abbreviation may mean", () => {
    const meant = words("show s");
    if (meant.kind !== "ambiguous") throw new TypeError("should be ambiguous");
    expect(meant.help.map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "show status",
      "show symbols",
      "show static",
    ]);
    expect(helpFor(["reload"])).toHaveLength(1);
    expect(helpFor([]).every((line) => line.length < 140)).toBe(true);
  });
});

describe("commands that are refused", () => {
  const lineOf = (text: string, family: "ipv4" | "ipv6" = "ipv4") => {
    const command = parseCommand(text, family);
    return command.kind === "refusal" ? `${command.line.code} ${command.line.text}` : command.kind;
  };

  it.each([
    ["show route 10.0.0.0/33", "9001 Invalid prefix length 33"],
    ["show route 10.0.0.1/24", "9001 Invalid prefix"],
    ["show route fd00::/24", "9001 Invalid prefix"],
    ["show route 10.0.0.1", "9001 syntax error"],
    ["show route foo", "9001 IP address expected"],
    ["show route all 10.0.0.0/8", "9001 IP address expected"],
    ["show route for", "9001 syntax error"],
    ["show route for fd00::1", "9001 IP address expected"],
    ["show route table t2", "9001 t2 is not a table"],
    ["show route protocol", "9001 syntax error"],
    ['show route protocol "x', "9001 syntax error"],
    ["show status now", "9001 syntax error"],
    ["show bfd sessions", "9001 There is no BFD protocol running"],
    ["show ospf neighbors", "9001 There is no OSPF protocol running"],
    ["show roa", "9001 No ROA table defined"],
    ["flush roa", "9001 No ROA table defined"],
    ["configure foo", "9001 syntax error"],
    ["reload in", "9001 syntax error"],
    ["echo", "9001 syntax error"],
    ["", "9001 syntax error"],
    ["?", "9001 syntax error"],
  ])("%s", (text, line) => {
    expect(lineOf(text)).toBe(line);
  });

  it.each(["show route where bgp_med = 7", "show route filter { accept; }", "configure timeout", 'configure "/x"'])(
    "in words, with what to do instead: %s",
    (text) => {
      expect(lineOf(text)).toMatch(/^8002 .*starling|^8002 configure timeout: starling/);
    },
  );

  it("an IPv6 lookup", () => {
    expect(parseCommand("show route for fd00::1", "ipv6")).toMatchObject({ kind: "routes", address: "fd00::1" });
    expect(parseCommand("show route fd00::/64", "ipv6")).toMatchObject({ kind: "routes", prefix: "fd00::/64" });
  });

  it("whatever comes is a command or a refusal", () => {
    const word = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "show",
        "route",
        "protocols",
        "all",
        "for",
        "10.0.0.0/8",
        '"',
        '"x*"',
        "export",
        "in",
        "reload",
        "table",
      ),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 9 }), fc.constantFrom("ipv4", "ipv6"), (line, family) => {
        expect(parseCommand(line.join(" "), family as "ipv4" | "ipv6").kind).toBeTypeOf("string");
      }),
    );
  });
});

describe("patterns", () => {
  it.each([
    ["*", "", true],
    ["Mesh*", "Mesh_1", true],
    ["*_1", "Mesh_1_1", true],
    ["?esh_1", "Mesh_1", true],
    ["?", "", false],
    ["a*b*c", "a1b2c", true],
    ["a*b*c", "a1b2", false],
    ["\\*", "*", true],
    ["\\*", "x", false],
    ["any", "any", true],
    ["one", "x", false],
  ])("%s of %s", (pattern, name, is) => {
    expect(matcher(pattern)(name)).toBe(is);
  });

  it("a nasty one takes no time", () => {
    expect(matcher("*a".repeat(500))("a".repeat(400))).toBe(false);
  });
});

describe("since", () => {
  const now = new Date(2026, 2, 5, 12, 0, 0).getTime();

  it.each([
    [0, "12:00:00"],
    [20 * 3600 - 1, "16:00:01"],
    [20 * 3600, "2026-03-04"],
  ])("%d s ago", (seconds, text) => {
    expect(since(now - seconds * 1000, now)).toBe(text);
  });
});
