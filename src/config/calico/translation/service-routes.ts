/** Which addresses of services this node advertises: decided anew for each service that changed, whatever order things came in. */

import { addressBits, Family } from "../../../bgp/model/family.ts";
import type { ServiceRecord, ServiceTable } from "../cluster/service-table.ts";
import { familyOf } from "../resources/field-types.ts";
import type { EndpointSlice, Service } from "../resources/service.ts";
import { keepArray } from "./remember.ts";
import { advertisedRanges, RangeSet, type ServiceRanges } from "./service-ranges.ts";

/** What the decision depends on beside the service itself. */
export interface ServiceSituation {
  readonly ranges: ServiceRanges;
  /** As Kubernetes calls this node. */
  readonly nodeNames: readonly string[];
  /** Before 3.33 an endpoint counts whether it is ready or not. */
  readonly countsReadyOnly: boolean;
  /** Kubernetes' label for nodes that stay out of it. */
  readonly isNodeExcluded: boolean;
}

export interface ServiceRoutes {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

const NONE: readonly string[] = [];

export class ServiceAdvertiser {
  #situation: ServiceSituation | undefined;
  #rules: AddressRules | undefined;
  #decided = new Map<string, { readonly record: ServiceRecord; readonly prefixes: readonly string[] }>();
  #version = -1;
  #routes: ServiceRoutes = { ipv4: NONE, ipv6: NONE };

  /** Sorted as text. The same arrays until something changes. */
  routes(services: ServiceTable, situation: ServiceSituation): ServiceRoutes {
    if (situation === this.#situation && services.version === this.#version) return this.#routes;
    if (situation !== this.#situation || this.#rules === undefined) {
      this.#situation = situation;
      this.#rules = new AddressRules(situation);
      this.#decided = new Map();
    }
    this.#version = services.version;
    this.#routes = situation.isNodeExcluded ? { ipv4: NONE, ipv6: NONE } : this.#allRoutes(services, this.#rules);
    return this.#routes;
  }

  #allRoutes(services: ServiceTable, rules: AddressRules): ServiceRoutes {
    const decided = new Map<string, { readonly record: ServiceRecord; readonly prefixes: readonly string[] }>();
    // Two services may have the same external address: it goes when the last of them goes.
    const prefixes = new Set([
      ...advertisedRanges(rules.ranges, Family.Ipv4),
      ...advertisedRanges(rules.ranges, Family.Ipv6),
    ]);
    for (const [key, record] of services.records()) {
      const known = this.#decided.get(key);
      const one = known?.record === record ? known : { record, prefixes: rules.prefixesOf(record) };
      decided.set(key, one);
      for (const prefix of one.prefixes) prefixes.add(prefix);
    }
    this.#decided = decided;
    const sorted = [...prefixes].sort();
    return {
      ipv4: keepArray(
        this.#routes.ipv4,
        sorted.filter((prefix) => familyOf(prefix) === Family.Ipv4),
      ),
      ipv6: keepArray(
        this.#routes.ipv6,
        sorted.filter((prefix) => familyOf(prefix) === Family.Ipv6),
      ),
    };
  }
}

/** The rules for one service. */
export class AddressRules {
  readonly ranges: ServiceRanges;
  readonly #situation: ServiceSituation;
  readonly #external: RangeSet;
  readonly #loadBalancer: RangeSet;

  constructor(situation: ServiceSituation) {
    this.#situation = situation;
    this.ranges = situation.ranges;
    this.#external = new RangeSet(situation.ranges.external);
    this.#loadBalancer = new RangeSet(situation.ranges.loadBalancer);
  }

  prefixesOf({ service, slices }: ServiceRecord): readonly string[] {
    if (service === undefined || !this.#isAdvertised(service, slices)) return NONE;
    const addresses = [
      // Whatever range they are in: where one range of cluster IPs is advertised, all cluster IPs are.
      ...(this.ranges.cluster.length > 0 ? service.clusterIps : []),
      ...service.externalIps.filter((one) => this.#external.has(one)),
      ...service.ingressIps.filter((one) => this.#loadBalancer.has(one)),
    ];
    return addresses.map((one) => `${one}/${addressBits(familyOf(one))}`);
  }

  #isAdvertised(service: Service, slices: readonly EndpointSlice[]): boolean {
    if (!service.isAdvertisable) return false;
    if (service.trafficPolicy === "Cluster" && this.#hasSingleAddress(service)) return true;
    if (service.trafficPolicy !== "Local" && this.ranges.isLoadBalancerAggregated) return false;
    return slices.some((slice) => service.families.includes(slice.addressType) && this.#counts(slice, service));
  }

  /** An address that is a range of its own has no range around it that is advertised. */
  #hasSingleAddress({ isLoadBalancer, requestedIp, ingressIps, externalIps }: Service): boolean {
    const wanted = requestedIp === undefined ? ingressIps : [requestedIp, ...ingressIps];
    return (
      (isLoadBalancer && wanted.some((one) => this.#loadBalancer.hasSingle(one))) ||
      externalIps.some((one) => this.#external.hasSingle(one))
    );
  }

  #counts(slice: EndpointSlice, { trafficPolicy }: Service): boolean {
    const { countsReadyOnly, nodeNames } = this.#situation;
    if (trafficPolicy !== "Local") return countsReadyOnly ? slice.hasReadyEndpoint : slice.hasEndpoint;
    const nodes = countsReadyOnly ? slice.readyNodes : slice.nodes;
    return nodes.some((node) => nodeNames.includes(node));
  }
}
