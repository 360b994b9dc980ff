/** `starling config show`: the whole effective model, as JSON of a fixed form and as text for people. */

import { formatAddress } from "../bgp/model/address.ts";
import { familyName } from "../bgp/model/family.ts";
import { formatRouterId } from "../bgp/model/ids.ts";
import { formatPrefix } from "../bgp/model/prefix.ts";
import type { CalicoFamily, CalicoModel } from "./calico/model.ts";
import type { Config, PeerConfig } from "./model.ts";
import { remoteName } from "./peer.ts";
import type { Problem } from "./problem.ts";
import { writtenAs, writtenFamily, writtenForm, writtenKernel } from "./written-form.ts";
import { formatYaml } from "./yaml.ts";

/** Absent values are null; durations are seconds; no secret, only whether there is one. */
export function showConfig(config: Config, problems: readonly Problem[] = []): object {
  return {
    asNumber: config.asNumber,
    routerId: formatRouterId(config.routerId),
    clusterId: formatRouterId(config.clusterId),
    listen: { addresses: config.listen.addresses.map(formatAddress), port: config.listen.port },
    peers: config.peers.map(showPeer),
    originate: config.originate.map(({ prefix, blackhole, nextHop, source }) => ({
      prefix: formatPrefix(prefix),
      blackhole,
      nextHop: nextHop === undefined ? null : formatAddress(nextHop),
      source,
    })),
    aggregates: config.aggregates.map(({ prefix }) => formatPrefix(prefix)),
    kernel: writtenKernel(config.kernel),
    calico: config.calico === undefined ? null : showModel(config.calico),
    problems: problems.map(({ path, message }) => ({ path, message })),
  };
}

function showPeer(peer: PeerConfig): object {
  const { remote, timers } = peer;
  const holdSeconds = timers.holdMilliseconds / 1000;
  return {
    name: peer.name,
    address: remote.kind === "address" ? remoteName(remote) : null,
    range: remote.kind === "range" ? remoteName(remote) : null,
    interface: remote.kind === "interface" ? remote.interface : null,
    port: peer.port,
    asNumber: writtenAs(peer.asNumber),
    localAsNumber: peer.localAsNumber,
    localAddress: peer.localAddress === undefined ? null : formatAddress(peer.localAddress),
    passive: peer.passive,
    passwordSet: peer.password !== undefined,
    multihop: peer.ttlSecurity === undefined ? peer.ttl : null,
    ttlSecurity: peer.ttlSecurity ?? null,
    routeReflectorClient: peer.routeReflectorClient,
    clusterId: formatRouterId(peer.clusterId),
    nextHop: peer.nextHop,
    families: Object.fromEntries(peer.families.map((family) => [familyName(family.family), writtenFamily(family)])),
    timers: {
      hold: holdSeconds,
      keepalive:
        timers.keepaliveMilliseconds === undefined ? Math.floor(holdSeconds / 3) : timers.keepaliveMilliseconds / 1000,
    },
    gracefulRestart: peer.gracefulRestart === undefined ? null : { time: peer.gracefulRestart.timeSeconds },
    allowLocalAs: peer.allowLocalAs,
    internal: peer.internal,
    import: peer.import,
    export: peer.export,
    source: peer.source,
    longLived: peer.gracefulRestart?.longLivedSeconds ?? null,
    removePrivateAs: peer.removePrivateAs,
    asOverride: peer.asOverride,
    role: peer.role ?? null,
    enabled: peer.enabled,
  };
}

/** In the form in which Calico's own tests say what resources come to, but without the passwords. */
function showModel({ ipv4, ipv6, ...node }: CalicoModel): object {
  return { ...node, ipv4: showCalicoFamily(ipv4), ipv6: showCalicoFamily(ipv6) };
}

function showCalicoFamily(family: CalicoFamily): object {
  return { ...family, peers: family.peers.map(({ password: _secret, source: _source, ...peer }) => peer) };
}

/** YAML in the words of the file, with every key written out. */
export function formatConfig(config: Config): string {
  const { calico } = config;
  const node = calico === undefined ? "" : `# Node ${calico.nodeName}, as Calico ${calico.release} has it. `;
  const note = node === "" ? "" : `${node}Policies of its resources are in the resources' own words.\n`;
  return `${note}${formatYaml(writtenForm(config))}`;
}
