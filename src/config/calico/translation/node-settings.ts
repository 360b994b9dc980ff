/** What holds for this node as a whole: of BGPConfiguration `default` and its own, of its Node, of the release and the environment. */

import type { CalicoOptions, Release } from "../options.ts";
import type { Place } from "../problem.ts";
import type {
  BgpConfiguration,
  LogSeverity,
  PrefixAdvertisement,
  ProgramClusterRoutes,
} from "../resources/bgp-configuration.ts";
import type { FelixConfiguration } from "../resources/felix-configuration.ts";
import type { SecretKey } from "../resources/field-types.ts";
import type { IpPool } from "../resources/ip-pool.ts";
import type { ClusterNode } from "../resources/node.ts";

export type TranslateOptions = Pick<
  CalicoOptions,
  | "nodeName"
  | "nodeSelector"
  | "kubernetesNodeName"
  | "release"
  | "role"
  | "secretNamespace"
  | "routerId"
  | "advertiseClusterIps"
  | "usePodCidr"
>;

const DEFAULT_AS_NUMBER = 64512;
export const DEFAULT_PORT = 179;
const DEFAULT_PRIORITY = 1024;

export interface NodeSettings {
  readonly release: Release;
  readonly isReflectorOnly: boolean;
  readonly node: ClusterNode;
  /** Of nodes that have none of their own. */
  readonly globalAsNumber: number;
  readonly asNumber: number;
  readonly listenPort: number;
  readonly listensOnNodeAddress: boolean;
  readonly isMeshEnabled: boolean;
  readonly meshPassword: SecretKey | undefined;
  readonly meshRestartSeconds: number | undefined;
  readonly logSeverity: LogSeverity;
  readonly ignoredInterfaces: readonly string[];
  readonly priorities: { readonly ipv4: number; readonly ipv6: number };
  readonly prefixAdvertisements: readonly PrefixAdvertisement[];
  /** Values by name. */
  readonly communities: Readonly<Record<string, string>>;
  /** Of which pools this daemon, in BIRD's place, writes the routes into the kernel; of the others Felix does. */
  readonly writes: { readonly ipip: boolean; readonly noEncapsulation: boolean };
}

export function nodeSettings(
  node: ClusterNode,
  release: Release,
  isReflectorOnly: boolean,
  common: BgpConfiguration | undefined,
  own: BgpConfiguration | undefined,
): NodeSettings {
  const globalAsNumber = common?.asNumber ?? DEFAULT_AS_NUMBER;
  // Since 3.33 two fields are of the cluster alone.
  const ownUntil332 = release === "3.33" ? undefined : own;
  return {
    release,
    isReflectorOnly,
    node,
    globalAsNumber,
    asNumber: node.asNumber ?? globalAsNumber,
    listenPort: own?.listenPort ?? common?.listenPort ?? DEFAULT_PORT,
    listensOnNodeAddress: (ownUntil332?.bindMode ?? common?.bindMode) === "NodeIP",
    isMeshEnabled: common?.isMeshEnabled ?? true,
    meshPassword: common?.nodeMeshPassword,
    meshRestartSeconds: common?.nodeMeshMaxRestartSeconds,
    logSeverity: own?.logSeverity ?? common?.logSeverity ?? "info",
    ignoredInterfaces: ownUntil332?.ignoredInterfaces ?? common?.ignoredInterfaces ?? [],
    priorities: {
      ipv4: common?.ipv4NormalRoutePriority ?? DEFAULT_PRIORITY,
      ipv6: common?.ipv6NormalRoutePriority ?? DEFAULT_PRIORITY,
    },
    prefixAdvertisements: own?.prefixAdvertisements ?? common?.prefixAdvertisements ?? [],
    communities: { ...common?.communities, ...own?.communities },
    writes: writtenPools(common?.programClusterRoutes, release),
  };
}

/** Since 3.33 Felix writes the routes of IPIP pools, unless it is told not to. */
function writtenPools(written: BgpConfiguration["programClusterRoutes"], release: Release): NodeSettings["writes"] {
  return poolsOf(written ?? (release === "3.33" ? "EnabledNoEncapOnly" : "Enabled"));
}

function poolsOf(programClusterRoutes: ProgramClusterRoutes): NodeSettings["writes"] {
  switch (programClusterRoutes) {
    case "Enabled":
      return { ipip: true, noEncapsulation: true };
    case "Disabled":
      return { ipip: false, noEncapsulation: false };
    case "EnabledIPIPOnly":
      return { ipip: true, noEncapsulation: false };
    case "EnabledNoEncapOnly":
      return { ipip: false, noEncapsulation: true };
  }
}

/** What does not stop this node, and will not do what was meant. */
export function checkSettings({ node, isReflectorOnly }: NodeSettings, pools: readonly IpPool[], place: Place): void {
  const bgp = place.at("spec").at("bgp");
  if (node.ipv4 === undefined && node.ipv6 === undefined) {
    bgp.warn("has neither ipv4Address nor ipv6Address: without one of them there are no sessions");
  }
  if (isReflectorOnly && node.clusterId === undefined) {
    bgp.at("routeReflectorClusterID").warn("is missing: without it nothing is reflected; accepted: such as 244.0.0.1");
  }
  if (node.ipv4?.network.endsWith("/32") && pools.some(({ ipip }) => ipip === "CrossSubnet")) {
    const advice = "write it with the length of the subnet, such as /24";
    bgp
      .at("ipv4Address")
      .warn(`is in no subnet, so that pools with CrossSubnet count every node as far away; ${advice}`);
  }
}

/** Since 3.33 both have a say: what both write comes twice, what neither writes is missing. `place`: of FelixConfiguration. */
export function checkFelix(
  { writes, release, isReflectorOnly }: NodeSettings,
  pools: readonly IpPool[],
  felix: FelixConfiguration,
  place: Place,
): void {
  if (release !== "3.33" || isReflectorOnly) return;
  const felixWrites = poolsOf(felix.programClusterRoutes ?? "EnabledIPIPOnly");
  for (const [key, name, has] of [
    ["ipip", "IPIP pools", (pool: IpPool) => pool.ipip !== undefined],
    ["noEncapsulation", "pools without encapsulation", (pool: IpPool) => pool.ipip === undefined && !pool.isVxlan],
  ] as const) {
    if (writes[key] !== felixWrites[key] || !pools.some(has)) continue;
    const who = writes[key] ? "Felix and BGP both write" : "neither Felix nor BGP writes";
    place
      .at("spec")
      .at("programClusterRoutes")
      .warn(`${who} the routes of ${name}; set it here and in BGPConfiguration so that one of them does`);
  }
}
