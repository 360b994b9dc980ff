/** A speaker on real sockets and real time, with tables that only keep notes. */

import { asn, type PeerId, routerId } from "../../src/bgp/model/ids.ts";
import type { PeerOptions } from "../../src/bgp/options.ts";
import { SocketTransport } from "../../src/bgp/socket-transport.ts";
import { Speaker } from "../../src/bgp/speaker.ts";
import { MemoryLog } from "./memory-log.ts";
import { MemoryRib } from "./memory-rib.ts";
import { address, peerOptions } from "./peer-options.ts";
import { systemClock } from "./system-clock.ts";

export class SocketSpeaker {
  readonly log = new MemoryLog();
  readonly rib = new MemoryRib();
  readonly speaker: Speaker;
  readonly #at: string;
  readonly #port: number;
  #waiting: (() => void)[] = [];

  constructor(at: string, port: number) {
    this.#at = at;
    this.#port = port;
    this.speaker = new Speaker({
      options: {
        asNumber: asn(65000),
        routerId: routerId(address(at).w0 || address(at).w3),
        hostName: at,
        listen: [{ address: address(at), port }],
        restarting: false,
      },
      clock: systemClock,
      logger: this.log,
      random: Math.random,
      transport: new SocketTransport(systemClock, this.log),
      rib: this.rib,
      events: {
        stateChanged: () => {
          for (const check of this.#waiting) check();
        },
        acceptDynamic: () => undefined,
        dynamicGone: () => {},
      },
    });
  }

  options(to: string, more: Partial<PeerOptions> = {}): PeerOptions {
    return peerOptions({
      to,
      port: this.#port,
      localAddress: address(this.#at),
      connectRetrySeconds: 1,
      idleHoldSeconds: 1,
      ...more,
    });
  }

  state(peer = 1): string | undefined {
    return this.speaker.peer(peer as PeerId)?.state;
  }

  /** True once the peer is Established; false if it is not within that time. */
  establishes(milliseconds: number, peer = 1): Promise<boolean> {
    return this.#comesTo(true, milliseconds, peer);
  }

  /** True once it no longer is. */
  leaves(milliseconds = 10_000, peer = 1): Promise<boolean> {
    return this.#comesTo(false, milliseconds, peer);
  }

  async #comesTo(established: boolean, milliseconds: number, peer: number): Promise<boolean> {
    const until = systemClock.now() + milliseconds;
    while ((this.state(peer) === "Established") !== established) {
      const rest = until - systemClock.now();
      if (rest <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = systemClock.after(rest, resolve);
        this.#waiting.push(() => {
          timer.cancel();
          resolve();
        });
      });
      this.#waiting = [];
    }
    return true;
  }
}
