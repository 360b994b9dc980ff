/** Node: Calico's own resource, and Kubernetes' with Calico's annotations; either alone is enough, and both add up. */

import { formatAddress } from "../../../bgp/model/address.ts";
import { Family } from "../../../bgp/model/family.ts";
import { formatPrefix } from "../../../bgp/model/prefix.ts";
import { parseAddress, parsePrefix } from "../../addresses.ts";
import type { Place } from "../problem.ts";
import type { Labels } from "../selector/selector.ts";
import type { StoredObject } from "../stored-object.ts";
import { address, asNumber, cidr } from "./field-types.ts";
import { type Field, ignored, isMap, list, map, notAccepted, readFields, text } from "./fields.ts";

export interface NodeAddress {
  readonly address: string;
  /** The subnet that it is in. */
  readonly network: string;
}

/** What one of the two says. */
export interface NodePart {
  readonly ipv4: NodeAddress | undefined;
  readonly ipv6: NodeAddress | undefined;
  readonly asNumber: number | undefined;
  readonly clusterId: string | undefined;
  readonly wireguardIpv4: string | undefined;
  readonly wireguardIpv6: string | undefined;
  readonly podCidrs: readonly string[];
  readonly labels: Labels;
}

/** Both together. */
export interface ClusterNode extends NodePart {
  readonly name: string;
}

const ADDRESS_FORMS = "an address with the length of its subnet, such as";

function nodeAddress(family: Family): Field<NodeAddress> {
  const example = family === Family.Ipv4 ? "10.0.0.1/24" : "fd00::1/64";
  return text(`${ADDRESS_FORMS} ${example}`, (written) => parseNodeAddress(written, family), 64);
}

/** A bare address is a subnet of its own. */
function parseNodeAddress(written: string, family: Family): NodeAddress | undefined {
  const own = parseAddress(written.split("/")[0] ?? "");
  const network = parsePrefix(written);
  if (own === undefined || network === undefined || own.family !== family) return undefined;
  return { address: formatAddress(own), network: formatPrefix(network) };
}

function clusterIdentifier(): Field<string> {
  return text(
    "a cluster id such as 244.0.0.1",
    (written) => {
      const id = parseAddress(written);
      return id === undefined || id.family !== Family.Ipv4 ? undefined : formatAddress(id);
    },
    64,
  );
}

const ipv4Address = nodeAddress(Family.Ipv4);
const ipv6Address = nodeAddress(Family.Ipv6);
const clusterId = clusterIdentifier();
const wireguardAddress = address();
const ownAsNumber = asNumber();

const nodeFields = {
  addresses: ignored(),
  bgp: map({
    asNumber: ownAsNumber,
    ipv4Address,
    ipv4IPIPTunnelAddr: ignored(),
    ipv6Address,
    routeReflectorClusterID: clusterId,
  }),
  ipv4VXLANTunnelAddr: ignored(),
  ipv6VXLANTunnelAddr: ignored(),
  orchRefs: ignored(),
  vxlanTunnelMACAddr: ignored(),
  vxlanTunnelMACAddrV6: ignored(),
  wireguard: map({ interfaceIPv4Address: wireguardAddress, interfaceIPv6Address: wireguardAddress }),
};

const statusFields = { podCIDRs: list(cidr()), wireguardPublicKey: ignored(), wireguardPublicKeyV6: ignored() };

export function readCalicoNode({ metadata, ...object }: StoredObject, place: Place): NodePart {
  const { bgp, wireguard } = readFields(nodeFields, object["spec"], place.at("spec"));
  const status = readFields(statusFields, object["status"], place.at("status"));
  return {
    ipv4: bgp?.ipv4Address,
    ipv6: bgp?.ipv6Address,
    asNumber: bgp?.asNumber,
    clusterId: bgp?.routeReflectorClusterID,
    wireguardIpv4: wireguard?.interfaceIPv4Address,
    wireguardIpv6: wireguard?.interfaceIPv6Address,
    podCidrs: status.podCIDRs ?? [],
    labels: metadata.labels ?? {},
  };
}

const ANNOTATIONS = "projectcalico.org/";

/** Kubernetes' Node, with what Calico keeps in its annotations. */
export function readKubernetesNode({ metadata, ...object }: StoredObject, place: Place): NodePart {
  const annotations = metadata.annotations ?? {};
  const annotation = <T>(key: string, field: Field<T>): T | undefined => {
    const written = annotations[ANNOTATIONS + key];
    const at = place
      .at("metadata")
      .at("annotations")
      .at(ANNOTATIONS + key);
    return written === undefined || written === "" ? undefined : field.read(written, at);
  };
  return {
    ipv4: annotation("IPv4Address", ipv4Address),
    ipv6: annotation("IPv6Address", ipv6Address),
    asNumber: annotation("ASNumber", ownAsNumber),
    clusterId: annotation("RouteReflectorClusterID", clusterId),
    wireguardIpv4: annotation("IPv4WireguardInterfaceAddr", wireguardAddress),
    wireguardIpv6: annotation("IPv6WireguardInterfaceAddr", wireguardAddress),
    podCidrs: podCidrs(object["spec"], place.at("spec")),
    // On a clash Kubernetes' label wins.
    labels: { ...annotation("labels", labelsJson), ...metadata.labels },
  };
}

const labelsJson: Field<Labels> = {
  accepts: 'labels as JSON, such as {"rack": "1"}',
  read: (value, place) => {
    const labels = parseJson(value);
    if (!isMap(labels)) return place.refuse(notAccepted(value, labelsJson.accepts));
    return Object.fromEntries(
      Object.entries(labels).filter((one): one is [string, string] => typeof one[1] === "string"),
    );
  },
};

function parseJson(written: unknown): unknown {
  try {
    return JSON.parse(String(written));
  } catch {
    return undefined;
  }
}

/** podCIDRs, or the older podCIDR. Everything else of the spec is Kubernetes' own. */
function podCidrs(spec: unknown, place: Place): readonly string[] {
  if (!isMap(spec)) return [];
  const { podCIDRs, podCIDR } = spec;
  const written = podCIDRs ?? (typeof podCIDR === "string" && podCIDR !== "" ? [podCIDR] : []);
  return statusFields.podCIDRs.read(written, place.at("podCIDRs")) ?? [];
}

/** Calico's own resource wins, but for labels. */
export function mergeNode(name: string, calico: NodePart | undefined, kubernetes: NodePart | undefined): ClusterNode {
  const podCidrs = calico?.podCidrs.length ? calico.podCidrs : (kubernetes?.podCidrs ?? []);
  return {
    name,
    ipv4: calico?.ipv4 ?? kubernetes?.ipv4,
    ipv6: calico?.ipv6 ?? kubernetes?.ipv6,
    asNumber: calico?.asNumber ?? kubernetes?.asNumber,
    clusterId: calico?.clusterId ?? kubernetes?.clusterId,
    wireguardIpv4: calico?.wireguardIpv4 ?? kubernetes?.wireguardIpv4,
    wireguardIpv6: calico?.wireguardIpv6 ?? kubernetes?.wireguardIpv6,
    podCidrs,
    labels: calico === undefined ? (kubernetes?.labels ?? {}) : { ...calico.labels, ...kubernetes?.labels },
  };
}
