/** From the cluster's resources to what this node does of them. Pure but for what it remembers of the last time. */

import { Family } from "../../bgp/model/family.ts";
import type { NodeTable } from "./cluster/node-table.ts";
import type { Cluster } from "./cluster.ts";
import type { CalicoFamily, CalicoModel, PrefixCommunities } from "./model.ts";
import type { Release } from "./options.ts";
import { type CalicoProblem, Place } from "./problem.ts";
import type { BgpConfiguration } from "./resources/bgp-configuration.ts";
import type { BgpFilter } from "./resources/bgp-filter.ts";
import type { Block } from "./resources/block-affinity.ts";
import type { FelixConfiguration } from "./resources/felix-configuration.ts";
import type { IpPool } from "./resources/ip-pool.ts";
import type { ClusterNode, NodeAddress } from "./resources/node.ts";
import { selectorOf } from "./selector/selector.ts";
import { prefixCommunities } from "./translation/communities.ts";
import { FamilyModel } from "./translation/family-model.ts";
import {
  checkFelix,
  checkSettings,
  type NodeSettings,
  nodeSettings,
  type TranslateOptions,
} from "./translation/node-settings.ts";
import { remember, rememberEqual } from "./translation/remember.ts";
import { routerIdOf } from "./translation/router-id.ts";
import { type ServiceRanges, serviceRanges } from "./translation/service-ranges.ts";
import { ServiceAdvertiser, type ServiceSituation } from "./translation/service-routes.ts";
import { SessionPlanner, type Sessions } from "./translation/sessions.ts";

export interface Translation {
  /** Undefined: the node is not in the datastore yet. */
  readonly model: CalicoModel | undefined;
  /** Why there is no model, in words. */
  readonly waiting: string | undefined;
  readonly problems: readonly CalicoProblem[];
  /** That the passwords are in; no others need be read. */
  readonly secrets: { readonly namespace: string; readonly names: readonly string[] };
  /** Of this node, if it is a reflector. */
  readonly clusterId: string | undefined;
}

const translators = new WeakMap<Cluster, Translator>();

/**
 * What is the same as the last time is the same object (===): peers, filters, lists, families. A change costs what depends on it,
 * and a comparison for each of the others.
 */
export function translate(cluster: Cluster, options: TranslateOptions): Translation {
  let translator = translators.get(cluster);
  if (translator?.isFor(options) !== true) {
    translator = new Translator(cluster, options);
    translators.set(cluster, translator);
  }
  return translator.translate();
}

/** Kubernetes' label for nodes that no traffic from outside is to be sent to. */
const EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers";
const NEWEST: Release = "3.33";

class Translator {
  readonly #cluster: Cluster;
  readonly #options: TranslateOptions;
  readonly #sessions: SessionPlanner;
  readonly #services = new ServiceAdvertiser();
  readonly #families = { ipv4: new FamilyModel(Family.Ipv4), ipv6: new FamilyModel(Family.Ipv6) };
  readonly #settings = rememberEqual(nodeSettings);
  readonly #wireguard = rememberEqual(wireguardAddresses);
  readonly #podCidrBlocks = rememberEqual(podCidrBlocks);
  readonly #filters = remember(filtersByFamily);
  readonly #routes = remember(routeSettings);
  readonly #communities = {
    ipv4: rememberEqual(({ communities }: RouteSettings) => communities.ipv4),
    ipv6: rememberEqual(({ communities }: RouteSettings) => communities.ipv6),
  };
  readonly #identity = remember(identityOf);
  readonly #felix = remember(felixPlace);
  readonly #situation = rememberEqual(serviceSituation);
  readonly #model = remember(
    (nodeName: string, release: Release, routerId: string, ipv4: CalicoFamily, ipv6: CalicoFamily): CalicoModel => ({
      nodeName,
      release,
      routerId,
      ipv4,
      ipv6,
    }),
  );

  constructor(cluster: Cluster, options: TranslateOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#sessions = new SessionPlanner(cluster, options.secretNamespace);
  }

  isFor(options: TranslateOptions): boolean {
    return OPTIONS.every((key) => options[key] === this.#options[key]);
  }

  translate(): Translation {
    const { secretNamespace } = this.#options;
    const cluster = this.#cluster;
    const node = this.#node();
    if (node === undefined) {
      return {
        model: undefined,
        waiting: this.#waiting(),
        problems: cluster.problems(),
        secrets: { namespace: secretNamespace, names: [] },
        clusterId: undefined,
      };
    }
    const nodeName = node.name;
    const common = cluster.bgpConfigurations.get("default");
    const own = cluster.bgpConfigurations.get(`node.${nodeName}`);
    const isReflectorOnly = this.#options.role === "route-reflector";
    const settings = this.#settings(node, this.#release(), isReflectorOnly, common, own);
    const sessions = this.#sessions.sessions(settings);
    const routes = this.#routes(settings, common, this.#options.advertiseClusterIps);
    const felix = cluster.felixConfigurations.get(`node.${nodeName}`) ?? cluster.felixConfigurations.get("default");
    const identity = this.#identity(settings, this.#options.routerId, cluster.ipPools.sorted());
    return {
      model: this.#assemble(settings, sessions, routes, identity.routerId),
      waiting: undefined,
      problems: [
        ...cluster.problems(),
        ...cluster.problemsOf(`Node/${nodeName}`, identity.place),
        ...cluster.problemsOf(own?.prefixAdvertisements ? `BGPConfiguration/node.${nodeName}` : DEFAULT, routes.place),
        ...cluster.problemsOf(
          `FelixConfiguration/${felix?.name}`,
          this.#felix(settings, cluster.ipPools.sorted(), felix),
        ),
        ...sessions.problems,
      ],
      secrets: { namespace: secretNamespace, names: sessions.secretNames },
      clusterId: node.clusterId,
    };
  }

  #node(): ClusterNode | undefined {
    const { nodeName, nodeSelector } = this.#options;
    const { nodes } = this.#cluster;
    if (nodeSelector === undefined) return nodes.get(nodeName);
    const isHere = (address: NodeAddress | undefined) =>
      address !== undefined && nodeSelector.addresses.includes(address.address);
    return nodes.matching(selectorOf(nodeSelector.text)).find(({ ipv4, ipv6 }) => isHere(ipv4) || isHere(ipv6));
  }

  #waiting(): string {
    const { nodeName, nodeSelector } = this.#options;
    if (nodeSelector === undefined) return `there is no Node ${nodeName} in the datastore yet`;
    return `${nodeSelector.text} selects no Node with an address of this machine yet`;
  }

  #release(): Release {
    const { release } = this.#options;
    return release === "auto" ? (this.#cluster.release ?? NEWEST) : release;
  }

  #assemble(settings: NodeSettings, sessions: Sessions, routes: RouteSettings, routerId: string): CalicoModel {
    const { nodes, ipPools, bgpFilters, services } = this.#cluster;
    const { ranges } = routes;
    const { node, isReflectorOnly } = settings;
    const filters = this.#filters(bgpFilters.sorted());
    const wireguard = this.#wireguard(node, nodes, nodes.version);
    const situation = this.#situation(settings, ranges, this.#options.kubernetesNodeName);
    const serviceRoutes = this.#services.routes(services, situation);
    const shared = {
      settings,
      ranges,
      pools: ipPools.sorted(),
      blocks: isReflectorOnly ? NO_BLOCKS : this.#blocks(node),
      staticRoutes: isReflectorOnly ? NO_ROUTES : sessions.staticRoutes,
    };
    const family = (name: "ipv4" | "ipv6") =>
      this.#families[name].model({
        ...shared,
        peers: sessions[name],
        serviceRoutes: serviceRoutes[name],
        communities: this.#communities[name](routes),
        filters: filters[name],
        wireguard: wireguard[name],
      });
    return this.#model(node.name, settings.release, routerId, family("ipv4"), family("ipv6"));
  }

  #blocks(node: ClusterNode): readonly Block[] {
    return this.#options.usePodCidr ? this.#podCidrBlocks(node) : this.#cluster.blocks.of(node.name);
  }
}

const OPTIONS = [
  "nodeName",
  "nodeSelector",
  "kubernetesNodeName",
  "release",
  "role",
  "secretNamespace",
  "routerId",
  "advertiseClusterIps",
  "usePodCidr",
] as const satisfies readonly (keyof TranslateOptions)[];

const DEFAULT = "BGPConfiguration/default";
const NO_BLOCKS: readonly Block[] = [];
const NO_ROUTES: Sessions["staticRoutes"] = [];

interface RouteSettings {
  readonly ranges: ServiceRanges;
  readonly communities: { readonly ipv4: readonly PrefixCommunities[]; readonly ipv6: readonly PrefixCommunities[] };
  readonly place: Place;
}

function routeSettings(
  settings: NodeSettings,
  common: BgpConfiguration | undefined,
  advertiseClusterIps: string | undefined,
): RouteSettings {
  const place = new Place();
  return {
    ranges: serviceRanges(common, advertiseClusterIps, place.at("spec").at("serviceClusterIPs")),
    communities: {
      ipv4: prefixCommunities(settings, Family.Ipv4, place),
      ipv6: prefixCommunities(settings, Family.Ipv6, place),
    },
    place,
  };
}

function identityOf(
  settings: NodeSettings,
  written: string,
  pools: readonly IpPool[],
): { routerId: string; place: Place } {
  const place = new Place();
  checkSettings(settings, pools, place);
  return { routerId: routerIdOf(written, settings.node, place), place };
}

/** Nothing is known of Felix where nothing is told of it. */
function felixPlace(settings: NodeSettings, pools: readonly IpPool[], felix: FelixConfiguration | undefined): Place {
  const place = new Place();
  if (felix !== undefined) checkFelix(settings, pools, felix, place);
  return place;
}

function serviceSituation(
  { node, release, isReflectorOnly }: NodeSettings,
  ranges: ServiceRanges,
  kubernetesNodeName: string,
): ServiceSituation {
  return {
    ranges,
    nodeNames: [...new Set([kubernetesNodeName, node.name])],
    countsReadyOnly: release === NEWEST,
    // "true" alone: kubeadm's own nodes have the label with an empty value, and BIRD's nodes advertise with it.
    isNodeExcluded: isReflectorOnly || node.labels[EXCLUDE_LABEL] === "true",
  };
}

function filtersByFamily(filters: readonly BgpFilter[]) {
  return { ipv4: filters.flatMap(({ ipv4 }) => ipv4 ?? []), ipv6: filters.flatMap(({ ipv6 }) => ipv6 ?? []) };
}

function podCidrBlocks({ name, podCidrs }: ClusterNode): readonly Block[] {
  return [...podCidrs].sort().map((cidr) => ({ cidr, node: name, state: "confirmed" }));
}

/** BGP addresses of nodes that this one reaches through WireGuard, whose routes are Felix's. `_version`: of the nodes. */
function wireguardAddresses(own: ClusterNode, nodes: NodeTable, _version: number) {
  const others = (own.wireguardIpv4 ?? own.wireguardIpv6) ? nodes.all().filter(({ name }) => name !== own.name) : [];
  return {
    ipv4: others
      .flatMap(({ ipv4, wireguardIpv4 }) => (own.wireguardIpv4 && wireguardIpv4 && ipv4 ? [ipv4.address] : []))
      .sort(),
    ipv6: others
      .flatMap(({ ipv6, wireguardIpv6 }) => (own.wireguardIpv6 && wireguardIpv6 && ipv6 ? [ipv6.address] : []))
      .sort(),
  };
}
