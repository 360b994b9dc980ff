/** One feature against one daemon, so that a file of tests is a list of features, and each cell of docs/interop.md a test. */

import { afterAll, describe, it, type TestContext } from "vitest";
import { isInstalled, type PeerDaemon, versionOf } from "./daemons/catalogue.ts";
import { type InteropResult, recordInterop, type Unsupported } from "./interop-results.ts";
import { canMakeNetworks } from "./netns.ts";

export interface Feature {
  /** The row of the table. */
  readonly name: string;
  /** Why a daemon is left out, by its name. */
  readonly unsupported?: Unsupported;
  /** What differs in a daemon without being missing, by its name: a note under the table. */
  readonly differs?: Unsupported;
  /** Milliseconds; default 60,000. */
  readonly timeout?: number;
  readonly test: (daemon: PeerDaemon, context: TestContext) => Promise<void>;
}

/** Features of one daemon, several at a time: they wait much and compute little. */
export function testFeatures(daemon: PeerDaemon, features: readonly Feature[]): void {
  if (!canMakeNetworks() || !isInstalled(daemon)) {
    it.skip(`${daemon}: not installed, or no right to make network namespaces`, () => undefined);
    return;
  }
  const version = versionOf(daemon);
  const results = new Map<string, InteropResult>();
  // In the order of the list, whichever ended first.
  afterAll(() => {
    for (const { name } of features) {
      const result = results.get(name);
      if (result !== undefined) recordInterop(result);
    }
  });
  describe.concurrent(`${daemon} ${version}`, () => {
    for (const { name: feature, unsupported, differs, timeout = 60_000, test } of features) {
      const cell = { feature, daemon, version } as const;
      const reason = unsupported?.[daemon];
      if (reason !== undefined) {
        it(`${feature}: not supported: ${reason}`, () => {
          results.set(feature, { ...cell, result: "unsupported", reason });
        });
        continue;
      }
      const note = differs?.[daemon];
      it(
        feature,
        async (context) => {
          results.set(feature, { ...cell, result: "failed" });
          await test(daemon, context);
          results.set(feature, { ...cell, result: "passed", ...(note === undefined ? {} : { reason: note }) });
        },
        timeout,
      );
    }
  });
}
