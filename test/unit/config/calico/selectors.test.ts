/** Calico's language of selectors: what it accepts, what it selects, and that nobody can make it run away. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Labels, selectorOf } from "../../../../src/config/calico/selector/selector.ts";
import { SelectorSyntaxError } from "../../../../src/config/calico/selector/selector-parser.ts";

const rack: Labels = { rack: "rack-1", "topology.kubernetes.io/zone": "eu-1", empty: "", "route-reflector": "true" };

describe("selectors", () => {
  it.each([
    ["", true],
    ["all()", true],
    ["all( )", true],
    ["global()", true],
    ["!all()", false],
    ["has(rack)", true],
    ["has( rack )", true],
    ["!has(rack)", false],
    ["! has(rack)", false],
    ["!!has(rack)", true],
    ["has(missing)", false],
    ["!has(missing)", true],
    ["has(topology.kubernetes.io/zone)", true],
    ["has(toString)", false],
    ["rack == 'rack-1'", true],
    ['rack == "rack-1"', true],
    ["rack=='rack-1'", true],
    ["rack == 'rack-2'", false],
    ["empty == ''", true],
    ["missing == ''", false],
    ["rack != 'rack-1'", false],
    ["rack != 'rack-2'", true],
    ["missing != 'x'", true],
    ["!rack == 'rack-2'", true],
    ["rack in {'rack-0', 'rack-1'}", true],
    ["rack in {'rack-0'}", false],
    ["rack in {}", false],
    ["missing in {''}", false],
    ["rack not in {'rack-0'}", true],
    ["rack not  in {'rack-1'}", false],
    ["missing not in {'x'}", true],
    ["rack contains 'ck-'", true],
    ['rack contains "no"', false],
    ["missing contains ''", false],
    ["rack starts with 'rack'", true],
    ["rack starts  with 'ack'", false],
    ["rack ends with '-1'", true],
    ["rack ends with '-2'", false],
    ["has(rack) && has(missing)", false],
    ["has(rack) || has(missing)", true],
    // && binds closer than ||.
    ["has(rack) || has(missing) && has(missing)", true],
    ["(has(rack) || has(missing)) && has(missing)", false],
    ["!(has(missing) || rack == 'rack-2')", true],
    ["((has(rack)))", true],
    ["  has(rack)  &&\n\tall()  ", true],
    ["rack == \"it's\" || rack == 'rack-1'", true],
    ["route-reflector == 'true'", true],
  ])("%s is %s", (text, expected) => {
    expect(selectorOf(text).matches(rack)).toBe(expected);
  });

  it.each([
    ["rack", "at character 5, found the end"],
    ["rack =", 'at character 6, found "="'],
    ["rack == rack-1", "expected a text in quotes at character 9"],
    ["rack == 'rack-1", "expected a text in quotes"],
    ["has(rack", 'found "(rack"'],
    ["has()", "expected"],
    ["has(rack) &&", "found the end"],
    ["has(rack) & all()", "expected && or ||"],
    ["has(rack) all()", "expected && or ||"],
    ["(has(rack)", 'expected ")"'],
    ["rack in 'a'", 'expected "{"'],
    ["rack in {'a' 'b'}", 'expected "," or "}"'],
    ["rack in {'a',}", "expected a text in quotes"],
    ["|| all()", "expected a label"],
    ["rack > 'a'", "expected ==, !=, in"],
  ])("%s is refused", (text, message) => {
    expect(() => selectorOf(text)).toThrow(SelectorSyntaxError);
    expect(() => selectorOf(text)).toThrow(message);
  });

  it("are compiled once", () => {
    expect(selectorOf("has(once)")).toBe(selectorOf("has(once)"));
  });

  it.each([
    ["too long", `rack == '${"x".repeat(2000)}'`],
    ["too deep", `${"(".repeat(500)}all()${")".repeat(500)}`],
    ["negated without end", "!".repeat(1024)],
  ])("that are %s are refused", (_name, text) => {
    expect(() => selectorOf(text)).toThrow(SelectorSyntaxError);
  });

  it("that anybody makes up are either compiled or refused", () => {
    const piece = fc.constantFrom(
      "!",
      "(",
      ")",
      "all()",
      "has(a)",
      "a",
      "==",
      "!=",
      "in",
      "not in",
      "{",
      "}",
      "'x'",
      ",",
      "&&",
      "||",
      " ",
      '"',
      "contains",
    );
    const text = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.array(piece, { maxLength: 30 }).map((all) => all.join(" ")),
    );
    fc.assert(
      fc.property(text, (written) => {
        try {
          expect(typeof selectorOf(written).matches({ a: "x" })).toBe("boolean");
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(SelectorSyntaxError);
        }
      }),
    );
  });
});
