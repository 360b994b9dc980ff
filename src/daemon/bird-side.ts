/** BIRD's control sockets, which come, go and move when a reload says so. */

import { UsageError } from "../bgp/model/errors.ts";
import type { Clock, Logger } from "../bgp/model/ports.ts";
import type { Config } from "../config/model.ts";
import { type BirdSocket, openBirdSocket } from "../control/bird/bird-socket.ts";
import type { BirdFamily, BirdView } from "../control/bird/bird-view.ts";
import { VERSION } from "../version.ts";

const KEYS = { ipv4: "birdSocket", ipv6: "bird6Socket" } as const;
/** Where Calico's own BIRD has them. */
const CALICO_PATHS = { ipv4: "/var/run/calico/bird.ctl", ipv6: "/var/run/calico/bird6.ctl" } as const;
/** Calico's status reporter wants a `v` where its own BIRD has one; what comes first is the BIRD that the answers are like. */
const BIRD_VERSION = `v1.6.8+starling-${VERSION}`;

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

  constructor(parts: BirdSideParts) {
    this.#parts = parts;
  }

  /** Throws UsageError when a path that the file names cannot be had. */
  async open(config: Config): Promise<void> {
    for (const { path, message } of await this.move(config)) {
      const isAskedFor = Object.values(KEYS).some((key) => path === `control.${key}` && config[key] !== undefined);
      if (isAskedFor) throw new UsageError(message);
    }
  }

  /** What could not be had stays where it was. Returns why, in words. */
  async move(next: Config): Promise<readonly { path: string; message: string }[]> {
    const problems: { path: string; message: string }[] = [];
    for (const family of ["ipv4", "ipv6"] as const) {
      const message = await this.#moveOne(family, this.#pathOf(family, next));
      if (message !== undefined) problems.push({ path: `control.${KEYS[family]}`, message });
    }
    return problems;
  }

  async close(): Promise<void> {
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
    if (before?.path === path) return undefined;
    const { view, clock, logger } = this.#parts;
    if (path !== undefined) {
      try {
        const version = BIRD_VERSION;
        this.#open.set(family, await openBirdSocket({ path, family, view, version, clock, log: logger }));
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        logger.error({ socket: path, reason: error.message }, "BIRD's control socket could not be opened");
        return error.message;
      }
    } else this.#open.delete(family);
    await before?.close();
    return undefined;
  }
}
