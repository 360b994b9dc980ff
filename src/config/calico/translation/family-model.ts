/** One family of the model, put together from what has been worked out of the cluster. */

import { Family } from "../../../bgp/model/family.ts";
import type { CalicoFamily, CalicoFilter, CalicoPeer, PrefixCommunities } from "../model.ts";
import type { Block } from "../resources/block-affinity.ts";
import { familyOf } from "../resources/field-types.ts";
import type { IpPool } from "../resources/ip-pool.ts";
import type { NodeSettings } from "./node-settings.ts";
import { aggregates, blackholes, exportAccepts, exportRejects, kernelRules, poolsOfFamily } from "./pool-rules.ts";
import { rememberEqual } from "./remember.ts";
import { advertisedRanges, isSingle, RangeSet, type ServiceRanges } from "./service-ranges.ts";
import type { StaticRoute } from "./sessions.ts";

/** What both families share, and what is this one's. */
export interface FamilyParts {
  readonly settings: NodeSettings;
  readonly pools: readonly IpPool[];
  readonly blocks: readonly Block[];
  readonly ranges: ServiceRanges;
  readonly wireguard: readonly string[];
  readonly staticRoutes: readonly StaticRoute[];
  readonly peers: readonly CalicoPeer[];
  readonly serviceRoutes: readonly string[];
  readonly communities: readonly PrefixCommunities[];
  readonly filters: readonly CalicoFilter[];
}

/** Each part keeps its identity as long as nothing changes that it is made of. */
export class FamilyModel {
  readonly #family: Family;
  readonly #pools = rememberEqual((pools: readonly IpPool[]) => poolsOfFamily(pools, this.#family));
  readonly #blocks = rememberEqual((blocks: readonly Block[]) =>
    blocks.filter(({ cidr }) => familyOf(cidr) === this.#family),
  );
  readonly #blackholes = rememberEqual(blackholes);
  readonly #aggregates = rememberEqual((blocks: readonly Block[], settings: NodeSettings) =>
    aggregates(blocks, settings, this.#family),
  );
  readonly #pending = rememberEqual((blocks: readonly Block[]) =>
    blocks.filter(({ state }) => state === "pendingDeletion").map(({ cidr }) => cidr),
  );
  readonly #staticRoutes = rememberEqual((routes: readonly StaticRoute[]) =>
    routes.filter(({ prefix }) => familyOf(prefix) === this.#family),
  );
  readonly #rejects = rememberEqual(exportRejects);
  readonly #accepts = rememberEqual(
    (pools: readonly IpPool[], routes: readonly string[], ranges: ServiceRanges, settings: NodeSettings) =>
      exportAccepts(pools, routes, ranges, settings, this.#family),
  );
  readonly #kernelRules = rememberEqual(
    (
      pools: readonly IpPool[],
      routes: readonly string[],
      ranges: ServiceRanges,
      wireguard: readonly string[],
      settings: NodeSettings,
    ) => {
      const { node } = settings;
      const address = this.#family === Family.Ipv4 ? node.ipv4 : node.ipv6;
      const rejected = rejectedServices(routes, advertisedRanges(ranges, this.#family));
      return kernelRules(pools, rejected, wireguard, address, settings, this.#family);
    },
  );
  readonly #listen = rememberEqual((settings: NodeSettings) => {
    const own = this.#family === Family.Ipv4 ? settings.node.ipv4 : settings.node.ipv6;
    return { port: settings.listenPort, address: settings.listensOnNodeAddress ? (own?.address ?? null) : null };
  });
  #model: CalicoFamily | undefined;

  constructor(family: Family) {
    this.#family = family;
  }

  model(given: FamilyParts): CalicoFamily {
    const { settings, ranges, serviceRoutes, wireguard, peers, communities, filters } = given;
    const isIpv4 = this.#family === Family.Ipv4;
    const enabled = (isIpv4 ? settings.node.ipv4 : settings.node.ipv6) !== undefined;
    const pools = this.#pools(given.pools);
    const blocks = this.#blocks(given.blocks);
    const isNode = !settings.isReflectorOnly;
    const model: CalicoFamily = {
      enabled,
      listen: this.#listen(settings),
      logLevel: settings.logSeverity,
      localAsNumber: enabled ? settings.asNumber : null,
      normalRoutePriority: isIpv4 ? settings.priorities.ipv4 : settings.priorities.ipv6,
      ignoredInterfaces: settings.ignoredInterfaces,
      peers,
      blackholes: this.#blackholes(blocks),
      serviceRoutes,
      staticRoutes: this.#staticRoutes(given.staticRoutes),
      aggregates: this.#aggregates(blocks, settings),
      pendingBlocks: this.#pending(blocks),
      exportRejects: this.#rejects(pools, settings),
      exportAccepts: this.#accepts(pools, serviceRoutes, ranges, settings),
      communities,
      kernelRules: isNode ? this.#kernelRules(pools, serviceRoutes, ranges, wireguard, settings) : NO_RULES,
      filters,
    };
    if (this.#model === undefined || !sameParts(this.#model, model)) this.#model = model;
    return this.#model;
  }
}

function sameParts(a: CalicoFamily, b: CalicoFamily): boolean {
  return Object.keys(a).every((key) => a[key as keyof CalicoFamily] === b[key as keyof CalicoFamily]);
}

const NO_RULES: CalicoFamily["kernelRules"] = [];

/**
 * Ranges, and single addresses outside of all ranges: BIRD would write a blackhole for those into the kernel, and the node itself
 * could not reach the service.
 */
function rejectedServices(routes: readonly string[], ranges: readonly string[]): readonly string[] {
  const covered = new RangeSet(ranges);
  const alone = routes.filter((prefix) => isSingle(prefix) && !covered.has(prefix.slice(0, prefix.indexOf("/"))));
  return alone.length === 0 ? ranges : [...ranges, ...alone].sort();
}
