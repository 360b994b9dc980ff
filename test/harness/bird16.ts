/** BIRD 1.6, which Calico's own is made from, unpacked from Debian's package beside the installed BIRD 2. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand } from "./process.ts";

export interface Bird16 {
  readonly bird: string;
  readonly bird6: string;
  readonly birdc: string;
}

/** Kept for the next run, with what else the checkout can do without. */
const cache = fileURLToPath(new URL("../../node_modules/.cache", import.meta.url));
const folder = join(cache, "bird16");
let known: Promise<Bird16 | undefined> | undefined;

/** Undefined where Debian's archive cannot be asked, or has it no more. */
export function bird16(): Promise<Bird16 | undefined> {
  known ??= unpack().catch(() => undefined);
  return known;
}

async function unpack(): Promise<Bird16 | undefined> {
  const sbin = join(folder, "usr", "sbin");
  if (!existsSync(join(sbin, "bird6"))) {
    mkdirSync(cache, { recursive: true });
    const work = mkdtempSync(join(cache, "bird16-"));
    try {
      await runCommand(["sh", "-ec", 'cd "$0" && apt-get -q download bird', work], { timeout: 60_000 });
      const [file] = readdirSync(work).filter((name) => name.endsWith(".deb"));
      if (file === undefined) return undefined;
      mkdirSync(join(work, "root"), { mode: 0o755 });
      await runCommand(["dpkg-deb", "--extract", join(work, file), join(work, "root")]);
      rmSync(folder, { recursive: true, force: true });
      renameSync(join(work, "root"), folder);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return { bird: join(sbin, "bird"), bird6: join(sbin, "bird6"), birdc: join(sbin, "birdc") };
}
