/** BGPConfiguration: `default` for all nodes, `node.<name>` for what one node has of its own. */

import { Family } from "../../../bgp/model/family.ts";
import { suggestion } from "../../nearest.ts";
import type { Place } from "../problem.ts";
import type { StoredObject } from "../stored-object.ts";
import {
  address,
  asNumber,
  cidr,
  community,
  duration,
  familyOf,
  port,
  priority,
  type SecretKey,
  secretReference,
} from "./field-types.ts";
import { choice, flag, list, map, name, readFields, required, text, type Values } from "./fields.ts";

const LOG_SEVERITIES = ["trace", "debug", "info", "warning", "error", "fatal"] as const;

const range = map({ cidr: cidr() });

/** The field of the resource, and every value it takes. */
export const bgpConfigurationFields = {
  asNumber: asNumber(),
  bindMode: choice("None", "NodeIP"),
  communities: list(map({ name: required(name("a name")), value: required(community()) })),
  ignoredInterfaces: list(name("the name of an interface, with * and ? for what is any")),
  ipv4NormalRoutePriority: priority(),
  ipv6NormalRoutePriority: priority(),
  listenPort: port(),
  localWorkloadPeeringIPV4: address(),
  localWorkloadPeeringIPV6: address(),
  logSeverityScreen: text(
    LOG_SEVERITIES.join(", "),
    (written) => LOG_SEVERITIES.find((severity) => severity === written.toLowerCase()),
    20,
  ),
  nodeMeshMaxRestartTime: duration(),
  nodeMeshPassword: secretReference(),
  nodeToNodeMeshEnabled: flag(),
  prefixAdvertisements: list(
    map({ cidr: required(cidr()), communities: list(name("a community, or the name of one in spec.communities"), 50) }),
  ),
  programClusterRoutes: choice("Enabled", "Disabled", "EnabledIPIPOnly", "EnabledNoEncapOnly"),
  serviceClusterIPs: list(range),
  serviceExternalIPs: list(range),
  serviceLoadBalancerAggregation: choice("Enabled", "Disabled"),
  serviceLoadBalancerIPs: list(range),
};

export type ProgramClusterRoutes = "Enabled" | "Disabled" | "EnabledIPIPOnly" | "EnabledNoEncapOnly";
export type LogSeverity = (typeof LOG_SEVERITIES)[number];

export interface PrefixAdvertisement {
  readonly cidr: string;
  /** Communities, and names of communities. */
  readonly communities: readonly string[];
}

export interface BgpConfiguration {
  readonly name: string;
  readonly asNumber: number | undefined;
  readonly bindMode: "None" | "NodeIP" | undefined;
  /** Values by name. */
  readonly communities: Readonly<Record<string, string>>;
  readonly ignoredInterfaces: readonly string[] | undefined;
  readonly ipv4NormalRoutePriority: number | undefined;
  readonly ipv6NormalRoutePriority: number | undefined;
  readonly listenPort: number | undefined;
  readonly logSeverity: LogSeverity | undefined;
  readonly nodeMeshMaxRestartSeconds: number | undefined;
  readonly nodeMeshPassword: SecretKey | undefined;
  readonly isMeshEnabled: boolean | undefined;
  readonly prefixAdvertisements: readonly PrefixAdvertisement[] | undefined;
  readonly programClusterRoutes: ProgramClusterRoutes | undefined;
  readonly serviceClusterIps: readonly string[];
  readonly serviceExternalIps: readonly string[];
  readonly serviceLoadBalancerIps: readonly string[];
  readonly isLoadBalancerAggregated: boolean;
}

/** Of a node's own configuration these alone count; the last two up to 3.32. */
const NODE_FIELDS: ReadonlySet<string> = new Set([
  "logSeverityScreen",
  "listenPort",
  "prefixAdvertisements",
  "communities",
  "bindMode",
  "ignoredInterfaces",
]);

export function readBgpConfiguration({ metadata, ...object }: StoredObject, place: Place): BgpConfiguration {
  const at = place.at("spec");
  const spec = readFields(bgpConfigurationFields, object["spec"], at);
  checkName(metadata.name, spec, place);
  if (spec.localWorkloadPeeringIPV6 !== undefined && /^fe[89ab]/i.test(spec.localWorkloadPeeringIPV6)) {
    at.at("localWorkloadPeeringIPV6").warn("is a link-local address, which Felix does not take");
  }
  for (const [key, family] of [
    ["localWorkloadPeeringIPV4", Family.Ipv4],
    ["localWorkloadPeeringIPV6", Family.Ipv6],
  ] as const) {
    const written = spec[key];
    if (written !== undefined && familyOf(written) !== family) at.at(key).refuse("is an address of the other family");
  }
  return {
    name: metadata.name,
    asNumber: spec.asNumber,
    bindMode: spec.bindMode,
    communities: Object.fromEntries(
      (spec.communities ?? []).flatMap((one) =>
        one.name === undefined || one.value === undefined ? [] : [[one.name, one.value]],
      ),
    ),
    ignoredInterfaces: spec.ignoredInterfaces,
    ipv4NormalRoutePriority: spec.ipv4NormalRoutePriority,
    ipv6NormalRoutePriority: spec.ipv6NormalRoutePriority,
    listenPort: spec.listenPort,
    logSeverity: spec.logSeverityScreen,
    nodeMeshMaxRestartSeconds: spec.nodeMeshMaxRestartTime,
    nodeMeshPassword: spec.nodeMeshPassword,
    isMeshEnabled: spec.nodeToNodeMeshEnabled,
    prefixAdvertisements: spec.prefixAdvertisements?.flatMap((one) =>
      one.cidr === undefined ? [] : [{ cidr: one.cidr, communities: one.communities ?? [] }],
    ),
    programClusterRoutes: spec.programClusterRoutes,
    serviceClusterIps: cidrsOf(spec.serviceClusterIPs),
    serviceExternalIps: cidrsOf(spec.serviceExternalIPs),
    serviceLoadBalancerIps: cidrsOf(spec.serviceLoadBalancerIPs),
    isLoadBalancerAggregated: spec.serviceLoadBalancerAggregation !== "Disabled",
  };
}

function checkName(written: string, spec: Values<typeof bgpConfigurationFields>, place: Place): void {
  if (written === "default") return;
  if (!written.startsWith("node.")) {
    place
      .at("metadata")
      .at("name")
      .warn(
        `"${written}" concerns nobody${suggestion(written, ["default"])}; accepted: default, node.<name of the node>`,
      );
    return;
  }
  for (const [key, value] of Object.entries(spec)) {
    if (value !== undefined && !NODE_FIELDS.has(key)) {
      place.at("spec").at(key).warn("has no effect for one node; set it in the BGPConfiguration `default`");
    }
  }
}

function cidrsOf(ranges: readonly { readonly cidr: string | undefined }[] | undefined): readonly string[] {
  return [...new Set((ranges ?? []).flatMap(({ cidr: one }) => (one === undefined ? [] : [one])))];
}
