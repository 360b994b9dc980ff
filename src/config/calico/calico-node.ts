/** A Calico node as its file, or calico/node's environment alone, asks for one. */

import { hostname } from "node:os";
import { type Opened, openValue } from "../load.ts";
import type { Config } from "../model.ts";
import { ConfigError, isError, type Problem } from "../problem.ts";
import type { CalicoInput } from "../schema-calico.ts";
import { machine, type Surroundings } from "../surroundings.ts";
import { CalicoConfig } from "./calico-config.ts";
import { isCalicoNode, resolveCalico } from "./environment.ts";
import type { CalicoOptions } from "./options.ts";

export interface CalicoNode {
  readonly options: CalicoOptions;
  readonly config: CalicoConfig;
  /** Warnings: of the file, of its section, and of the environment. */
  readonly problems: readonly Problem[];
}

/** In calico/node's environment no file is needed; undefined elsewhere. */
export function openEnvironment(): Opened | undefined {
  const isNode = isCalicoNode((name) => process.env[name]);
  return isNode ? openValue({ calico: {} }, "environment", machine("/")) : undefined;
}

/**
 * Throws ConfigError where the file, the section or the environment cannot be used. What is wrong with single peers of the file
 * counts at the first start alone: a running daemon leaves those as they were.
 */
export function calicoNode(
  opened: Opened,
  section: CalicoInput,
  surroundings: Surroundings,
  isReload = false,
): CalicoNode {
  const { options, problems } = resolveCalico(section, { ...surroundings, hostName: hostname });
  const config = new CalicoConfig(opened, options);
  const found = problems.map(
    ({ name, message, severity }): Problem => ({
      file: "environment",
      line: 0,
      column: 0,
      path: name,
      message,
      severity,
      peer: undefined,
    }),
  );
  const all = [...config.file.problems, ...found];
  const errors = all.filter((problem) => isError(problem) && !(isReload && problem.peer !== undefined));
  if (errors.length > 0) throw new ConfigError(errors);
  return { options, config, problems: all };
}

/** With another backend (VXLAN, or none) nobody speaks BGP, and the routes are Felix' alone. */
export function isIdle({ backend }: CalicoOptions): boolean {
  return backend !== "bird";
}

export function idleConfig(config: Config): Config {
  return {
    ...config,
    listen: { ...config.listen, addresses: [] },
    peers: [],
    originate: [],
    kernel: { ...config.kernel, enabled: false },
  };
}
