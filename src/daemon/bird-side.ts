/** BIRD's control sockets, which come, go and move when a reload says so. */

import { UsageError } from "../bgp/model/errors.ts";
import type { Clock, Logger, Timer } from "../bgp/model/ports.ts";
import type { Config } from "../config/model.ts";
import { type BirdSocket, openBirdSocket } from "../control/bird/bird-socket.ts";
import type { BirdFamily, BirdView } from "../control/bird/bird-view.ts";
import { VERSION } from "../version.ts";

const KEYS = { ipv4: "birdSocket", ipv6: "bird6Socket" } as const;
/** Where Calico's own BIRD has them. */
const CALICO_PATHS = { ipv4: "/var/run/calico/bird.ctl", ipv6: "/var/run/calico/bird6.ctl" } as const;
/** Calico's status reporter wants a `v` where its own BIRD has one; what comes first is the BIRD that the answers are like. */
const BIRD_VERSION = `v1.6.8+starling-${VERSION}`;

/** The BIRD whose place this takes may still be there. */
const AGAIN_MILLISECONDS = 5_000;

export interface BirdSideParts {
  readonly view: BirdView;
  readonly clock: Clock;
  readonly logger: Logger;
  /** On a Calico node they are there without being asked for. */
  readonly isCalicoNode: boolean;
}

export class BirdSide {
  readonly #parts: BirdSideParts;
  readonly #open = new Map<BirdFamily, BirdSocket>();
  /** Said of a socket that could not be had: once is enough. */
  readonly #said = new Map<BirdFamily, string>();
  /** One after the other: the next try must not meet a reload. */
  #busy: Promise<unknown> = Promise.resolve();
  #again: Timer | undefined;
  #isClosed = false;

  constructor(parts: BirdSideParts) {
    this.#parts = parts;
  }

  /** Throws UsageError when a path that the file names cannot be had. */
  async open(config: Config): Promise<void> {
    const [problem] = await this.move(config);
    if (problem !== undefined) throw new UsageError(problem.message);
  }

  /** What could not be had stays where it was, and is tried again. Returns why, in words, for those that the file names. */
  move(next: Config): Promise<readonly { path: string; message: string }[]> {
    const moved = this.#busy.then(() => this.#move(next));
    this.#busy = moved;
    return moved;
  }

  async #move(next: Config): Promise<readonly { path: string; message: string }[]> {
    this.#again?.cancel();
    const problems: { path: string; message: string }[] = [];
    let isDone = true;
    for (const family of ["ipv4", "ipv6"] as const) {
      const message = await this.#moveOne(family, this.#pathOf(family, next));
      if (message === undefined) continue;
      isDone = false;
      if (next[KEYS[family]] !== undefined) problems.push({ path: `control.${KEYS[family]}`, message });
    }
    if (!isDone && !this.#isClosed)
      this.#again = this.#parts.clock.after(AGAIN_MILLISECONDS, () => void this.move(next));
    return problems;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#busy.catch(() => undefined);
    this.#again?.cancel();
    await Promise.all([...this.#open.values()].map((socket) => socket.close()));
    this.#open.clear();
  }

  #pathOf(family: BirdFamily, config: Config): string | undefined {
    const written = config[KEYS[family]];
    if (written === undefined) return this.#parts.isCalicoNode ? CALICO_PATHS[family] : undefined;
    return written === false ? undefined : written;
  }

  async #moveOne(family: BirdFamily, path: string | undefined): Promise<string | undefined> {
    const before = this.#open.get(family);
    if (before?.path === path || this.#isClosed) return undefined;
    const { view, clock, logger } = this.#parts;
    if (path !== undefined) {
      try {
        const version = BIRD_VERSION;
        const socket = await openBirdSocket({ path, family, view, version, clock, log: logger });
        this.#open.set(family, socket);
        if (this.#said.delete(family)) logger.info({ socket: path }, "BIRD's control socket is open now");
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        if (this.#said.get(family) !== error.message)
          logger.error({ socket: path, reason: error.message }, "BIRD's control socket could not be opened");
        this.#said.set(family, error.message);
        return error.message;
      }
    } else this.#open.delete(family);
    await before?.close();
    return undefined;
  }
}
