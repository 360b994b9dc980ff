/** The ranges of service addresses that BGPConfiguration advertises, by what they mean. */

import { addressBits, type Family } from "../../../bgp/model/family.ts";
import { formatPrefix, type Prefix, prefixContains } from "../../../bgp/model/prefix.ts";
import { parseAddress, parsePrefix } from "../../addresses.ts";
import type { Place } from "../problem.ts";
import type { BgpConfiguration } from "../resources/bgp-configuration.ts";
import { familyOf, writtenCidr } from "../resources/field-types.ts";

export interface ServiceRanges {
  readonly cluster: readonly string[];
  readonly external: readonly string[];
  readonly loadBalancer: readonly string[];
  readonly isLoadBalancerAggregated: boolean;
}

/** `override`: CALICO_ADVERTISE_CLUSTER_IPS. */
export function serviceRanges(
  configuration: BgpConfiguration | undefined,
  override: string | undefined,
  place: Place,
): ServiceRanges {
  return {
    cluster:
      override === undefined || override === ""
        ? (configuration?.serviceClusterIps ?? [])
        : fromEnvironment(override, place),
    external: configuration?.serviceExternalIps ?? [],
    loadBalancer: configuration?.serviceLoadBalancerIps ?? [],
    isLoadBalancerAggregated: configuration?.isLoadBalancerAggregated ?? true,
  };
}

function fromEnvironment(written: string, place: Place): readonly string[] {
  const prefix = writtenCidr(written);
  if (prefix !== undefined) return [formatPrefix(prefix)];
  place.refuse(`CALICO_ADVERTISE_CLUSTER_IPS "${written.slice(0, 60)}" is not accepted; accepted: one CIDR`);
  return [];
}

/**
 * Ranges that are advertised as such, whatever services there are; sorted as text. A single address is none: it says that the
 * services with that address are advertised.
 */
export function advertisedRanges(ranges: ServiceRanges, family: Family): readonly string[] {
  const all = [
    ...ranges.cluster,
    ...ranges.external.filter((cidr) => !isSingle(cidr)),
    ...(ranges.isLoadBalancerAggregated ? ranges.loadBalancer.filter((cidr) => !isSingle(cidr)) : []),
  ];
  return [...new Set(all.filter((cidr) => familyOf(cidr) === family))].sort();
}

export function isSingle(cidr: string): boolean {
  return Number(cidr.slice(cidr.indexOf("/") + 1)) === addressBits(familyOf(cidr));
}

/** Whether addresses are in any of the ranges. */
export class RangeSet {
  readonly #prefixes: readonly Prefix[];
  readonly #singles: ReadonlySet<string>;

  constructor(cidrs: readonly string[]) {
    this.#prefixes = cidrs.flatMap((cidr) => parsePrefix(cidr) ?? []);
    this.#singles = new Set(cidrs.filter(isSingle).map((cidr) => cidr.slice(0, cidr.indexOf("/"))));
  }

  has(text: string): boolean {
    const address = parseAddress(text);
    return (
      address !== undefined && this.#prefixes.some((one) => prefixContains(one, address, addressBits(address.family)))
    );
  }

  /** The address is a range of its own. */
  hasSingle(text: string): boolean {
    return this.#singles.has(text);
  }
}
