/** One walk over all paths of a family that serves everybody who asked for one: a peer gone, a policy changed, a next hop moved. */

import type { PeerId } from "../bgp/model/ids.ts";
import type { PathStore } from "./path-store.ts";

/** What may be asked for the paths of a peer; these add up. */
export const Ask = {
  /** Its session or its stale routes ended. */
  Retention: 1,
  /** Its import rules changed. */
  Import: 2,
  /** What others are told of their source changed (RFC 4456: client, cluster, identifier). */
  Source: 4,
} as const;

/** However many ask, a path is looked at once, and for its own peer only. */
export interface Requests {
  readonly peers: ReadonlyMap<PeerId, number>;
  readonly nextHops: ReadonlySet<number>;
  /** The rules of the decision process changed. */
  readonly decide: boolean;
}

interface Gathered extends Requests {
  readonly peers: Map<PeerId, number>;
  readonly nextHops: Set<number>;
  decide: boolean;
}

const SLICE = 8192;
/** Judging a path again by long policies takes a while. */
const STEP = 256;

export class Sweep {
  readonly #paths: PathStore;
  readonly #visit: (path: number, requests: Requests) => void;
  #waiting: Gathered | undefined;
  #current: Requests | undefined;
  #at = 0;
  #end = 0;

  /** `visit` sees every live path once for the requests that were made before the walk began. */
  constructor(paths: PathStore, visit: (path: number, requests: Requests) => void) {
    this.#paths = paths;
    this.#visit = visit;
  }

  askForPeer(peer: PeerId, what: number): void {
    const { peers } = this.#gather();
    peers.set(peer, (peers.get(peer) ?? 0) | what);
  }

  askForNextHops(changed: Iterable<number>): void {
    const { nextHops } = this.#gather();
    for (const id of changed) nextHops.add(id);
  }

  askForAll(): void {
    this.#gather().decide = true;
  }

  /** One slice, shorter when time is up; true while there is more. */
  work(isTimeUp: () => boolean): boolean {
    if (this.#current === undefined) {
      if (this.#waiting === undefined) return false;
      this.#current = this.#waiting;
      this.#waiting = undefined;
      this.#at = 0;
      this.#end = this.#paths.end;
    }
    for (const until = Math.min(this.#at + SLICE, this.#end); this.#at < until; ) {
      const stop = Math.min(this.#at + STEP, until);
      for (; this.#at < stop; this.#at++) if (this.#paths.isLive(this.#at)) this.#visit(this.#at, this.#current);
      if (isTimeUp()) break;
    }
    if (this.#at < this.#end) return true;
    this.#current = undefined;
    return this.#waiting !== undefined;
  }

  #gather(): Gathered {
    this.#waiting ??= { peers: new Map(), nextHops: new Set(), decide: false };
    return this.#waiting;
  }
}
