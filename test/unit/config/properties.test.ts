import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadText } from "../../../src/config/load.ts";
import { formatConfig, showConfig } from "../../../src/config/show.ts";
import { machine } from "./fixtures.ts";

const directory = fileURLToPath(new URL("../../../deploy/examples/", import.meta.url));
const examples = readdirSync(directory).map((name) => readFileSync(`${directory}${name}`, "utf8"));

/** Whatever the text: either a configuration that can be shown, or at least one error, each with a place in the text. */
function check(text: string): void {
  const { config, problems } = loadText(text, "f", machine);
  const errors = problems.filter(({ severity }) => severity === "error");
  if (config === undefined) expect(errors.length).toBeGreaterThan(0);
  else {
    JSON.stringify(showConfig(config, problems));
    formatConfig(config);
  }
  const lines = text.split(/\r\n|\r|\n/);
  for (const { line, column, message } of problems) {
    expect(message).not.toBe("");
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual((lines[line - 1] ?? "").length + 2);
  }
}

describe("any text", () => {
  it("is a configuration or has errors with a place, and never throws", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), check), { numRuns: 300 });
  });

  it("so is an example with a part cut out, doubled, or replaced", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "",
        "null",
        "[]",
        "{}",
        "- ",
        ": ",
        "\n",
        "  ",
        "&a ",
        "*a",
        "!!x ",
        "65536",
        "-1",
        "1.1",
        "true",
        "'",
        '"',
        "{",
        "}",
        "__proto__: {}",
      ),
      fc.string({ maxLength: 10 }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...examples),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 30 }), piece), { minLength: 1, maxLength: 4 }),
        (example, edits) => {
          let text = example;
          for (const [position, length, insert] of edits) {
            const at = position % (text.length + 1);
            text = text.slice(0, at) + insert + text.slice(at + length);
          }
          check(text);
        },
      ),
      { numRuns: 600 },
    );
  });

  it("so is any value in place of any key's", () => {
    const key = fc.constantFrom(
      "asNumber",
      "routerId",
      "listen",
      "peers",
      "peerDefaults",
      "templates",
      "policies",
      "originate",
      "aggregates",
      "kernel",
      "http",
      "log",
      "timers",
      "families",
      "gracefulRestart",
      "use",
      "import",
      "password",
      "constructor",
      "__proto__",
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom(null, true, 0, 1, -1, 1e300, "", "internal", "10.0.0.1", "10.0.0.0/8", "90s", "self", "x"),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.oneof(key, fc.string({ maxLength: 5 })), tie("value"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, value), (file) => check(JSON.stringify({ asNumber: 64512, ...file }))),
      { numRuns: 600 },
    );
  });
});
