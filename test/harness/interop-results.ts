/** Keeps what interop tests proved, for `npm run docs:interop`: one JSON document a line, a line for each test that ended. */

import { appendFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it, onTestFailed } from "vitest";
import { isInstalled, type PeerDaemon, peerDaemons, versionOf } from "./daemons/catalogue.ts";
import { canMakeNetworks } from "./netns.ts";

const folder = fileURLToPath(new URL("../../test-results", import.meta.url));

export interface InteropResult {
  /** The row of the table. */
  readonly feature: string;
  readonly daemon: PeerDaemon;
  readonly version: string;
  readonly result: "passed" | "failed" | "unsupported";
  /** Why it is unsupported. */
  readonly reason?: string;
}

export function recordInterop(result: InteropResult): void {
  mkdirSync(folder, { recursive: true });
  appendFileSync(`${folder}/interop.jsonl`, `${JSON.stringify(result)}\n`);
}

/** Why a daemon is left out, by its name. A reason that begins with a version holds for that version. */
export type Unsupported = Readonly<Partial<Record<PeerDaemon, string>>>;

/**
 * One feature against every daemon: a test for each, and a cell of the table in docs/interop.md for each. A daemon that
 * does not support the feature is not run, and the reason stands in its cell.
 */
export function describeInterop(
  feature: string,
  unsupported: Unsupported,
  test: (daemon: PeerDaemon) => Promise<void>,
  timeout = 60_000,
): void {
  describe(feature, () => {
    for (const daemon of peerDaemons) {
      const reason = unsupported[daemon];
      const version = versionOf(daemon);
      if (!canMakeNetworks() || !isInstalled(daemon)) {
        it.skip(`${daemon}: not installed, or no right to make network namespaces`, () => undefined);
      } else if (reason !== undefined) {
        it(`${daemon} ${version} does not support it: ${reason}`, () => {
          recordInterop({ feature, daemon, version, result: "unsupported", reason });
        });
      } else {
        it(
          `${daemon} ${version}`,
          async () => {
            onTestFailed(() => recordInterop({ feature, daemon, version, result: "failed" }));
            await test(daemon);
            recordInterop({ feature, daemon, version, result: "passed" });
          },
          timeout,
        );
      }
    }
  });
}
