/** Compiles the native tools of the benchmark with the system's C compiler, when their sources are newer than what is there. */

import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findProgram } from "../../test/harness/process.ts";

/** Paths of the programs; README.md says what they do. */
export interface NativeTools {
  readonly generator: string;
  readonly relay: string;
  readonly kernelLoop: string;
}

class NativeBuildError extends Error {
  override readonly name = "NativeBuildError";
}

const sourceFolder = fileURLToPath(new URL(".", import.meta.url));
const cacheFolder = fileURLToPath(new URL("../../node_modules/.cache/starling-bench/", import.meta.url));
const flags = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror"];
const generatorSources = [
  "generator.c",
  "commands.c",
  "churn.c",
  "measure.c",
  "dialer.c",
  "session.c",
  "receive.c",
  "blobs.c",
  "prefixes.c",
  "bgp.c",
];

/** Throws a NativeBuildError when there is no compiler, or when it finds fault with the sources. */
export async function buildNative(): Promise<NativeTools> {
  mkdirSync(cacheFolder, { recursive: true });
  const [generator, relay, kernelLoop] = await Promise.all([
    build("generator", generatorSources),
    build("relay", ["relay.c", "bgp.c"]),
    build("kernel-loop", ["kernel-loop.c"]),
  ]);
  return { generator, relay, kernelLoop };
}

async function build(name: string, sources: readonly string[]): Promise<string> {
  const program = join(cacheFolder, name);
  if (!isStale(program)) return program;
  const compiler = findProgram("cc", "gcc", "clang");
  if (compiler === undefined)
    throw new NativeBuildError("the benchmark needs a C compiler: apt-get install gcc libc6-dev");
  // Another run may be starting the program, or be building it too: it changes at once or not at all.
  const unfinished = `${program}.${process.pid}`;
  const files = sources.map((source) => join(sourceFolder, source));
  try {
    await promisify(execFile)(compiler, [...flags, "-o", unfinished, ...files]);
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? String(error);
    throw new NativeBuildError(
      `cannot compile bench/native/${name}: ${said}\nWithout the C library's headers: apt-get install gcc libc6-dev`,
    );
  }
  renameSync(unfinished, program);
  return program;
}

/** Any source counts: headers are shared. */
function isStale(program: string): boolean {
  const built = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return readdirSync(sourceFolder).some(
    (file) => /\.[ch]$/.test(file) && statSync(join(sourceFolder, file)).mtimeMs > built,
  );
}
