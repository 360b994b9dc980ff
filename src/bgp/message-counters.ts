/** How many messages of each kind a peer has sent us and we it; they outlive its sessions. */

import { MessageType } from "./model/messages.ts";

export type MessageName = "open" | "update" | "notification" | "keepalive" | "routeRefresh";

/** Message types are small numbers; 0 is none. */
const TYPES = MessageType.RouteRefresh + 1;

export class MessageCounters {
  /** Plain arrays: a typed one takes four times the memory of what it holds. */
  readonly #received = new Array<number>(TYPES).fill(0);
  readonly #sent = new Array<number>(TYPES).fill(0);

  countReceived(type: MessageType): void {
    this.#received[type] = (this.#received[type] as number) + 1;
  }

  countSent(type: MessageType, count = 1): void {
    this.#sent[type] = (this.#sent[type] as number) + count;
  }

  get received(): Readonly<Record<MessageName, number>> {
    return byName(this.#received);
  }

  get sent(): Readonly<Record<MessageName, number>> {
    return byName(this.#sent);
  }
}

function byName(counts: readonly number[]): Readonly<Record<MessageName, number>> {
  return {
    open: counts[MessageType.Open] ?? 0,
    update: counts[MessageType.Update] ?? 0,
    notification: counts[MessageType.Notification] ?? 0,
    keepalive: counts[MessageType.Keepalive] ?? 0,
    routeRefresh: counts[MessageType.RouteRefresh] ?? 0,
  };
}
