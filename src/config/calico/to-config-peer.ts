/** A peer of Calico's as a peer of ours: what Calico says of it, and for all else what its BIRD does. */

import { type IpAddress, parseAddress } from "../../bgp/model/address.ts";
import { Family } from "../../bgp/model/family.ts";
import { asn, type RouterId, routerId } from "../../bgp/model/ids.ts";
import type { PeerConfig, Timers } from "../model.ts";
import { isUnicast } from "../scalars.ts";
import type { CalicoPeer } from "./model.ts";

/** Calico neither lets its users choose the first, nor does BIRD have another limit for its multihop sessions. */
const HOLD_SECONDS = 240;
const MULTIHOP_TTL = 64;
const RESTART_SECONDS = 120;
const RETRY_MILLISECONDS = 5000;

/** Linux' TCP_MD5SIG_MAXKEYLEN. */
const MAX_PASSWORD_OCTETS = 80;

export interface PeerPolicies {
  readonly import: readonly string[];
  readonly export: readonly string[];
}

export type ConvertedPeer =
  | { readonly kind: "peer"; readonly peer: PeerConfig }
  | { readonly kind: "wrong"; readonly message: string };

/** `clusterId`: where the peer is no client, and so has none of its own. */
export function convertPeer(
  peer: CalicoPeer,
  family: Family,
  policies: PeerPolicies,
  clusterId: RouterId,
): ConvertedPeer {
  const address = parseAddress(peer.address);
  if (address?.family !== family || !isUnicast(address)) return wrong(`${peer.address} is no address of a peer`);
  const localAddress = peer.localAddress === null ? undefined : parseAddress(peer.localAddress);
  if (peer.localAddress !== null && localAddress?.family !== family)
    return wrong(`${peer.localAddress} is no address to connect from`);
  const octets = peer.password === null ? 0 : Buffer.byteLength(peer.password);
  if (octets > MAX_PASSWORD_OCTETS || peer.password?.includes("\u0000") === true)
    return wrong(`the password cannot be used: accepted are at most ${MAX_PASSWORD_OCTETS} octets without NUL`);
  return {
    kind: "peer",
    peer: {
      name: peer.name,
      remote: { kind: "address", address, interface: undefined },
      port: peer.port,
      asNumber: [asn(peer.asNumber)],
      localAsNumber: asn(peer.localAsNumber),
      internal: peer.internal,
      localAddress,
      passive: peer.passive,
      enabled: true,
      password: peer.password ?? undefined,
      ttl: peer.ttlSecurity === null ? MULTIHOP_TTL : 255,
      ttlSecurity: peer.ttlSecurity ?? undefined,
      routeReflectorClient: peer.routeReflectorClient,
      clusterId: peer.clusterId === null ? clusterId : (identifierOf(peer.clusterId) ?? clusterId),
      nextHop: peer.nextHop ?? "auto",
      families: [{ family, addPath: "both", extendedNextHop: false, maxPrefixes: undefined }],
      timers: timersOf(peer),
      gracefulRestart: { timeSeconds: peer.gracefulRestartTime ?? RESTART_SECONDS, longLivedSeconds: 0 },
      allowLocalAs: peer.allowLocalAs,
      removePrivateAs: false,
      asOverride: false,
      role: undefined,
      capabilities: "bird",
      import: policies.import,
      export: policies.export,
      source: peer.source,
    },
  };
}

function timersOf({ keepaliveTime }: CalicoPeer): Timers {
  return {
    holdMilliseconds: HOLD_SECONDS * 1000,
    keepaliveMilliseconds: keepaliveTime === null ? undefined : keepaliveTime * 1000,
    connectRetryMilliseconds: RETRY_MILLISECONDS,
    idleHoldMilliseconds: RETRY_MILLISECONDS,
    advertisementMilliseconds: 0,
  };
}

function wrong(message: string): ConvertedPeer {
  return { kind: "wrong", message };
}

/** A dotted quad as BGP Identifier. */
export function identifierOf(text: string): RouterId | undefined {
  const address = parseAddress(text);
  return address?.family === Family.Ipv4 && address.w0 !== 0 ? routerId(address.w0) : undefined;
}

/** Of two with the same there can be one session alone. */
export function sessionKey({ remote, port, localAddress }: PeerConfig): string {
  const words = (a: IpAddress | undefined) => (a === undefined ? "" : `${a.w0},${a.w1},${a.w2},${a.w3}`);
  return remote.kind === "address"
    ? `${words(remote.address)} ${remote.interface ?? ""} ${port} ${words(localAddress)}`
    : "";
}
