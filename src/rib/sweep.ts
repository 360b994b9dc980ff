/** One walk over all paths of a family that serves everybody who asked for one: a peer gone, a policy changed, a next hop moved. */

import type { PathStore } from "./path-store.ts";

const SLICE = 8192;

export class Sweep<Request> {
  readonly #paths: PathStore;
  readonly #visit: (path: number, requests: ReadonlySet<Request>) => void;
  #waiting = new Set<Request>();
  #current = new Set<Request>();
  #at = 0;
  #end = 0;

  /** `visit` sees every live path once for the requests that were made before the walk began. */
  constructor(paths: PathStore, visit: (path: number, requests: ReadonlySet<Request>) => void) {
    this.#paths = paths;
    this.#visit = visit;
  }

  request(request: Request): void {
    this.#waiting.add(request);
  }

  /** One slice; true while there is more. */
  work(): boolean {
    if (this.#at >= this.#end) {
      if (this.#waiting.size === 0) return false;
      this.#current = this.#waiting;
      this.#waiting = new Set();
      this.#at = 0;
      this.#end = this.#paths.end;
    }
    const until = Math.min(this.#at + SLICE, this.#end);
    for (; this.#at < until; this.#at++) if (this.#paths.isLive(this.#at)) this.#visit(this.#at, this.#current);
    if (this.#at < this.#end) return true;
    this.#current = new Set();
    return this.#waiting.size > 0;
  }
}
