/** Service and EndpointSlice: what of them decides whether a node advertises a service's addresses. */

import { Family } from "../../../bgp/model/family.ts";
import type { Place } from "../problem.ts";
import type { StoredObject } from "../stored-object.ts";
import { canonicalAddress, familyOf } from "./field-types.ts";
import { isMap } from "./fields.ts";

export interface Service {
  /** Of a type that has addresses, and with one. */
  readonly isAdvertisable: boolean;
  readonly isLoadBalancer: boolean;
  readonly trafficPolicy: "Cluster" | "Local" | undefined;
  readonly clusterIps: readonly string[];
  readonly externalIps: readonly string[];
  /** spec.loadBalancerIP: asked for, not given yet. */
  readonly requestedIp: string | undefined;
  readonly ingressIps: readonly string[];
  /** "IPv4", "IPv6". */
  readonly families: readonly string[];
}

export interface EndpointSlice {
  /** "namespace/name" of the service. */
  readonly service: string;
  readonly addressType: string;
  readonly hasEndpoint: boolean;
  readonly hasReadyEndpoint: boolean;
  /** Nodes with an endpoint, and with a ready one. */
  readonly nodes: readonly string[];
  readonly readyNodes: readonly string[];
}

const TYPES: ReadonlySet<unknown> = new Set(["ClusterIP", "NodePort", "LoadBalancer"]);

/** Kubernetes has checked these objects: only what is used is looked at, and what cannot be used counts as absent. */
export function readService(object: StoredObject, place: Place): Service {
  const spec = isMap(object["spec"]) ? object["spec"] : {};
  const status = isMap(object["status"]) ? object["status"] : {};
  const at = place.at("spec");
  const type = spec["type"] ?? "ClusterIP";
  const written = Array.isArray(spec["clusterIPs"]) ? spec["clusterIPs"] : [spec["clusterIP"]];
  const clusterIps = addresses(written, at.at("clusterIPs"));
  return {
    isAdvertisable: TYPES.has(type) && clusterIps.length > 0,
    isLoadBalancer: type === "LoadBalancer",
    trafficPolicy: trafficPolicy(spec["externalTrafficPolicy"], type, spec["externalIPs"]),
    clusterIps,
    externalIps: addresses(spec["externalIPs"], at.at("externalIPs")),
    requestedIp: addresses([spec["loadBalancerIP"]], at.at("loadBalancerIP"))[0],
    ingressIps: addresses(ingressOf(status["loadBalancer"]), place.at("status").at("loadBalancer").at("ingress")),
    families: familiesOf(spec["ipFamilies"], clusterIps),
  };
}

/** The API server writes Cluster where nothing is said. */
function trafficPolicy(written: unknown, type: unknown, externalIps: unknown): Service["trafficPolicy"] {
  if (written === "Cluster" || written === "Local") return written;
  const isExternal = type !== "ClusterIP" || (Array.isArray(externalIps) && externalIps.length > 0);
  return isExternal ? "Cluster" : undefined;
}

function addresses(written: unknown, place: Place): readonly string[] {
  if (!Array.isArray(written)) return [];
  return written.flatMap((one: unknown, i) => {
    if (typeof one !== "string" || one === "" || one === "None") return [];
    const address = canonicalAddress(one);
    if (address === undefined) place.at(i).warn(`"${one.slice(0, 60)}" is not an address, and is not advertised`);
    return address === undefined ? [] : [address];
  });
}

function ingressOf(loadBalancer: unknown): unknown {
  const ingress = isMap(loadBalancer) ? loadBalancer["ingress"] : undefined;
  return Array.isArray(ingress) ? ingress.map((one: unknown) => (isMap(one) ? one["ip"] : undefined)) : [];
}

function familiesOf(written: unknown, clusterIps: readonly string[]): readonly string[] {
  if (Array.isArray(written) && written.length > 0) return written.filter((one) => typeof one === "string");
  return [...new Set(clusterIps.map((one) => (familyOf(one) === Family.Ipv4 ? "IPv4" : "IPv6")))];
}

const SERVICE_LABEL = "kubernetes.io/service-name";

/** Undefined: it belongs to no service. */
export function readEndpointSlice({ metadata, ...object }: StoredObject): EndpointSlice | undefined {
  const service = metadata.labels?.[SERVICE_LABEL];
  if (service === undefined || service === "") return undefined;
  const endpoints = (Array.isArray(object["endpoints"]) ? object["endpoints"] : []).filter(isMap);
  const ready = endpoints.filter(isReady);
  return {
    service: `${metadata.namespace ?? "default"}/${service}`,
    addressType: typeof object["addressType"] === "string" ? object["addressType"] : "",
    hasEndpoint: endpoints.length > 0,
    hasReadyEndpoint: ready.length > 0,
    nodes: nodesOf(endpoints),
    readyNodes: nodesOf(ready),
  };
}

/** Nothing said counts as ready. */
function isReady(endpoint: Readonly<Record<string, unknown>>): boolean {
  const { conditions } = endpoint;
  return !isMap(conditions) || (conditions["ready"] ?? true) === true;
}

function nodesOf(endpoints: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  return [...new Set(endpoints.map(({ nodeName }) => nodeName).filter((one) => typeof one === "string"))];
}
