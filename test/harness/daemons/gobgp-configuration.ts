/** Writes gobgpd's configuration from the common description. */

import { familiesOf, isInternal, type PeerSpec, type SpeakerSpec } from "./speaker.ts";

/** `isHeld`: no session is begun until it is enabled. */
export function gobgpConfiguration(spec: SpeakerSpec, isHeld: boolean): object {
  return {
    global: {
      config: {
        as: spec.asNumber,
        "router-id": spec.routerId,
        ...(spec.listen === undefined ? {} : { "local-address-list": spec.listen }),
      },
    },
    neighbors: spec.peers.map((peer) => neighbor(spec, peer, isHeld)),
  };
}

function neighbor(spec: SpeakerSpec, peer: PeerSpec, isHeld: boolean): object {
  const restart = peer.gracefulRestart;
  return {
    config: {
      "neighbor-address": peer.address,
      "peer-as": peer.asNumber,
      ...(isHeld ? { "admin-down": true } : {}),
      ...(peer.password === undefined ? {} : { "auth-password": peer.password }),
    },
    transport: {
      config: {
        ...(peer.passive ? { "passive-mode": true } : {}),
        ...(peer.localAddress === undefined ? {} : { "local-address": peer.localAddress }),
        ...(peer.port === undefined ? {} : { "remote-port": peer.port }),
      },
    },
    timers: {
      config: {
        "connect-retry": 1,
        "idle-hold-time-after-reset": 1,
        ...(peer.holdTime === undefined
          ? {}
          : { "hold-time": peer.holdTime, "keepalive-interval": Math.floor(peer.holdTime / 3) }),
      },
    },
    ...(peer.multihop === undefined || isInternal(spec, peer)
      ? {}
      : { "ebgp-multihop": { config: { enabled: true, "multihop-ttl": peer.multihop } } }),
    ...(peer.ttlSecurity === undefined
      ? {}
      : { "ttl-security": { config: { enabled: true, "ttl-min": 256 - peer.ttlSecurity } } }),
    ...(peer.routeReflectorClient
      ? {
          "route-reflector": {
            config: { "route-reflector-client": true, "route-reflector-cluster-id": spec.clusterId ?? spec.routerId },
          },
        }
      : {}),
    ...(restart === undefined
      ? {}
      : {
          "graceful-restart": {
            config: {
              enabled: true,
              "restart-time": restart,
              "notification-enabled": true,
              ...(peer.longLived === undefined ? {} : { "long-lived-enabled": true }),
            },
          },
        }),
    "afi-safis": familiesOf(peer).map((family) => ({
      config: { "afi-safi-name": `${family}-unicast` },
      ...(restart === undefined ? {} : { "mp-graceful-restart": { config: { enabled: true } } }),
      ...(peer.longLived === undefined
        ? {}
        : { "long-lived-graceful-restart": { config: { enabled: true, "restart-time": peer.longLived } } }),
      ...(peer.addPath === undefined
        ? {}
        : {
            "add-paths": {
              config: { receive: peer.addPath !== "send", ...(peer.addPath === "receive" ? {} : { "send-max": 16 }) },
            },
          }),
    })),
  };
}
