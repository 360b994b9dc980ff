import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AsPathSyntaxError } from "../../../src/config/as-path-expression.ts";
import { AsPathMatcher } from "../../../src/config/as-path-matcher.ts";

const PATHS = ["", "65001", "65001 65002", "165001", "65002 65001", "65001 {65003 65004}", "(65010 65011) 65001"];

describe("AS-path expressions", () => {
  it.each<[string, string[]]>([
    ["^$", [""]],
    ["^65001", ["65001", "65001 65002", "65001 {65003 65004}"]],
    ["^65001 ", ["65001 65002", "65001 {65003 65004}"]],
    ["65001$", ["65001", "165001", "65002 65001", "(65010 65011) 65001"]],
    ["_65001_", ["65001", "65001 65002", "65002 65001", "65001 {65003 65004}", "(65010 65011) 65001"]],
    ["^_65001_$", ["65001"]],
    ["_65003_", ["65001 {65003 65004}"]],
    ["\\{.*\\}", ["65001 {65003 65004}"]],
    ["^\\(", ["(65010 65011) 65001"]],
    ["^[0-9]+$", ["65001", "165001"]],
    ["^\\d{6}$", ["165001"]],
    ["^([0-9]+ ){1,2}[0-9]+$", ["65001 65002", "65002 65001"]],
    ["_(65003|65011)_", ["65001 {65003 65004}", "(65010 65011) 65001"]],
    ["^[^1]", PATHS.filter((path) => path !== "" && path !== "165001")],
    ["", PATHS],
  ])("%j", (source, want) => {
    const matcher = new AsPathMatcher(source);
    expect(PATHS.filter((path) => matcher.test(path))).toEqual(want);
    // A second pass runs on the cached states.
    expect(PATHS.filter((path) => matcher.test(path))).toEqual(want);
    expect(matcher.source).toBe(source);
  });

  it.each([
    ["(65001", "a ( without its )"],
    ["65001)", "this ) closes nothing"],
    ["[a]", "a class holds digits"],
    ["[]", "an empty class"],
    ["[9-0]", "runs backwards"],
    ["*", '"*" means nothing here'],
    ["1**", "may not follow another"],
    ["{65001}", '"{" means nothing here'],
    ["1{x}", "\\{"],
    ["1{65}", "at most 64"],
    ["1{3,2}", "from small to large"],
    ["\\w", "before a bracket or d only"],
    ["AS65001", '"A" means nothing here'],
    ["1{64}".repeat(30), "too many repetitions"],
    ["(".repeat(40), "nested too deeply"],
    ["1".repeat(600), "longer than 512"],
  ])("refuses %j", (source, message) => {
    expect(() => new AsPathMatcher(source)).toThrow(AsPathSyntaxError);
    expect(() => new AsPathMatcher(source)).toThrow(message);
  });

  it("says what RegExp says of any text", () => {
    const atom = fc.constantFrom("1", "2", " ", ".", "^", "$", "_", "[12]", "[^1]", "\\{", "\\d");
    const { expression } = fc.letrec<{ expression: string; part: string }>((tie) => ({
      part: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        atom,
        fc
          .tuple(tie("expression"), fc.constantFrom("", "*", "+", "?", "{2}", "{1,}", "{0,2}"))
          .map(([e, q]) => `(${e})${q}`),
        fc.tuple(tie("part"), tie("part")).map(([a, b]) => `${a}|${b}`),
      ),
      expression: fc.array(tie("part"), { maxLength: 4 }).map((parts) => parts.join("")),
    }));
    const text = fc.array(fc.constantFrom("1", "2", " ", "{", "3"), { maxLength: 8 }).map((c) => c.join(""));
    fc.assert(
      fc.property(expression, fc.array(text, { maxLength: 5 }), (source, texts) => {
        const matcher = new AsPathMatcher(source);
        const reference = new RegExp(source.replaceAll("_", "(?:[ {}()\\[\\]]|^|$)"));
        for (const one of texts) expect(matcher.test(one), one).toBe(reference.test(one));
      }),
      { numRuns: 500 },
    );
  });

  it("takes linear time where a backtracking engine takes for ever", () => {
    const path = Array.from({ length: 4000 }, () => "65001").join(" ");
    for (const source of ["^(([0-9]+)+ ?)+\\{", ".*.*.*.*\\{$", "(_.*_)*65002"]) {
      const matcher = new AsPathMatcher(source);
      const start = performance.now();
      expect(matcher.test(path)).toBe(false);
      expect(performance.now() - start).toBeLessThan(500);
    }
  });
});
