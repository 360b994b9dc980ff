/** Server-sent events: every change is encoded once and queued, within bounds, for each client that wants it. */

import type { ServerResponse } from "node:http";
import type { Clock, Logger, Timer } from "../bgp/model/ports.ts";
import type { DaemonView, EventView } from "./views.ts";

const MAX_CLIENTS = 32;
const MAX_QUEUED_BYTES = 1024 * 1024;
const HEARTBEAT_MILLISECONDS = 15_000;
/** A client whose queue has been full for so long is dropped. */
const STALLED_MILLISECONDS = 30_000;

interface Client {
  readonly response: ServerResponse;
  readonly kind: EventView["kind"] | undefined;
  queue: string[];
  queuedBytes: number;
  /** Events that found the queue full since the last one that did not. */
  lost: number;
  progressAt: number;
}

/**
 * Events arrive in the middle of the tables' work, thousands in one turn, so they are only queued there; writing follows in a
 * turn of its own. A client that does not keep up is told how many events it missed; one that stands still is dropped.
 */
export class EventStream {
  readonly #view: DaemonView;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #clients = new Set<Client>();
  #unsubscribe: (() => void) | undefined;
  #heartbeat: Timer | undefined;
  #flushPending = false;

  constructor(view: DaemonView, clock: Clock, log: Logger) {
    this.#view = view;
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes over a response whose head has been sent. */
  add(response: ServerResponse, kind: EventView["kind"] | undefined): void {
    if (this.#clients.size >= MAX_CLIENTS) {
      response.end(`event: error\ndata: {"error":"${MAX_CLIENTS} clients listen already"}\n\n`);
      return;
    }
    const client: Client = { response, kind, queue: [], queuedBytes: 0, lost: 0, progressAt: this.#clock.now() };
    response.on("close", () => this.#remove(client));
    response.on("drain", () => {
      client.progressAt = this.#clock.now();
      this.#write(client);
    });
    this.#clients.add(client);
    response.write("retry: 3000\n\n");
    this.#unsubscribe ??= this.#view.subscribe((event) => this.#queue(event));
    this.#heartbeat ??= this.#clock.after(HEARTBEAT_MILLISECONDS, () => this.#beat());
  }

  close(): void {
    for (const client of [...this.#clients]) {
      client.response.end();
      this.#remove(client);
    }
  }

  #remove(client: Client): void {
    if (!this.#clients.delete(client) || this.#clients.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
  }

  #queue(event: EventView): void {
    const text = `event: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
    for (const client of this.#clients) {
      if (client.kind !== undefined && client.kind !== event.kind) continue;
      if (client.queuedBytes + text.length > MAX_QUEUED_BYTES) {
        client.lost++;
        continue;
      }
      if (client.lost > 0) flushLost(client);
      client.queue.push(text);
      client.queuedBytes += text.length;
    }
    if (this.#flushPending) return;
    this.#flushPending = true;
    this.#clock.soon(() => {
      this.#flushPending = false;
      for (const client of this.#clients) this.#write(client);
    });
  }

  #write(client: Client): void {
    if (client.response.writableNeedDrain || client.response.destroyed) return;
    if (client.lost > 0) flushLost(client);
    if (client.queue.length === 0) return;
    const text = client.queue.join("");
    client.queue = [];
    client.queuedBytes = 0;
    client.response.write(text);
  }

  #beat(): void {
    this.#heartbeat = this.#clock.after(HEARTBEAT_MILLISECONDS, () => this.#beat());
    for (const client of [...this.#clients]) {
      if (!client.response.writableNeedDrain) {
        client.progressAt = this.#clock.now();
        client.response.write(": heartbeat\n\n");
      } else if (this.#clock.now() - client.progressAt >= STALLED_MILLISECONDS) {
        this.#log.warn({ client: client.response.socket?.remoteAddress }, "event client dropped: it does not read");
        client.response.destroy();
        this.#remove(client);
      }
    }
  }
}

function flushLost(client: Client): void {
  const text = `event: lost\ndata: {"events":${client.lost}}\n\n`;
  client.lost = 0;
  client.queue.push(text);
  client.queuedBytes += text.length;
}
