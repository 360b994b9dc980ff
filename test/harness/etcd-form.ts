/** Calico's cases as its client stores them in etcd: keys and values. */

import { type CalicoCase, type CaseState, kubernetesForm, withDefaults } from "./calico-case.ts";
import type { ApiObject } from "./kubernetes-objects.ts";

const PLURALS: Readonly<Record<string, string>> = {
  BGPConfiguration: "bgpconfigurations",
  BGPFilter: "bgpfilters",
  BGPPeer: "bgppeers",
  ClusterInformation: "clusterinformations",
  FelixConfiguration: "felixconfigurations",
  IPPool: "ippools",
  Node: "nodes",
};

/** What of a state exists in etcd: Services, EndpointSlices and Secrets do not. */
export function etcdObjects(one: CalicoCase, state: CaseState): ApiObject[] {
  const nothing: CaseState = { resources: [], kubernetes: [] };
  const information = kubernetesForm(one, nothing, "projectcalico.org/v3");
  return [...information, ...state.resources.map(withDefaults)];
}

export function etcdForm(one: CalicoCase, state: CaseState): Map<string, unknown> {
  return new Map(etcdObjects(one, state).map(entryOf));
}

function entryOf(object: ApiObject): [string, unknown] {
  const { kind, metadata } = object;
  if (kind !== "BlockAffinity") {
    const plural = PLURALS[kind];
    if (plural === undefined) throw new RangeError(`no case has a ${kind}`);
    const stored = {
      ...metadata,
      uid: "00000000-0000-4000-8000-000000000000",
      creationTimestamp: "2026-01-01T00:00:00Z",
    };
    return [`/calico/resources/v3/projectcalico.org/${plural}/${metadata.name}`, { ...object, metadata: stored }];
  }
  const spec = object["spec"] as { node: string; cidr: string; state: string; deleted?: boolean; type?: string };
  const version = spec.cidr.includes(":") ? 6 : 4;
  const block = spec.cidr.replace("/", "-");
  return [
    `/calico/ipam/v2/${spec.type ?? "host"}/${spec.node}/ipv${version}/block/${block}`,
    { state: spec.state, deleted: spec.deleted ?? false },
  ];
}
