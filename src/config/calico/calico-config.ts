/** The file and Calico's resources as one configuration: the file's peers, policies and routes beside those of the resources. */

import { isDeepStrictEqual } from "node:util";
import { Family } from "../../bgp/model/family.ts";
import { ANY_IPV4, ANY_IPV6, type Given } from "../given.ts";
import type { Opened } from "../load.ts";
import type { Config, PeerConfig, PolicyConfig } from "../model.ts";
import { remoteName } from "../peer.ts";
import { isError, OF_RESOURCES, type Problem } from "../problem.ts";
import type { Loaded } from "../validate.ts";
import type { CalicoModel } from "./model.ts";
import type { CalicoOptions } from "./options.ts";
import type { CalicoProblem } from "./problem.ts";
import { type CalicoParts, givenByCalico, LOG_LEVELS, ToConfig } from "./to-config.ts";

type Options = Pick<CalicoOptions, "role" | "logSeverity">;

/** The part of the file that comes to this with what the resources give. */
interface Base {
  readonly given: Given;
  readonly loaded: Loaded;
}

export class CalicoConfig {
  readonly #file: Opened;
  readonly #options: Options;
  readonly #toConfig = new ToConfig();
  #base: Base;

  constructor(file: Opened, options: Options) {
    this.#file = file;
    this.#options = options;
    this.#base = this.#validate(this.#given(undefined, undefined));
  }

  /** The file alone, before anything is known of the node: what is wrong with the file shows here. */
  get file(): Loaded {
    return this.#base.loaded;
  }

  /** Undefined config: the file is wrong with what the resources give, as its problems say. */
  merge(model: CalicoModel, clusterId: string | undefined): Pick<Loaded, "config" | "problems"> {
    const steps = this.mergeInSteps(model, clusterId);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /** The same for a daemon that runs and has thousands of peers. */
  *mergeInSteps(
    model: CalicoModel,
    clusterId: string | undefined,
  ): Generator<undefined, Pick<Loaded, "config" | "problems">> {
    const given = this.#given(model, clusterId);
    if (!isDeepStrictEqual(given, this.#base.given)) this.#base = this.#validate(given);
    const { config: base, problems } = this.#base.loaded;
    if (base === undefined) return { config: undefined, problems };
    const parts = yield* this.#toConfig.convertInSteps(model, this.#options.role, base.clusterId);
    const clashes: Problem[] = [];
    const peers = mergePeers(base.peers, parts.peers, clashes);
    const config: Config = {
      ...base,
      listen: { ...base.listen, addresses: this.#addresses(base, peers) },
      peers,
      policies: mergePolicies(base.policies, parts, clashes),
      originate: [...base.originate, ...parts.originate],
      kernel: { ...base.kernel, rules: parts.kernelRules, priorities: parts.priorities },
      calico: model,
    };
    return { config, problems: [...problems.filter(isError), ...parts.problems.map(problemOfResource), ...clashes] };
  }

  /** The environment's log level is the machine's own matter: the resources are for all. */
  #given(model: CalicoModel | undefined, clusterId: string | undefined): Given {
    const { role, logSeverity } = this.#options;
    const given = givenByCalico(model, clusterId, role);
    return logSeverity === undefined ? given : { ...given, logLevel: LOG_LEVELS[logSeverity] };
  }

  #validate(given: Given): Base {
    return { given, loaded: this.#file.validate(given) };
  }

  /** Where the file does not say: also for its own peers. */
  #addresses(base: Config, peers: readonly PeerConfig[]): Config["listen"]["addresses"] {
    const { addresses } = base.listen;
    if (addresses !== this.#base.given.listen.addresses) return addresses;
    const lacking = [[Family.Ipv4, ANY_IPV4] as const, [Family.Ipv6, ANY_IPV6] as const].filter(
      ([family]) =>
        !addresses.some((address) => address.family === family) && peers.some((peer) => familyOf(peer) === family),
    );
    return lacking.length === 0 ? addresses : [...addresses, ...lacking.map(([, address]) => address)];
  }
}

function familyOf({ remote }: PeerConfig): Family {
  switch (remote.kind) {
    case "address":
      return remote.address.family;
    case "range":
      return remote.prefix.family;
    case "interface":
      return Family.Ipv6;
  }
}

/** Sorted by name. Of two with one name or one address that of the resources stays: all nodes have it alike. */
function mergePeers(
  written: readonly PeerConfig[],
  calico: readonly PeerConfig[],
  problems: Problem[],
): readonly PeerConfig[] {
  if (written.length === 0) return calico;
  const all = [...calico];
  const names = new Set(calico.map(({ name }) => name));
  const remotes = new Map(calico.map(({ name, remote }) => [remoteName(remote), name]));
  for (const peer of written) {
    const other = names.has(peer.name) ? peer.name : remotes.get(remoteName(peer.remote));
    if (other === undefined) all.push(peer);
    else problems.push(problem("peers", `"${peer.name}" is left out: Calico's resources have "${other}" in its place`));
  }
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function mergePolicies(
  written: Readonly<Record<string, PolicyConfig>>,
  { policies }: CalicoParts,
  problems: Problem[],
): Readonly<Record<string, PolicyConfig>> {
  for (const name of Object.keys(written)) {
    if (name in policies)
      problems.push(problem("policies", `"${name}" is left out: it is the name of a policy of Calico's own`));
  }
  return { ...written, ...policies };
}

/** What stands where the name of a file does, for what is wrong in no single place. */
const FILE = "Calico's resources";

/** In the words of those of the file. */
export function problemOfResource({ resource, field, message, severity, origin }: CalicoProblem): Problem {
  const path = resource === "" ? "calico" : `${OF_RESOURCES}${resource}${field === "" ? "" : `.${field}`}`;
  return { ...problem(path, message), file: origin === "" ? FILE : origin, severity };
}

/** It confines itself to what it is about: all else takes effect. */
function problem(path: string, message: string): Problem {
  return { file: FILE, line: 0, column: 0, path, message, severity: "error", peer: undefined };
}
