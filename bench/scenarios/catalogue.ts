/** The scenarios, in the order in which they run, and how the command line names cases of them. */

import { BenchError } from "../bench-error.ts";
import type { Case } from "../runner.ts";
import { churn } from "./churn.ts";
import { full } from "./full.ts";
import { idle } from "./idle.ts";
import { kernel } from "./kernel.ts";
import { mrt } from "./mrt.ts";
import { reflect } from "./reflect.ts";
import type { Parameters, Scenario } from "./scenario.ts";
import { slow } from "./slow.ts";
import { startup } from "./startup.ts";
import { storm } from "./storm.ts";

export type Scale = "small" | "full";

export const scenarios: readonly Scenario[] = [reflect, full, mrt, churn, storm, slow, kernel, idle, startup];

/**
 * Words such as `reflect K=500 P=4 churn`: a scenario with parameters is one case, one without is all cases of the scale,
 * and no words are all scenarios. Throws a BenchError for what does not exist.
 */
export function casesOf(words: readonly string[], scale: Scale): Case[] {
  const named: { readonly scenario: Scenario; readonly parameters: Record<string, number | string> }[] = [];
  for (const word of words) {
    const [name = "", value] = word.split("=", 2);
    const last = named.at(-1);
    if (value === undefined) named.push({ scenario: scenarioNamed(name), parameters: {} });
    else if (last === undefined) throw new BenchError(`"${word}" stands before any scenario`);
    else last.parameters[name] = parameter(last.scenario, name, value);
  }
  const chosen = named.length === 0 ? scenarios.map((scenario) => ({ scenario, parameters: {} })) : named;
  return chosen.flatMap(({ scenario, parameters }) => {
    const cases: readonly Parameters[] = Object.keys(parameters).length > 0 ? [parameters] : scenario.cases[scale];
    return cases.map((own) => ({ scenario, parameters: own }));
  });
}

function scenarioNamed(name: string): Scenario {
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario !== undefined) return scenario;
  throw new BenchError(`no scenario "${name}": there are ${scenarios.map((known) => known.name).join(", ")}`);
}

function parameter(scenario: Scenario, name: string, value: string): number | string {
  const usual = scenario.defaults[name];
  if (usual === undefined) {
    const known = Object.keys(scenario.defaults).join(", ");
    throw new BenchError(`${scenario.name} has no parameter "${name}": there are ${known}`);
  }
  if (typeof usual === "string") return value;
  const number = Number(value);
  if (!(number >= 0)) throw new BenchError(`${name} of ${scenario.name} is a number, not "${value}"`);
  return number;
}
