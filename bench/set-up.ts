/** Makes ready what a benchmark needs: root, the programs in C, and the other daemons. */

import { installDebianPackages } from "../scripts/lib/debian.mjs";
import { BenchError } from "./bench-error.ts";
import type { Daemon } from "./daemons/daemon.ts";
import { buildNative } from "./native/build.ts";

export interface BenchParts {
  /** Those that are there. */
  readonly daemons: readonly Daemon[];
  /** Where the load generator is. */
  readonly generator: string;
}

/** Says which daemons are left out. Throws a BenchError where nothing can be measured at all. */
export async function setUpBench(wanted: readonly Daemon[]): Promise<BenchParts> {
  if (process.getuid?.() !== 0) {
    throw new BenchError(
      'the benchmark makes network namespaces, and that needs root: run `sudo env "PATH=$PATH" npm run bench`',
    );
  }
  const missing = wanted.filter((daemon) => !daemon.isInstalled());
  const packages = missing.flatMap(({ debianPackage }) => debianPackage ?? []);
  if (packages.length > 0) await installDebianPackages({ only: [...packages, "iproute2"], what: "measurements" });
  const daemons = wanted.filter((daemon) => daemon.isInstalled());
  if (daemons.length === 0) throw new BenchError("none of the daemons is installed");
  const { generator } = await buildNative();
  return { daemons, generator };
}
