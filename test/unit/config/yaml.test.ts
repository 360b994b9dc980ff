import { describe, expect, it } from "vitest";
import { parseYaml } from "../../../src/config/yaml.ts";

function failureOf(text: string): string {
  const result = parseYaml(text);
  if (result.kind !== "error") return "accepted";
  return `${result.position.line}:${result.position.column}: ${result.message}`;
}

const bomb = [
  "a0: &a0 [x, x, x, x, x, x, x, x, x, x]",
  ...Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(", ")}]`),
].join("\n");

describe("YAML that is none, or too much", () => {
  it.each([
    ["nothing", "", "1:1: the file is empty; at least `asNumber: 64512` is needed"],
    ["a comment alone", "# later\n", "1:1: the file is empty; at least `asNumber: 64512` is needed"],
    ["tabs", "a:\n\t- b", "2:1: not valid YAML: tab characters must not be used in indentation; indent with spaces"],
    ["duplicate keys", "a: 1\nb: 2\na: 3", "3:1: not valid YAML: duplicated mapping key; each key may stand once"],
    ["an open quote", 'a: "x', "1:6: not valid YAML: unexpected end of the stream within a double quoted scalar"],
    ["an open bracket", "a: [1, 2", "1:9: not valid YAML: unexpected end of the stream within a flow collection"],
    ["two documents", "a: 1\n---\na: 2\n", "1:1: the file holds several YAML documents; one is accepted"],
    ["a NUL", "a: \u0000", "1:4: not valid YAML: null byte is not allowed in input"],
    ["a tag", "a: !secret x", "1:4: not valid YAML: tags are not accepted; quote a value that begins with !"],
    [
      "an unknown alias",
      "a: *secret",
      "1:5: not valid YAML: an alias without its anchor; quote a value that begins with *",
    ],
    ["an anchor within itself", "a: &a [1, *a]", "1:11: the alias *a stands inside its own anchor"],
    ["a bomb of anchors", bomb, "6:9: the file holds more than 500000 values"],
    ["a mapping as a key", "? {a: 1}\n: 2", "1:1: not valid YAML: object-based map does not support complex keys"],
    ["a tower of lists", "[".repeat(200), "1:32: not valid YAML: nesting exceeded maxDepth (32)"],
    ["binary", "\u007fELF\u0002\u0001\u0001", "1:1: not valid YAML: the stream contains non-printable characters"],
  ])("%s", (_name, text, want) => {
    expect(failureOf(text)).toBe(want);
  });

  it("names no text that may be an unquoted password", () => {
    for (const text of ["password: *hunter2", "password: !hunter2 x"]) expect(failureOf(text)).not.toContain("hunter2");
  });
});

describe("YAML that is some", () => {
  it.each<[string, string, unknown]>([
    ["asdot stays text", "a: 1.10", { a: "1.10" }],
    ["off and no are words", "a: off\nb: no", { a: "off", b: "no" }],
    ["communities are no sexagesimal numbers", "a: [64512:10, 1:2:3]", { a: ["64512:10", "1:2:3"] }],
    ["a byte order mark", "\ufeffa: 1", { a: 1 }],
    ["Windows' line ends", "a: 1\r\nb: 2\r\n", { a: 1, b: 2 }],
    ["aliases", "a: &x {b: 1}\nc: *x", { a: { b: 1 }, c: { b: 1 } }],
    ["an empty document", "---\n", null],
  ])("%s", (_name, text, want) => {
    const result = parseYaml(text);
    expect(result.kind === "document" && result.document.value).toEqual(want);
  });

  it("cannot reach the prototype of objects", () => {
    const result = parseYaml("__proto__: {polluted: 1}");
    expect(result.kind).toBe("document");
    expect("polluted" in {}).toBe(false);
  });

  it("knows where each key and value stands, and the nearest ancestor of what is not written", () => {
    const text = "\ufeffa: 1\nb:\n  - x: 'one'\n    y: {z: [1, 2]}\n  - &q foo\nc: *q\n";
    const result = parseYaml(text);
    if (result.kind === "error") throw new RangeError(result.message);
    const at = (path: (string | number)[], part: "key" | "value") => {
      const { line, column } = result.document.locate(path, part);
      return `${line}:${column}`;
    };
    expect(at(["a"], "key")).toBe("1:1");
    expect(at(["a"], "value")).toBe("1:4");
    expect(at(["b", 0, "x"], "value")).toBe("3:9");
    expect(at(["b", 0, "y", "z", 1], "value")).toBe("4:16");
    expect(at(["b", 1], "value")).toBe("5:8");
    expect(at(["c"], "value")).toBe("6:4");
    expect(at(["b", 0, "y", "missing"], "value")).toBe("4:5");
    expect(at(["missing"], "value")).toBe("1:1");
  });
});
