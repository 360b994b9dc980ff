/** Keeps what interop tests proved, for `npm run docs:interop`: one JSON document a line, a line for each test that ended. */

import { appendFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { PeerDaemon } from "./daemons/catalogue.ts";

const folder = fileURLToPath(new URL("../../test-results", import.meta.url));

export interface InteropResult {
  /** The row of the table. */
  readonly feature: string;
  readonly daemon: PeerDaemon;
  readonly version: string;
  readonly result: "passed" | "failed" | "unsupported";
  /** Why it is unsupported, or what is different in this daemon. */
  readonly reason?: string;
}

export function recordInterop(result: InteropResult): void {
  mkdirSync(folder, { recursive: true });
  appendFileSync(`${folder}/interop.jsonl`, `${JSON.stringify(result)}\n`);
}

/** Why a daemon is left out, by its name. A reason that begins with a version holds for that version. */
export type Unsupported = Readonly<Partial<Record<PeerDaemon, string>>>;
