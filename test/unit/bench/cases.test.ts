import { describe, expect, it } from "vitest";
import { casesOf, scenarios } from "../../../bench/scenarios/catalogue.ts";

const named = (words: readonly string[]) =>
  casesOf(words, "small").map(({ scenario, parameters }) => [scenario.name, parameters]);

describe("cases from words", () => {
  it("no words are all scenarios", () => {
    expect(new Set(named([]).map(([name]) => name))).toEqual(new Set(scenarios.map(({ name }) => name)));
  });

  it("a scenario alone is its cases of the scale, with parameters it is one", () => {
    expect(named(["startup", "reflect", "K=500", "P=4", "family=ipv6"])).toEqual([
      ["startup", {}],
      ["reflect", { K: 500, P: 4, family: "ipv6" }],
    ]);
  });

  it.each([
    ["an unknown scenario", ["refelct"], 'no scenario "refelct": there are reflect, full'],
    ["an unknown parameter", ["reflect", "Q=1"], 'reflect has no parameter "Q": there are K, P, family'],
    ["a parameter before any scenario", ["K=1"], '"K=1" stands before any scenario'],
    ["what is no number", ["reflect", "K=many"], 'K of reflect is a number, not "many"'],
  ])("%s is an error that says what there is", (_name, words, message) => {
    expect(() => named(words)).toThrow(message);
  });

  it("every case names only parameters that its scenario has", () => {
    for (const { defaults, cases } of scenarios) {
      for (const parameters of [...cases.small, ...cases.full]) {
        expect(Object.keys(defaults)).toEqual(expect.arrayContaining(Object.keys(parameters)));
      }
    }
  });
});
