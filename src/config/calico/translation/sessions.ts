/** The sessions of this node: planned from the resources, made into peers, with what is wrong with the plans. */

import { Family } from "../../../bgp/model/family.ts";
import type { Cluster } from "../cluster.ts";
import type { CalicoPeer } from "../model.ts";
import { type CalicoProblem, Place } from "../problem.ts";
import type { BgpFilter } from "../resources/bgp-filter.ts";
import type { BgpPeer } from "../resources/bgp-peer.ts";
import { familyOf, type SecretKey } from "../resources/field-types.ts";
import { explicitPlans } from "./explicit-plans.ts";
import { MeshPlanner } from "./mesh-plans.ts";
import { NodeDirectory } from "./node-directory.ts";
import { NodePlans } from "./node-plans.ts";
import type { NodeSettings } from "./node-settings.ts";
import { type Password, Passwords } from "./passwords.ts";
import { PeerList } from "./peer-list.ts";
import type { FilterNames, OwnSide, PeerContext } from "./peer-of-plan.ts";
import type { PeerPlan } from "./peer-plan.ts";
import { PeerProblems } from "./peer-problems.ts";
import { remember, rememberEqual } from "./remember.ts";
import { workloadPlans } from "./workload-plans.ts";

export interface StaticRoute {
  readonly prefix: string;
  readonly via: string;
}

export interface Sessions {
  readonly ipv4: readonly CalicoPeer[];
  readonly ipv6: readonly CalicoPeer[];
  readonly staticRoutes: readonly StaticRoute[];
  /** Names of the Secrets that they need, sorted. */
  readonly secretNames: readonly string[];
  readonly problems: readonly CalicoProblem[];
}

/** Remembers what the last call gave, for the next. */
export class SessionPlanner {
  readonly #cluster: Cluster;
  readonly #secretNamespace: string;
  readonly #ipv4 = new PeerList();
  readonly #ipv6 = new PeerList();
  readonly #nodePlans = new NodePlans();
  readonly #mesh4 = new MeshPlanner(Family.Ipv4);
  readonly #mesh6 = new MeshPlanner(Family.Ipv6);
  readonly #passwords = new Passwords();
  readonly #own = rememberEqual(ownSide);
  readonly #filterNames = rememberEqual(filterNames);
  readonly #context = remember((own: OwnSide, filters: FilterNames): PeerContext => ({ own, filters }));
  readonly #staticRoutes = rememberEqual(staticRoutes);
  readonly #secretNames = rememberEqual(secretNames);
  readonly #all = remember((settings: NodeSettings, ..._versions: unknown[]) => this.#plan(settings));

  constructor(cluster: Cluster, secretNamespace: string) {
    this.#cluster = cluster;
    this.#secretNamespace = secretNamespace;
  }

  sessions(settings: NodeSettings): Sessions {
    const { nodes, bgpPeers, bgpFilters, bgpConfigurations, secrets, endpointStatus } = this.#cluster;
    const versions = [bgpPeers, bgpFilters, bgpConfigurations, secrets, endpointStatus].map(({ version }) => version);
    return this.#all(settings, nodes.version, ...versions);
  }

  #plan(settings: NodeSettings): Sessions {
    const { nodes, bgpPeers, bgpFilters, bgpConfigurations, endpointStatus } = this.#cluster;
    const own = settings.node;
    const directory = new NodeDirectory(nodes, settings.globalAsNumber, bgpConfigurations.sorted());
    const explicit = explicitPlans(own, bgpPeers.sorted(), directory, this.#nodePlans);
    const workloads = settings.isReflectorOnly ? [] : workloadPlans(own, endpointStatus.sorted(), bgpPeers);
    const given = [...explicit.plans, ...workloads];
    const plans4 = given.filter(({ address }) => familyOf(address) === Family.Ipv4);
    const plans6 = given.filter(({ address }) => familyOf(address) === Family.Ipv6);
    if (settings.isMeshEnabled) {
      for (const plan of this.#mesh4.plans(own, directory)) plans4.push(plan);
      for (const plan of this.#mesh6.plans(own, directory)) plans6.push(plan);
    }
    const passwords = new SessionPasswords(
      this.#cluster,
      this.#secretNamespace,
      settings.meshPassword,
      this.#passwords,
    );
    const context = this.#context(this.#own(settings), this.#filterNames(bgpFilters.sorted()));
    const textOf = (plan: PeerPlan) => passwords.textOf(plan);
    const ipv4 = this.#ipv4.peers(
      plans4.filter((plan) => passwords.isUsable(plan)),
      textOf,
      context,
    );
    const ipv6 = this.#ipv6.peers(
      plans6.filter((plan) => passwords.isUsable(plan)),
      textOf,
      context,
    );
    const problems = new PeerProblems(this.#cluster);
    problems.check(bgpPeers.sorted());
    problems.checkPlans(explicit, context);
    passwords.tell(problems);
    return {
      ipv4,
      ipv6,
      staticRoutes: this.#staticRoutes(explicit.plans),
      secretNames: this.#secretNames(passwords.references()),
      problems: problems.found,
    };
  }
}

function ownSide({ node, asNumber, meshRestartSeconds }: NodeSettings): OwnSide {
  const { ipv4, ipv6, clusterId } = node;
  return { ipv4: ipv4?.address, ipv6: ipv6?.address, asNumber, clusterId, meshRestartSeconds };
}

function filterNames(filters: readonly BgpFilter[]): FilterNames {
  const named = (has: (filter: BgpFilter) => unknown) =>
    new Set(filters.filter((one) => has(one) !== undefined).map(({ name }) => name));
  return {
    import4: named(({ ipv4 }) => ipv4?.import),
    export4: named(({ ipv4 }) => ipv4?.export),
    import6: named(({ ipv6 }) => ipv6?.import),
    export6: named(({ ipv6 }) => ipv6?.export),
  };
}

/** On the side that the gateway was written for: the other side is reached in some other way. */
function staticRoutes(plans: readonly PeerPlan[]): readonly StaticRoute[] {
  const routes = new Map<string, StaticRoute>();
  for (const { address, bgpPeer, isReverse } of plans) {
    if (bgpPeer?.reachableBy === undefined || isReverse) continue;
    const prefix = `${address}/${familyOf(address) === Family.Ipv4 ? 32 : 128}`;
    if (!routes.has(prefix)) routes.set(prefix, { prefix, via: bgpPeer.reachableBy });
  }
  return [...routes.values()].sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
}

function secretNames(references: readonly SecretKey[]): readonly string[] {
  return [...new Set(references.map(({ name }) => name))].sort();
}

/** Read once for each BGPPeer that has a plan here, and for the mesh. */
class SessionPasswords {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  readonly #mesh: SecretKey | undefined;
  readonly #passwords: Passwords;
  readonly #known = new Map<BgpPeer | undefined, Password>();

  constructor(cluster: Cluster, namespace: string, mesh: SecretKey | undefined, passwords: Passwords) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#mesh = mesh;
    this.#passwords = passwords;
  }

  textOf(plan: PeerPlan): string | undefined {
    const password = this.#of(plan);
    return password.kind === "text" || password.kind === "wrong" ? password.text : undefined;
  }

  isUsable(plan: PeerPlan): boolean {
    const password = this.#of(plan);
    return password.kind !== "wrong" || password.text !== undefined;
  }

  references(): readonly SecretKey[] {
    return [...this.#known.keys()].flatMap((bgpPeer) => (bgpPeer === undefined ? this.#mesh : bgpPeer.password) ?? []);
  }

  tell(problems: PeerProblems): void {
    for (const [bgpPeer, password] of this.#known) {
      if (password.kind !== "missing" && password.kind !== "wrong") continue;
      const resource = bgpPeer === undefined ? "BGPConfiguration/default" : `BGPPeer/${bgpPeer.name}`;
      const place = new Place("spec").at(bgpPeer === undefined ? "nodeMeshPassword" : "password");
      if (password.kind === "missing") place.warn(password.message);
      else place.refuse(password.message);
      problems.add(resource, place);
    }
  }

  #of({ kind, bgpPeer }: PeerPlan): Password {
    if (kind === "Local_Workload") return { kind: "none" };
    const known = this.#known.get(bgpPeer);
    if (known !== undefined) return known;
    const reference = bgpPeer === undefined ? this.#mesh : bgpPeer.password;
    const password = this.#passwords.of(reference, this.#cluster.secrets, this.#namespace);
    this.#known.set(bgpPeer, password);
    return password;
  }
}
