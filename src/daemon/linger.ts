/**
 * A peer that was a client of this reflector and is somebody else now, as when a full mesh takes over again: it is still served for a
 * while, until the sessions that take the reflector's place have told their routes. Only the other nodes know when that is.
 */

import type { PeerId } from "../bgp/model/ids.ts";
import type { Clock, Timer } from "../bgp/model/ports.ts";
import type { CompiledPeer } from "../config/compile.ts";

const LINGER_MILLISECONDS = 30_000;

export class Linger {
  readonly #clock: Clock;
  /** As they are to be when the time is over. */
  readonly #pending = new Map<PeerId, CompiledPeer>();
  readonly #over: (peers: readonly CompiledPeer[]) => void;
  #timer: Timer | undefined;

  constructor(clock: Clock, over: (peers: readonly CompiledPeer[]) => void) {
    this.#clock = clock;
    this.#over = over;
  }

  /** The peer as it is to be now. `isOther`: it has another name, too. */
  take(before: CompiledPeer | undefined, now: CompiledPeer, isOther: boolean): CompiledPeer {
    const { id } = now.session;
    const wasServed = before?.rib.routeReflectorClient === true;
    const isLost = wasServed && !now.rib.routeReflectorClient && (isOther || this.#pending.has(id));
    if (!isLost) {
      this.#pending.delete(id);
      return now;
    }
    this.#pending.set(id, now);
    this.#timer ??= this.#clock.after(LINGER_MILLISECONDS, () => this.#end());
    return { ...now, rib: { ...now.rib, routeReflectorClient: true, clusterId: before.rib.clusterId } };
  }

  forget(id: PeerId): void {
    this.#pending.delete(id);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#pending.clear();
  }

  #end(): void {
    this.#timer = undefined;
    const peers = [...this.#pending.values()];
    this.#pending.clear();
    this.#over(peers);
  }
}
