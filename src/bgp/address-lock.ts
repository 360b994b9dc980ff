/**
 * One session with one address: of several peers that would connect the same ends, the first has it, and the others wait. Both sides
 * would take the second connection for a restart and drop the first, for ever.
 */

import { formatAddress, sameAddress } from "./model/address.ts";
import type { Peer } from "./peer.ts";

export class AddressLock {
  /** By the remote end, in the order in which they came. */
  readonly #claims = new Map<string, Peer[]>();
  readonly #keys = new Map<Peer, string>();
  readonly #holders = new Map<Peer, Peer>();

  /** Again after its options changed: it keeps its place unless its ends did. */
  claim(peer: Peer): void {
    const key = keyOf(peer);
    const before = this.#keys.get(peer);
    if (before !== undefined && before !== key) this.release(peer);
    if (key === undefined) return;
    const claims = this.#claims.get(key) ?? [];
    this.#claims.set(key, claims);
    this.#keys.set(peer, key);
    if (!claims.includes(peer)) claims.push(peer);
    if (claims.length > 1 || this.#holders.has(peer)) this.#settle(claims);
  }

  release(peer: Peer): void {
    const key = this.#keys.get(peer);
    if (key === undefined) return;
    this.#keys.delete(peer);
    this.#holders.delete(peer);
    const rest = (this.#claims.get(key) ?? []).filter((claim) => claim !== peer);
    if (rest.length === 0) this.#claims.delete(key);
    else this.#claims.set(key, rest);
    this.#settle(rest);
  }

  get hasWaiting(): boolean {
    return this.#holders.size > 0;
  }

  /** Whom it waits for. */
  holderOf(peer: Peer): Peer | undefined {
    return this.#holders.get(peer);
  }

  #settle(claims: readonly Peer[]): void {
    const holders: Peer[] = [];
    for (const peer of claims) {
      const holder = holders.find((other) => collide(other, peer));
      if (holder === undefined) {
        holders.push(peer);
        if (this.#holders.delete(peer)) peer.restrain(undefined);
      } else if (this.#holders.get(peer) !== holder) {
        this.#holders.set(peer, holder);
        peer.restrain(`waits for the peer ${holder.options.name}, which has the same address`);
      }
    }
  }
}

function keyOf({ options: { remote, port }, isDynamic }: Peer): string | undefined {
  if (remote.kind !== "address" || isDynamic) return undefined;
  return `${formatAddress(remote.address)}%${remote.interface ?? ""} ${port}`;
}

/** Two peers may share an address and differ in ours. */
function collide(a: Peer, b: Peer): boolean {
  const [ours, theirs] = [a.options.localAddress, b.options.localAddress];
  return ours === undefined || theirs === undefined || sameAddress(ours, theirs);
}
