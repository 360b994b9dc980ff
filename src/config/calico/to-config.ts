/**
 * What Calico's resources come to, as parts of the one configuration. Pure but for what it remembers: an object of the model that is
 * the same as before gives the same object of the configuration, so that whoever compares need not look inside.
 */

import { Family, familyName } from "../../bgp/model/family.ts";
import { type Asn, asn, type RouterId } from "../../bgp/model/ids.ts";
import { formatPrefix } from "../../bgp/model/prefix.ts";
import type { KernelRule, Priorities } from "../../rib/options.ts";
import type { Policy } from "../../rib/policy/policy.ts";
import { parseAddress, parsePrefix } from "../addresses.ts";
import { ANY_IPV4, ANY_IPV6, type Given } from "../given.ts";
import type { LogLevel, OriginateConfig, PeerConfig, PolicyConfig } from "../model.ts";
import type { CalicoFamily, CalicoModel, CalicoPeer, FilterRule } from "./model.ts";
import type { CalicoProblem } from "./problem.ts";
import { type ExportParts, exportPolicy } from "./to-config-export.ts";
import { filterPolicy } from "./to-config-filter.ts";
import { kernelRules, priorities } from "./to-config-kernel.ts";
import { type ConvertedPeer, convertPeer, identifierOf, type PeerPolicies, sessionKey } from "./to-config-peer.ts";

export interface CalicoParts {
  /** Sorted by name; the same list as long as nothing in it changes. */
  readonly peers: readonly PeerConfig[];
  readonly policies: Readonly<Record<string, PolicyConfig>>;
  readonly originate: readonly OriginateConfig[];
  readonly priorities: Priorities | undefined;
  readonly kernelRules: readonly KernelRule[];
  readonly problems: readonly CalicoProblem[];
}

/** Peers. */
const STEP = 64;
/** Interfaces that are never connected routes: those of workloads, and the addresses of services. */
const NO_CONNECTED_ROUTES = ["cali*", "kube-ipvs*"];
export const LOG_LEVELS: Readonly<Record<CalicoFamily["logLevel"], LogLevel>> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  warning: "warn",
  error: "error",
  fatal: "error",
};

/** The same before anything is known of the node, and with what is known of it; `clusterId`: of a reflector. */
export function givenByCalico(
  model: CalicoModel | undefined,
  clusterId: string | undefined,
  role: "node" | "route-reflector",
): Given {
  const ignored = model?.ipv4.ignoredInterfaces ?? [];
  return {
    asNumber: model === undefined ? undefined : localAs(model),
    routerId: model === undefined ? undefined : identifierOf(model.routerId),
    clusterId: clusterId === undefined ? undefined : identifierOf(clusterId),
    listen: {
      addresses: model === undefined ? [ANY_IPV4, ANY_IPV6] : listenAddresses(model),
      port: model?.ipv4.listen.port ?? 179,
    },
    logLevel: LOG_LEVELS[model?.ipv4.logLevel ?? "info"],
    policies: [exportName(Family.Ipv4), exportName(Family.Ipv6)],
    kernel: {
      enabled: role === "node",
      learn: { protocols: [], interfaces: [] },
      excludeInterfaces: [],
      alwaysExcluded: [...NO_CONNECTED_ROUTES, ...ignored],
    },
  };
}

function localAs({ ipv4, ipv6 }: CalicoModel): Asn {
  return asn(ipv4.localAsNumber ?? ipv6.localAsNumber ?? 64512);
}

/** As BIRD, whose sockets come with the first session of the family. */
function listenAddresses({ ipv4, ipv6 }: CalicoModel): Given["listen"]["addresses"] {
  return [
    ...(ipv4.peers.length === 0 ? [] : [parseAddress(ipv4.listen.address ?? "") ?? ANY_IPV4]),
    ...(ipv6.peers.length === 0 ? [] : [parseAddress(ipv6.listen.address ?? "") ?? ANY_IPV6]),
  ];
}

/** What goes into every peer of a family: the same object as long as it is the same. */
interface PeerContext {
  readonly family: Family;
  /** Their names matter, and nothing else of them. */
  readonly policies: Readonly<Record<string, PolicyConfig>>;
  readonly clusterId: RouterId;
}

interface KnownPeer {
  readonly from: CalicoPeer;
  readonly context: PeerContext;
  /** Of its session. */
  readonly key: string;
  /** Undefined: it cannot be, as `wrong` says. */
  readonly peer: PeerConfig | undefined;
  readonly wrong: string;
}

interface ConvertedPeers {
  readonly from: readonly CalicoPeer[];
  readonly names: string;
  readonly clusterId: RouterId;
  readonly context: PeerContext;
  readonly peers: readonly PeerConfig[];
  readonly problems: readonly CalicoProblem[];
}

export class ToConfig {
  readonly #peers = new WeakMap<CalicoPeer, KnownPeer>();
  readonly #converted = new Map<Family, ConvertedPeers>();
  #all: readonly PeerConfig[] = [];
  /** By name; kept as long as their text is the same. */
  #policies: Readonly<Record<string, PolicyConfig>> = {};
  #originate: ReadonlyMap<string, OriginateConfig> = new Map();
  /** By the rules' own object: most changes leave them alone. */
  readonly #texts = new WeakMap<readonly FilterRule[], string>();

  /** `clusterId`: of the node, as the file or its peers have it. One step for some dozens of peers. */
  *convertInSteps(
    model: CalicoModel,
    role: "node" | "route-reflector",
    clusterId: RouterId,
  ): Generator<undefined, CalicoParts> {
    const policies = this.#convertPolicies(model);
    const before = [this.#converted.get(Family.Ipv4), this.#converted.get(Family.Ipv6)];
    const ipv4 = yield* this.#convertPeers(model.ipv4, Family.Ipv4, policies, clusterId);
    const ipv6 = yield* this.#convertPeers(model.ipv6, Family.Ipv6, policies, clusterId);
    if (ipv4 !== before[0] || ipv6 !== before[1]) this.#all = [...ipv4.peers, ...ipv6.peers].sort(byName);
    const problems = [...ipv4.problems, ...ipv6.problems];
    return {
      peers: this.#all,
      policies,
      originate: role === "node" ? this.#convertOriginate(model, problems) : [],
      priorities: priorities(model),
      kernelRules: kernelRules(model),
      problems,
    };
  }

  #convertPolicies(model: CalicoModel): Readonly<Record<string, PolicyConfig>> {
    const policies: Record<string, PolicyConfig> = {};
    const put = (name: string, definition: string, source: string, make: () => Policy) => {
      const known = this.#policies[name];
      policies[name] = known?.definition === definition ? known : { policy: make(), definition, source };
    };
    for (const family of [Family.Ipv4, Family.Ipv6]) {
      const part = model[familyName(family)];
      for (const filter of part.filters) {
        for (const direction of ["import", "export"] as const) {
          const rules = filter[direction];
          if (rules === undefined) continue;
          const name = filterName(filter.name, direction, family);
          put(name, this.#text(rules), `calico:BGPFilter/${filter.name}`, () => filterPolicy(name, rules));
        }
      }
      const { exportRejects, communities, aggregates, exportAccepts } = part;
      const parts: ExportParts = { exportRejects, communities, aggregates, exportAccepts };
      const name = exportName(family);
      put(name, JSON.stringify(parts), "calico", () => exportPolicy(name, family, parts));
    }
    this.#policies = policies;
    return policies;
  }

  #text(rules: readonly FilterRule[]): string {
    let text = this.#texts.get(rules);
    if (text === undefined) {
      text = JSON.stringify(rules);
      this.#texts.set(rules, text);
    }
    return text;
  }

  /** The same list as long as what it is made of is the same. */
  *#convertPeers(
    part: CalicoFamily,
    family: Family,
    policies: Readonly<Record<string, PolicyConfig>>,
    clusterId: RouterId,
  ): Generator<undefined, ConvertedPeers> {
    const names = Object.keys(policies).join(" ");
    const before = this.#converted.get(family);
    const isSame = before !== undefined && before.clusterId === clusterId && before.names === names;
    if (isSame && before.from === part.peers) return before;
    const context = isSame ? before.context : { family, policies, clusterId };
    const kept = new Map<string, KnownPeer>();
    const problems: CalicoProblem[] = [];
    for (const [i, from] of part.peers.entries()) {
      if (i % STEP === STEP - 1) yield;
      const known = this.#known(from, context);
      if (known.peer === undefined) {
        problems.push(problemOf(from.source, `${from.name} is left out: ${known.wrong}`));
        continue;
      }
      const other = kept.get(known.key);
      if (other === undefined || rankOf(from) < rankOf(other.from)) kept.set(known.key, known);
      if (other !== undefined) problems.push(sharedEnds(from, other.from));
    }
    const peers = [...kept.values()].flatMap(({ peer }) => peer ?? []);
    const converted = { from: part.peers, names, clusterId, context, peers, problems };
    this.#converted.set(family, converted);
    return converted;
  }

  #known(from: CalicoPeer, context: PeerContext): KnownPeer {
    const before = this.#peers.get(from);
    if (before?.context === context) return before;
    const { family, policies, clusterId } = context;
    const names = (direction: "import" | "export") =>
      (direction === "import" ? from.importFilters : from.exportFilters)
        .map((name) => filterName(name, direction, family))
        .filter((name) => name in policies);
    const used = { import: names("import"), export: [...names("export"), exportName(family)] };
    const known =
      // What differs may be a filter that this peer does not use.
      before?.peer !== undefined && before.context.clusterId === clusterId && uses(before.peer, used)
        ? { ...before, context }
        : knownOf(from, context, convertPeer(from, family, used, clusterId));
    this.#peers.set(from, known);
    return known;
  }

  #convertOriginate(model: CalicoModel, problems: CalicoProblem[]): readonly OriginateConfig[] {
    const routes = new Map<string, OriginateConfig>();
    const taken = new Set<string>();
    const put = (text: string, via: string | undefined, source: string) => {
      const prefix = parsePrefix(text);
      const nextHop = via === undefined ? undefined : parseAddress(via);
      if (prefix === undefined || (via !== undefined && nextHop?.family !== prefix.family)) {
        problems.push(problemOf(source, `${text}${via === undefined ? "" : ` via ${via}`} is no route`));
        return;
      }
      const key = formatPrefix(prefix);
      if (taken.has(key)) return;
      taken.add(key);
      const identity = `${key} ${via ?? ""} ${source}`;
      const blackhole = via === undefined;
      routes.set(
        identity,
        this.#originate.get(identity) ?? {
          prefix,
          blackhole,
          nextHop,
          communities: NONE,
          localPref: undefined,
          med: undefined,
          source,
        },
      );
    };
    for (const part of [model.ipv4, model.ipv6]) {
      for (const prefix of part.blackholes) put(prefix, undefined, "calico:BlockAffinity");
      for (const prefix of part.serviceRoutes) put(prefix, undefined, "calico:Service");
      for (const { prefix, via } of part.staticRoutes) put(prefix, via, "calico:BGPPeer");
    }
    this.#originate = routes;
    return [...routes.values()];
  }
}

function knownOf(from: CalicoPeer, context: PeerContext, converted: ConvertedPeer): KnownPeer {
  if (converted.kind === "wrong") return { from, context, key: "", peer: undefined, wrong: converted.message };
  return { from, context, key: sessionKey(converted.peer), peer: converted.peer, wrong: "" };
}

function uses(peer: PeerConfig, { import: imports, export: exports }: PeerPolicies): boolean {
  const same = (a: readonly string[], b: readonly string[]) =>
    a.length === b.length && a.every((name, i) => name === b[i]);
  return same(peer.import, imports) && same(peer.export, exports);
}

const NONE = { standard: [], extended: [], large: [] };

/** `source` as configurations have it: "calico:BGPPeer/name". */
function problemOf(source: string, message: string): CalicoProblem {
  return { resource: source.replace(/^calico:/, ""), field: "", message, severity: "error", origin: "" };
}

function filterName(name: string, direction: "import" | "export", family: Family): string {
  return `calico:${name}/${direction}/${familyName(family)}`;
}

function exportName(family: Family): string {
  return `calico/export/${familyName(family)}`;
}

/**
 * BIRD: of a mesh peer and a BGPPeer for the same node the one that comes first has the session, and the other waits for ever.
 * Ours: the BGPPeer has it, with its filters, since somebody wrote it; of two of them the one for all nodes.
 */
function rankOf({ name }: CalicoPeer): number {
  return RANKS.findIndex((start) => name.startsWith(start));
}

const RANKS = ["Global_", "Node_", "Local_Workload_", "Mesh_"];

function sharedEnds(a: CalicoPeer, b: CalicoPeer): CalicoProblem {
  const [goes, stays] = rankOf(a) < rankOf(b) ? [b, a] : [a, b];
  const message = `${goes.name} has the address and port of ${stays.name}: between two ends there is one session, and ${stays.name} has it`;
  return problemOf(goes.source, message);
}

function byName(a: PeerConfig, b: PeerConfig): number {
  return a.name < b.name ? -1 : 1;
}
