/** Makes ready what a benchmark needs: root, the programs in C, and the other daemons. */

import { installDebianPackages } from "../scripts/lib/debian.mjs";
import { BenchError } from "./bench-error.ts";
import type { Daemon } from "./daemons/daemon.ts";
import { buildNative, type NativeTools } from "./native/build.ts";

/** Throws a BenchError, in words, where the benchmark cannot run at all. */
export async function prepareMachine(): Promise<NativeTools> {
  if (process.platform !== "linux") throw new BenchError("the benchmark needs Linux: it is made of network namespaces");
  if (process.getuid?.() !== 0) {
    throw new BenchError(
      'the benchmark makes network namespaces, and that needs root: run `sudo env "PATH=$PATH" npm run bench`',
    );
  }
  await installDebianPackages({ only: ["iproute2", "gcc", "libc6-dev"], what: "measurements" });
  try {
    return await buildNative();
  } catch (error) {
    throw new BenchError(error instanceof Error ? error.message : String(error));
  }
}

/** Installs what is missing where that can be done. Returns the daemons that are there, and says which are left out. */
export async function installDaemons(wanted: readonly Daemon[], say: (line: string) => void): Promise<Daemon[]> {
  const isMissing = (daemon: Daemon) => !daemon.isInstalled();
  const packages = wanted.filter(isMissing).flatMap(({ debianPackage }) => debianPackage ?? []);
  if (packages.length > 0) await installDebianPackages({ only: packages, what: "measurements" });
  for (const { name, debianPackage } of wanted.filter(isMissing)) {
    say(`${name} is left out: it is not installed (Debian's package is ${debianPackage})`);
  }
  const there = wanted.filter((daemon) => !isMissing(daemon));
  if (there.length === 0) throw new BenchError("none of the daemons is installed");
  return there;
}
