/** Reads variables of the environment the way calico/node does, and keeps what makes no sense in them. */

import { suggestion } from "../nearest.ts";

export type Environment = (name: string) => string | undefined;

export interface EnvironmentProblem {
  /** The variable, or the key of the `calico` section. */
  readonly name: string;
  readonly message: string;
  /** A warning says what is taken instead; with an error there is nothing to take. */
  readonly severity: "error" | "warning";
}

/** Those that Go's strconv.ParseBool takes, as manifests of Calico are written for it. */
const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"]);

export class EnvironmentReader {
  readonly problems: EnvironmentProblem[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** An empty variable is one that is not set: manifests have many. */
  text(name: string): string | undefined {
    const value = this.#environment(name)?.trim();
    return value === "" ? undefined : value;
  }

  /** Of the variables for the datastore the form with CALICO_ before it counts first. */
  datastoreText(name: string): string | undefined {
    return this.text(`CALICO_${name}`) ?? this.text(name);
  }

  boolean(name: string): boolean {
    const value = this.datastoreText(name);
    if (value === undefined || FALSE.has(value)) return false;
    if (TRUE.has(value)) return true;
    this.warn(name, `"${value}" is neither true nor false; false is taken`);
    return false;
  }

  oneOf<T extends string>(name: string, accepted: readonly T[]): T | undefined {
    const value = this.datastoreText(name);
    const found = accepted.find((word) => word === value);
    if (value !== undefined && found === undefined) {
      this.error(name, `"${value}" is not known${suggestion(value, accepted)}; accepted: ${accepted.join(", ")}`);
    }
    return found;
  }

  error(name: string, message: string): void {
    this.problems.push({ name, message, severity: "error" });
  }

  warn(name: string, message: string): void {
    this.problems.push({ name, message, severity: "warning" });
  }
}
