/** How BGPFilters are called where names have to be short. */

import { createHash } from "node:crypto";

/** With what BIRD puts around it a name fills the 64 characters of a symbol. */
const MAX_LENGTH = 45;
const HASH_LENGTH = 16;

/** As Calico: a longer name is cut, and told from others by its hash. */
export function shownFilterName(name: string): string {
  if (name.length <= MAX_LENGTH) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_LENGTH).toUpperCase();
  return `${name.slice(0, MAX_LENGTH - HASH_LENGTH - 1)}_${hash}`;
}
