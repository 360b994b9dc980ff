/** Which resources are read from the API server, where they are, and how much of each is kept. */

import { CALICO_API } from "../object-key.ts";
import type { StoredObject } from "../stored-object.ts";
import { isFields } from "./stored-form.ts";

export type CalicoApi = "crd.projectcalico.org/v1" | "projectcalico.org/v3";

export interface ResourceKind {
  readonly kind: string;
  readonly plural: string;
  /** "v1", "discovery.k8s.io/v1"; Calico's is chosen at run time. */
  readonly api: string;
  /** Without it the picture is not whole, so that a refusal to show it keeps BGP from starting. */
  readonly isNeeded: boolean;
  /** Restricts lists and watches to what is wanted: "labelSelector=..."; empty for all. */
  readonly selector: string;
  /** The one object that is wanted; undefined: all. */
  readonly only: string | undefined;
  /** Nothing but metadata is asked for, of an API server that can give that. */
  readonly isMetadataOnly: boolean;
  /** Undefined: in all of the cluster. */
  readonly namespace: string | undefined;
  /** What of the object is kept; undefined: nothing at all. */
  readonly keep: (object: StoredObject) => StoredObject | undefined;
}

/** "/api/v1/nodes", "/apis/crd.projectcalico.org/v1/bgppeers". */
export function pathOf({ api, plural, namespace }: Pick<ResourceKind, "api" | "plural" | "namespace">): string {
  const root = api.includes("/") ? `/apis/${api}` : `/api/${api}`;
  return namespace === undefined
    ? `${root}/${plural}`
    : `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

/** "bgppeers.crd.projectcalico.org", "secrets in namespace kube-system (resourceNames: bgp)": as a role names it. */
export function resourceName({ api, plural, namespace, only }: ResourceKind): string {
  const [group = "", version] = api.split("/");
  const name = version === undefined ? plural : `${plural}.${group}`;
  const where = namespace === undefined ? "" : ` in namespace ${namespace}`;
  return `${name}${where}${only === undefined ? "" : ` (resourceNames: ${only})`}`;
}

const NEEDED: readonly (readonly [kind: string, plural: string])[] = [
  ["BGPConfiguration", "bgpconfigurations"],
  ["BGPPeer", "bgppeers"],
  ["BGPFilter", "bgpfilters"],
  ["IPPool", "ippools"],
];
const USEFUL: typeof NEEDED = [
  ["ClusterInformation", "clusterinformations"],
  ["FelixConfiguration", "felixconfigurations"],
];

const ALL = { selector: "", only: undefined, isMetadataOnly: false, namespace: undefined };

/** Everything but Services with their endpoints, which few clusters advertise, and Secrets. */
export function clusterKinds(api: CalicoApi, nodeName: string): readonly ResourceKind[] {
  const calico = { ...ALL, api, keep: keepCalico };
  return [
    { ...ALL, kind: "Node", plural: "nodes", api: "v1", isNeeded: true, keep: keepNode },
    ...NEEDED.map(([kind, plural]) => ({ ...calico, kind, plural, isNeeded: true })),
    ...USEFUL.map(([kind, plural]) => ({ ...calico, kind, plural, isNeeded: false })),
    {
      ...calico,
      kind: "BlockAffinity",
      plural: "blockaffinities",
      isNeeded: true,
      // A cluster has some for each node, and BGP on this one is about its own.
      keep: (object) => (specOf(object)["node"] === nodeName ? keepCalico(object) : undefined),
    },
    {
      ...calico,
      kind: "CalicoNodeStatus",
      plural: "caliconodestatuses",
      isNeeded: false,
      isMetadataOnly: true,
      keep: keepGeneration,
    },
  ];
}

export const SERVICE_KINDS: readonly ResourceKind[] = [
  { ...ALL, kind: "Service", plural: "services", api: "v1", isNeeded: false, keep: keepService },
  {
    ...ALL,
    kind: "EndpointSlice",
    plural: "endpointslices",
    api: "discovery.k8s.io/v1",
    isNeeded: false,
    // Those of headless Services, which have no address that could be advertised, are the most.
    selector: `labelSelector=${encodeURIComponent("kubernetes.io/service-name,!service.kubernetes.io/headless")}`,
    keep: keepEndpointSlice,
  },
];

/** One name alone: a role may allow just that, and nothing else is held in memory. */
export function secretKind(namespace: string, name: string): ResourceKind {
  return {
    kind: "Secret",
    plural: "secrets",
    api: "v1",
    isNeeded: false,
    selector: `fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`,
    only: name,
    isMetadataOnly: false,
    namespace,
    keep: (object) => kept(object, { type: object["type"], data: object["data"] }),
  };
}

/** Services matter where a BGPConfiguration has one of their lists, empty entries included. */
export function advertisesServices({ kind, spec }: StoredObject): boolean {
  if (kind !== "BGPConfiguration" || !isFields(spec)) return false;
  return SERVICE_LISTS.some((list) => Array.isArray(spec[list]) && spec[list].length > 0);
}

const SERVICE_LISTS = ["serviceClusterIPs", "serviceExternalIPs", "serviceLoadBalancerIPs"] as const;

type Fields = Readonly<Record<string, unknown>>;

/** Name and namespace, all labels, Calico's own annotations: the rest of metadata is the API server's, and for it. */
function kept({ apiVersion, kind, metadata }: StoredObject, content: Fields, labels = metadata.labels): StoredObject {
  const { name, namespace, annotations } = metadata;
  const ours = Object.entries(annotations ?? {}).filter(([key]) => key.startsWith("projectcalico.org/"));
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: labels ?? {},
      annotations: Object.fromEntries(ours),
    },
    ...defined(content),
  };
}

function keepCalico(object: StoredObject): StoredObject {
  return kept({ ...object, apiVersion: CALICO_API }, { spec: object["spec"] });
}

/** Which spec it is: the number is another whenever the spec is. */
function keepGeneration({ apiVersion, kind, metadata }: StoredObject): StoredObject {
  const { name, generation } = metadata;
  return { apiVersion, kind, metadata: { name, generation } };
}

/** Of the status only that there is one. */
export function keepStatusRequest(object: StoredObject): StoredObject {
  const isAnswered = isFields(object["status"]) && object["status"]["lastUpdated"] !== undefined;
  return kept(object, { spec: object["spec"], status: isAnswered ? { lastUpdated: "" } : undefined });
}

function keepNode(object: StoredObject): StoredObject {
  return kept(object, { spec: picked(specOf(object), ["podCIDR", "podCIDRs"]) });
}

function keepService(object: StoredObject): StoredObject {
  const spec = picked(specOf(object), [
    "type",
    "clusterIP",
    "clusterIPs",
    "externalIPs",
    "externalTrafficPolicy",
    "ipFamilies",
    "loadBalancerIP",
  ]);
  const status = object["status"];
  const balancer = isFields(status) ? status["loadBalancer"] : undefined;
  const ingress = isFields(balancer) && Array.isArray(balancer["ingress"]) ? balancer["ingress"] : [];
  const addresses = ingress.filter(isFields).map((entry) => picked(entry, ["ip"]));
  return kept(object, { spec, status: { loadBalancer: { ingress: addresses } } }, {});
}

const SERVICE_NAME = "kubernetes.io/service-name";

/** Whether one is ready, and where: a Service of a thousand pods on three nodes comes to three entries. */
function keepEndpointSlice(object: StoredObject): StoredObject {
  const written = Array.isArray(object["endpoints"]) ? object["endpoints"] : [];
  const endpoints = new Map<string, Fields>();
  for (const endpoint of written.filter(isFields)) {
    const { nodeName, conditions } = endpoint;
    const ready = isFields(conditions) ? conditions["ready"] : undefined;
    endpoints.set(JSON.stringify([nodeName, ready]), defined({ nodeName, conditions: defined({ ready }) }));
  }
  const name = object.metadata.labels?.[SERVICE_NAME];
  return kept(
    object,
    { addressType: object["addressType"], endpoints: [...endpoints.values()] },
    name === undefined ? {} : { [SERVICE_NAME]: name },
  );
}

function specOf(object: StoredObject): Fields {
  return isFields(object["spec"]) ? object["spec"] : {};
}

function picked(fields: Fields, keys: readonly string[]): Fields {
  return defined(Object.fromEntries(keys.map((key) => [key, fields[key]])));
}

function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
