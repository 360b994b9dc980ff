/** What `starling run` starts with: a file, a Calico node's resources, or the embedded default. */

import { type CalicoNode, calicoNode, idleConfig, isIdle, openEnvironment } from "../config/calico/calico-node.ts";
import { embeddedDefault } from "../config/defaults.ts";
import { accept, openFile } from "../config/load.ts";
import type { Config } from "../config/model.ts";
import type { Problem } from "../config/problem.ts";
import { machine, machineOf } from "../config/surroundings.ts";
import { Capability, hasCapability } from "../sys/capabilities.ts";
import { bindablePort } from "./ports.ts";

export interface RunOptions {
  readonly configFile: string | undefined;
  /** Without a file: write routes to the kernel, if this process may. */
  readonly kernel: boolean;
  readonly ceaseOnExit: boolean;
  readonly socket: string | undefined;
}

export interface Startup {
  /** On a Calico node: until its resources are known. */
  readonly config: Config;
  readonly problems: readonly Problem[];
  /** Of the embedded default: why not 179. */
  readonly portReason: string | undefined;
  readonly calico: CalicoNode | undefined;
}

/** Throws ConfigError. */
export async function startupOf({ configFile, kernel }: RunOptions): Promise<Startup> {
  const opened = configFile === undefined ? openEnvironment() : openFile(configFile);
  const loaded = opened?.validate();
  if (opened !== undefined && loaded !== undefined) {
    if (loaded.calico === undefined)
      return { config: accept(loaded), problems: loaded.problems, portReason: undefined, calico: undefined };
    const surroundings = configFile === undefined ? machine("/") : machineOf(configFile);
    const calico = calicoNode(opened, loaded.calico, surroundings);
    const config = accept(calico.config.file);
    return {
      config: isIdle(calico.options) ? idleConfig(config) : config,
      problems: calico.problems,
      portReason: undefined,
      calico,
    };
  }
  const { port, reason } = await bindablePort([179, 1790]);
  const mayWrite = kernel && hasCapability(Capability.NetAdmin);
  const config = embeddedDefault({ port, kernel: mayWrite }, machine("/"));
  return { config, problems: [], portReason: reason, calico: undefined };
}
