/** What the change of each key of a peer costs its session. */

import { isDeepStrictEqual } from "node:util";
import type { FamilyConfig, PeerConfig } from "./model.ts";

/**
 * "restart": what the OPEN said, or what the connection was made with, cannot be taken back. All else the session takes over while it
 * stands: "in" judges what the peer told again, "out" what it was told, "soft" changes what is to come.
 */
export type Effect = "restart" | "in" | "out" | "soft";

type Rule = Effect | "none" | ((old: PeerConfig, peer: PeerConfig) => readonly Effect[]);

/** The type makes every new key choose. The sessions have the last word, in bgp/peer-changes.ts. */
const RULES: Readonly<Record<keyof PeerConfig, Rule>> = {
  // People's word for it: the address says who it is.
  name: "soft",
  source: "none",
  // The other end of the connection.
  remote: "restart",
  // Where we connect to. A connection that only the peer makes does not ask.
  port: (_old, peer) => [peer.passive ? "soft" : "restart"],
  // The OPEN: who it must say it is, and who we said we are.
  asNumber: "restart",
  localAsNumber: "restart",
  internal: "restart",
  // Our end of the connection; without one any will do, the present one too.
  localAddress: (_old, peer) => [peer.localAddress === undefined ? "soft" : "restart"],
  // Who connects the next time.
  passive: "soft",
  enabled: "soft",
  // The kernel takes another key for a connection that stands, and TCP sends again what was not understood meanwhile.
  password: "soft",
  // The connection: with GTSM each side drops what the other sends until both have changed.
  ttl: "restart",
  ttlSecurity: "restart",
  // RFC 4456 has nothing in the OPEN: what is told, to this peer and of it, is worked out again.
  routeReflectorClient: "out",
  clusterId: "out",
  nextHop: "out",
  families: (old, peer) => [sameOffer(old, peer) ? "soft" : "restart"],
  // The OPEN has the hold time alone (RFC 4271 §4.2).
  timers: (old, peer) => [old.timers.holdMilliseconds === peer.timers.holdMilliseconds ? "soft" : "restart"],
  // The OPEN.
  gracefulRestart: "restart",
  role: "restart",
  capabilities: "restart",
  allowLocalAs: "in",
  removePrivateAs: "out",
  asOverride: "out",
  import: "in",
  export: "out",
};

const KEYS = Object.keys(RULES) as (keyof PeerConfig)[];

/** Empty if nothing differs that anybody could see. */
export function effectsOf(old: PeerConfig, peer: PeerConfig): Set<Effect> {
  const effects = new Set<Effect>();
  for (const key of KEYS) {
    if (old[key] === peer[key] || isDeepStrictEqual(old[key], peer[key])) continue;
    const rule = RULES[key];
    if (typeof rule === "function") for (const effect of rule(old, peer)) effects.add(effect);
    else if (rule !== "none") effects.add(rule);
  }
  return effects;
}

/** What of the families is in the OPEN; limits are not. */
function sameOffer(old: PeerConfig, peer: PeerConfig): boolean {
  const offered = (families: readonly FamilyConfig[]) =>
    families.map(({ family, addPath, extendedNextHop }) => ({ family, addPath, extendedNextHop }));
  return isDeepStrictEqual(offered(old.families), offered(peer.families));
}
