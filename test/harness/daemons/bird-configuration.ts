/** Writes bird.conf from the common description. */

import { familiesOf, familyOf, isInternal, type PeerSpec, type RouteSpec, type SpeakerSpec } from "./speaker.ts";

export function birdConfiguration(spec: SpeakerSpec, routes: readonly RouteSpec[]): string {
  const lines = ["log stderr all;", `router id ${spec.routerId};`, "protocol device { scan time 1; }"];
  lines.push("protocol direct { ipv4; ipv6; }");
  for (const family of ["ipv4", "ipv6"] as const) {
    const own = routes.filter((route) => familyOf(route.prefix) === family);
    lines.push(`protocol static own_${family} {`, `  ${family};`, ...own.map(staticRoute), "}");
    if (spec.kernel) {
      const what = "if source = RTS_BGP then accept; reject;";
      lines.push(
        `protocol kernel { ${family} { import none; export filter { ${what} }; }; persist; graceful restart on; merge paths on; }`,
      );
    }
  }
  spec.peers.forEach((peer, index) => {
    lines.push(...peerProtocol(spec, peer, index));
  });
  return `${lines.join("\n")}\n`;
}

function staticRoute(route: RouteSpec): string {
  const sets = [
    ...[...(route.asPath ?? [])].reverse().map((as) => `bgp_path.prepend(${as});`),
    ...(route.communities ?? []).map((community) => `bgp_community.add((${community.replace(":", ",")}));`),
    ...(route.extendedCommunities ?? []).map(
      (extended) => `bgp_ext_community.add((${extended.replaceAll(":", ",")}));`,
    ),
    ...(route.largeCommunities ?? []).map((large) => `bgp_large_community.add((${large.replaceAll(":", ",")}));`),
    ...(route.med === undefined ? [] : [`bgp_med = ${route.med};`]),
    ...(route.localPref === undefined ? [] : [`bgp_local_pref = ${route.localPref};`]),
    "bgp_origin = ORIGIN_IGP;",
  ];
  const target = route.nextHop === undefined ? "blackhole" : `recursive ${route.nextHop}`;
  if (route.nextHop !== undefined) sets.push(`bgp_next_hop = ${route.nextHop};`);
  return `  route ${route.prefix} ${target} { ${sets.join(" ")} };`;
}

/** Towards external peers BIRD drops a MED that the export filter itself did not set. */
const exported =
  "if source = RTS_STATIC && defined(bgp_med) then bgp_med = bgp_med; if source ~ [RTS_BGP, RTS_STATIC] then accept; reject;";

function peerProtocol(spec: SpeakerSpec, peer: PeerSpec, index: number): string[] {
  const internal = isInternal(spec, peer);
  const local = peer.localAddress === undefined ? "" : `${peer.localAddress} `;
  const port = peer.port === undefined ? "" : ` port ${peer.port}`;
  const lines = [
    `protocol bgp peer${index} {`,
    `  local ${local}as ${spec.asNumber};`,
    `  neighbor ${peer.address}${port} ${neighborAs(peer)};`,
    "  connect delay time 1; connect retry time 2; error wait time 1, 5;",
  ];
  const hops = peer.ttlSecurity ?? peer.multihop;
  if (hops !== undefined && hops > 1) lines.push(`  multihop ${hops};`);
  else lines.push(internal && peer.ttlSecurity === undefined ? "  multihop;" : "  direct;");
  if (peer.ttlSecurity !== undefined) lines.push("  ttl security on;");
  if (peer.password !== undefined) lines.push(`  password "${peer.password}";`);
  if (peer.passive) lines.push("  passive on;");
  if (peer.holdTime !== undefined) lines.push(`  hold time ${peer.holdTime};`);
  if (peer.routeReflectorClient) lines.push("  rr client;", `  rr cluster id ${spec.clusterId ?? spec.routerId};`);
  if (peer.fourOctetAs === false) lines.push("  enable as4 off;");
  if (peer.longLived !== undefined) {
    lines.push("  long lived graceful restart on;", `  long lived stale time ${peer.longLived};`);
  }
  if (peer.extendedMessages) lines.push("  enable extended messages on;");
  lines.push(
    peer.gracefulRestart === undefined
      ? "  graceful restart off;"
      : `  graceful restart on; graceful restart time ${peer.gracefulRestart};`,
  );
  for (const family of familiesOf(peer)) {
    lines.push(`  ${family} {`, "    import all;", `    export filter { ${exported} };`);
    if (peer.nextHopSelf) lines.push("    next hop self;");
    if (peer.extendedNextHop) lines.push("    extended next hop on;");
    if (peer.addPath !== undefined)
      lines.push(`    add paths ${{ send: "tx", receive: "rx", both: "on" }[peer.addPath]};`);
    lines.push("  };");
  }
  return [...lines, "}"];
}

/** An old speaker takes no number that it could not write; it must be told of any external peer instead. */
function neighborAs(peer: PeerSpec): string {
  return peer.fourOctetAs === false && peer.asNumber > 0xffff ? "external" : `as ${peer.asNumber}`;
}
