/** Reads the datastore once: for commands that show what a Calico node's resources come to. */

import type { Clock, Logger } from "../../bgp/model/ports.ts";
import { ConfigError, type Problem } from "../problem.ts";
import type { Loaded } from "../validate.ts";
import { problemOfResource } from "./calico-config.ts";
import type { CalicoNode } from "./calico-node.ts";
import { openDatastore } from "./datastore/open.ts";
import { CalicoReader } from "./reader.ts";

/** A datastore that answers at all does so in less. */
const PATIENCE_MILLISECONDS = 10_000;
const QUIET_MILLISECONDS = 1_000;
/** Once all else is there, a Secret that may not be read is not waited for any longer. */
const SECRETS_MILLISECONDS = 2_000;

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Throws ConfigError where the datastore does not answer, or has no such node. `tell` hears, once, that it takes a while. */
export async function readOnce(
  { options, config, problems }: CalicoNode,
  clock: Clock,
  tell: (text: string) => void,
  patienceMilliseconds = PATIENCE_MILLISECONDS,
): Promise<Pick<Loaded, "config" | "problems">> {
  let wake: () => void = () => {};
  const reader = new CalicoReader(options, () => wake());
  const datastore = await openDatastore(options, reader, clock, silent);
  reader.datastore = datastore;
  const change = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const timer = clock.after(milliseconds, resolve);
      wake = () => {
        timer.cancel();
        resolve();
      };
    });
  const { type } = options.datastore;
  const telling = clock.after(QUIET_MILLISECONDS, () => {
    const why = reader.disturbance === undefined ? "" : `: ${reader.disturbance}`;
    tell(`waiting for Calico's datastore (${type}), ${patienceMilliseconds / 1000} s at most${why}\n`);
  });
  try {
    datastore.start();
    const end = clock.now() + patienceMilliseconds;
    while (!reader.isSynced) {
      // Whoever asks has the files at hand: there is nothing to wait for.
      const isHopeless = type === "file" && reader.disturbance !== undefined;
      if (isHopeless || clock.now() >= end) throw failure(`Calico's datastore (${type})`, silence(reader));
      await change(end - clock.now());
    }
    telling.cancel();
    let translation = reader.translate();
    const secretsEnd = clock.now() + SECRETS_MILLISECONDS;
    while (reader.awaitedSecrets.length > 0 && clock.now() < secretsEnd) await change(secretsEnd - clock.now());
    translation = reader.translate();
    if (translation.model === undefined) {
      throw failure(
        `Calico's datastore (${type})`,
        options.nodeSelector === undefined
          ? `there is no Node ${options.nodeName} in it: set calico.nodeName, or NODENAME, to the name of one`
          : (translation.waiting ?? ""),
      );
    }
    const merged = config.merge(translation.model, translation.clusterId);
    return {
      config: merged.config,
      problems: [...problems, ...translation.problems.map(problemOfResource), ...merged.problems],
    };
  } finally {
    telling.cancel();
    await datastore.close();
  }
}

function silence(reader: CalicoReader): string {
  return `does not answer: ${reader.disturbance ?? "it has not told everything within the time"}`;
}

function failure(what: string, message: string): ConfigError {
  const problem: Problem = {
    file: what,
    line: 0,
    column: 0,
    path: "",
    message,
    severity: "error",
    peer: undefined,
  };
  return new ConfigError([problem]);
}
