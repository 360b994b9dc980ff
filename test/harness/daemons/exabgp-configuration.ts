/** Writes ExaBGP's configuration and its words for routes from the common description. */

import { familiesOf, isInternal, type PeerSpec, type RouteSpec, type SpeakerSpec } from "./speaker.ts";

/** "route 192.0.2.0/24 next-hop self origin igp" */
export function exabgpRoute(spec: SpeakerSpec, peer: PeerSpec, route: RouteSpec): string {
  const words = [`route ${route.prefix} next-hop ${route.nextHop ?? "self"} origin igp`];
  if (route.communities !== undefined) words.push(`community [ ${route.communities.join(" ")} ]`);
  if (route.extendedCommunities !== undefined) {
    words.push(`extended-community [ ${route.extendedCommunities.map(extendedWord).join(" ")} ]`);
  }
  if (route.largeCommunities !== undefined) words.push(`large-community [ ${route.largeCommunities.join(" ")} ]`);
  if (route.med !== undefined) words.push(`med ${route.med}`);
  if (route.localPref !== undefined) words.push(`local-preference ${route.localPref}`);
  if (route.asPath !== undefined) {
    // It sends a path as it is told to, even to external peers.
    const path = isInternal(spec, peer) ? route.asPath : [spec.asNumber, ...route.asPath];
    words.push(`as-path [ ${path.join(" ")} ]`);
  }
  return words.join(" ");
}

/** In hexadecimal: its own words for communities that hold an address end up as others. RFC 4360, RFC 5668. */
function extendedWord(community: string): string {
  const [kind, administrator = "", assigned] = community.split(":");
  const bytes = Buffer.alloc(8);
  bytes[1] = kind === "rt" ? 2 : 3;
  if (administrator.includes(".") || Number(administrator) > 0xffff) {
    bytes[0] = administrator.includes(".") ? 1 : 2;
    if (bytes[0] === 1) bytes.set(administrator.split(".").map(Number), 2);
    else bytes.writeUInt32BE(Number(administrator), 2);
    bytes.writeUInt16BE(Number(assigned), 6);
  } else {
    bytes.writeUInt16BE(Number(administrator), 2);
    bytes.writeUInt32BE(Number(assigned), 4);
  }
  return `0x${bytes.toString("hex")}`;
}

export function exabgpConfiguration(spec: SpeakerSpec, script: string): string {
  const lines = ["process api {", `  run ${script};`, "  encoder json;", "}"];
  for (const peer of spec.peers) lines.push(...neighborLines(spec, peer));
  return `${lines.join("\n")}\n`;
}

function neighborLines(spec: SpeakerSpec, peer: PeerSpec): string[] {
  const families = familiesOf(peer);
  const lines = [
    `neighbor ${peer.address} {`,
    `  router-id ${spec.routerId};`,
    `  local-address ${peer.localAddress ?? spec.listen?.[0] ?? "auto"};`,
    `  local-as ${spec.asNumber};`,
    `  peer-as ${peer.asNumber};`,
    `  hold-time ${peer.holdTime ?? 180};`,
    `  family { ${families.map((family) => `${family} unicast;`).join(" ")} }`,
    "  api { processes [ api ]; neighbor-changes; receive { parsed; open; update; notification; } " +
      "send { parsed; open; } }",
  ];
  if (peer.password !== undefined) lines.push(`  md5-password "${peer.password}";`);
  if (peer.passive) lines.push("  passive;");
  if (peer.port !== undefined) lines.push(`  connect ${peer.port};`);
  if (peer.ttlSecurity !== undefined) lines.push("  outgoing-ttl 255;", `  incoming-ttl ${256 - peer.ttlSecurity};`);
  else if (peer.multihop !== undefined && !isInternal(spec, peer)) lines.push(`  outgoing-ttl ${peer.multihop};`);
  const capabilities = ["route-refresh;"];
  if (peer.gracefulRestart !== undefined) capabilities.push(`graceful-restart ${peer.gracefulRestart};`);
  if (peer.addPath !== undefined) {
    capabilities.push(`add-path ${{ send: "send", receive: "receive", both: "send/receive" }[peer.addPath]};`);
  }
  if (peer.extendedNextHop) {
    capabilities.push("nexthop;");
    lines.push("  nexthop { ipv4 unicast ipv6; }");
  }
  if (peer.fourOctetAs === false) capabilities.push("asn4 disable;");
  capabilities.push(`extended-message ${peer.extendedMessages ? "enable" : "disable"};`);
  lines.push(`  capability { ${capabilities.join(" ")} }`);
  // Here, so that they go out before its End-of-RIB does.
  const routes = (spec.routes ?? []).map((route) => `${exabgpRoute(spec, peer, route)};`);
  if (routes.length > 0) lines.push(`  static { ${routes.join(" ")} }`);
  return [...lines, "}"];
}
