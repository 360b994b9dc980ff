/** The data that lies beside a checkout, in ../shared/data: tests of it are skipped where it is absent. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The path of a folder or file there, if it is there. */
export function shared(name: string): string | undefined {
  const path = fileURLToPath(new URL(`../../../shared/data/${name}`, import.meta.url));
  return existsSync(path) ? path : undefined;
}
