/** Writes bgpd.conf of FRR from the common description. */

import { type FamilyName, familiesOf, familyOf, type PeerSpec, type RouteSpec, type SpeakerSpec } from "./speaker.ts";

export function frrConfiguration(spec: SpeakerSpec, hostName: string): string {
  const routes = spec.routes ?? [];
  const lines = [`hostname ${hostName}`, "log stdout", ...routes.flatMap(routeMapLines), `router bgp ${spec.asNumber}`];
  lines.push(
    ` bgp router-id ${spec.routerId}`,
    " bgp log-neighbor-changes",
    " no bgp ebgp-requires-policy",
    " no bgp network import-check",
    " no bgp default ipv4-unicast",
    ` bgp cluster-id ${spec.clusterId ?? spec.routerId}`,
  );
  const restartTime = spec.peers.find((peer) => peer.gracefulRestart !== undefined)?.gracefulRestart;
  if (restartTime !== undefined) {
    lines.push(` bgp graceful-restart restart-time ${restartTime}`, " bgp graceful-restart preserve-fw-state");
  }
  const longLived = spec.peers.find((peer) => peer.longLived !== undefined)?.longLived;
  if (longLived !== undefined) lines.push(` bgp long-lived-graceful-restart stale-time ${longLived}`);
  for (const peer of spec.peers) lines.push(...peerLines(peer).map((line) => ` ${line}`));
  for (const family of ["ipv4", "ipv6"] as const) {
    lines.push(` address-family ${family} unicast`);
    for (const peer of spec.peers) {
      if (familiesOf(peer).includes(family)) lines.push(...peerFamilyLines(peer).map((line) => `  ${line}`));
    }
    for (const route of routes) {
      if (familyOf(route.prefix) === family)
        lines.push(`  network ${route.prefix} route-map ${routeMapName(route.prefix)}`);
    }
    lines.push(" exit-address-family");
  }
  return `${lines.join("\n")}\n`;
}

function peerLines(peer: PeerSpec): string[] {
  const it = `neighbor ${peer.address}`;
  const lines = [`${it} remote-as ${peer.asNumber}`, `${it} timers connect 1`, `${it} advertisement-interval 0`];
  if (peer.localAddress !== undefined) lines.push(`${it} update-source ${peer.localAddress}`);
  if (peer.port !== undefined) lines.push(`${it} port ${peer.port}`);
  if (peer.password !== undefined) lines.push(`${it} password ${peer.password}`);
  if (peer.multihop !== undefined && peer.ttlSecurity === undefined) lines.push(`${it} ebgp-multihop ${peer.multihop}`);
  if (peer.ttlSecurity !== undefined) lines.push(`${it} ttl-security hops ${peer.ttlSecurity}`);
  if (peer.passive) lines.push(`${it} passive`);
  if (peer.holdTime !== undefined) lines.push(`${it} timers ${Math.floor(peer.holdTime / 3)} ${peer.holdTime}`);
  if (peer.extendedNextHop) lines.push(`${it} capability extended-nexthop`);
  if (peer.fourOctetAs === false) lines.push(`${it} dont-capability-negotiate`);
  lines.push(`${it} ${peer.gracefulRestart === undefined ? "graceful-restart-disable" : "graceful-restart"}`);
  return lines;
}

function peerFamilyLines(peer: PeerSpec): string[] {
  const it = `neighbor ${peer.address}`;
  const lines = [`${it} activate`];
  if (peer.routeReflectorClient) lines.push(`${it} route-reflector-client`);
  if (peer.nextHopSelf) lines.push(`${it} next-hop-self force`);
  if (peer.addPath === "send" || peer.addPath === "both") lines.push(`${it} addpath-tx-all-paths`);
  if (peer.addPath !== "receive" && peer.addPath !== "both") lines.push(`${it} disable-addpath-rx`);
  return lines;
}

const routeMapName = (prefix: string) => `route-${prefix.replace(/[^0-9a-f]/g, "-")}`;

/** The attributes of one originated route. */
export function routeMapLines(route: RouteSpec): string[] {
  const lines = [`route-map ${routeMapName(route.prefix)} permit 10`];
  const nextHop = familyOf(route.prefix) === "ipv4" ? "ip next-hop" : "ipv6 next-hop global";
  if (route.nextHop !== undefined) lines.push(` set ${nextHop} ${route.nextHop}`);
  if (route.asPath !== undefined) lines.push(` set as-path prepend ${route.asPath.join(" ")}`);
  if (route.communities !== undefined) lines.push(` set community ${route.communities.join(" ")}`);
  for (const [kind, word] of [
    ["rt:", "rt"],
    ["ro:", "soo"],
  ] as const) {
    // A second line of a kind would replace the first.
    const values = (route.extendedCommunities ?? []).filter((extended) => extended.startsWith(kind));
    if (values.length > 0)
      lines.push(` set extcommunity ${word} ${values.map((value) => value.slice(kind.length)).join(" ")}`);
  }
  if (route.largeCommunities !== undefined) lines.push(` set large-community ${route.largeCommunities.join(" ")}`);
  if (route.med !== undefined) lines.push(` set metric ${route.med}`);
  if (route.localPref !== undefined) lines.push(` set local-preference ${route.localPref}`);
  return [...lines, "exit"];
}

export function networkLines(spec: SpeakerSpec, route: RouteSpec): string[] {
  return inFamily(spec, familyOf(route.prefix), `network ${route.prefix} route-map ${routeMapName(route.prefix)}`);
}

export function withoutNetworkLines(spec: SpeakerSpec, prefix: string): string[] {
  const gone = inFamily(spec, familyOf(prefix), `no network ${prefix}`);
  // The next announcement of this prefix starts from nothing.
  return [...gone, "exit", "exit", `no route-map ${routeMapName(prefix)}`];
}

/** What was said of peers is taken back, and what is new said. */
export function changedPeerLines(before: SpeakerSpec, after: SpeakerSpec): string[] {
  const old = before.peers.flatMap(peerLines);
  const now = after.peers.flatMap(peerLines);
  const added = now.filter((line) => !old.includes(line));
  // A line that takes another value replaces the one before.
  const replaced = (line: string) => added.some((other) => other.split(" ", 3).join() === line.split(" ", 3).join());
  const removed = old.filter((line) => !now.includes(line) && !replaced(line)).map((line) => `no ${line}`);
  return [`router bgp ${after.asNumber}`, ...removed, ...added];
}

function inFamily(spec: SpeakerSpec, family: FamilyName, line: string): string[] {
  return [`router bgp ${spec.asNumber}`, `address-family ${family} unicast`, line];
}
