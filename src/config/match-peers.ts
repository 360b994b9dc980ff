/** Which peer of one configuration is which of the next: the name may change, the address says who it is. */

import type { PeerConfig } from "./model.ts";
import { remoteName } from "./peer.ts";

const STEP = 256;

export interface MatchedPeers {
  readonly added: readonly PeerConfig[];
  readonly removed: readonly PeerConfig[];
  /** In the order of the next configuration; none that is the very same object in both. */
  readonly pairs: readonly { readonly old: PeerConfig; readonly peer: PeerConfig }[];
}

/** Costs what differs: front ends give the same object for a peer of which nothing changed. One step for some hundred that do. */
export function* matchPeers(
  previous: readonly PeerConfig[],
  next: readonly PeerConfig[],
): Generator<undefined, MatchedPeers> {
  if (previous === next) return { added: [], removed: [], pairs: [] };
  const before = new Set(previous);
  const after = new Set(next);
  const left = new Set(previous.filter((peer) => !after.has(peer)));
  const come = next.filter((peer) => !before.has(peer));
  const found = new Map<PeerConfig, PeerConfig>();
  // The same name for the same peer; another name for it; the name of one that is gone.
  const keys = [(p: PeerConfig) => `${p.name}\n${identityOf(p)}`, identityOf, (p: PeerConfig) => p.name];
  for (const keyOf of keys) yield* pairUp(left, come, found, keyOf);
  return {
    added: come.filter((peer) => !found.has(peer)),
    removed: [...left],
    pairs: come.flatMap((peer) => {
      const old = found.get(peer);
      return old === undefined ? [] : [{ old, peer }];
    }),
  };
}

/** Takes out of `left` what it puts into `found`. */
function* pairUp(
  left: Set<PeerConfig>,
  come: readonly PeerConfig[],
  found: Map<PeerConfig, PeerConfig>,
  keyOf: (peer: PeerConfig) => string,
): Generator<undefined, void> {
  if (left.size === 0 || come.length === found.size) return;
  const byKey = new Map<string, PeerConfig[]>();
  let count = 0;
  for (const old of left) {
    if (++count % STEP === 0) yield;
    const key = keyOf(old);
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, [old]);
    else known.push(old);
  }
  for (const peer of come) {
    if (++count % STEP === 0) yield;
    if (found.has(peer)) continue;
    const candidates = byKey.get(keyOf(peer));
    // Several speakers of one address differ in their ports.
    const at = Math.max(0, candidates?.findIndex(({ port }) => port === peer.port) ?? 0);
    const old = candidates?.splice(at, 1)[0];
    if (old === undefined) continue;
    found.set(peer, old);
    left.delete(old);
  }
}

/** Those who come from a range bear its name. */
function identityOf(peer: PeerConfig): string {
  return peer.remote.kind === "range" ? `${peer.name}\n${remoteName(peer.remote)}` : remoteName(peer.remote);
}
