/** From a file, a text or a plain value to a Config: the one way in for the daemon and for the commands. */

import type { Clock } from "../bgp/model/ports.ts";
import { formatPrefix } from "../bgp/model/prefix.ts";
import { type Given, PLAIN } from "./given.ts";
import type { Config, PeerConfig, Remote } from "./model.ts";
import { remoteName } from "./peer.ts";
import { ConfigError, isError, type Problem } from "./problem.ts";
import { machineOf, type Surroundings } from "./surroundings.ts";
import { readTextFile } from "./text-file.ts";
import { type Loaded, validate, validateInSteps } from "./validate.ts";
import type { Written } from "./written.ts";
import { parseYaml } from "./yaml.ts";

/** A file of this size describes more peers than a machine can have. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** What was read from a file, to be validated as often as what holds beside it changes. */
export interface Opened {
  validate(given?: Given): Loaded;
  /**
   * For a daemon that runs: thousands of peers take a tenth of a second, so the work is cut into slices and everything else has its
   * turn in between. Only the reading of the YAML itself is one slice, about 10 microseconds a peer.
   */
  validateInSlices(clock: Pick<Clock, "now" | "soon">, given?: Given): Promise<Loaded>;
}

/** Whatever is wrong with the file itself is a problem in the result of its validation. */
export function openFile(path: string, surroundings: Surroundings = machineOf(path)): Opened {
  const file = readTextFile(path, MAX_FILE_BYTES);
  const written =
    file.kind === "error"
      ? failed(path, 0, 0, `cannot read the configuration: ${file.message}`)
      : parse(file.text, path, file.worldReadable);
  if (!("problems" in written)) return openWritten(written, surroundings);
  return { validate: () => written, validateInSlices: () => Promise.resolve(written) };
}

/** A configuration that stands in no file; `name` is what problems carry instead. */
export function openValue(value: object, name: string, surroundings: Surroundings): Opened {
  const locate = () => ({ line: 0, column: 0 });
  return openWritten({ value, file: name, worldReadable: false, locate }, surroundings);
}

function openWritten(written: Written, surroundings: Surroundings): Opened {
  return {
    validate: (given = PLAIN) => validate(written, surroundings, given),
    async validateInSlices(clock, given = PLAIN) {
      const steps = validateInSteps(written, surroundings, given);
      for (;;) {
        await new Promise<void>((resolve) => clock.soon(resolve));
        const end = clock.now() + SLICE_MILLISECONDS;
        while (clock.now() < end) {
          const step = steps.next();
          if (step.done === true) return step.value;
        }
      }
    },
  };
}

/** Reads and validates the file; whatever is wrong, with the file itself too, is a problem in the result. */
export function loadFile(path: string, surroundings: Surroundings = machineOf(path)): Loaded {
  return openFile(path, surroundings).validate();
}

/** `file` is the name that problems carry. */
export function loadText(text: string, file: string, surroundings: Surroundings, worldReadable = false): Loaded {
  const written = parse(text, file, worldReadable);
  return "problems" in written ? written : validate(written, surroundings);
}

const SLICE_MILLISECONDS = 4;

function parse(text: string, file: string, worldReadable: boolean): Written | Loaded {
  const yaml = parseYaml(text);
  if (yaml.kind === "error") return failed(file, yaml.position.line, yaml.position.column, yaml.message);
  const { value, locate } = yaml.document;
  return { value, file, worldReadable, locate };
}

/** The first start and `check` take a configuration only as a whole. Throws ConfigError with all that is wrong. */
export function accept(loaded: Loaded): Config {
  const errors = loaded.problems.filter(isError);
  if (loaded.config === undefined || errors.length > 0) throw new ConfigError(errors);
  return loaded.config;
}

/**
 * What a reload goes on with: the new configuration, but every peer that is wrong in it as it was (or not at all, if it is new).
 * Throws ConfigError if more than single peers is wrong: then nothing may change.
 */
export function acceptForReload(current: Config, loaded: Pick<Loaded, "config" | "problems">): Config {
  const errors = loaded.problems.filter(isError);
  const { config } = loaded;
  if (config === undefined) throw new ConfigError(errors);
  const wrong = new Set(errors.map((problem) => problem.peer));
  const kept = current.peers.filter((peer) => wrong.has(peer.name));
  if (kept.length === 0) return config;
  const clash = kept.find((old) => config.peers.some((peer) => sameRemote(peer.remote, old.remote)));
  const lost = kept.find((old) => [...old.import, ...old.export].some((name) => !(name in config.policies)));
  if (clash !== undefined)
    throw new ConfigError([...errors, conflict(errors, clash, "another peer has taken its place")]);
  if (lost !== undefined) throw new ConfigError([...errors, conflict(errors, lost, "a policy that it uses is gone")]);
  const peers = [...config.peers, ...kept].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ...config, peers };
}

function sameRemote(a: Remote, b: Remote): boolean {
  if (a.kind === "range" && b.kind === "range") return formatPrefix(a.prefix) === formatPrefix(b.prefix);
  return a.kind === b.kind && remoteName(a) === remoteName(b);
}

function conflict(errors: readonly Problem[], peer: PeerConfig, reason: string): Problem {
  const file = errors[0]?.file ?? "";
  const message = `"${peer.name}" is wrong in the new file and cannot stay as it was: ${reason}`;
  return { file, line: 0, column: 0, path: "peers", message, severity: "error", peer: undefined };
}

function failed(file: string, line: number, column: number, message: string): Loaded {
  return {
    config: undefined,
    problems: [{ file, line, column, path: "", message, severity: "error", peer: undefined }],
    calico: undefined,
  };
}
