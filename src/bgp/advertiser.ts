/** The outbound side of all sessions: an Outbox for each update group, and the peers' sockets that the outboxes share. */

import type { PeerId } from "./model/ids.ts";
import type { Encoding, Logger, Outbox, OutboxEvents } from "./model/ports.ts";
import { GroupOutbox } from "./outbox.ts";

/** A session's socket. */
export interface MessageSink {
  /** Takes whole messages, always; false asks to wait for `drained` before the next. The octets must not change any more. */
  write(messages: Uint8Array, count: number): boolean;
  /** What is written until `uncork` may go out in one system call. */
  cork(): void;
  uncork(): void;
}

/** How far behind a member may be before its part of the log is dropped. */
const MAX_LAG_BYTES = 8 * 1024 * 1024;

/** One peer's socket as the outboxes see it. */
export interface Outlet {
  readonly peer: PeerId;
  readonly sink: MessageSink;
  isBlocked: boolean;
}

export class Advertiser {
  readonly #soon: (run: () => void) => void;
  readonly #logger: Logger;
  readonly #maxLagBytes: number;
  readonly #outlets = new Map<PeerId, Outlet>();
  readonly #outboxes = new Map<PeerId, Set<GroupOutbox>>();

  constructor(parts: { soon: (run: () => void) => void; logger: Logger; maxLagBytes?: number }) {
    this.#soon = parts.soon;
    this.#logger = parts.logger;
    this.#maxLagBytes = parts.maxLagBytes ?? MAX_LAG_BYTES;
  }

  /** The session is Established; call before the tables hear of it. */
  attach(peer: PeerId, sink: MessageSink): void {
    this.#outlets.set(peer, { peer, sink, isBlocked: false });
  }

  detach(peer: PeerId): void {
    for (const outbox of [...(this.#outboxes.get(peer) ?? [])]) outbox.leave(peer);
    this.#outlets.delete(peer);
    this.#outboxes.delete(peer);
  }

  /** The peer's socket takes more. */
  drained(peer: PeerId): void {
    const outlet = this.#outlets.get(peer);
    if (outlet === undefined) return;
    outlet.isBlocked = false;
    for (const outbox of this.#outboxes.get(peer) ?? []) outbox.resume(peer);
  }

  createOutbox(encoding: Encoding, events: OutboxEvents): Outbox {
    return new GroupOutbox(encoding, events, {
      outlet: (peer) => this.#outlets.get(peer),
      joined: (outbox, peer) => {
        const outboxes = this.#outboxes.get(peer) ?? new Set();
        this.#outboxes.set(peer, outboxes.add(outbox));
      },
      left: (outbox, peer) => this.#outboxes.get(peer)?.delete(outbox),
      soon: this.#soon,
      maxLagBytes: this.#maxLagBytes,
      unsendable: (problem) => this.#logger.warn({ problem }, "route withdrawn: it cannot be encoded"),
    });
  }
}
